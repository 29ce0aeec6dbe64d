"""The XML of one sheet to rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

from isthmus.connectors.files.cell_values import moment, number, unescaped
from isthmus.connectors.files.raw import Cell, RawRow
from isthmus.connectors.files.xml_stream import End, Start, events

_WIDEST = 16_384  # columns of a sheet


class Strings(Protocol):
    """Shared strings by index."""

    def __getitem__(self, index: int) -> str: ...


class Cells:
    """Turns what a cell holds into a value, by the workbook's strings, formats and date system."""

    def __init__(self, strings: Strings, formats: Sequence[str], *, since_1904: bool) -> None:
        self._strings = strings
        self._formats = formats
        self._since_1904 = since_1904

    def value(self, kind: str, style: int, text: str | None, *, formula: bool) -> Cell:
        """The value of a cell. Raises ValueError with the reason for people when it has none."""
        if text is None:
            if formula:
                raise ValueError("holds a formula without its value")
            return ""
        if kind == "s":
            try:
                return self._strings[int(text)]
            except (IndexError, ValueError):
                raise ValueError("points at text the workbook does not have") from None
        if kind in {"str", "inlineStr"}:
            return unescaped(text)
        if kind == "b":
            return text.strip() in {"1", "true"}
        if kind == "e":
            raise ValueError(f"holds {text.strip()[:20]}")
        if kind == "d":
            return text.strip()
        if not text.strip():
            return ""
        shown = self._formats[style] if 0 <= style < len(self._formats) else ""
        plain = number(text)
        return moment(plain, shown, since_1904=self._since_1904) if shown else plain


def read_sheet(stream: BinaryIO, cells: Cells, skip_rows: int) -> Iterator[RawRow]:
    """Rows with content below the first `skip_rows`, with the row number Excel shows."""
    row = 0
    values: list[Cell] = []
    bad: dict[int, str] = {}
    reader = _CellReader(cells)
    for event in events(stream):
        if event.name == "row":
            if isinstance(event, Start):
                told = event.attributes.get("r", "")
                row = int(told) if told.isdigit() else row + 1
                values, bad = [], {}
            elif row > skip_rows and (bad or any(value != "" for value in values)):
                yield RawRow(row, row, values, bad=bad or None)
        elif row > skip_rows:
            reader.take(event, values, bad)


class _CellReader:
    """Collects the events of one cell."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._open = False
        self._text: str | None = None
        self._formula = self._phonetic = False
        self._kind, self._style, self._column = "n", 0, 0

    def take(self, event: Start | End, values: list[Cell], bad: dict[int, str]) -> None:
        if event.name == "c":
            if isinstance(event, Start):
                self._begin(event, len(values))
            else:
                self._finish(values, bad)
        elif not self._open:
            return
        elif event.name == "rPh":
            self._phonetic = isinstance(event, Start)
        elif isinstance(event, Start):
            self._formula = self._formula or event.name == "f"
        elif event.name == "v":
            self._text = event.text
        elif event.name == "t" and not self._phonetic:
            self._text = (self._text or "") + event.text

    def _begin(self, event: Start, following: int) -> None:
        told = event.attributes
        style = told.get("s", "0")
        self._open, self._text, self._formula = True, None, False
        self._kind = told.get("t", "n")
        self._style = int(style) if style.isdigit() else 0
        self._column = _column(told.get("r", "")) if told.get("r") else following

    def _finish(self, values: list[Cell], bad: dict[int, str]) -> None:
        self._open = False
        if self._column >= _WIDEST:
            return
        while len(values) <= self._column:
            values.append("")
        try:
            values[self._column] = self._cells.value(self._kind, self._style, self._text, formula=self._formula)
        except ValueError as error:
            bad[self._column] = str(error)
            values[self._column] = self._text or ""


def _column(reference: str) -> int:
    """Column of `AB12`, from 0."""
    column = 0
    for sign in reference.upper():
        if not "A" <= sign <= "Z":
            break
        column = column * 26 + ord(sign) - 64
    return max(0, column - 1)
