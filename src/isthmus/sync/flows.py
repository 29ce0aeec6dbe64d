"""All flows over changes: events make documents, states are kept in step."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.ledger.types import Db
from isthmus.sync.change import Change
from isthmus.sync.keep import keep
from isthmus.sync.process import Processed, process
from isthmus.sync.world import World


async def run_flows(db: Db, world: World, connection: str, entity: str, changes: Sequence[Change]) -> Processed:
    """What changes of a connection's entity mean, within the caller's transaction. Safe to repeat."""
    done = Processed(made=[], ids={}, wake=set())
    if changes:
        await process(db, world, connection, entity, changes, done)
        await keep(db, world, connection, entity, changes, done)
    return done
