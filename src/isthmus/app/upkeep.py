"""Chores of a server: daily backups of an embedded ledger, waiting messages that waited too long, webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from isthmus.app.runtime import Runtime
from isthmus.contract.clock import Clock, SystemClock
from isthmus.contract.webhooks import Subscriber
from isthmus.errors import IsthmusError
from isthmus.ledger import inbox, subscriptions
from isthmus.ledger.backup import BackupInfo, daily_backup
from isthmus.sync.expire import expire_waiting

_log = structlog.get_logger("isthmus.upkeep")
_EVERY = 60.0


async def keep_up(runtime: Runtime) -> None:
    """Do the chores once a minute until cancelled. Each is safe to repeat and to miss, and fails alone."""
    while True:
        await _chore("expire", lambda: expire_waiting(runtime.world))
        await _chore("backup", lambda: back_up(runtime, SystemClock()))
        await _chore("webhooks", lambda: look_after_webhooks(runtime))
        await asyncio.sleep(_EVERY)


async def back_up(runtime: Runtime, clock: Clock) -> BackupInfo | None:
    """The daily backup of an embedded ledger, when it is due. By the machine's time, which the files are named by, even
    where the connections run on simulated time."""
    if runtime.database.embedded is None:
        return None
    made = await asyncio.to_thread(daily_backup, runtime.database, runtime.project.home, clock)
    if made is not None:
        _log.info("backup written", file=made.path.name, bytes=made.size_bytes)
    return made


async def look_after_webhooks(runtime: Runtime) -> list[str]:
    """Let connections have a turn whose subscriptions are to be looked after, and forget old hints. Those woken."""
    world, door = runtime.world, runtime.engine.door
    names = [name for name, actor in world.actors.items() if isinstance(actor.connector, Subscriber)]
    async with world.transaction() as db:
        await inbox.forget(db, runtime.clock.now())
        due = await subscriptions.due(db, names, runtime.clock.now()) if door is not None and door.url else []
    await runtime.engine.wake(due)
    return due


async def _chore(name: str, action: Callable[[], Awaitable[object]]) -> None:
    try:
        await action()
    except IsthmusError as error:
        _log.warning("chore failed", chore=name, code=error.code, reason=error.message)
    except Exception:  # the next minute may do better; the others go on
        _log.exception("chore failed", chore=name)
