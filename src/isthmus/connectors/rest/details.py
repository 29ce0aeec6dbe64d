"""Records whole: lists that need calls of their own are read and put in, incomplete ones are read one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from isthmus.connectors.rest.client import ReadyCall, RestClient
from isthmus.connectors.rest.facts import Facts, Get, Listing, digest
from isthmus.connectors.rest.judging import Gone
from isthmus.connectors.rest.pages import no_list
from isthmus.connectors.rest.places import text_at
from isthmus.connectors.rest.templates import UNSET
from isthmus.contract.records import NativeRecord

#: Reads records of a set by id; what is gone is marked deleted.
Fetch = Callable[[str, Sequence[str], str], Awaitable[Sequence[NativeRecord]]]


class Details:
    """Makes native records of wire objects for one connection. `fetch` reads records that others refer to."""

    def __init__(self, client: RestClient, fetch: Fetch) -> None:
        self._client = client
        self._fetch = fetch

    async def records(
        self, facts: Facts, items: Sequence[dict[str, Any]], listing: Listing | None = None, *, company: str = ""
    ) -> list[NativeRecord]:
        """The records of a page, in its order. `listing`: the call that gave them."""
        if listing is not None and listing.partial:
            items = await asyncio.gather(*(self._whole(facts, item, company) for item in items))
        if facts.parts:
            items = await asyncio.gather(*(self._with_parts(facts, item, company) for item in items))
        if facts.joins:
            items = await self._joined(facts, items, company)
        return [facts.record(item) if facts.id(item) else _nameless(facts, item) for item in items]

    async def one(self, facts: Facts, native_id: str, company: str = "") -> NativeRecord:
        """One record by the call `get`; marked deleted where it is gone."""
        wire = facts.wire_id(native_id)
        if not wire or facts.get is None:
            return NativeRecord(id=native_id, deleted=True)
        try:
            answer = await self._client.call(facts.get, _names(facts, wire, company))
        except Gone:
            return NativeRecord(id=native_id, deleted=True)
        found = facts.record_at(answer.body)
        if not isinstance(found, dict):
            raise no_list("")
        return (await self.records(facts, [found], company=company))[0]

    async def _whole(self, facts: Facts, item: dict[str, Any], company: str) -> dict[str, Any]:
        if facts.get is None or not (native_id := facts.id(item)):
            return item
        try:
            answer = await self._client.call(facts.get, _names(facts, native_id, company))
        except Gone:  # deleted since the list was made: the next read tells
            return item
        found = facts.record_at(answer.body)
        return {**item, **found} if isinstance(found, dict) else item

    async def _with_parts(self, facts: Facts, item: dict[str, Any], company: str) -> dict[str, Any]:
        native_id = facts.id(item)
        if not native_id:
            return item
        lists = await asyncio.gather(
            *(
                self._part(_names(facts, native_id, company), name, call, items)
                for name, (call, items) in facts.parts.items()
            )
        )
        return {**item, **dict(zip(facts.parts, lists, strict=True))}

    async def _joined(self, facts: Facts, items: Sequence[dict[str, Any]], company: str) -> Sequence[dict[str, Any]]:
        """Fields of records these refer to; nothing where such a record is gone."""
        for name, (by, others, at) in facts.joins.items():
            ids = dict.fromkeys(text for item in items if (text := text_at(item, by)))
            shown = {record.id: record for record in await self._fetch(others, list(ids), company)}
            for item in items:
                record = shown.get(text_at(item, by))
                found = at(record.data) if record is not None else None
                item[name] = None if found is UNSET else found
        return items

    async def _part(self, names: Mapping[str, Any], name: str, call: ReadyCall, items: Get) -> list[Any]:
        try:
            answer = await self._client.call(call, names)
        except Gone:
            return []
        found = items(answer.body)
        if not isinstance(found, list):
            raise no_list(name)
        return found


def _names(facts: Facts, native_id: Any, company: str) -> dict[str, Any]:
    return {"set": facts.native, "id": native_id, **({"company": company} if company else {})}


def _nameless(facts: Facts, item: dict[str, Any]) -> NativeRecord:
    """A record without an id cannot be told apart: a person has to know."""
    return NativeRecord(
        id=f"?{digest(item)}",
        problem=f"a record of {facts.native} has no {facts.whole.id.at}.",
        mend="Give it one in the system, or mend `id` in the profile.",
    )
