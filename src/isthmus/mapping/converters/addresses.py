"""A postal address in one multi-line text <-> the Address struct, by a template that must read back the same."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from isthmus.mapping.converters.base import BadOptions, Converter, Kind, Options
from isthmus.mapping.converters.words import need_text
from isthmus.mapping.failure import BadValue

PARTS = ("line1", "line2", "city", "state", "postal_code", "country")
DEFAULT = ("{line1}", "{line2}?", "{city}, {state} {postal_code}", "{country}?")
_PLACE = re.compile(r"\{(\w+)\}")
Found = dict[str, str]


class _Line:
    """One line of the template. A `?` at its end means the line may be missing."""

    def __init__(self, text: str) -> None:
        self.optional = text.endswith("?")
        self.text = text.removesuffix("?")
        self.names = _PLACE.findall(self.text)
        if not self.names or set(self.names) - set(PARTS):
            raise BadOptions(f"{text!r}: an address line needs places such as {{city}}; known are {', '.join(PARTS)}")
        literals = [re.escape(part) for part in _PLACE.sub("\0", self.text).split("\0")]
        self._forms = tuple(
            re.compile("".join(_woven(literals, [f"(?P<{name}>{any_})" for name in self.names]))).fullmatch
            for any_ in (r"\S(?:.*?\S)??", r"\S(?:.*\S)?")
        )

    def match(self, text: str) -> Found | None:
        """Its places in `text`. Raises BadValue when the text can be divided in several ways."""
        lazy, greedy = (form(text) for form in self._forms)
        if lazy is None or greedy is None:
            return None
        if lazy.groupdict() != greedy.groupdict():
            raise BadValue("an address whose parts can be told apart")
        return lazy.groupdict()

    def fill(self, parts: Found) -> str | None:
        """The line, None when all its places are blank."""
        if not any(parts.get(name) for name in self.names):
            return None
        return _PLACE.sub(lambda match: parts.get(match[1], ""), self.text)


def _woven(literals: list[str], groups: list[str]) -> Iterator[str]:
    for literal, group in itertools.zip_longest(literals, groups, fillvalue=""):
        yield literal
        yield group


def _address(options: Options) -> Converter:
    given = options.get("lines", list(DEFAULT))
    if not isinstance(given, list) or not 1 <= len(given) <= 6:
        raise BadOptions("lines must be a list of 1 to 6 line templates")
    lines = [_Line(str(text)) for text in given]
    names = [name for line in lines for name in line.names]
    if len(set(names)) < len(names):
        raise BadOptions("a place stands twice in the address template")
    expected = f"an address of the form {' / '.join(line.text for line in lines)}"

    def parse(text: str) -> Found:
        rows = [row.strip() for row in text.splitlines() if row.strip()]
        fits = [found for found in _fits(lines, rows, expected) if found is not None]
        if len(fits) != 1:
            raise BadValue(expected)
        return fits[0]

    def read(value: Any) -> Any:
        text = need_text(value)
        if not text.strip():
            return None
        found = parse(text)
        return {name: found.get(name) for name in names}

    def write(value: Any) -> str:
        if not isinstance(value, dict):
            raise BadValue("an address")
        parts = {name: need_text(value[name]).strip() for name in PARTS if value.get(name)}
        if not parts:
            return ""
        text = "\n".join(row for line in lines if (row := line.fill(parts)) is not None)
        if set(parts) - set(names) or parse(text) != {name: part for name, part in parts.items() if part}:
            raise BadValue(expected)
        return text

    return Converter("text", "struct", read, write, lossy=True)


def _fits(lines: list[_Line], rows: list[str], expected: str) -> Iterator[Found | None]:
    """Every way the rows fit the template with some optional lines left out."""
    missing = len(lines) - len(rows)
    optional = [index for index, line in enumerate(lines) if line.optional]
    if missing < 0 or missing > len(optional):
        raise BadValue(expected)
    for left_out in itertools.combinations(optional, missing):
        kept = [line for index, line in enumerate(lines) if index not in left_out]
        found: Found | None = {}
        for line, row in zip(kept, rows, strict=True):
            part = line.match(row)
            found = None if part is None or found is None else {**found, **part}
        yield found


KINDS: tuple[Kind, ...] = (
    Kind(
        "address",
        _address,
        "an address in one text <-> its parts, by line templates; a line ending in ? may be missing",
        ("lines",),
        "lines",
    ),
)
