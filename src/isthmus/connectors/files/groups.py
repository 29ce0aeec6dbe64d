"""Rows that stand together under one key as one record (`rows:` of a set).

Half a record is worse than none, because its costs would be booked: where one of its rows cannot be read, the whole
record is a problem. A row whose key cannot be read may belong to the record before it or to the one after it, so both
are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from isthmus.connectors.files.identity import torn_family, version_of_rows
from isthmus.connectors.files.raw import spelled
from isthmus.connectors.files.rows import Row

#: A record with more rows is taken for a mistake (a key column that is the same everywhere).
MOST_ROWS = 10_000
_NAMED = 3

#: First and last line -> how people call the place: `cost_lines.csv lines 12-17`.
Span = Callable[[int, int], str]


def grouped(rows: Iterable[Row], span: Span, line_word: str, same: Mapping[str, int]) -> Iterator[Row]:
    """Neighbours of one key as one row each, of which no more than one is held.

    Args:
        rows: all rows of a file.
        span: how people call a place.
        line_word: line, or row in Excel.
        same: column -> its place, for columns that must be equal in all rows of a record.
    """
    group: _Group | None = None
    loose: _Group | None = None
    for row in rows:
        if not row.keyed:
            loose = loose or _Group(row.family, line_word, {})
            loose.add(row)
            continue
        if group is not None and group.family == row.family:
            group.take(loose)
        else:
            if group is not None:
                group.beside(loose)
                yield group.row(span)
            group = _Group(row.family, line_word, same)
            group.beside(loose)
        loose = None
        group.add(row)
    if group is not None:
        group.beside(loose)
        yield group.row(span)
    elif loose is not None:
        yield loose.alone(span)


class _Group:
    """Rows as they come. What is kept of them does not grow beyond the limit."""

    def __init__(self, family: bytes, line_word: str, same: Mapping[str, int]) -> None:
        self.family = family
        self._line_word = line_word
        self._same = same
        self._told: Row | None = None
        self._versions = hashlib.sha256()
        self._first = self._last = self._count = 0
        self._rows: list[Row] = []
        self._torn: list[Row] = []
        self._torn_count = 0
        self._beside: list[Row] = []

    def add(self, row: Row) -> None:
        """One more row."""
        row = self._compared(row) if self._same and row.cells else row
        self._versions.update(row.version)
        self._first = self._first or row.line
        self._last, self._count = row.last, self._count + 1
        if row.problem:
            self._torn_count += 1
            self._torn += [row] if len(self._torn) < _NAMED else []
        if self._count <= MOST_ROWS:
            self._rows.append(row)
        else:
            del self._rows[1:]

    def _compared(self, row: Row) -> Row:
        """The row, or why it cannot be of one record with the first."""
        first = self._told = self._told or row
        differing = [name for name, index in self._same.items() if row.cells[index] != first.cells[index]]
        if not differing:
            return row
        self._versions.update(b"differs")
        reason = f"{', '.join(differing)} not as in {self._line_word} {first.line}: " + ", ".join(
            f"{spelled(row.cells[index])!r}, there {spelled(first.cells[index])!r}"
            for index in (self._same[name] for name in differing)
        )
        mend = f"Make {', '.join(differing)} equal in all rows of one record."
        return row._replace(problem=reason, reason=reason, mend=mend)

    def take(self, loose: _Group | None) -> None:
        """Rows without readable key between rows of this group: they are of it."""
        if loose is not None:
            self._versions.update(loose._versions.digest())
            self._count += loose._count
            self._torn_count += loose._torn_count
            self._torn += loose._torn[: _NAMED - len(self._torn)]

    def beside(self, loose: _Group | None) -> None:
        """Rows without readable key at an edge of this group: they may be of it."""
        if loose is not None:
            self._versions.update(b"beside" + loose._versions.digest())
            self._beside += loose._torn[:1]

    def row(self, span: Span) -> Row:
        """The whole group."""
        version = version_of_rows(self._versions.digest())
        cells = next((row.cells for row in self._rows if row.cells), ())
        whole = Row(self._first, cells, self.family, version, last=self._last)
        place = span(self._first, self._last)
        if self._torn or self._beside:
            said = [f"{self._line_word} {row.line}: {row.reason}" for row in self._torn]
            if len(self._torn) < self._torn_count:
                said.append(f"{self._torn_count - len(self._torn)} rows more")
            said += [f"{self._line_word} {row.line} may be one of them: {row.reason}" for row in self._beside]
            mend = (self._torn or self._beside)[0].mend
            return whole._replace(problem=f"{place}: {'; '.join(said)}.", mend=mend)
        if self._count > MOST_ROWS:
            problem = f"{place}: {self._count:,} rows make one record, more than {MOST_ROWS:,}."
            mend = f"Name under key the columns that tell records apart: {place}."
            return whole._replace(problem=problem, mend=mend)
        return whole._replace(parts=tuple(self._rows))

    def alone(self, span: Span) -> Row:
        """Rows without readable key in a file without any other: a record by its content."""
        row = self.row(span)
        return row._replace(family=torn_family("rows", row.version.hex()))
