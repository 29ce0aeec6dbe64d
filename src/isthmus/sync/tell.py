"""Tell the source what became of its records: the write-back as notes, newest text wins."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.ledger import notes, records
from isthmus.ledger.notes import NoteRow
from isthmus.ledger.types import Db, MessageRow
from isthmus.model.spelling import spell
from isthmus.model.state import encode_state
from isthmus.sync.world import AnyFlow, World

#: What the source is told of; moving states are not news yet.
_TOLD = frozenset({"done", "saved", "held", "dead", "skipped", "cancelled", "waiting"})


async def tell_source(db: Db, world: World, flow: AnyFlow, rows: Sequence[MessageRow]) -> None:
    """Put notes for messages that have news, where the source can take them. Within the caller's transaction."""
    support = world.actors[flow.source].connector.capabilities.entities.get(flow.source_entity)
    if support is None or "note" not in support.actions:
        return
    news = {
        row.record_id: row
        for row in rows
        if row.record_id is not None and row.state in _TOLD and row.connection == flow.target
    }
    places = await records.linked(db, flow.source, list(news))
    now = world.clock.now()
    await notes.put(
        db,
        [
            NoteRow(flow.source, entity, company, native_id, record_id, _body(news[record_id], native_id, place), 0)
            for record_id, (entity, company, native_id, place) in places.items()
        ],
        now,
    )


def _body(message: MessageRow, native_id: str, place: str) -> str:
    booked = message.state in {"done", "saved"}
    words = [message.reason, message.mend] if not booked else []
    return encode_state(
        {
            "id": native_id,
            "state": message.state,
            "document": message.number if booked else "",
            "booked_on": spell(message.booked_at.date()) if message.booked_at is not None else "",
            "amount": spell(message.amount) if message.amount is not None else "",
            "currency": message.currency,
            "message": " ".join(word for word in words if word),
            "place": place,
        }
    )
