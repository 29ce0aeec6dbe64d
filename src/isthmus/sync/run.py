"""Run one turn of one connection: look up, take in, deliver, write back, and say when to go on."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from isthmus.errors import ConfigurationError, FenceLost, Halt, StorageFailed
from isthmus.ledger import connections, history, messages, notes, rereads, streams
from isthmus.ledger.types import Db
from isthmus.sync.catch_up import catch_up
from isthmus.sync.deliver import deliver
from isthmus.sync.door import Door
from isthmus.sync.hints import take_hints
from isthmus.sync.intake import take_in
from isthmus.sync.look_up import look_up
from isthmus.sync.points import reach
from isthmus.sync.read_again import read_again
from isthmus.sync.subscribe import keep_subscriptions
from isthmus.sync.turn import Turn, TurnResult
from isthmus.sync.world import World
from isthmus.sync.write_back import write_back

_log = structlog.get_logger("isthmus.turn")
_INTERNAL = "The log has the details; nothing was lost, and the turn is tried again in a minute."

#: A halted connection is tried again by itself after this time: credentials are renewed without us being told.
_HALT_PAUSE = timedelta(minutes=1)


async def run_turn(world: World, connection: str, door: Door | None = None) -> TurnResult:
    """Take in what is due, deliver what is ready, and say when the connection wants to go on.

    `door`: where systems reach this installation, for a process that looks after webhook subscriptions.
    Safe to repeat and to kill at any moment. FenceLost ends it quietly: a later turn acts already.
    Raises StorageFailed, and HomeBusy when the ledger was restored since the world was built.
    """
    actor = world.actors[connection]
    started = world.clock.now()
    async with world.transaction() as db:
        fence = await connections.begin_turn(db, connection, world.holder, started, epoch=world.epoch)
        orphans = await messages.adopt_orphans(db, connection, fence, started)
    reach("after_fence")
    turn = Turn(world, actor, fence)
    turn.count("interrupted", orphans)
    try:
        await catch_up(turn)
        await look_up(turn)
        await take_hints(turn)
        await take_in(turn)
        await read_again(turn)
        await deliver(turn)
        await write_back(turn)
        await keep_subscriptions(turn, door)
        await _close(turn, started)
    except FenceLost:
        turn.result.more = False
    except StorageFailed:
        raise
    except Halt as error:
        await _halt(turn, error)
    except Exception as error:
        _log.exception("turn failed", connection=connection)
        await _halt(turn, Halt(f"an error of Isthmus itself: {type(error).__name__}.", code="internal", hint=_INTERNAL))
    return turn.result


async def _close(turn: Turn, started: datetime) -> None:
    now = turn.now()
    async with turn.commit() as db:
        await connections.resume(db, turn.actor.id)
        turn.result.next_due = await _next_due(db, turn)
        turn.result.more = turn.result.next_due is not None and turn.result.next_due <= now
        await connections.end_turn(db, turn.actor.id, turn.fence, turn.result.next_due)
        if turn.result.counts:
            await history.log_turn(db, turn.actor.id, turn.fence, started, now, turn.result.counts)
    others = sorted(turn.result.wake - {turn.actor.id})
    if others:  # apart from the commit above: two turns that wake each other under their fences would deadlock
        async with turn.world.transaction() as db:
            await connections.wake(db, others, now)


async def _next_due(db: Db, turn: Turn) -> datetime | None:
    times = [
        await messages.next_due(db, turn.actor.id),
        await notes.next_due(db, turn.actor.id),
        await rereads.next_due(db, turn.actor.id),
        *[row.due_at for row in await streams.of_connection(db, turn.actor.id)],
    ]
    return min((at for at in times if at is not None), default=None)


async def _halt(turn: Turn, error: Halt) -> None:
    now = turn.now()
    turn.result.halted = str(error)
    turn.result.misconfigured = isinstance(error, ConfigurationError)
    turn.result.next_due = now + _HALT_PAUSE
    async with turn.commit() as db:
        await connections.halt(db, turn.actor.id, error.code, str(error), now)
        await connections.end_turn(db, turn.actor.id, turn.fence, turn.result.next_due)
