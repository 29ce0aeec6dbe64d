"""Changing master records: one PATCH each, under the etag the hub knows, many by one $batch (bc.md §6, §7)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from isthmus.connectors.dynamics._client import guid
from isthmus.connectors.dynamics._odata import Part, PartReply, Row, row
from isthmus.connectors.dynamics.business_central.item_card import CARD_NAMES, ItemCards, card_part, left_out, shown
from isthmus.connectors.dynamics.business_central.masters.facts import Master
from isthmus.connectors.dynamics.business_central.masters.refusals import Refusals
from isthmus.connectors.dynamics.business_central.masters.values import for_change, shows
from isthmus.connectors.dynamics.business_central.native_records import native_record
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import NativeRecord
from isthmus.errors import IsthmusError, Reject, Stale, Uncertain


class Edit(Struct, frozen=True):
    """One record to be changed: what is sent to the set, what to the card, and what stood there before."""

    operation: Operation
    id: str
    body: Mapping[str, Any]
    card: Mapping[str, Any]


class UpdateWay:
    """Changes of one kind of master record."""

    def __init__(self, site: Site, master: Master) -> None:
        self._site = site
        self._master = master
        self._cards = ItemCards(site.published)
        self._refusals = Refusals(site)

    @property
    def _has_cards(self) -> bool:
        return self._master.native == "items" and self._cards.published

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Change them. A record that is no longer at the version the hub knows is left alone and told as stale."""
        edits, refused = self._edits(operations)
        for outcome in refused:
            yield outcome
        before: dict[str, NativeRecord] = {}
        if self._has_cards and edits:
            edits, before, settled = await self._compared(place, edits)
            for outcome in settled:
                yield outcome
        sent = [edit for edit in edits if edit.body]
        parts = [self._part(place, edit) for edit in sent]
        replies = await self._site.client.batch(parts) if parts else []
        answers = {edit.operation.key: reply for edit, reply in zip(sent, replies, strict=True)}
        for edit in edits:
            yield await self._outcome(place, edit, answers.get(edit.operation.key), before.get(edit.id))

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """A record that shows everything that was sent was changed; one that is gone is told."""
        edits, _ = self._edits(operations)
        records = await self._site.reading.fetch(self._master.native, place.name, [edit.id for edit in edits])
        found: dict[str, Outcome] = {}
        for edit, record in zip(edits, records, strict=True):
            if record.deleted:
                found[edit.operation.key] = self._gone(edit.operation)
            elif shows(record.data, {**edit.body, **shown(edit.card)}):
                found[edit.operation.key] = self._done(edit.operation, record)
        return found

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """A change leaves nothing half done that somebody could bring into effect."""

    def _edits(self, operations: Sequence[Operation]) -> tuple[list[Edit], list[Outcome]]:
        edits: list[Edit] = []
        refused: list[Outcome] = []
        for operation in operations:
            try:
                body = for_change(self._master, operation.native)
                card = card_part(operation.native) if self._master.native == "items" else {}
                if card and not body:
                    self._site.published.name("item_card")
                edits.append(Edit(operation, guid(operation.native_id or ""), body, card if self._has_cards else {}))
            except Reject as refusal:
                refused.append(outcome_of(operation.key, refusal))
        return edits, refused

    def _part(self, place: Place, edit: Edit) -> Part:
        path = f"{place.path}/{self._master.native}({edit.id})"
        return Part(method="PATCH", path=path, body=dict(edit.body), etag=edit.operation.version or "*")

    async def _compared(
        self, place: Place, edits: Sequence[Edit]
    ) -> tuple[list[Edit], dict[str, NativeRecord], list[Outcome]]:
        """Items with their cards as they are before the change: those gone or changed meanwhile go no further.

        A card read before a PATCH that the record's etag let through was not changed in between either.
        """
        records = await self._site.reading.fetch(self._master.native, place.name, [edit.id for edit in edits])
        going: list[Edit] = []
        settled: list[Outcome] = []
        for edit, record in zip(edits, records, strict=True):
            version = edit.operation.version
            if record.deleted:
                settled.append(self._gone(edit.operation))
            elif version and record.version != version:
                settled.append(outcome_of(edit.operation.key, _stale()))
            else:
                going.append(edit)
        return going, {record.id: record for record in records if not record.deleted}, settled

    async def _outcome(self, place: Place, edit: Edit, reply: PartReply | None, before: NativeRecord | None) -> Outcome:
        cards = {name: value for name, value in before.data.items() if name in CARD_NAMES} if before else {}
        if reply is None:
            if before is None:
                return outcome_of(edit.operation.key, Reject("nothing of it can be written.", code="nothing_to_write"))
            record = before
        else:
            error = self._site.client.verdict(reply)
            if isinstance(error, Reject) and error.code == "not_found":
                return self._gone(edit.operation)
            if isinstance(error, Reject):
                return await self._refusals.explain(place, self._master, edit.operation, edit.body, error)
            if error is not None:
                return outcome_of(edit.operation.key, error)
            if not isinstance(reply.body, Mapping):
                doubt = Uncertain("changed, but the answer does not show it.", code="unconfirmed")
                return outcome_of(edit.operation.key, doubt)
            record = native_record(row(reply.body), cards)
        return await self._with_card(place, edit, record, cards)

    async def _with_card(self, place: Place, edit: Edit, record: NativeRecord, cards: Mapping[str, Any]) -> Outcome:
        """The card's part, which has a call of its own: the same row, so its etag moved with the first part.

        The version told stays the one before the card's change: it makes the next read look at the record again.
        """
        if not edit.card:
            text = "" if self._has_cards else left_out(edit.operation.native)
            return structs.replace(self._done(edit.operation, record), text=text)
        number = str(record.data.get(self._master.number, ""))
        try:
            card = (await self._cards.of(place.name, [number])).get(number, Row({}, None))
            if {name: value for name, value in shown(card.data).items() if name in cards} != dict(cards):
                return outcome_of(edit.operation.key, _stale())
            card = await self._cards.change(place.name, number, edit.card, card.etag or "*")
        except IsthmusError as error:
            return outcome_of(edit.operation.key, error)
        return self._done(edit.operation, native_record(Row(record.data, record.version), shown(card.data)))

    def _gone(self, operation: Operation) -> Outcome:
        return Outcome(
            key=operation.key,
            result="reject",
            code="gone",
            text=f"the record of {self._master.native} no longer exists in Business Central.",
            mend="Uncouple it (`isthmus uncouple`), or make it again.",
        )

    def _done(self, operation: Operation, record: NativeRecord) -> Outcome:
        return Outcome(
            key=operation.key,
            result="done",
            native_id=record.id,
            version=record.version,
            number=str(record.data.get(self._master.number, "")),
            native=record.data,
        )


def _stale() -> Stale:
    return Stale("somebody changed the record in Business Central meanwhile.")
