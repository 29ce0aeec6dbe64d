"""A file with its columns: rows bound to the header, whole or with the reason why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from isthmus.connectors.files.config import SetConfig
from isthmus.connectors.files.csv_rows import csv_rows
from isthmus.connectors.files.groups import grouped
from isthmus.connectors.files.identity import family_of, torn_family, version_of
from isthmus.connectors.files.lines import Lines
from isthmus.connectors.files.places import open_file
from isthmus.connectors.files.raw import Cell, RawRow, spelled
from isthmus.connectors.files.rows import LINE, ORDINAL, ROW_ID, Row
from isthmus.connectors.files.workbook import sheet_rows
from isthmus.errors import ConfigurationError, Retry


class Table:
    """Header and rows of an open file. Rows can be taken once.

    With `lines`, rows are records that have their lines in another file.
    """

    def __init__(
        self, name: str, file: str, config: SetConfig, raw: Iterator[RawRow], lines: Lines | None = None
    ) -> None:
        self.file = file
        self._config = config
        self._raw = raw
        #: digests of keys are of this set; in drop mode every file is a world of its own
        self._scope = name if config.mode == "snapshot" else f"{name}\1{file}"
        self.columns = self._header()
        place = {column: index for index, column in enumerate(self.columns) if column}
        self.place = place
        self._lines = lines
        #: the columns that have a name
        self.names = tuple(place)
        self.require((*config.key, *config.same, *config.columns))
        #: what the data of a record calls the list of its rows, "" where each row is a record of its own
        self.list_name = config.list_name
        self._key = [place[column] for column in config.key]
        self._by_name = [place[column] for column in sorted(place)]
        #: a renamed column is other data, though the cells are the same
        self._shape = torn_family("", "\0".join(sorted(place))).hex()
        #: how people call a place in it: line, or row in Excel
        self.word = f"sheet {config.sheet} row" if config.sheet else "row" if config.format == "xlsx" else "line"

    def values(self, row: Row, identity: str, fields: Sequence[str] = ()) -> Mapping[str, Any]:
        """Field -> value of a whole row, ROW_ID among them, and of a group its rows; all fields, or those named."""
        place, cells = self.place, row.cells
        own: dict[str, Any] = {ROW_ID: identity}
        if self.list_name:
            own[self.list_name] = [self._part(part, number) for number, part in enumerate(row.parts, 1)]
        return {name: own[name] if name in own else cells[place[name]] for name in fields or (*self.names, *own)}

    def _part(self, row: Row, number: int) -> dict[str, Cell | int]:
        if self._lines is not None:
            return {**self._lines.part(row), LINE: str(row.line)}
        cells = row.cells
        part: dict[str, Cell | int] = {name: cells[index] for name, index in self.place.items()}
        part[LINE], part[ORDINAL] = str(row.line), number
        return part

    def origin(self, row: Row) -> str:
        """Where a person finds the row: `work_orders.csv line 3454`, `cost_lines.csv lines 12-17`."""
        return row.place or self._span(row.line, row.last if self._config.rows else row.line)

    def _span(self, first: int, last: int) -> str:
        return f"{self.file} {self.word} {first}" if last <= first else f"{self.file} {self.word}s {first}-{last}"

    def stands_apart(self, row: Row) -> tuple[str, str]:
        """What is wrong with a group whose key stands in other rows too, and how to mend it."""
        origin, key = self.origin(row), ", ".join(self._config.key)
        values = ", ".join(self.text(row, column) for column in self._config.key) if row.cells else ""
        if not self._config.rows:
            return (
                f"{origin}: {key} {values} stands in other rows of the file too.",
                f"Keep one row for each {key}, or name under key what tells these records apart: {origin}.",
            )
        return (
            f"{origin}: {key} {values} stands in other rows of the file too, and other records lie between.",
            f"Sort the file by {key}, or name under key what tells these records apart: {origin}.",
        )

    def text(self, row: Row, column: str) -> str:
        return spelled(row.cells[self.place[column]])

    def require(self, wanted: Sequence[str]) -> None:
        """Raises ConfigurationError naming the file, the columns it has and the closest one."""
        missing = [name for name in dict.fromkeys(wanted) if name not in self.columns]
        if not missing:
            return
        near = {name: get_close_matches(name, self.names, 1, 0.5) for name in missing}
        parts = [f"{name!r}" + (f" (closest is {near[name][0]!r})" if near[name] else "") for name in missing]
        hint = "Is the delimiter right?" if len(self.columns) == 1 and self._config.format == "csv" else ""
        raise ConfigurationError(
            f"no column {', '.join(parts)}: the file has {', '.join(self.names)}.",
            code="columns_missing",
            hint=hint or "Mend the set's key, columns or mapping, or the header of the file.",
            file=self.file,
        )

    def rows(self) -> Iterator[Row]:
        """All rows below the header, with their lines, or the groups they make."""
        if self._lines is not None:
            return self._lines.joined(self.each())
        if not self._config.rows:
            return self.each()
        same = {column: self.place[column] for column in self._config.same}
        return grouped(self.each(), self._span, self.word, same)

    def each(self) -> Iterator[Row]:
        """Row by row, whatever they make."""
        return map(self._bind, self._raw)

    def _bind(self, raw: RawRow) -> Row:
        width, cells = len(self.columns), raw.cells
        if self._config.format == "xlsx":
            raw = self._fitted(raw)
            cells = raw.cells
        if raw.torn:
            return self._torn(raw, raw.torn, raw.text, "Mend the quotes")
        if len(cells) != width:
            text = "\0".join(spelled(cell) for cell in cells)
            few = "too few" if len(cells) < width else "too many"
            reason = f"{len(cells)} cells where the header has {width}, so {few}"
            return self._torn(raw, reason, text, "Quote cells that hold the delimiter, or add what is missing")
        bad = raw.bad or {}
        if bad and (not self._key or any(index in bad for index in self._key)):
            text = "\0".join(spelled(cell) for cell in cells)
            return self._bad(raw, torn_family(self._scope, text), bad, keyed=False)
        if self.list_name and not any(spelled(cells[index]).strip() for index in self._key):
            return self._blank(raw)
        named = [cells[index] for index in self._by_name]
        family = family_of(self._scope, [cells[index] for index in self._key] if self._key else named)
        if bad:
            return self._bad(raw, family, bad, keyed=True)
        return Row(raw.line, cells, family, version_of([self._shape, *named]), last=raw.last)

    def _fitted(self, raw: RawRow) -> RawRow:
        """Excel leaves empty cells out; content where the header has no name is told, not dropped."""
        width = len(self.columns)
        cells = [*raw.cells, *([""] * (width - len(raw.cells)))]
        bad = dict(raw.bad or {})
        for index, cell in enumerate(cells):
            if cell != "" and (index >= width or not self.columns[index]):
                bad.setdefault(index, "has content and no name in the header")
        return raw._replace(cells=cells[:width], bad=bad or None)

    def _torn(self, raw: RawRow, reason: str, text: str, mend: str) -> Row:
        key = leading_key(raw, self._key, self._config) if self.list_name else None
        family = torn_family(self._scope, text) if key is None else family_of(self._scope, key)
        return self._problem(raw, family, version_of([text]), reason, mend, keyed=key is not None)

    def _bad(self, raw: RawRow, family: bytes, bad: Mapping[int, str], *, keyed: bool) -> Row:
        reason = "; ".join(f"column {self._called(index)} {why}" for index, why in sorted(bad.items()))
        version = version_of([reason, *raw.cells])
        if self._config.format == "csv":
            mend = f"Save the file as {self._config.encoding}, or set encoding to what it is written in"
        else:
            mend = "Mend the cells in Excel and save"
        return self._problem(raw, family, version, reason, mend, keyed=keyed)

    def _blank(self, raw: RawRow) -> Row:
        key, text = ", ".join(self._config.key), "\0".join(spelled(cell) for cell in raw.cells)
        reason, mend = f"no value in {key}", f"Fill {key} in every row of a record, and take out rows that are of none"
        return self._problem(raw, torn_family(self._scope, text), version_of([text]), reason, mend, keyed=False)

    def _called(self, index: int) -> str:
        return (self.columns[index] if index < len(self.columns) else "") or str(index + 1)

    def _problem(self, raw: RawRow, family: bytes, version: bytes, reason: str, mend: str, *, keyed: bool) -> Row:
        origin = f"{self.file} {self.word} {raw.line}"
        upto = f" to {raw.last}" if raw.last > raw.line else ""
        said, mend = f"{origin}{upto}: {reason}.", f"{mend}: {origin}."
        return Row(raw.line, (), family, version, said, mend, reason, keyed=keyed, last=raw.last)

    def _header(self) -> tuple[str, ...]:
        if self._config.header is not True:
            return self._config.header
        first = next(self._raw, None)
        if first is None:
            raise Retry(
                f"{self.file} is empty: it has not even a header.",
                code="file_empty",
                hint="Put the whole file there; rows are deleted only by a file that has others.",
            )
        if first.torn or first.bad:
            raise ConfigurationError(
                f"the header cannot be read: {first.torn or 'it ' + next(iter((first.bad or {}).values()))}",
                code="header",
                hint=f"encoding is {self._config.encoding}, delimiter {self._config.delimiter!r}.",
                file=self.file,
                line=first.line,
            )
        columns = tuple(spelled(cell).strip() for cell in first.cells)
        if self._config.format == "xlsx":  # formatted but empty cells stand right of many headers
            columns = columns[: max((index + 1 for index, name in enumerate(columns) if name), default=0)]
        problem = ""
        taken = {ROW_ID: "the identity of the row"}
        if self._config.rows:
            taken |= {LINE: "the line of a row", ORDINAL: "the number of a row"}
        if name := self._config.list_name:
            taken[name] = f"the list of rows ({'rows' if self._config.rows else 'lines'}: of the set)"
        if name := next((name for name in columns if name in taken), ""):
            problem = f"the name {name} is taken by {taken[name]}"
        elif twice := next((name for name in columns if name and columns.count(name) > 1), None):
            problem = f"column {twice!r} stands twice in the header"
        elif "" in columns and self._config.format == "csv":
            problem = f"column {columns.index('') + 1} of the header has no name"
        if problem:
            hint = "Name the columns in the file, or list them as header: [..] with skip_rows."
            raise ConfigurationError(problem, code="header", hint=hint, file=self.file, line=first.line)
        return columns


def leading_key(raw: RawRow, key: Sequence[int], config: SetConfig) -> list[str] | None:
    """The key of a torn row where its columns are the first ones, as what stands before the tear is whole.

    None when it cannot be told.
    """
    if sorted(key) != list(range(len(key))):
        return None
    cells = [spelled(cell) for cell in raw.cells] or raw.text.split(config.delimiter)
    found = [_unquoted(cell, config.quote) for cell in cells[: len(key)]]
    if len(cells) <= len(key) or None in found or not any(cell and cell.strip() for cell in found):
        return None
    return [found[index] or "" for index in key]


def _unquoted(cell: str, quote: str) -> str | None:
    if not quote or quote not in cell:
        return cell
    inside = cell[1:-1]
    return inside if len(cell) > 1 and cell == f"{quote}{inside}{quote}" and quote not in inside else None


@contextmanager
def open_table(name: str, path: Path, file: str, config: SetConfig, lines: Lines | None = None) -> Iterator[Table]:
    """The file of a set as a table. `file` is what people call it: its path inside the folder.

    Raises Retry when it is not there, ConfigurationError when header and settings do not fit.
    """
    with open_file(path) as stream:
        rows = csv_rows(stream, file, config) if config.format == "csv" else sheet_rows(stream, file, config)
        yield Table(name, file, config, rows, lines)
