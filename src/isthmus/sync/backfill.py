"""Backfill: the past of one flow, by range of days, in batches with a checkpoint each.

A record or document that is there already is left as it is. What is older than the flow's cut-over is taken in and
stays `skipped: before cut-over`, unless the caller hands over the flow without its cut-over: then it is decided anew
and goes out in a lane of its own, behind everything current.

Batches run as turns of the source's connection: under its fence, so that no poll takes in the same records meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct, structs

from isthmus.contract.records import Page, ReadRequest
from isthmus.errors import ConfigurationError, FenceLost, Retry
from isthmus.ledger import backfills, connections, records, streams
from isthmus.ledger.backfills import BackfillRow
from isthmus.ledger.database import take_your_time
from isthmus.ledger.types import StreamKey
from isthmus.sync.backfill_batch import Backfill, Range, Tally, take_batch
from isthmus.sync.intake import take_in
from isthmus.sync.points import reach
from isthmus.sync.turn import Turn
from isthmus.sync.world import FlowSpec, StreamSpec, World

#: Another worker acts for the connection: wait so long before acting for it again.
_YIELD = 0.5


class Mark(Struct, frozen=True):
    """How far a backfill is: the company being read and the connector's own cursor there."""

    company: str
    cursor: str | None


def prepare(world: World, flow: FlowSpec, days: Range, *, post: bool) -> Backfill:
    """`flow`: as it shall decide the past; other flows of the world decide as ever."""
    flows = tuple(flow if one.name == flow.name else one for one in world.flows)
    return Backfill(world=structs.replace(world, flows=flows), flow=flow, days=days, post=post)


async def rehearse(backfill: Backfill, *, batch: int) -> Tally:
    """What it would do, by the same code in a transaction that is rolled back."""
    await read_references(backfill.world, backfill.flow)
    tally = Tally()
    turn = Turn(backfill.world, backfill.world.actors[backfill.flow.source], 0)
    async with backfill.world.transaction() as db, db.transaction(force_rollback=True):
        await take_your_time(db)
        for spec in backfill.specs:
            mark, more = Mark(spec.key.company, None), True
            while more:
                page = await _read(turn, backfill, spec, mark, batch)
                tally.add((await take_batch(db, turn, backfill, spec, page.records))[0])
                mark, more = Mark(spec.key.company, page.cursor), page.more
    return tally


async def run(backfill: Backfill, backfill_id: int, progress: Callable[[BackfillRow], None]) -> Tally:
    """Work until it is done, or somebody pauses or cancels it. Safe to kill at any moment and to run again.

    Raises what makes reading impossible; the checkpoint stays where it was.
    """
    await read_references(backfill.world, backfill.flow)
    tally = Tally()
    going = True
    while going:
        try:
            async with _turn(backfill.world, backfill.flow.source) as turn:
                while going and turn.may_start():
                    going = await _batch(turn, backfill, backfill_id, tally, progress)
        except FenceLost:
            await asyncio.sleep(_YIELD)
    return tally


async def read_references(world: World, flow: FlowSpec) -> None:
    """Read what the flow must know of its target before it decides anything. Raises Retry when that fails."""
    while True:
        async with world.transaction() as db:
            rows = {StreamKey(r.connection, r.name, r.company): r for r in await streams.all_streams(db)}
        missing = [need for need in flow.needs if rows[need].filled_at is None]
        if not missing:
            return
        if trouble := next((rows[need].trouble for need in missing if rows[need].trouble), ""):
            raise Retry(trouble, code="unreachable")
        async with _turn(world, missing[0].connection) as turn:
            await take_in(turn)


@asynccontextmanager
async def _turn(world: World, connection: str) -> AsyncIterator[Turn]:
    """A turn of ours: nobody else commits for the connection while it lasts."""
    async with world.transaction() as db:
        fence = await connections.begin_turn(db, connection, world.holder, world.clock.now())
    turn = Turn(world, world.actors[connection], fence)
    try:
        yield turn
    finally:
        now = world.clock.now()
        async with world.transaction() as db:
            await connections.end_turn(db, connection, fence, now)
            await connections.wake(db, sorted(turn.result.wake - {connection}), now)


async def _batch(
    turn: Turn, backfill: Backfill, backfill_id: int, tally: Tally, progress: Callable[[BackfillRow], None]
) -> bool:
    """One batch with its checkpoint. False when there is nothing to go on with."""
    async with turn.world.transaction() as db:
        row = await backfills.lock(db, backfill_id)
    if row is None or row.state != "running":
        return False
    specs = backfill.specs
    if not specs:
        raise ConfigurationError(f"{backfill.flow.source} shows no {backfill.flow.source_entity}.")
    mark = msgspec.json.decode(row.cursor, type=Mark) if row.cursor else Mark(specs[0].key.company, None)
    place = next((i for i, spec in enumerate(specs) if spec.key.company == mark.company), 0)
    page = await _read(turn, backfill, specs[place], mark, row.batch)
    reach("before_page")
    after, done = _next(specs, place, page)
    async with turn.commit() as db:
        held = await backfills.lock(db, backfill_id)
        if held is None or held.state != "running" or held.cursor != row.cursor:
            return held is not None and held.state == "running"
        batch, wake = await take_batch(db, turn, backfill, specs[place], page.records)
        await backfills.advance(
            db,
            backfill_id,
            cursor=msgspec.json.encode(after).decode(),
            seen=batch.seen,
            made=batch.made,
            skipped=batch.skipped,
            done=done,
            now=turn.now(),
        )
    reach("after_page")
    turn.result.wake |= wake
    tally.add(batch)
    progress(structs.replace(row, seen=row.seen + batch.seen, made=row.made + batch.made))
    return not done


def _next(specs: Sequence[StreamSpec], place: int, page: Page) -> tuple[Mark, bool]:
    if page.more:
        return Mark(specs[place].key.company, page.cursor), False
    if place + 1 < len(specs):
        return Mark(specs[place + 1].key.company, None), False
    return Mark(specs[place].key.company, page.cursor), True


async def _read(turn: Turn, backfill: Backfill, spec: StreamSpec, mark: Mark, batch: int) -> Page:
    async def known(families: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
        async with turn.world.transaction() as db:
            return await records.families(db, spec.key, families)

    chosen: dict[str, Any] = {}
    if spec.date_field:
        # A day more on both sides: the source counts days in its own zone, the flow in the company's.
        chosen = {
            "date_field": spec.date_field,
            "since": backfill.days.since - timedelta(days=1) if backfill.days.since else None,
            "until": backfill.days.until + timedelta(days=1) if backfill.days.until else None,
        }
    request = ReadRequest(
        native=spec.native,
        company=spec.key.company,
        cursor=mark.cursor,
        limit=batch,
        fields=spec.lens.native_fields(),
        **chosen,
    )
    return await turn.actor.connector.read(request, known)
