"""Narrow reads: single records by the value of a field or by id, as many with one call as the system takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from msgspec import structs

from isthmus.connectors.rest.client import RestClient
from isthmus.connectors.rest.declared.paging import NoPaging
from isthmus.connectors.rest.details import Details
from isthmus.connectors.rest.facts import Asked, Facts, Listing
from isthmus.connectors.rest.pages import Ask, Spot, read_sheet
from isthmus.connectors.rest.ranges import days_of, within
from isthmus.connectors.rest.templates import UNSET
from isthmus.connectors.rest.whole_lists import WholeLists
from isthmus.contract.records import NativeRecord, ReadRequest
from isthmus.errors import ConfigurationError

_MOST_PER_PAGE = 1000
#: how many of several values a narrow read asks for at a time, where each needs a call
_AT_ONCE = 50


class Narrow:
    """Reads of single records of one connection."""

    def __init__(self, client: RestClient, details: Details, lists: WholeLists) -> None:
        self._client = client
        self._details = details
        self._lists = lists

    async def read(self, facts: Facts, request: ReadRequest) -> list[NativeRecord]:
        """All records whose fields have one of the values asked for. Safe to repeat."""
        wanted = dict(request.equals)
        field = next((name for name in wanted if name in facts.asked), "")
        if field:
            found = await self.by(facts, field, wanted[field], request)
        else:  # nothing the system could be asked by: everything is read, and what does not fit is left out
            found = [record async for record in self._everything(facts, request)]
        return [record for record in found if _fits(facts, record, wanted) and within(record, request)]

    async def first(self, facts: Facts, request: ReadRequest) -> list[NativeRecord]:
        """The first records of a set, as many as `request.limit` says."""
        listing = facts.listed()
        if isinstance(listing.paging, NoPaging):
            items = await self.raw(facts, request.limit)
        else:
            items = (await read_sheet(self._client, listing, Ask(_names(facts, request)), Spot(), request.limit)).items
        return await self._details.records(facts, items[: request.limit], listing, company=request.company)

    async def raw(self, facts: Facts, count: int) -> tuple[dict[str, Any], ...]:
        """The first objects of a list that comes in one answer, as they are on the wire."""
        sheet = await self._lists.read(facts, facts.listed(), Ask({"set": facts.native}), Spot(), count)
        self._lists.close()
        return sheet.items

    async def by(self, facts: Facts, field: str, values: Sequence[str], request: ReadRequest) -> list[NativeRecord]:
        """Records asked for by a filter; what the system gives is not compared again."""
        asked = facts.asked[field]
        groups = list(_groups([value for value in dict.fromkeys(values) if value], asked.spec.most))
        found: dict[str, NativeRecord] = {}
        for start in range(0, len(groups), _AT_ONCE):
            lists = await asyncio.gather(
                *(self._group(facts, field, asked, group, request) for group in groups[start : start + _AT_ONCE])
            )
            found |= {record.id: record for records in lists for record in records}
        return list(found.values())

    async def fetch(self, facts: Facts, ids: Sequence[str], company: str) -> list[NativeRecord]:
        """Records by id, in order; those that are gone are marked deleted. Safe to repeat."""
        field = facts.id_filter
        if field:
            known = [native_id for native_id in ids if facts.wire_id(native_id) is not UNSET]
            request = ReadRequest(native=facts.native, company=company)
            found = {record.id: record for record in await self.by(facts, field, known, request)}
            return [found.get(native_id) or NativeRecord(id=native_id, deleted=True) for native_id in ids]
        if facts.get is None:
            raise ConfigurationError(
                f"single {facts.native} cannot be read.", hint="Add a call `get` or a filter `id` to the profile."
            )
        return list(await asyncio.gather(*(self._details.one(facts, native_id, company) for native_id in ids)))

    async def _group(
        self, facts: Facts, field: str, asked: Asked, values: Sequence[str], request: ReadRequest
    ) -> list[NativeRecord]:
        names = {**_names(facts, request), "value": values[0], "values": list(values)}
        listing = _own(facts.listed(), asked)
        spec = asked.spec
        more: list[tuple[str, str]] = []
        if spec.parameter and spec.separator:
            more.append((spec.parameter, spec.separator.join(values)))
        elif spec.parameter:
            more += [(spec.parameter, value) for value in values]
        more += asked.query({**self._client.names, **names})
        return [record async for record in self._all(facts, listing, Ask(names, more), request.company)]

    async def _everything(self, facts: Facts, request: ReadRequest) -> AsyncIterator[NativeRecord]:
        ask = Ask(_names(facts, request), list(days_of(facts, request)))
        async for record in self._all(facts, facts.listed(), ask, request.company):
            yield record

    async def _all(self, facts: Facts, listing: Listing, ask: Ask, company: str) -> AsyncIterator[NativeRecord]:
        """Every record of a list, with each of its queries, page by page."""
        for variant in listing.variants:
            asked = Ask(ask.names, [*ask.more, *variant({**self._client.names, **ask.names})])
            async for items in self._pages(listing, asked):
                for record in await self._details.records(facts, items, listing, company=company):
                    yield record

    async def _pages(self, listing: Listing, ask: Ask) -> AsyncIterator[Sequence[dict[str, Any]]]:
        if isinstance(listing.paging, NoPaging):
            for item in await self._lists.all(listing, ask):
                yield (item,)
            return
        spot: Spot | None = Spot()
        while spot is not None:
            sheet = await read_sheet(self._client, listing, ask, structs.replace(spot, anchor=""), _MOST_PER_PAGE)
            yield sheet.items
            spot = sheet.after


def _own(listing: Listing, asked: Asked) -> Listing:
    """The filter's own call instead of the list call."""
    if asked.call is None:
        return listing
    own = structs.replace(listing, call=asked.call, partial=asked.partial)
    return own if asked.items is None else structs.replace(own, items=asked.items, items_at=asked.items_at)


def _names(facts: Facts, request: ReadRequest) -> dict[str, Any]:
    return {"set": facts.native, **({"company": request.company} if request.company else {})}


def _groups(values: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), most):
        yield values[start : start + most]


def _fits(facts: Facts, record: NativeRecord, wanted: Mapping[str, tuple[str, ...]]) -> bool:
    for field, values in wanted.items():
        shown = str(record.data.get(field))
        asked = facts.asked.get(field)
        if asked is not None and asked.spec.ignore_case:
            if shown.casefold() not in {value.casefold() for value in values}:
                return False
        elif shown not in values:
            return False
    return True
