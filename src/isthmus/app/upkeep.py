"""Chores of a server: daily backups of an embedded ledger, waiting messages that waited too long."""

from __future__ import annotations

import asyncio

import structlog

from isthmus.app.runtime import Runtime
from isthmus.errors import IsthmusError
from isthmus.ledger import messages
from isthmus.ledger.backup import daily_backup

_log = structlog.get_logger("isthmus.upkeep")
_EVERY = 60.0


async def keep_up(runtime: Runtime) -> None:
    """Do the chores once a minute until cancelled. Each is safe to repeat and to miss."""
    while True:
        try:
            await expire_waiting(runtime)
            if runtime.database.embedded is not None:
                await asyncio.to_thread(daily_backup, runtime.database, runtime.project.home, runtime.clock)
        except IsthmusError as error:
            _log.warning("chore failed", code=error.code, reason=error.message)
        await asyncio.sleep(_EVERY)


async def expire_waiting(runtime: Runtime) -> int:
    """Messages that waited longer than their flow allows become held. Returns how many."""
    moved = 0
    now = runtime.clock.now()
    for flow in runtime.world.flows:
        async with runtime.world.transaction() as db:
            moved += await messages.expire_waiting(db, flow.name, now - flow.wait_limit, now)
    return moved
