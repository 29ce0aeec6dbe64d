"""Reading a file that always shows everything: a row that is missing in the next version is gone."""

from __future__ import annotations

import asyncio

from isthmus.connectors.files.cursors import Position, Seen, SnapshotCursor, decode, encode
from isthmus.connectors.files.places import Stamp, digest, settled, stamp
from isthmus.connectors.files.scan import RowFilter, ScanKeeper, Source
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
            cursor = SnapshotCursor(meaning=self._meaning, scans=cursor.scans, rows=cursor.rows)
        now = await asyncio.to_thread(stamp, source.path)
        if cursor.at is None and cursor.done is not None and cursor.done.stamp.same(now):
            return Page(cursor=request.cursor)
        if cursor.at is None or not cursor.at.seen.stamp.same(now):
            now = await settled(source.path, float(source.config.settle_seconds), self._clock)
        position = await self._position(cursor, now)
        if position is None:
            seen = _at(cursor.done, now) if cursor.done else None
            return Page(cursor=encode(SnapshotCursor(self._meaning, seen, None, cursor.scans, cursor.rows)))
        again = cursor.at is not None and position.row > 0
        scans = cursor.scans if again else cursor.scans + 1
        scan = await self._keeper.at(source, now, position.seen.digest)
        self._refuse_emptied(len(scan.index), cursor.rows)
        taken, records = await self._keeper.page(scan, position.row, request, known)
        narrow = bool(RowFilter(request, ""))
        name = "" if narrow else f"{position.seen.digest}.{scans}"
        seen = Seen(position.seen.digest, now.size, now.mtime_ns)
        if taken.done:
            after = SnapshotCursor(self._meaning, seen, None, scans, len(scan.index))
        else:
            at = Position(source.file, seen, taken.following)
            after = SnapshotCursor(self._meaning, cursor.done, at, scans, cursor.rows)
        return Page(
            records=records, cursor=encode(after), more=not taken.done, scan=name, scan_done=taken.done and not narrow
        )

    async def _position(self, cursor: SnapshotCursor, now: Stamp) -> Position | None:
        """Where to read: on in the scan under way, from the top, or nowhere as the content is the one already read."""
        if cursor.at is not None and cursor.at.seen.stamp.same(now):
            return cursor.at
        found, _ = await asyncio.to_thread(digest, self._source.path)
        if cursor.at is not None and cursor.at.seen.digest == found:
            return Position(cursor.at.file, _at(cursor.at.seen, now), cursor.at.row)
        if cursor.at is None and cursor.done is not None and cursor.done.digest == found:
            return None
        return Position(self._source.file, Seen(found, now.size, now.mtime_ns), 0)

    def _refuse_emptied(self, rows: int, before: int) -> None:
        if not rows and before:
            self._keeper.drop()
            raise Retry(
                f"{self._source.file} is empty: it had {before} rows when it was read last.",
                code="file_empty",
                hint="Put the whole file there; an empty file does not count as a deletion of everything.",
            )

    def close(self) -> None:
        """Close the file. Safe to repeat."""
        self._keeper.drop()


def _at(seen: Seen, now: Stamp) -> Seen:
    """The same content, touched."""
    return Seen(seen.digest, now.size, now.mtime_ns, seen.told)
