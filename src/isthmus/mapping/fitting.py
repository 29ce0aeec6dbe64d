"""Which type fits into which, and what to write when it does not."""

from __future__ import annotations

from collections.abc import Mapping

#: Native types as the chain of converters sees them.
_SAME: Mapping[str, str] = {"guid": "text", "enum": "text", "number": "decimal"}
_FITS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text", "decimal", "int", "bool", "date", "time", "enum", "number"}),
    "decimal": frozenset({"decimal", "int", "text", "number"}),
    "int": frozenset({"decimal", "int", "text", "number"}),
    "bool": frozenset({"bool"}),
    "date": frozenset({"date", "text"}),
    "time": frozenset({"time", "text"}),
    "list": frozenset({"list"}),
    "struct": frozenset({"struct", "map"}),
    "map": frozenset({"struct", "map"}),
}
_WORDS: Mapping[str, str] = {
    "text": "a text",
    "decimal": "a number",
    "number": "a number",
    "int": "a whole number",
    "bool": "true or false",
    "date": "a date",
    "time": "a time",
    "enum": "one of a list of words",
    "list": "a list",
    "struct": "an object",
    "map": "names with values",
}
_ADVICE: Mapping[tuple[str, str], str] = {
    ("date", "time"): "A day has no moment: map a time field, or add `via: {time: {format: ..., zone: ...}}`.",
    ("time", "date"): "Say in which zone's calendar: `via: {local_date: America/Chicago}`.",
    ("int", "bool"): "Say which numbers mean what: `via: {bool: {yes: 1, no: 0}}`.",
    ("decimal", "bool"): "Say which numbers mean what: `via: {bool: {yes: 1, no: 0}}`.",
    ("int", "time"): "Use `via: unix_seconds` or `via: unix_millis`.",
    ("decimal", "time"): "Use `via: unix_seconds` or `via: unix_millis`.",
    ("int", "date"): 'Use `via: {date: "%Y%m%d"}`.',
    ("int", "enum"): "Use `via: {enum: {1: word}}` or a lookup table.",
    ("decimal", "enum"): "Use `via: {enum: {1: word}}` or a lookup table.",
    ("bool", "enum"): "Use `via: {enum: {true: word, false: word}}`.",
    ("bool", "text"): "Use `via: {enum: {true: word, false: word}}`.",
    ("text", "struct"): "Map its parts one by one, or use `via: address`.",
    ("text", "list"): 'Use `each:` for records, or `via: {split: ";"}` for plain texts.',
    ("list", "text"): 'Use `via: {join: ";"}`.',
}


def native_kind(kind: str) -> str:
    """A native type as conversions see it."""
    return _SAME.get(kind, kind)


def fits(source: str, target: str) -> bool:
    """Whether a value of type `source` can (if well-formed) become `target` without a converter."""
    return "any" in (source, target) or target in _FITS.get(native_kind(source), frozenset({source}))


def in_words(kind: str) -> str:
    """`a whole number`"""
    return _WORDS.get(native_kind(kind), kind)


def advice(source: str, target: str) -> str:
    """What to write so that `source` becomes `target`."""
    return _ADVICE.get((native_kind(source), target), "Map another field, or convert it with `via:` or `formula:`.")
