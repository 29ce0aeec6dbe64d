"""Confirm: what became of messages, with link, base, audit and the word to the source, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from isthmus.contract.operations import Outcome
from isthmus.ledger import audit, messages, records, sides
from isthmus.ledger.types import AuditWrite, Db, MessageRow, RecordWrite, Settlement, StreamKey
from isthmus.model.entity import entities
from isthmus.model.state import decode_state, encode_state
from isthmus.sync.again import decide_put_off
from isthmus.sync.agree import agree
from isthmus.sync.flows import run_flows
from isthmus.sync.observe import amount_of
from isthmus.sync.tell import tell_source

if TYPE_CHECKING:
    from isthmus.sync.turn import Turn


async def confirm(
    db: Db, turn: Turn, pairs: Sequence[tuple[MessageRow, Outcome]], settled: Sequence[Settlement]
) -> None:
    """Keep outcomes within the caller's transaction. Safe to repeat: a settled message is left alone."""
    now = turn.now()
    await records.hold(db, [row.record_id for row, _ in pairs if row.kind == "state" and row.record_id is not None])
    moved = set(await messages.settle(db, settled, turn.fence, now))
    state_of = {s.id: s.state for s in settled}
    landed = [(row, outcome) for row, outcome in pairs if row.id in moved and state_of[row.id] in {"done", "saved"}]
    booked = [(row, outcome) for row, outcome in landed if row.kind == "event"]
    await _link(db, turn, booked)
    await audit.append(db, turn.actor.id, [_told(row, outcome) for row, outcome in booked], now)
    await _agree(db, turn, [(row, outcome) for row, outcome in landed if row.kind == "state"])
    await _remember(db, turn, landed)
    for settlement in settled:
        if settlement.id in moved:
            turn.count(settlement.state)
    ended = [i for i in sorted(moved) if state_of[i] in {"done", "saved"}]
    await decide_put_off(db, turn.world, ended)
    await tell_sources(db, turn, sorted(moved))


async def tell_sources(db: Db, turn: Turn, message_ids: Sequence[int]) -> None:
    """Put notes for messages whose state moved, by flow."""
    by_flow: dict[str, list[MessageRow]] = {}
    for row in await messages.by_ids(db, message_ids):
        by_flow.setdefault(row.flow, []).append(row)
    for name, rows in by_flow.items():
        flow = turn.world.flow(name)
        if flow is not None and flow.write_back:
            await tell_source(db, turn.world, flow, rows)
            turn.result.wake.add(flow.source)


async def _remember(db: Db, turn: Turn, landed: Sequence[tuple[MessageRow, Outcome]]) -> None:
    """What the connector wants to know again of the records these documents hang on."""
    told = {
        row.anchor_id: dict(outcome.memo)
        for row, outcome in landed
        if row.anchor_id is not None and outcome.memo is not None
    }
    if told:
        known = await sides.memos(db, turn.actor.id, list(told))
        memos = {one: encode_state({**decode_state(known.get(one, "{}")), **memo}) for one, memo in told.items()}
        await sides.remember(db, turn.actor.id, memos)


async def _agree(db: Db, turn: Turn, landed: Sequence[tuple[MessageRow, Outcome]]) -> None:
    """Records that were written: their links and bases, and what their other sides are to be told because of it."""
    by_place: dict[tuple[str, str], list[tuple[MessageRow, Outcome]]] = {}
    for row, outcome in landed:
        if outcome.native_id:
            by_place.setdefault((row.entity, row.company), []).append((row, outcome))
    for (entity, company), members in by_place.items():
        changes = await agree(db, turn, entity, company, members)
        done = await run_flows(db, turn.world, turn.actor.id, entity, changes)
        turn.result.wake |= done.wake
    await records.name(
        db,
        [
            (outcome.number, "document", row.record_id, row.id)
            for row, outcome in landed
            if outcome.number and outcome.number != row.subject
        ],
    )


async def _link(db: Db, turn: Turn, landed: Sequence[tuple[MessageRow, Outcome]]) -> None:
    """The target's documents become records of the hub, linked to what the target calls them."""
    by_place: dict[tuple[str, str], list[tuple[MessageRow, Outcome]]] = {}
    for row, outcome in landed:
        if outcome.native_id:
            by_place.setdefault((row.entity, row.company), []).append((row, outcome))
    for (entity, company), members in by_place.items():
        stream = StreamKey(turn.actor.id, entity, company)
        known = await records.links(db, stream, [outcome.native_id or "" for _, outcome in members])
        fresh = [(row, outcome) for row, outcome in members if outcome.native_id not in known]
        own = [(row, outcome) for row, outcome in fresh if _is_own(turn, row)]
        others = [pair for pair in fresh if pair not in own]
        ids = await records.next_ids(db, len(others))
        writes = [_record(row, outcome, record_id) for (row, outcome), record_id in zip(others, ids, strict=True)]
        writes += [
            structs.replace(_record(row, outcome, row.record_id or 0), new=False, changed=False, number="")
            for row, outcome in own
        ]
        await records.save(db, stream, company or turn.actor.id, writes, turn.now())
    await records.name(
        db,
        [
            (number, "document", row.record_id, row.id)
            for row, outcome in landed
            for number in dict.fromkeys((row.number, outcome.number or ""))
            if number
        ],
    )


def _is_own(turn: Turn, row: MessageRow) -> bool:
    """Whether the document is the very record it was made of (a receipt), and not another thing (a journal entry)."""
    flow = turn.world.flow(row.flow)
    return flow is not None and flow.source_entity == row.entity and row.record_id is not None


def _record(row: MessageRow, outcome: Outcome, record_id: int) -> RecordWrite:
    amount, currency = amount_of(entities()[row.entity], decode_state(row.document))
    return RecordWrite(
        record_id=record_id,
        new=True,
        number=outcome.number or row.number,
        data=row.document,
        amount=amount,
        currency=currency,
        changed=True,
        deleted=False,
        native_id=outcome.native_id or "",
        new_link=True,
        family="",
        version=outcome.version,
        base=row.document,
        place="",
        modified_at=outcome.booked_at,
    )


def _told(row: MessageRow, outcome: Outcome) -> AuditWrite:
    word = "booked" if outcome.result == "done" else "saved, not booked yet"
    return AuditWrite(
        what=f"document {word}",
        who="Isthmus",
        entity=row.entity,
        record_id=row.record_id,
        message_id=row.id,
        field="number",
        new=outcome.number or row.number,
        reason=f"M-{row.id} of {row.subject}",
    )
