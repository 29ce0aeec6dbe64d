"""Reading a folder into which files are dropped: each file once, in name order, never a deletion."""

from __future__ import annotations

import asyncio
from pathlib import Path

from msgspec import structs

from isthmus.connectors.files.config import SetConfig
from isthmus.connectors.files.cursors import DropCursor, Position, Seen, decode, encode
from isthmus.connectors.files.identity import family_of, native_id
from isthmus.connectors.files.places import digest, drop_files, settled, stamp
from isthmus.connectors.files.scan import ScanKeeper
from isthmus.connectors.files.source import Source
from isthmus.contract.clock import Clock
from isthmus.contract.records import Known, NativeRecord, Page, ReadRequest


class DropReader:
    """Pages of all files of a pattern."""

    def __init__(self, name: str, config: SetConfig, folder: Path, clock: Clock) -> None:
        self._name = name
        self._config = config
        self._folder = folder
        self._clock = clock
        self._keeper = ScanKeeper()
        self._meaning = Source(name, config, folder, "").meaning()

    def sources(self) -> list[Source]:
        """The files that are there now, in name order. Raises Retry when the folder is not there."""
        return [self._source(path) for path in drop_files(self._folder, self._config.file)]

    async def read(self, request: ReadRequest, known: Known) -> Page:
        """One page: rows of one file, or what is wrong with files already read. Safe to repeat.

        A narrow read goes on through the files until its page is full.
        Raises Retry when the file under way went away or moves.
        """
        page = await self._page(request, known)
        records = page.records
        while page.more and (not records or (request.equals and len(records) < request.limit)):
            rest = structs.replace(request, cursor=page.cursor, limit=max(1, request.limit - len(records)))
            page = await self._page(rest, known)
            records += page.records
        return structs.replace(page, records=records)

    async def _page(self, request: ReadRequest, known: Known) -> Page:
        cursor = decode(request.cursor, DropCursor)
        if cursor.meaning != self._meaning:
            cursor = DropCursor(meaning=self._meaning)
        sources = await asyncio.to_thread(self.sources)
        if cursor.at is not None:
            return await self._rows(self._source(self._folder / cursor.at.file), cursor, sources, request, known)
        files, told = dict(cursor.files), list[NativeRecord]()
        for source in sources:
            seen = files.get(source.file)
            if seen is not None:
                files[source.file], record = await asyncio.to_thread(self._again, source, seen)
                told += [record] if record else []
                continue
            cursor = DropCursor(self._meaning, files, None)
            if told:
                return Page(records=tuple(told), cursor=encode(cursor), more=True)
            return await self._rows(source, cursor, sources, request, known)
        return Page(records=tuple(told), cursor=encode(DropCursor(self._meaning, files, None)))

    async def _rows(
        self, source: Source, cursor: DropCursor, sources: list[Source], request: ReadRequest, known: Known
    ) -> Page:
        at = cursor.at
        now = await asyncio.to_thread(stamp, source.path)
        if at is not None and at.seen.stamp.same(now):
            found, row = at.seen.digest, at.row
        else:
            now = await settled(source.path, float(self._config.settle_seconds), self._clock)
            found, _ = await asyncio.to_thread(digest, source.path)
            row = at.row if at is not None and at.seen.digest == found else 0
        scan = await self._keeper.at(source, now, found)
        taken, records = await self._keeper.page(scan, row, request, known)
        seen = Seen(found, now.size, now.mtime_ns)
        if not taken.done:
            after = DropCursor(self._meaning, cursor.files, Position(source.file, seen, taken.following))
            return Page(records=records, cursor=encode(after), more=True)
        files = {**cursor.files, source.file: seen}
        more = any(other.file not in files for other in sources)
        return Page(records=records, cursor=encode(DropCursor(self._meaning, files, None)), more=more)

    def _again(self, source: Source, seen: Seen) -> tuple[Seen, NativeRecord | None]:
        """A file that was read before: nothing, or what to tell of its change (and, later, that it is mended)."""
        now = stamp(source.path)
        if seen.stamp.same(now):
            return seen, None
        found, now = digest(source.path)
        told = "" if found == seen.digest else found
        after = Seen(seen.digest, now.size, now.mtime_ns, told)
        if told == seen.told:
            return after, None
        family = family_of(f"{self._name}\2changed", [source.file]).hex()
        return after, NativeRecord(
            id=native_id(family, 1),
            version=found,
            deleted=not told,
            origin=source.file,
            family=family,
            problem=f"{source.file} was changed after it was read: already read, each file counts once."
            if told
            else "",
            mend=f"Drop a new file with what is new, and put back {source.file} as it was." if told else "",
        )

    def _source(self, path: Path) -> Source:
        return Source(self._name, self._config, path, path.relative_to(self._folder).as_posix())

    def close(self) -> None:
        """Close the file under way. Safe to repeat."""
        self._keeper.drop()
