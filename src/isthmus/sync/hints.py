"""Hints taken in: the streams they name are read at once, and what they tell to be gone is looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isthmus.contract.records import NativeRecord, Page
from isthmus.errors import Reject, Retry
from isthmus.ledger import inbox, streams
from isthmus.ledger.inbox import Hint
from isthmus.ledger.types import StreamKey
from isthmus.sync.intake import take_page
from isthmus.sync.turn import Turn

#: More than this are not looked up one by one: the next sweep of the stream finds them.
_MOST_GONE = 200


async def take_hints(turn: Turn) -> None:
    """Make the streams due that open hints name, all where a hint cannot say. Before the poll of the same turn.

    A record told to be gone is asked for, and admitted as deleted when the system has it no more. Safe to repeat.
    """
    async with turn.world.transaction() as db:
        hints = await inbox.open_hints(db, turn.actor.id)
    if not hints:
        return
    gone = await _gone(turn, hints)
    async with turn.commit() as db:
        await inbox.take(db, [hint.id for hint in hints], turn.now())
        named = _streams(turn, hints)
        if named is None:
            await streams.hasten(db, [turn.actor.id], turn.now())
        else:
            await streams.hasten_some(db, named, turn.now())
        rows = await streams.of_connection(db, turn.actor.id) if gone else []
        filled = {(row.name, row.company) for row in rows if row.filled_at is not None}
        for key, records in gone.items():
            if (key.entity, key.company) in filled:
                _, processed = await take_page(db, turn, turn.actor.streams[key], Page(records=records), reread=False)
                turn.result.wake |= processed.wake - {turn.actor.id}
    turn.count("hints", len(hints))


def _streams(turn: Turn, hints: Sequence[Hint]) -> set[StreamKey] | None:
    found: set[StreamKey] = set()
    for hint in hints:
        if hint.named is None:
            return None
        for one in hint.named:
            matched = {k for k in turn.actor.streams if k.entity == one.entity and one.company in {None, k.company}}
            if not matched:
                return None  # of something this project does not read by that name: better look at everything
            found |= matched
    return found


async def _gone(turn: Turn, hints: Sequence[Hint]) -> Mapping[StreamKey, tuple[NativeRecord, ...]]:
    """What hints tell to be gone and the system has no more, by stream."""
    told: dict[StreamKey, dict[str, None]] = {}
    for hint in hints:
        for one in hint.named or ():
            key = StreamKey(turn.actor.id, one.entity, one.company or "")
            if one.gone and key in turn.actor.streams:
                told.setdefault(key, {}).update(dict.fromkeys(one.gone))
    found = {}
    for key, ids in told.items():
        try:
            records = await turn.actor.connector.fetch(
                turn.actor.streams[key].native, key.company, list(ids)[:_MOST_GONE]
            )
        except (Retry, Reject):
            turn.count("deletions not looked up", len(ids))
            continue
        if missing := tuple(record for record in records if record.deleted):
            found[key] = missing
    return found
