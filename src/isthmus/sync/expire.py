"""Waiting has an end: what waited longer than its flow allows is held, and its source is told (semantics.md §1)."""

from __future__ import annotations

from isthmus.ledger import connections, messages
from isthmus.sync.tell import tell_source
from isthmus.sync.world import World


async def expire_waiting(world: World) -> int:
    """Messages that wait for something missing for too long become held and name it. Returns how many. Safe to repeat.

    What waits behind another message of its record waits on: that one is where a person acts.
    """
    moved = 0
    now = world.clock.now()
    for flow in world.flows:
        async with world.transaction() as db:
            ids = await messages.expire_waiting(db, flow.name, now - flow.wait_limit, now)
            if ids and flow.write_back:
                await tell_source(db, world, flow, await messages.by_ids(db, ids))
                await connections.wake(db, [flow.source], now)
        moved += len(ids)
    return moved
