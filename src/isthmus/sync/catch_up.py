"""Catch up: messages whose wake-up was missed, because what they wait for came at the moment they began to wait."""

from __future__ import annotations

from isthmus.ledger import messages
from isthmus.sync.again import decide_put_off
from isthmus.sync.turn import Turn


async def catch_up(turn: Turn) -> None:
    """Release what waits for something that is there. Safe to repeat; nothing is found nearly always."""
    async with turn.world.transaction() as db:
        ended, links = await messages.missed(db, turn.actor.id)
    if not ended and not links:
        return
    async with turn.commit() as db:
        await messages.release(db, ended, turn.now())
        await decide_put_off(db, turn.world, ended)
        await messages.arrived(db, links, turn.now())
    turn.count("caught up", len(ended) + len(links))
