"""Copies of rows by the record they are of, in a temporary file without a name: a look-up costs one read of its rows.

What stays in memory of a row is a digest and where its copy begins: 24 bytes.
"""

from __future__ import annotations

import errno
import tempfile
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from decimal import Decimal

import msgspec
from msgspec import Struct

from isthmus.connectors.files.identity import short
from isthmus.connectors.files.raw import Cell, spelled
from isthmus.connectors.files.rows import Row
from isthmus.errors import Retry

_IN_MEMORY = 8 << 20
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class _Copy(Struct, frozen=True, array_like=True):
    """A row as the file holds it. A cell that is no text comes with its kind."""

    line: int
    last: int
    cells: list[str | tuple[str, str]]
    family: bytes
    version: bytes
    problem: str
    mend: str
    reason: str
    keyed: bool


class Copies:
    """First `add` all rows, then `close_index`, then find them."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by close
        self._encoder, self._decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(_Copy)
        self._families, self._starts, self._order = array("Q"), array("Q"), array("Q")
        self._found = bytearray()
        self._end = 0

    def __len__(self) -> int:
        return len(self._families)

    def add(self, row: Row, family: bytes) -> None:
        """Keep a row as one of `family`. Raises Retry (`disk_full`) when there is no room."""
        cells = [cell if isinstance(cell, str) else _typed(cell) for cell in row.cells]
        copy = _Copy(row.line, row.last, cells, family, row.version, row.problem, row.mend, row.reason, row.keyed)
        self._families.append(short(family))
        self._starts.append(self._end)
        try:
            self._end += self._file.write(self._encoder.encode(copy))
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            folder = tempfile.gettempdir()
            hint = "Make room there, or set TMPDIR to a folder that has some."
            raise Retry(f"no room for an index of lines in {folder}.", code="disk_full", hint=hint) from None

    def families(self) -> int:
        """How many different ones there are."""
        return len(set(self._families))

    def close_index(self) -> None:
        """All rows are there."""
        self._order = array("Q", sorted(range(len(self._families)), key=self._families.__getitem__))
        self.forget()

    def forget(self) -> None:
        """Nothing was asked for yet."""
        self._found = bytearray(len(self._order))

    def of(self, family: bytes) -> list[Row]:
        """Rows of a family, by the line they stand on."""
        found = []
        for at in self._places(short(family)):
            copy = self._copy(self._order[at])
            if copy.family == family:
                found.append(_row(copy))
                self._found[at] = 1
        return sorted(found, key=lambda row: row.line)

    def unasked(self) -> Iterator[list[Row]]:
        """Rows of families nobody asked for, in the order in which they were added."""
        for number in sorted(self._order[at] for at, found in enumerate(self._found) if not found):
            family = self._copy(number).family
            if any(not self._found[at] for at in self._places(short(family))) and (rows := self._left(family)):
                yield rows

    def _left(self, family: bytes) -> list[Row]:
        wanted = [at for at in self._places(short(family)) if not self._found[at]]
        return self.of(family) if any(self._copy(self._order[at]).family == family for at in wanted) else []

    def close(self) -> None:
        """Give the file back. Safe to repeat."""
        self._file.close()

    def _places(self, wanted: int) -> range:
        start = bisect_left(self._order, wanted, key=self._families.__getitem__)
        return range(start, bisect_right(self._order, wanted, lo=start, key=self._families.__getitem__))

    def _copy(self, number: int) -> _Copy:
        start = self._starts[number]
        end = self._starts[number + 1] if number + 1 < len(self._starts) else self._end
        self._file.seek(start)
        return self._decoder.decode(self._file.read(end - start))


def _typed(cell: Cell) -> tuple[str, str]:
    return ("bool" if isinstance(cell, bool) else "number", spelled(cell))


def _cell(kind: str, text: str) -> Cell:
    return text == "true" if kind == "bool" else Decimal(text)


def _row(copy: _Copy) -> Row:
    cells = [cell if isinstance(cell, str) else _cell(*cell) for cell in copy.cells]
    return Row(copy.line, cells, copy.family, copy.version, copy.problem, copy.mend, copy.reason, copy.keyed, copy.last)
