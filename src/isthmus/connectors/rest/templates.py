"""Texts with `{names}`: what a profile writes for paths, queries and bodies, filled in for one call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from isthmus.errors import Reject
from isthmus.model.spelling import spell

#: Marks a value that is not there: what needs it is left out. None is a value: JSON null.
UNSET: Final[Any] = type("Unset", (), {"__repr__": lambda self: "UNSET", "__bool__": lambda self: False})()
#: Key of an object in a template: the object is left out unless the name it gives has a value.
CONDITION = "$if"

_NAME = re.compile(r"\{([a-z_]+(?:\.[A-Za-z0-9_-]+)*)(\|number)?\}")
Names = Mapping[str, Any]


class Hole(Struct, frozen=True):
    """One `{name}` of a text; `number`: written `{name|number}`, a text of digits becomes a number."""

    name: str
    number: bool

    def value(self, names: Names) -> Any:
        """What it stands for, UNSET without a value."""
        found: Any = names
        for part in self.name.split("."):
            found = found.get(part, UNSET) if isinstance(found, Mapping) else UNSET
        if self.number and isinstance(found, str):
            return int(found) if found.isascii() and found.lstrip("-").isdigit() else found
        return found


def holes(template: Any) -> Iterator[str]:
    """Names a template uses."""
    if isinstance(template, str):
        yield from (match[1] for match in _NAME.finditer(template))
    elif isinstance(template, Mapping):
        for name, part in template.items():
            if name == CONDITION:
                yield str(part)
            yield from holes(part)
    elif isinstance(template, list | tuple):
        for part in template:
            yield from holes(part)


Fill = Callable[[Names], Any]


def compiled(template: Any) -> Fill:
    """A function that fills the template; it gives UNSET where a text has no value.

    A text that is one `{name}` and nothing else gives the value itself, whatever it is; among other signs it is spelt
    as text.
    """
    if isinstance(template, str):
        return _text(template)
    if isinstance(template, Mapping):
        return _object(template)
    if isinstance(template, list | tuple):
        parts = [compiled(part) for part in template]
        return lambda names: [value for part in parts if (value := part(names)) is not UNSET]
    return lambda names: template


def _object(template: Mapping[str, Any]) -> Fill:
    wanted = template.get(CONDITION)
    condition = Hole(str(wanted), False) if wanted is not None else None
    parts = [(str(name), compiled(part)) for name, part in template.items() if name != CONDITION]

    def fill(names: Names) -> Any:
        if condition is not None and condition.value(names) is UNSET:
            return UNSET
        return {name: value for name, part in parts if (value := part(names)) is not UNSET}

    return fill


def _text(template: str) -> Fill:
    whole = _NAME.fullmatch(template)
    if whole:
        return Hole(whole[1], bool(whole[2])).value
    pieces = list(_pieces(template))
    if not any(isinstance(piece, Hole) for piece in pieces):
        return lambda names: template
    return lambda names: _joined(pieces, names, spelt)


def _pieces(template: str) -> Iterator[str | Hole]:
    end = 0
    for match in _NAME.finditer(template):
        if match.start() > end:
            yield template[end : match.start()]
        yield Hole(match[1], bool(match[2]))
        end = match.end()
    if end < len(template):
        yield template[end:]


def _joined(pieces: list[str | Hole], names: Names, write: Callable[[Any], str]) -> Any:
    texts = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        value = piece.value(names)
        if value is UNSET or value is None:
            return UNSET
        texts.append(write(value))
    return "".join(texts)


def compiled_path(template: str) -> Callable[[Names], str]:
    """A function that fills an address; every value is encoded, so that none can lead elsewhere.

    Raises Reject when a value is missing or empty, because the address would be another one.
    """
    pieces = list(_pieces(template))

    def fill(names: Names) -> str:
        for piece in pieces:
            if isinstance(piece, Hole) and piece.value(names) in (UNSET, None, ""):
                raise Reject(
                    f"the address {template} cannot be made: {piece.name} has no value.",
                    code="no_value",
                    field=piece.name,
                    hint="Map the field, or mend the path in the profile.",
                )
        return str(_joined(pieces, names, lambda value: quote(spelt(value), safe="")))

    return fill


def compiled_query(template: Mapping[str, Any]) -> Callable[[Names], list[tuple[str, str]]]:
    """A function that gives the query parameters; those without a value are left out, lists are repeated."""
    parts = [(name, compiled(value)) for name, value in template.items()]

    def fill(names: Names) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for name, part in parts:
            value = part(names)
            if value is UNSET or value is None:
                continue
            many = value if isinstance(value, list | tuple) else [value]
            found.extend((name, spelt(one)) for one in many)
        return found

    return fill


def encoded_query(parameters: list[tuple[str, str]]) -> str:
    """`a=1&b=2`, everything but letters, digits and `-._~` encoded."""
    return "&".join(f"{quote(name, safe='$-._~[]')}={quote(value, safe='')}" for name, value in parameters)


def spelt(value: Any) -> str:
    """A value as text of an address or query."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(spell(value))
