"""A file with its columns: rows bound to the header, whole or with the reason why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from isthmus.connectors.files.config import SetConfig
from isthmus.connectors.files.csv_rows import csv_rows
from isthmus.connectors.files.identity import family_of, torn_family, version_of
from isthmus.connectors.files.places import open_file
from isthmus.connectors.files.raw import Cell, RawRow, spelled
from isthmus.connectors.files.workbook import sheet_rows
from isthmus.errors import ConfigurationError, Retry

#: A column no file has: the identity we gave the row, for lists without a number of their own.
ROW_ID = "_row_id"


class Row(NamedTuple):
    """One row with its identity. `problem` says why it is no record; then `cells` is not to be used."""

    line: int
    cells: Sequence[Cell]
    family: bytes
    version: bytes
    problem: str = ""
    mend: str = ""


class Table:
    """Header and rows of an open file. Rows can be taken once."""

    def __init__(self, name: str, file: str, config: SetConfig, raw: Iterator[RawRow]) -> None:
        self._file = file
        self._config = config
        self._raw = raw
        #: digests of keys are of this set; in drop mode every file is a world of its own
        self._scope = name if config.mode == "snapshot" else f"{name}\1{file}"
        self.columns = self._header()
        place = {column: index for index, column in enumerate(self.columns) if column}
        self._place = place
        #: the columns that have a name
        self.names = tuple(place)
        self.require((*config.key, *config.columns))
        self._key = [place[column] for column in config.key]
        self._by_name = [place[column] for column in sorted(place)]
        #: a renamed column is other data, though the cells are the same
        self._shape = torn_family("", "\0".join(sorted(place))).hex()
        self._where = f"sheet {config.sheet} row" if config.sheet else "row" if config.format == "xlsx" else "line"

    def values(self, row: Row, identity: str, columns: Sequence[str] = ()) -> Mapping[str, Cell]:
        """Column -> value of a whole row, ROW_ID among them; all columns, or those named."""
        place, cells = self._place, row.cells
        return {name: identity if name == ROW_ID else cells[place[name]] for name in columns or (*self.names, ROW_ID)}

    def origin(self, row: Row) -> str:
        """Where a person finds the row: `work_orders.csv line 3454`."""
        return f"{self._file} {self._where} {row.line}"

    def text(self, row: Row, column: str) -> str:
        return spelled(row.cells[self._place[column]])

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
            file=self._file,
        )

    def rows(self) -> Iterator[Row]:
        """All rows below the header."""
        bind = self._bind
        for raw in self._raw:
            yield bind(raw)

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
            return self._bad(raw, torn_family(self._scope, text), bad)
        named = [cells[index] for index in self._by_name]
        family = family_of(self._scope, [cells[index] for index in self._key] if self._key else named)
        if bad:
            return self._bad(raw, family, bad)
        return Row(raw.line, cells, family, version_of([self._shape, *named]))

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
        return self._problem(raw, torn_family(self._scope, text), version_of([text]), reason, mend)

    def _bad(self, raw: RawRow, family: bytes, bad: Mapping[int, str]) -> Row:
        reason = "; ".join(f"column {self._called(index)} {why}" for index, why in sorted(bad.items()))
        version = version_of([reason, *raw.cells])
        if self._config.format == "csv":
            mend = f"Save the file as {self._config.encoding}, or set encoding to what it is written in"
        else:
            mend = "Mend the cells in Excel and save"
        return self._problem(raw, family, version, reason, mend)

    def _called(self, index: int) -> str:
        return (self.columns[index] if index < len(self.columns) else "") or str(index + 1)

    def _problem(self, raw: RawRow, family: bytes, version: bytes, reason: str, mend: str) -> Row:
        origin = f"{self._file} {self._where} {raw.line}"
        upto = f" to {raw.last}" if raw.last > raw.line else ""
        return Row(raw.line, (), family, version, f"{origin}{upto}: {reason}.", f"{mend}: {origin}.")

    def _header(self) -> tuple[str, ...]:
        if self._config.header is not True:
            return self._config.header
        first = next(self._raw, None)
        if first is None:
            raise Retry(
                f"{self._file} is empty: it has not even a header.",
                code="file_empty",
                hint="Put the whole file there; rows are deleted only by a file that has others.",
            )
        if first.torn or first.bad:
            raise ConfigurationError(
                f"the header cannot be read: {first.torn or 'it ' + next(iter((first.bad or {}).values()))}",
                code="header",
                hint=f"encoding is {self._config.encoding}, delimiter {self._config.delimiter!r}.",
                file=self._file,
                line=first.line,
            )
        columns = tuple(spelled(cell).strip() for cell in first.cells)
        if self._config.format == "xlsx":  # formatted but empty cells stand right of many headers
            columns = columns[: max((index + 1 for index, name in enumerate(columns) if name), default=0)]
        problem = ""
        if ROW_ID in columns:
            problem = f"the name {ROW_ID} is taken by the identity of the row"
        elif twice := next((name for name in columns if name and columns.count(name) > 1), None):
            problem = f"column {twice!r} stands twice in the header"
        elif "" in columns and self._config.format == "csv":
            problem = f"column {columns.index('') + 1} of the header has no name"
        if problem:
            hint = "Name the columns in the file, or list them as header: [..] with skip_rows."
            raise ConfigurationError(problem, code="header", hint=hint, file=self._file, line=first.line)
        return columns


@contextmanager
def open_table(name: str, path: Path, file: str, config: SetConfig) -> Iterator[Table]:
    """The file of a set as a table. `file` is what people call it: its path inside the folder.

    Raises Retry when it is not there, ConfigurationError when header and settings do not fit.
    """
    with open_file(path) as stream:
        rows = csv_rows(stream, file, config) if config.format == "csv" else sheet_rows(stream, file, config)
        yield Table(name, file, config, rows)
