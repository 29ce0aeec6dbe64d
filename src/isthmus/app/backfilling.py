"""Backfills as use cases: begin, run, pause, resume, cancel, and what they would do."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from msgspec import structs

from isthmus.app.project.values import Frozen
from isthmus.app.runtime import Runtime
from isthmus.app.wiring import LedgerFacts, build_world
from isthmus.errors import ConfigurationError
from isthmus.ledger import backfills
from isthmus.ledger.backfills import BackfillRow
from isthmus.ledger.types import Db
from isthmus.model.spelling import spell, spell_decimal
from isthmus.sync import backfill
from isthmus.sync.backfill_batch import Backfill, Range, Tally
from isthmus.sync.world import LANES, FlowSpec


def prepare(runtime: Runtime, flow: str, since: date | None, until: date | None, *, post: bool) -> Backfill:
    """A backfill of a flow. With `post` the flow decides without its cut-over. Raises ConfigurationError."""
    found = _uncut(runtime, flow) if post else runtime.world.event_flow(flow)
    if found is None and runtime.world.keep_flow(flow) is not None:
        raise ConfigurationError(
            f"flow {flow!r} keeps a state in step: all its records are read anyway, so there is nothing to backfill.",
            code="usage",
            hint="Run `isthmus match-existing` for what both sides hold already.",
        )
    if found is None:
        known = ", ".join(sorted(runtime.project.flows))
        raise ConfigurationError(f"there is no flow {flow!r} in this project.", code="usage", hint=f"It has {known}.")
    lane = structs.replace(found, lane=LANES["backfill"])
    return backfill.prepare(runtime.world, lane, Range(since, until), post=post)


def _uncut(runtime: Runtime, flow: str) -> FlowSpec | None:
    """The flow as it would decide had it no cut-over."""
    project, world = runtime.project, runtime.world
    config = project.flows.get(flow)
    if config is None:
        return None
    flows = Frozen({**project.flows, flow: config.model_copy(update={"cut_over": None})})
    facts = LedgerFacts(
        transaction=world.transaction,
        configuration=world.configuration,
        epoch=world.epoch,
        restored_at=world.restored_at,
    )
    changed = dataclasses.replace(project, flows=flows)
    built = build_world(
        changed, runtime.connectors, world.clock, facts, holder=world.holder, settle_on=world.settle_on
    )  # fmt: skip
    return built.event_flow(flow)


async def begin(runtime: Runtime, flow: str, since: date | None, until: date | None, batch: int, post: bool) -> int:
    """Write down a new backfill; its id. Raises ConfigurationError when one of the flow is open already."""
    async with runtime.world.transaction() as db:
        open_one = await backfills.lock_flow(db, flow)
        if open_one is not None:
            raise ConfigurationError(
                f"backfill {open_one.id} of {flow} is {open_one.state}.",
                code="usage",
                hint=f"Finish it with `isthmus backfill resume {open_one.id}`, or cancel it.",
            )
        row = await backfills.begin(db, flow, since, until, batch=batch, post=post, now=runtime.clock.now())
    return row.id


async def work(runtime: Runtime, backfill_id: int, progress: Callable[[BackfillRow], None]) -> Tally:
    """Run a backfill until it is done, paused or cancelled; interrupted, it is paused.

    Raises ConfigurationError when it does not exist or is over.
    """
    async with runtime.world.transaction() as db:
        row = await require(db, backfill_id)
        await change_state(db, row, "running", runtime.clock.now())
    prepared = prepare(runtime, row.flow, row.since, row.until, post=row.post)
    try:
        return await backfill.run(prepared, backfill_id, progress)
    except asyncio.CancelledError:
        async with runtime.world.transaction() as db:
            await backfills.set_state(db, backfill_id, "paused", runtime.clock.now())
        raise


async def change_state(db: Db, row: BackfillRow, state: backfills.BackfillState, now: datetime) -> None:
    """Pause, resume or cancel. Raises ConfigurationError when it is over already."""
    if not await backfills.set_state(db, row.id, state, now):
        raise ConfigurationError(f"backfill {row.id} is {row.state} already.", code="usage")


async def require(db: Db, backfill_id: int | None) -> BackfillRow:
    """A backfill by id, without one the last that is open. Raises ConfigurationError when there is none."""
    rows = await backfills.all_rows(db)
    wanted = [row for row in rows if (row.state in backfills.OPEN if backfill_id is None else row.id == backfill_id)]
    if not wanted:
        what = "no backfill is open" if backfill_id is None else f"there is no backfill {backfill_id}"
        raise ConfigurationError(f"{what}.", code="usage", hint="`isthmus backfill status` lists them.")
    return wanted[-1]


def line(row: BackfillRow) -> dict[str, Any]:
    """What `isthmus backfill status --json` says of one."""
    return {
        "id": row.id,
        "flow": row.flow,
        "from": spell(row.since) if row.since else None,
        "to": spell(row.until) if row.until else None,
        "batch": row.batch,
        "post": row.post,
        "state": row.state,
        "seen": row.seen,
        "made": row.made,
        "skipped": row.skipped,
        "started_at": spell(row.started_at),
        "changed_at": spell(row.changed_at),
    }


def rehearsal_line(flow: str, tally: Tally) -> dict[str, Any]:
    """What a dry run says."""
    return {
        "flow": flow,
        "dry_run": True,
        "seen": tally.seen,
        "made": tally.made,
        "skipped": tally.skipped,
        "worth": [
            {"currency": currency, "amount": spell_decimal(amount)} for currency, amount in sorted(tally.worth.items())
        ],
        "messages": dict(sorted(tally.states.items())),
        "amounts": [
            {"state": state, "currency": currency, "amount": spell_decimal(amount)}
            for (state, currency), amount in sorted(tally.amounts.items())
            if currency
        ],
    }
