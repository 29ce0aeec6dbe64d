"""Making master records: many by one $batch, each told again by its number, or by what it shows (semantics.md §5)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from isthmus.connectors.dynamics._odata import Part, PartReply, Row, row
from isthmus.connectors.dynamics.business_central.item_card import ItemCards, card_part, left_out, shown
from isthmus.connectors.dynamics.business_central.masters.facts import Master
from isthmus.connectors.dynamics.business_central.masters.refusals import Refusals
from isthmus.connectors.dynamics.business_central.masters.values import (
    different,
    for_insert,
    is_the_same,
    same,
    shows,
    told,
)
from isthmus.connectors.dynamics.business_central.native_records import native_record
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import NativeRecord, ReadRequest
from isthmus.errors import IsthmusError, Reject, Stale, Uncertain

_TAKEN = "Internal_EntityWithSameKeyExists"
_TOLD_BY_NUMBER = "Couple the two (`isthmus couple`), or give ours another number."


class New(Struct, frozen=True):
    """One record to be made: what is sent to the set, and what to the card."""

    operation: Operation
    body: Mapping[str, Any]
    card: Mapping[str, Any]


class CreateWay:
    """Creation of one kind of master record. `numbered`: the number is ours, and tells the record."""

    def __init__(self, site: Site, master: Master, *, numbered: bool) -> None:
        self._site = site
        self._master = master
        self._numbered = numbered
        self._cards = ItemCards(site.published)
        self._refusals = Refusals(site)

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Make them. One that is there already and is ours counts as made."""
        news, refused = self._news(operations)
        for outcome in refused:
            yield outcome
        if not self._numbered:
            alike = await self._found(place, news)
            for new in news:
                if new.operation.key in alike:
                    yield self._there_already(new, alike[new.operation.key])
            news = [new for new in news if new.operation.key not in alike]
        if not news:
            return
        path = f"{place.path}/{self._master.native}"
        replies = await self._site.client.batch([Part(method="POST", path=path, body=dict(new.body)) for new in news])
        async for outcome in self._settled(place, news, replies):
            yield outcome

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """By number, else by what tells the record. One whose card was not written yet is not there yet."""
        news, _ = self._news(operations)
        found: dict[str, Outcome] = {}
        for key, records in (await self._found(place, news)).items():
            new = next(item for item in news if item.operation.key == key)
            if (outcome := self._verdict(new, records)) is not None:
                found[key] = outcome
        return found

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """A creation leaves nothing half done."""

    def _news(self, operations: Sequence[Operation]) -> tuple[list[New], list[Outcome]]:
        news: dict[str, New] = {}
        refused: list[Outcome] = []
        for operation in operations:
            try:
                new = self._new(operation)
                identity = self._identity(new)
                if identity in news:
                    raise self._twice(new)
            except Reject as refusal:
                refused.append(outcome_of(operation.key, refusal))
                continue
            news[identity] = new
        return list(news.values()), refused

    def _new(self, operation: Operation) -> New:
        master = self._master
        body = for_insert(master, operation.native, own_number=self._numbered)
        needed = master.number if self._numbered else master.told_by[0]
        if not body.get(needed):
            raise Reject(f"a record of {master.native} has no {needed}.", code="field_missing", field=needed)
        card = card_part(operation.native) if master.native == "items" and self._cards.published else {}
        return New(operation, body, card)

    def _identity(self, new: New) -> str:
        names = (self._master.number,) if self._numbered else told(self._master, new.body)
        return "|".join(str(new.body.get(name, "")).strip().upper() for name in names)

    def _twice(self, new: New) -> Reject:
        name = self._master.number if self._numbered else self._master.told_by[0]
        value = str(new.body.get(name, ""))
        text = f"two records of one delivery have the {name} {value}."
        return Reject(text, code="number_taken", field=name, value=value, hint=_TOLD_BY_NUMBER)

    async def _settled(self, place: Place, news: Sequence[New], replies: Sequence[PartReply]) -> AsyncIterator[Outcome]:
        """What became of each; from here on nothing may end the call without an outcome for all that was sent."""
        made: dict[str, Row] = {}
        taken: list[New] = []
        for new, reply in zip(news, replies, strict=True):
            error = self._site.client.verdict(reply)
            if error is None:
                made[new.operation.key] = row(reply.body) if isinstance(reply.body, Mapping) else Row({}, None)
            elif isinstance(error, Reject) and error.code == _TAKEN:
                taken.append(new)
            else:
                yield await self._refusals.explain(place, self._master, new.operation, new.body, error)
        kept = await self._kept(place, list(made.values()))
        for new in news:
            if (shows_now := made.get(new.operation.key)) is not None:
                yield await self._finished(place, new, shows_now, kept)
        async for outcome in self._were_taken(place, taken):
            yield outcome

    async def _kept(self, place: Place, rows: Sequence[Row]) -> frozenset[str] | IsthmusError:
        """Ids of those that are there when looked for: an answer may tell of what was not kept (bc.md §7)."""
        ids = [str(item.data.get("id", "")) for item in rows if item.data.get("id")]
        try:
            request = ReadRequest(
                native=self._master.native, company=place.name, equals={"id": tuple(ids)}, fields=(self._master.number,)
            )
            page = await self._site.reading.read(request) if ids else None
        except IsthmusError as error:
            return error
        return frozenset(record.id.lower() for record in page.records) if page else frozenset()

    async def _finished(self, place: Place, new: New, made: Row, kept: frozenset[str] | IsthmusError) -> Outcome:
        key = new.operation.key
        if isinstance(kept, IsthmusError):
            doubt = Uncertain(f"made, but it could not be read back: {kept.message}", code="unconfirmed")
            return outcome_of(key, doubt)
        if str(made.data.get("id", "")).lower() not in kept:
            return outcome_of(key, Uncertain("the answer says it was made, but it is not there.", code="not_kept"))
        return await self._dressed(place, new, made)

    async def _dressed(self, place: Place, new: New, made: Row) -> Outcome:
        """The record with its card. What stands on the card is part of the record: without it, it is not done."""
        if not new.card:
            text = "" if self._cards.published else left_out(new.operation.native)
            return structs.replace(self._done(new, native_record(made, {})), text=text)
        number = str(made.data.get(self._master.number, ""))
        try:
            card = (await self._cards.of(place.name, [number]))[number]
            card = await self._cards.change(place.name, number, new.card, card.etag or "*")
        except KeyError:
            return outcome_of(new.operation.key, Uncertain(f"item {number} has no card yet.", code="unconfirmed"))
        except Stale:
            told_text = f"item {number} was changed while its card was written."
            return outcome_of(new.operation.key, Uncertain(told_text, code="unconfirmed"))
        except IsthmusError as error:
            return outcome_of(new.operation.key, error)
        return self._done(new, native_record(made, shown(card.data)))

    async def _were_taken(self, place: Place, news: Sequence[New]) -> AsyncIterator[Outcome]:
        """Their numbers stand there already: ours by an earlier attempt, or somebody else's."""
        try:
            found = await self._found(place, news)
        except IsthmusError as error:
            for new in news:
                yield outcome_of(new.operation.key, Uncertain(f"it may be there: {error.message}", code=_TAKEN))
            return
        for new in news:
            records = found.get(new.operation.key, [])
            verdict = self._verdict(new, records)
            if verdict is None and records:
                data = records[0].data
                verdict = await self._dressed(place, new, Row(data, records[0].version))
            yield verdict or outcome_of(
                new.operation.key, Uncertain("its number is taken, but it is not there.", code="unconfirmed")
            )

    async def _found(self, place: Place, news: Sequence[New]) -> dict[str, list[NativeRecord]]:
        """Records by operation key that stand under the same number, or show what tells the record."""
        name = self._master.number if self._numbered else self._master.told_by[0]
        values = {str(new.body[name]).strip() for new in news}
        wanted = {value.upper() for value in values} if self._numbered else values
        if not wanted:
            return {}
        request = ReadRequest(native=self._master.native, company=place.name, equals={name: tuple(sorted(wanted))})
        records = (await self._site.reading.read(request)).records
        found: dict[str, list[NativeRecord]] = {}
        for new in news:
            alike = [record for record in records if same(record.data.get(name), new.body[name])]
            if not self._numbered:
                alike = [record for record in alike if is_the_same(self._master, record.data, new.body)]
            if alike:
                found[new.operation.key] = alike
        return found

    def _verdict(self, new: New, records: Sequence[NativeRecord]) -> Outcome | None:
        """What a look says: made, or a stranger's; None for one of ours whose card is still to be written."""
        if len(records) > 1:
            return self._there_already(new, records)
        for record in records:
            if not is_the_same(self._master, record.data, new.body):
                return self._strangers(new, record)
            return self._done(new, record) if shows(record.data, shown(new.card)) else None
        return None

    def _strangers(self, new: New, record: NativeRecord) -> Outcome:
        number = str(record.data.get(self._master.number, ""))
        why = different(record.data, new.body, told(self._master, new.body))
        return Outcome(
            key=new.operation.key,
            result="reject",
            code="number_taken",
            text=f"{number} is another record of {self._master.native} already: its {why} is not ours.",
            field=self._master.number,
            value=number,
            mend=_TOLD_BY_NUMBER,
        )

    def _there_already(self, new: New, records: Sequence[NativeRecord]) -> Outcome:
        numbers = ", ".join(sorted(str(record.data.get(self._master.number, "")) for record in records))
        name = self._master.told_by[0]
        return Outcome(
            key=new.operation.key,
            result="reject",
            code="there_already",
            text=f"{self._master.native} of the same {name} stand there already: {numbers}.",
            field=name,
            value=str(new.body.get(name, "")),
            mend="Couple it with the right one (`isthmus couple`), or tell them apart by name.",
        )

    def _done(self, new: New, record: NativeRecord) -> Outcome:
        return Outcome(
            key=new.operation.key,
            result="done",
            native_id=record.id,
            version=record.version,
            number=str(record.data.get(self._master.number, "")),
            native=record.data,
        )
