"""Converters of text: blanks, case, affixes, phone numbers, lists in a text."""

from __future__ import annotations

import re
from typing import Any

from isthmus.mapping.converters.base import BadOptions, Converter, Kind, Options, fixed, words
from isthmus.mapping.failure import BadValue
from isthmus.mapping.plain import text_of


def need_text(value: Any) -> str:
    """`value`, which must be text (numbers count as their text). Raises BadValue."""
    return value if value.__class__ is str else text_of(value)


def _trim(value: Any) -> str:
    return need_text(value).strip()


def _upper(value: Any) -> str:
    return need_text(value).upper()


def _lower(value: Any) -> str:
    return need_text(value).lower()


def _title(value: Any) -> str:
    return re.sub(r"[^\W\d_]+(?:['’][^\W\d_]+)?", lambda m: m[0][:1].title() + m[0][1:].lower(), need_text(value))


def _spelling(name: str, change: Any, about: str, write: Any = None) -> Kind:
    """A change of spelling that is applied in both directions: doing it twice changes nothing more."""
    return Kind(name, fixed(Converter("text", "text", change, write or change, lossy=True)), about)


_PHONE_NOISE = re.compile(r"[\s().\-/·]+")
_PHONE = re.compile(r"\+?[0-9]{3,17}(?:x[0-9]{1,6})?").fullmatch
A_PHONE = "a phone number such as +1 555 010 2030"


def _phone(options: Options) -> Converter:
    country = options.get("country")
    if country is not None and not re.fullmatch(r"[0-9]{1,3}", str(country)):
        raise BadOptions('country is the calling code without plus, such as "1" or "49"')

    def normalise(value: Any) -> str:
        text = need_text(value)
        if not text.strip():
            return ""
        text = re.sub(r"(?i)\s*(?:ext\.?|extension|x)\s*(?=[0-9]+\s*$)", "x", text)
        text = _PHONE_NOISE.sub("", text.replace("(0)", "") if text.lstrip().startswith("+") else text)
        if text.startswith("00"):
            text = "+" + text[2:]
        if not _PHONE(text):
            raise BadValue(A_PHONE)
        if country is not None and not text.startswith("+"):
            text = f"+{country}{text.removeprefix('0')}"
            if not _PHONE(text):
                raise BadValue(A_PHONE)
        return text

    return Converter("text", "text", normalise, normalise, lossy=True)


def _prefix(options: Options) -> Converter:
    text = words(options, "text")

    def strip(value: Any) -> str:
        native = need_text(value)
        if native == "":
            return ""
        if not native.startswith(text) or native == text:
            raise BadValue(f'a text that begins with "{text}"')
        return native[len(text) :]

    def add(value: Any) -> str:
        canonical = need_text(value)
        return text + canonical if canonical else ""

    return Converter("text", "text", strip, add)


def _suffix(options: Options) -> Converter:
    text = words(options, "text")

    def strip(value: Any) -> str:
        native = need_text(value)
        if native == "":
            return ""
        if not native.endswith(text) or native == text:
            raise BadValue(f'a text that ends with "{text}"')
        return native[: -len(text)]

    def add(value: Any) -> str:
        canonical = need_text(value)
        return canonical + text if canonical else ""

    return Converter("text", "text", strip, add)


def _parts(value: Any, mark: str) -> list[str]:
    text = need_text(value)
    return text.split(mark) if text else []


def _joined(value: Any, mark: str) -> str:
    if not isinstance(value, list | tuple):
        raise BadValue("a list")
    parts = [need_text(part) for part in value]
    if any(mark in part for part in parts) or parts == [""]:
        raise BadValue(f'a list whose texts do not hold the separator "{mark}" and are not empty')
    return mark.join(parts)


def _split(options: Options) -> Converter:
    mark = words(options, "at")
    return Converter("text", "list", lambda value: _parts(value, mark), lambda value: _joined(value, mark))


def _join(options: Options) -> Converter:
    mark = words(options, "with")
    return Converter("list", "text", lambda value: _joined(value, mark), lambda value: _parts(value, mark))


def _blank(value: Any) -> Any:
    return None if value == "" else value


KINDS: tuple[Kind, ...] = (
    _spelling("trim", _trim, "removes blanks at both ends"),
    _spelling("upper", _upper, "upper case, both ways"),
    _spelling("lower", _lower, "lower case, both ways"),
    _spelling("title", _title, "First Letters Upper Case, both ways"),
    Kind("phone", _phone, "digits with + and x for the extension; `country` completes local numbers", ("country",)),
    Kind("prefix", _prefix, "removes a prefix that must be there, adds it on write", ("text",), "text", ("text",)),
    Kind("suffix", _suffix, "removes a suffix that must be there, adds it on write", ("text",), "text", ("text",)),
    Kind("split", _split, "native text with separators <-> list", ("at",), "at", ("at",)),
    Kind("join", _join, "native list <-> text with separators", ("with",), "with", ("with",)),
    Kind(
        "blank",
        fixed(Converter("any", "any", _blank, lambda value: "" if value is None else value, lossy=True, nulls=True)),
        "native empty text <-> nothing, for systems that have no null",
    ),
)
