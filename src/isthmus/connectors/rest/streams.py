"""Streams: rounds by time, and scans of everything where there is no way to ask for changes."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, structs

from isthmus.connectors.rest.client import RestClient
from isthmus.connectors.rest.cursor import Cursor, again, begin, finish, load, moved, next_variant, save, take
from isthmus.connectors.rest.declared.entities import Filtered
from isthmus.connectors.rest.declared.paging import NoPaging, OffsetPaging, PagePaging, SpringPaging
from isthmus.connectors.rest.details import Details
from isthmus.connectors.rest.facts import Facts, Listing
from isthmus.connectors.rest.moments import milliseconds, moment_at
from isthmus.connectors.rest.pages import Ask, Sheet, Spot, read_sheet
from isthmus.connectors.rest.ranges import days_of, within
from isthmus.connectors.rest.whole_lists import WholeLists
from isthmus.contract.clock import Clock
from isthmus.contract.records import NativeRecord, Page, ReadRequest
from isthmus.errors import Reject


class Stream(Struct, frozen=True):
    """One stream as it is asked for now."""

    facts: Facts
    listing: Listing
    request: ReadRequest
    scan: bool


class Streams:
    """Reads of streams of one connection. `page_size`: most records of a page."""

    def __init__(
        self, client: RestClient, details: Details, lists: WholeLists, clock: Clock, page_size: int | None
    ) -> None:
        self._client = client
        self._details = details
        self._lists = lists
        self._clock = clock
        self._page_size = page_size

    async def read(self, facts: Facts, request: ReadRequest) -> Page:
        """One page of a stream. Raises ConfigurationError where the set cannot be listed."""
        stream = Stream(facts, facts.listed(), request, not isinstance(facts.whole.changes, Filtered))
        cursor = load(request.cursor)
        if not cursor.going:
            step = facts.form.step if facts.form is not None else 1
            scans = cursor.scans + 1
            cursor = begin(cursor, step)
            if stream.scan:
                cursor = structs.replace(cursor, scans=scans, scan=f"{self._clock.now().isoformat()}/{scans}")
        return await self._page(stream, cursor)

    async def _page(self, stream: Stream, cursor: Cursor) -> Page:
        ask = self._ask(stream, cursor)
        sheet = await self._sheet(stream, cursor, ask)
        if sheet.slipped:  # the page is thrown away: what it shows comes again, from where the order is sure
            cursor = structs.replace(cursor, at=0, anchor="", token="")
            sheet = await self._sheet(stream, cursor, ask)
        records = await self._details.records(stream.facts, sheet.items, stream.listing, company=stream.request.company)
        records = [record for record in records if within(record, stream.request)]
        cursor = structs.replace(
            cursor,
            pages=cursor.pages + 1,
            started=cursor.started if cursor.pages else _before(sheet.now),
            total=cursor.total if cursor.pages else sheet.total,
        )
        if stream.scan:
            return self._scan_page(stream, cursor, records, sheet)
        return self._round_page(stream, cursor, records, sheet)

    def _scan_page(self, stream: Stream, cursor: Cursor, records: list[NativeRecord], sheet: Sheet) -> Page:
        scan = cursor.scan
        cursor = take(cursor, records, 0)[1]
        after = sheet.after
        if after is None and moved(cursor, sheet.total):
            cursor, after = again(cursor), Spot()
        elif after is None and cursor.variant + 1 < len(stream.listing.variants):
            cursor, after = next_variant(cursor, 1), Spot()
        if after is None:
            return Page(records=tuple(records), cursor=save(Cursor(scans=cursor.scans)), scan=scan, scan_done=True)
        return Page(records=tuple(records), cursor=save(_at(cursor, after)), more=True, scan=scan)

    def _round_page(self, stream: Stream, cursor: Cursor, records: list[NativeRecord], sheet: Sheet) -> Page:
        overlap = stream.facts.overlap + (stream.facts.form.step if stream.facts.form is not None else 0)
        delivered, cursor = take(cursor, records, overlap)
        after = sheet.after
        if after is None and isinstance(stream.listing.paging, PagePaging | SpringPaging):
            after = Spot() if moved(cursor, sheet.total) else None
            cursor = again(cursor) if after is not None else cursor
        if after is None and cursor.variant + 1 < len(stream.listing.variants):
            step = stream.facts.form.step if stream.facts.form is not None else 1
            onward = next_variant(cursor, step)
            return Page(records=tuple(delivered), cursor=save(onward), more=True)
        if after is None:
            done = finish(cursor, overlap, sheet.now)
            reached = moment_at(done.since) if done.since is not None else None
            return Page(records=tuple(delivered), cursor=save(done), moment=reached)
        return Page(records=tuple(delivered), cursor=save(self._onward(stream, cursor, records, after)), more=True)

    def _onward(self, stream: Stream, cursor: Cursor, records: list[NativeRecord], after: Spot) -> Cursor:
        """Where the next page begins. In the order of change it is asked for by time: nothing can slip then."""
        changes, form = stream.facts.whole.changes, stream.facts.form
        by_time = isinstance(changes, Filtered) and changes.sorted and form is not None
        if by_time and form is not None and isinstance(stream.listing.paging, OffsetPaging | PagePaging | SpringPaging):
            last = [milliseconds(one.modified_at) for one in records if one.modified_at is not None]
            top = max(last, default=0) // form.step * form.step
            if last and (cursor.base is None or top > cursor.base):
                return structs.replace(_at(cursor, Spot()), base=top)
        return _at(cursor, after)

    def _ask(self, stream: Stream, cursor: Cursor) -> Ask:
        facts, changes = stream.facts, stream.facts.whole.changes
        names: dict[str, Any] = {"set": facts.native}
        if stream.request.company:
            names["company"] = stream.request.company
        if cursor.base is not None and facts.form is not None:
            exclusive = isinstance(changes, Filtered) and not changes.inclusive
            base = max(0, cursor.base - (facts.form.step if exclusive else 0))
            names["since"] = facts.form.write(moment_at(base))
        filled = {**self._client.names, **names}
        variant = stream.listing.variants[min(cursor.variant, len(stream.listing.variants) - 1)]
        return Ask(names, [*stream.listing.streams(filled), *variant(filled), *days_of(facts, stream.request)])

    async def _sheet(self, stream: Stream, cursor: Cursor, ask: Ask) -> Sheet:
        want = min(stream.request.limit, self._page_size or stream.request.limit)
        spot = Spot(cursor.at, cursor.size, cursor.token, cursor.anchor)
        if isinstance(stream.listing.paging, NoPaging):
            return await self._lists.read(stream.facts, stream.listing, ask, spot, want)
        try:
            return await read_sheet(self._client, stream.listing, ask, spot, want)
        except Reject:
            if not cursor.token:
                raise
        # the token is no longer accepted: from the beginning, what is known is not delivered twice
        return await read_sheet(self._client, stream.listing, ask, Spot(), want)


def _at(cursor: Cursor, spot: Spot) -> Cursor:
    return structs.replace(cursor, at=spot.at, size=spot.size, token=spot.token, anchor=spot.anchor)


def _before(now: int | None) -> int | None:
    """A moment surely before the answer: its clock counts whole seconds."""
    return None if now is None else now - 2000
