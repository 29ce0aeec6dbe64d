"""Reading a file that always shows everything: a row that is missing in the next version is gone."""

from __future__ import annotations

import asyncio

from msgspec import structs

from isthmus.connectors.files.cursors import Position, Seen, SnapshotCursor, decode, encode
from isthmus.connectors.files.places import Stamp
from isthmus.connectors.files.scan import RowFilter, Scan, ScanKeeper
from isthmus.connectors.files.source import Source
from isthmus.contract.clock import Clock
from isthmus.contract.records import Known, Page, ReadRequest
from isthmus.errors import Retry


class SnapshotReader:
    """Pages of one snapshot file."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._keeper = ScanKeeper()
        self._meaning = source.meaning()

    async def read(self, request: ReadRequest, known: Known) -> Page:
        """One page. Safe to repeat. An unchanged file costs one look at the folder.

        Raises Retry when the file is not there, is empty where it had rows, or moves while it is read.
        """
        source = self._source
        cursor = decode(request.cursor, SnapshotCursor)
        if cursor.meaning != self._meaning:
            cursor = structs.replace(cursor, meaning=self._meaning, done=None, at=None)
        now = await asyncio.to_thread(source.stamp)
        if cursor.at is None and cursor.done is not None and cursor.done.stamp.same(now):
            return Page(cursor=request.cursor)
        if cursor.at is None or not cursor.at.seen.stamp.same(now):
            now = await source.settled(self._clock)
        position = await self._position(cursor, now)
        if position is None:
            seen = Seen.at(cursor.done.digest, now) if cursor.done else None
            return Page(cursor=encode(structs.replace(cursor, done=seen)))
        again = cursor.at is not None and position.row > 0
        scans = cursor.scans if again else cursor.scans + 1
        scan = await self._keeper.at(source, now, position.seen.digest)
        self._refuse_emptied(scan, cursor)
        taken, records = await self._keeper.page(scan, position.row, request, known)
        narrow = bool(RowFilter(request, ""))
        name = "" if narrow else f"{position.seen.digest}.{scans}"
        seen = Seen.at(position.seen.digest, now)
        if taken.done:
            after = SnapshotCursor(self._meaning, seen, None, scans, scan.records_count, scan.lines_count)
        else:
            after = structs.replace(cursor, at=Position(source.file, seen, taken.following), scans=scans)
        return Page(
            records=records, cursor=encode(after), more=not taken.done, scan=name, scan_done=taken.done and not narrow
        )

    async def _position(self, cursor: SnapshotCursor, now: Stamp) -> Position | None:
        """Where to read: on in the scan under way, from the top, or nowhere as the content is the one already read."""
        if cursor.at is not None and cursor.at.seen.stamp.same(now):
            return cursor.at
        found, _ = await asyncio.to_thread(self._source.digest)
        if cursor.at is not None and cursor.at.seen.digest == found:
            return Position(cursor.at.file, Seen.at(found, now), cursor.at.row)
        if cursor.at is None and cursor.done is not None and cursor.done.digest == found:
            return None
        return Position(self._source.file, Seen.at(found, now), 0)

    def _refuse_emptied(self, scan: Scan, before: SnapshotCursor) -> None:
        lines = self._source.config.lines
        files = [(self._source.file, scan.records_count, before.rows)]
        files += [(lines.file or self._source.file, scan.lines_count, before.lines)] if lines is not None else []
        for file, rows, earlier in files:
            if not rows and earlier:
                self._keeper.drop()
                raise Retry(
                    f"{file} is empty: it had {earlier} rows when it was read last.",
                    code="file_empty",
                    hint="Put the whole file there; an empty file does not count as a deletion of everything.",
                )

    def close(self) -> None:
        """Close the file. Safe to repeat."""
        self._keeper.drop()
