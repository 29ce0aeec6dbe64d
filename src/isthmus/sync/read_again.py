"""Read again: records that were read before something they refer to was linked."""

from __future__ import annotations

from isthmus.contract.records import Page
from isthmus.ledger import rereads
from isthmus.ledger.types import StreamKey
from isthmus.sync.intake import take_page
from isthmus.sync.turn import Turn

_AT_ONCE = 200


async def read_again(turn: Turn) -> None:
    """Fetch what is due and admit it as it is now. Raises what the connector raises when the system does not answer."""
    while turn.may_start():
        async with turn.world.transaction() as db:
            due = await rereads.due(db, turn.actor.id, _AT_ONCE)
        if not due:
            return
        for (entity, company), ids in due.items():
            await _one_set(turn, StreamKey(turn.actor.id, entity, company), ids)


async def _one_set(turn: Turn, key: StreamKey, ids: list[str]) -> None:
    spec = turn.actor.streams.get(key)
    shown = await turn.actor.connector.fetch(spec.native, key.company, ids) if spec is not None else ()
    async with turn.commit() as db:
        await rereads.over(db, key, ids)
        if spec is None:
            return
        _, processed = await take_page(db, turn, spec, Page(records=tuple(shown)), reread=True)
    turn.count("read again", len(ids))
    turn.result.wake |= processed.wake - {turn.actor.id}
