"""Compose: from messages to the operations a connector carries out. Values of states are computed here, not before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from msgspec import Struct, structs

from isthmus.contract.operations import Operation
from isthmus.controls.numbers import document_number
from isthmus.ledger import messages, records, refs, sides
from isthmus.ledger.types import Db, MessageRow, MessageState, Settlement, SideRow
from isthmus.mapping.context import LensContext
from isthmus.mapping.lens import Lens, Writing
from isthmus.model.entity import State
from isthmus.model.finding import Finding, worst
from isthmus.model.state import decode_state, encode_state
from isthmus.sync.keep import by_number, changed_names
from isthmus.sync.turn import Turn

_STATE_OF: Mapping[str, MessageState] = {"error": "dead", "hold": "held", "wait": "waiting", "skip": "skipped"}


class Composed(Struct, frozen=True, kw_only=True):
    """Operations, and messages that end here without a call. `documents`: what each sends, by message id."""

    operations: tuple[Operation, ...]
    settled: tuple[Settlement, ...]
    documents: Mapping[int, str]


class _Page(Struct, frozen=True, kw_only=True):
    """What is known of the messages of one entity and company."""

    lens: Lens
    context: LensContext
    names: LensContext
    sides: Mapping[int, SideRow]
    memos: Mapping[int, str]
    external: Mapping[int, str]


async def compose(turn: Turn, rows: Sequence[MessageRow], delivery: str) -> Composed:
    """Native documents through the target's lens. `rows` are of one entity and company.

    What was sent before is composed as it was sent: a message with a document keeps it while its outcome is unknown.
    """
    if not rows:
        return Composed(operations=(), settled=(), documents={})
    async with turn.world.transaction() as db:
        states = await _states(db, turn, rows)
        page = await _page(db, turn, rows, states)
    operations, settled, documents = [], [], {}
    for row in rows:
        made = _one(turn, row, states.get(row.id), page, delivery)
        if isinstance(made, Settlement):
            settled.append(made)
        else:
            operations.append(made)
            documents[row.id] = encode_state(_sent(states[row.id]))
    return Composed(operations=tuple(operations), settled=tuple(settled), documents=documents)


def _sent(state: State | Finding | None) -> State:
    return state if isinstance(state, dict) else {}


async def _states(db: Db, turn: Turn, rows: Sequence[MessageRow]) -> dict[int, State | Finding]:
    """What each message brings: its own document, or the record's state now as its flow shapes it."""
    found: dict[int, State | Finding] = {}
    current = [row for row in rows if row.kind == "state" and not _as_sent(row)]
    texts = await records.states(db, [row.record_id or 0 for row in current])
    for row in rows:
        if row.kind == "event" or _as_sent(row):
            found[row.id] = decode_state(row.document)
            continue
        flow = turn.world.keep_flow(row.flow)
        text = texts.get(row.record_id or 0)
        if text is not None and flow is not None:
            found[row.id] = flow.wanted(row.connection, decode_state(text))
    return found


def _as_sent(row: MessageRow) -> bool:
    return row.state == "uncertain" and bool(row.document)


async def _page(db: Db, turn: Turn, rows: Sequence[MessageRow], states: Mapping[int, State | Finding]) -> _Page:
    actor, first = turn.actor, rows[0]
    lens = actor.lenses[first.entity]
    tables = (await actor.tables(db, first.company)).context
    pairs = {pair for state in states.values() if isinstance(state, dict) for pair in lens.references(state)}
    links = await refs.resolve(db, actor.id, first.company, numbers=pairs) if pairs else refs.NOTHING
    kept = [row.record_id or 0 for row in rows if row.kind == "state"]
    anchors = [row.anchor_id for row in rows if row.anchor_id is not None]
    return _Page(
        lens=lens,
        context=replace(tables, refs=links),
        names=by_number(tables),
        sides=await sides.of_records(db, actor.id, first.entity, first.company, kept) if kept else {},
        memos=await sides.memos(db, actor.id, anchors) if anchors else {},
        external=await _external_ids(db, turn, rows),
    )


async def _external_ids(db: Db, turn: Turn, rows: Sequence[MessageRow]) -> dict[int, str]:
    """Record id -> its id on the other side of its flow, for systems that keep such an id."""
    support = turn.actor.connector.capabilities.entities.get(rows[0].entity)
    if support is None or not support.external_id:
        return {}
    found: dict[int, str] = {}
    for name in {row.flow for row in rows if row.kind == "state"}:
        flow = turn.world.keep_flow(name)
        if flow is not None:
            other = flow.source if flow.target == turn.actor.id else flow.target
            ids = [row.record_id for row in rows if row.flow == name and row.record_id is not None]
            found |= {record: link[2] for record, link in (await records.linked(db, other, ids)).items()}
    return found


def _one(
    turn: Turn, row: MessageRow, state: State | Finding | None, page: _Page, delivery: str
) -> Operation | Settlement:
    if state is None:
        return _ended(row, "cancelled", "source_gone", "its record or flow is gone")
    if isinstance(state, Finding):
        return _refused(row, (state,))
    writing = page.lens.write(state, page.context)
    if worst(writing.findings) in {"error", "hold", "wait"}:
        return _refused(row, writing.findings, _missing(turn, state, page))
    operation = Operation(
        key=row.key,
        entity=row.entity,
        action=row.action,
        company=row.company,
        native=writing.native,
        native_id=row.native_id or None,
        mark=document_number(row.key),
        expected=decode_state(page.memos.get(row.anchor_id or 0, "{}")),
        delivery=delivery,
        earlier=row.earlier,
    )
    return operation if row.kind == "event" else _of_state(turn, row, state, writing, page, operation)


def _of_state(
    turn: Turn, row: MessageRow, state: State, writing: Writing, page: _Page, operation: Operation
) -> Operation | Settlement:
    """Create, update of what differs, or nothing at all."""
    side = page.sides[row.record_id or 0]
    if side.link_deleted:
        return _ended(row, "cancelled", "gone", f"{turn.actor.id} has deleted the record; it is not made again")
    if not side.native_id:
        native: dict[str, Any] = dict(writing.native)
        support = turn.actor.connector.capabilities.entities[row.entity]
        if support.external_id and (other := page.external.get(row.record_id or 0)):
            native[support.external_id] = other
        return structs.replace(operation, action="create", native=native, native_id=None)
    names = changed_names(page.lens, state, decode_state(side.agreed), page.names)
    if not names:
        return _ended(row, "done", "in_step", "the system shows the record already")
    changed = {name: value for name, value in writing.native.items() if name in names}
    return structs.replace(operation, action="update", native=changed, native_id=side.native_id, version=side.version)


def _ended(row: MessageRow, state: MessageState, code: str, reason: str) -> Settlement:
    return Settlement(id=row.id, state=state, code=code, reason=reason, outcome="not sent")


def _missing(turn: Turn, state: State, page: _Page) -> str:
    """What the message has to wait for: the first record it refers to that the connection does not have."""
    known = page.context.refs or refs.NOTHING
    for entity, number in page.lens.references(state):
        if known.native_id(entity, number) is None:
            return messages.linked(turn.actor.id, entity, number)
    return ""


def _refused(row: MessageRow, findings: Sequence[Finding], missing: str = "") -> Settlement:
    """A document that cannot be written: why, and what it waits for."""
    severity = worst(tuple(findings)) or "error"
    first = next(finding for finding in findings if finding.severity == severity)
    waits_for = missing if missing and first.code == "reference_missing" else first.value
    return Settlement(
        id=row.id,
        state=_STATE_OF[severity],
        code=first.code,
        reason="; ".join(finding.text for finding in findings if finding.severity == severity),
        field=first.field,
        value=first.value,
        mend=first.mend,
        waits_for=waits_for if severity == "wait" else "",
        outcome="not sent",
    )
