"""Decide again: what was put off until a message had ended, by the record as it is then."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from isthmus.ledger import messages, progress, records
from isthmus.ledger.types import Db, MessageRow, MessageWrite
from isthmus.model.finding import Finding
from isthmus.model.state import decode_state
from isthmus.sync.change import Change
from isthmus.sync.process import Processed, decide, put
from isthmus.sync.world import FlowSpec, World


async def decide_put_off(db: Db, world: World, ended: Sequence[int]) -> None:
    """Changes that came while these messages were under way. Within the caller's transaction; safe to repeat."""
    for row in await messages.put_off(db, ended):
        flow = world.event_flow(row.flow)
        if flow is not None:
            await decide_again(db, world, flow, row)


async def decide_again(
    db: Db, world: World, flow: FlowSpec, row: MessageRow, *, forget: bool = False
) -> MessageWrite | str:
    """The message that `row` becomes, written; or, for a person, why it becomes none.

    forget   what was decided of `row` before does not count: it is made anew
    """
    change = await change_of(db, flow, row)
    if change is None:
        return "its record is gone from the source"
    route = flow.route(change.state)
    await flow.desk.load(db, [route] if isinstance(route, str) else [], [change.state])
    standing = (await progress.of_records(db, flow.name, [change.record_id])).get(change.record_id)
    if standing is None:
        return "its record never met the flow's condition"
    every = (await messages.of_records(db, flow.name, [change.record_id])).get(change.record_id, [])
    earlier = [message for message in every if message.id < row.id]
    anew = structs.replace(row, state="retrying", code="", reason="", document="") if forget else row
    after, write = decide(world, flow, change, route, standing, [*earlier, anew])
    if write is None:
        return "nothing is to be done for it any more"
    await put(db, world, flow, [write], Processed(made=[], ids={}, wake=set()))
    await progress.save(db, flow.name, [after])
    return write


async def change_of(db: Db, flow: FlowSpec, row: MessageRow) -> Change | None:
    """The record of a message as a change: what it holds now. None when the source has it no longer."""
    if row.record_id is None:
        return None
    place = (await records.linked(db, flow.source, [row.record_id])).get(row.record_id)
    data = await records.state_of(db, row.record_id)
    if place is None or data is None:
        return None
    findings: tuple[Finding, ...] = ()
    if row.code in {"unreadable", "bad_value", "lookup_missing"} and row.state == "dead":
        # the source itself is wrong: only a change there can mend it, which then comes by itself
        findings = (Finding(row.code, "error", row.reason, row.field, row.value, row.mend),)
    return Change(
        record_id=row.record_id,
        native_id=place[2],
        place=place[3],
        before=None,
        state=decode_state(data),
        findings=findings,
    )
