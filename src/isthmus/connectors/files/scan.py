"""One pass over one version of a file, page by page. Snapshot and drop reading share it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime

from msgspec import Struct

from isthmus.connectors.files.identity import apart_family, apart_version, family_in, native_id
from isthmus.connectors.files.index import FamilyIndex
from isthmus.connectors.files.places import Stamp
from isthmus.connectors.files.rows import ROW_ID, Row
from isthmus.connectors.files.source import Source
from isthmus.connectors.files.table import Table
from isthmus.contract.records import Known, NativeRecord, ReadRequest
from isthmus.errors import Retry

#: most rows in the groups of one page
_PAGE_ROWS = 10_000


class Slice(Struct, frozen=True):
    """Rows of a page with their numbers, and where the next page begins."""

    rows: Sequence[tuple[int, Row]]
    following: int
    done: bool


class RowFilter:
    """The narrow part of a read request. Rows whose date cannot be read are shown rather than left out."""

    def __init__(self, request: ReadRequest, dates: str) -> None:
        self._equals = {column: frozenset(values) for column, values in request.equals.items() if column != ROW_ID}
        #: native ids asked for; only the family of a row is known before it has its identity
        self.ids = frozenset(request.equals[ROW_ID]) if ROW_ID in request.equals else None
        self._families = {family_in(native) for native in self.ids or ()}
        ranged = request.since is not None or request.until is not None
        self._date_field = request.date_field if ranged else ""
        self._since, self._until, self._dates = request.since or date.min, request.until or date.max, dates
        self.columns = (*self._equals, *((self._date_field,) if self._date_field else ()))

    def __bool__(self) -> bool:
        return bool(self.columns) or self.ids is not None

    def takes(self, table: Table, row: Row) -> bool:
        """Whether the request asks for this row."""
        if self.ids is not None and row.family.hex() not in self._families:
            return False
        if not row.cells:
            return not self._equals
        if any(table.text(row, column) not in values for column, values in self._equals.items()):
            return False
        if not self._date_field:
            return True
        day = self._day(table.text(row, self._date_field).strip())
        return day is None or self._since <= day <= self._until

    def _day(self, text: str) -> date | None:
        try:
            return date.fromisoformat(text[:10])  # Excel's dates come so, whatever `dates` says of text
        except ValueError:
            pass
        try:
            return datetime.strptime(text, self._dates).replace(tzinfo=UTC).date() if self._dates else None
        except ValueError:
            return None


class Scan:
    """A file in one version (`stamp`, `digest`), its family index, and an open reader that stands at some row.

    Kept between pages so that going on costs nothing; a new one at any row gives the same rows and identities.
    """

    def __init__(self, source: Source, stamp: Stamp, digest: str) -> None:
        self.source, self.stamp, self.digest = source, stamp, digest
        self._stack = ExitStack()
        self._table: Table | None = None
        self._rows: Iterator[Row] = iter(())
        self._at = 0
        self._lines = source.read_lines()
        try:
            with source.table(self._lines) as table:
                self.index = FamilyIndex(table.rows(), grouped=bool(source.config.list_name))
            source.unchanged(stamp)
        except BaseException:
            self.end()
            raise

    @property
    def records_count(self) -> int:
        """Records of the file, without what is told of lines that are of none."""
        return len(self.index) - (self._lines.orphans if self._lines is not None else 0)

    @property
    def lines_count(self) -> int:
        """Lines in the file of the lines, 0 where the set has none."""
        return self._lines.count if self._lines is not None else 0

    def serves(self, source: Source, digest: str) -> bool:
        """Whether this is a scan of that content."""
        return self.digest == digest and self.source == source

    def take(self, row: int, request: ReadRequest) -> Slice:
        """Up to `request.limit` rows from row number `row` on. Raises Retry when the file changed meanwhile."""
        table = self._seek(row)
        chosen = RowFilter(request, self.source.config.dates)
        own = {ROW_ID, self.source.config.list_name}
        table.require((*(field for field in request.fields if field not in own), *chosen.columns))
        rows: list[tuple[int, Row]] = []
        limit, held, ended = max(1, request.limit), 0, False
        while len(rows) < limit and held < _PAGE_ROWS and self._at < len(self.index) and not ended:
            found = next(self._rows, None)
            if found is None:
                ended = True
                continue
            if not chosen or chosen.takes(table, found):
                rows.append((self._at, found))
                held += len(found.parts)
            self._at += 1
        self.source.unchanged(self.stamp)
        if ended:
            raise Retry(f"{self.source.file} ended early.", code="file_changed", hint="It is read again.")
        return Slice(rows, self._at, self._at >= len(self.index))

    async def records(self, taken: Slice, fields: Sequence[str], known: Known) -> tuple[NativeRecord, ...]:
        """The rows as records, with the identities they have or now get."""
        index = self.index
        asked = {row.family.hex(): number for number, row in taken.rows if not index.ordinal(number)}
        if asked:
            doubled = [apart_family(family) for family, number in asked.items() if index.stands_apart(number)]
            held = await known([*asked, *doubled])
            for family, number in asked.items():
                if not index.ordinal(number):
                    index.assign(number, held.get(family, {}), held.get(apart_family(family), {}))
        table = self._table
        if table is None:
            raise Retry(f"{self.source.file} was closed while it was read.", code="file_changed")
        return tuple(record(table, row, index.ordinal(number), fields) for number, row in taken.rows)

    def close(self) -> None:
        """Close the file. Safe to repeat; the scan can go on afterwards."""
        self._stack.close()
        self._table = None

    def end(self) -> None:
        """Close everything. Safe to repeat; nothing goes on afterwards."""
        self.close()
        if self._lines is not None:
            self._lines.close()

    def _seek(self, row: int) -> Table:
        if self._table is None or self._at > row:
            self.close()
            self._at = 0
            source = self.source
            # what is opened must be what was indexed, also when another file took the name in between
            self._table = self._stack.enter_context(source.table(self._lines))
            self._rows = self._table.rows()
            source.unchanged(self.stamp)
        while self._at < row and next(self._rows, None) is not None:
            self._at += 1
        return self._table


def record(table: Table, row: Row, ordinal: int, fields: Sequence[str] = ()) -> NativeRecord:
    """A row as a native record. A negative ordinal is a group that stands apart from others of its key."""
    family, version, problem, mend = row.family.hex(), row.version, row.problem, row.mend
    if ordinal < 0:
        problem, mend = (problem, mend) if problem else table.stands_apart(row)
        version = apart_version(version) if ordinal == -1 else version
        family, ordinal = (family, 1) if ordinal == -1 else (apart_family(family), -1 - ordinal)
    identity = native_id(family, ordinal)
    return NativeRecord(
        id=identity,
        data={} if problem else table.values(row, identity, fields),
        version=version.hex(),
        origin=table.origin(row),
        family=family,
        problem=problem,
        mend=mend,
    )


class ScanKeeper:
    """Holds the one scan a set has under way. Heavy work runs in a thread, so that other connections go on."""

    def __init__(self) -> None:
        self._scan: Scan | None = None

    async def at(self, source: Source, stamp: Stamp, digest: str) -> Scan:
        """The scan of that content: the one under way or a new one."""
        scan = self._scan
        if scan is None or not scan.serves(source, digest) or scan.stamp != stamp:
            self.drop()
            scan = self._scan = await asyncio.to_thread(Scan, source, stamp, digest)
        return scan

    async def page(
        self, scan: Scan, row: int, request: ReadRequest, known: Known
    ) -> tuple[Slice, tuple[NativeRecord, ...]]:
        """One page of records from row number `row` on."""
        try:
            taken = await asyncio.to_thread(scan.take, row, request)
            records = await scan.records(taken, request.fields, known)
            if (ids := RowFilter(request, "").ids) is not None:
                records = tuple(record for record in records if record.id in ids)
        except BaseException:
            self.drop()  # where the reader stands is not known any more
            raise
        if taken.done:
            self.drop()
        return taken, records

    def drop(self) -> None:
        """Forget the scan and close its file. Safe to repeat."""
        if self._scan is not None:
            self._scan.end()
            self._scan = None
