"""Keep in step: what a changed record means for the systems that share it. The outcome is messages of kind `state`.

A system is written to when the record's state differs from what was agreed with it last, in fields its lens writes.
Values are computed again at delivery, so a newer message replaces an older one that was not delivered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from msgspec import Struct, structs

from isthmus.ledger import audit, coupling, messages, sides
from isthmus.ledger.types import AuditWrite, Db, MessageRow, MessageState, MessageWrite, SideRow
from isthmus.mapping.context import LensContext
from isthmus.mapping.lens import Lens
from isthmus.model.entity import State, entities
from isthmus.model.finding import Finding, Severity, worst
from isthmus.model.retiring import retired
from isthmus.model.state import decode_state, encode_state
from isthmus.sync.change import Change, value_text
from isthmus.sync.contact import both_read
from isthmus.sync.merge import differences
from isthmus.sync.process import Processed, put, waiting_behind
from isthmus.sync.standing import REPLACEABLE
from isthmus.sync.world import KeepSpec, World

_STATE_OF: Mapping[Severity, MessageState] = {
    "error": "dead", "hold": "held", "wait": "waiting", "skip": "skipped", "notice": "ready",
}  # fmt: skip
_CLOSED = frozenset({"skipped", "cancelled"})


class Verdict(Struct, frozen=True, kw_only=True):
    """What one system is to be told of a record. `action` is a forecast: it is decided again at delivery."""

    action: str
    state: MessageState = "ready"
    finding: Finding | None = None


async def keep(db: Db, world: World, connection: str, entity: str, changes: Sequence[Change], done: Processed) -> None:
    """Run the flows of states of an entity over changes, within the caller's transaction. Safe to repeat."""
    for flow in world.keeping(connection, entity):
        if flow.match and not await both_read(db, world, flow):
            continue  # decided when both sides are known: intake meets them then
        decided = await _out_of_use(db, world, flow, connection, changes)
        earlier = await messages.of_records(db, flow.name, [change.record_id for change in decided])
        may_create = flow.create or (bool(flow.match) and await sides.confirmed(db, flow.name))
        for side in flow.sides():
            made = await _bring(db, world, flow, side, connection, decided, earlier, may_create=may_create)
            await put(db, world, flow, made, done)


async def _out_of_use(db: Db, world: World, flow: KeepSpec, connection: str, changes: Sequence[Change]) -> list[Change]:
    """What its owner deleted is put out of use elsewhere, where the flow says so: never deleted, never made again."""
    if flow.deletions == "ignore" or connection != flow.source:
        return list(changes)
    decided, updated, audits = [], [], []
    for change in changes:
        state = retired(flow.source_entity, change.state) if change.deleted and not change.gone else change.state
        decided.append(structs.replace(change, state=state))
        if state == change.state:
            continue
        updated.append((change.record_id, str(state.get(_number(flow)) or ""), encode_state(state)))
        audits += [
            AuditWrite(
                what="field changed",
                who="Isthmus",
                entity=flow.source_entity,
                record_id=change.record_id,
                field=field.path,
                old=value_text(field.old),
                new=value_text(field.kept),
                reason=f"{connection} has deleted the record",
            )
            for field in differences(change.state, state)
        ]
    await coupling.update_states(db, updated, world.clock.now())
    await audit.append(db, connection, audits, world.clock.now())
    return decided


def _number(flow: KeepSpec) -> str:
    return entities()[flow.source_entity].number


async def _bring(
    db: Db, world: World, flow: KeepSpec, side: str, connection: str, changes: Sequence[Change],
    earlier: Mapping[int, list[MessageRow]], *, may_create: bool,
) -> list[MessageWrite]:  # fmt: skip
    """Messages that bring one side to the changed records."""
    actor = world.actors[side]
    lens = actor.lenses[flow.target_entity]
    by_company: dict[str | Finding, list[Change]] = {}
    for change in changes:
        company = flow.route(change.state) if side == flow.target else flow.source_company
        by_company.setdefault(company if isinstance(company, str) else "", []).append(change)
    made: list[MessageWrite] = []
    for company, members in by_company.items():
        rows = await sides.of_records(db, side, flow.target_entity, str(company), [c.record_id for c in members])
        context = by_number((await actor.tables(db, str(company))).context)
        for change in members:
            row = rows[change.record_id]
            told = [m for m in earlier.get(change.record_id, []) if m.connection == side]
            verdict = _verdict(flow, side, connection, change, row, lens, context, may_create=may_create)
            message = _message(flow, side, str(company), connection, change, row, verdict, told)
            if message is not None:
                made.append(message)
    return made


def _verdict(
    flow: KeepSpec, side: str, connection: str, change: Change, row: SideRow, lens: Lens, context: LensContext, *,
    may_create: bool,
) -> Verdict | None:  # fmt: skip
    """What this side is to be told, None for nothing."""
    if (change.deleted and side == connection) or row.link_deleted:
        return None
    linked = bool(row.native_id)
    if side != connection and (trouble := _unreadable(change)) is not None:
        return Verdict(action="update" if linked else "create", state=_STATE_OF[trouble.severity], finding=trouble)
    if not linked:
        return _first(flow, side, change, may_create=may_create)
    if change.review:
        return Verdict(action="update", state="held", finding=_review(change))
    shaped = flow.wanted(side, change.state)
    if isinstance(shaped, Finding):
        return Verdict(action="update", state=_STATE_OF[shaped.severity], finding=shaped)
    if not changed_names(lens, shaped, decode_state(row.agreed), context):
        return None
    return Verdict(action="update")


class _Numbers:
    """Stands in for links where only differences count: the same number is the same record."""

    def number(self, entity: str, native_id: str) -> str | None:
        del entity
        return native_id

    def native_id(self, entity: str, number: str) -> str | None:
        del entity
        return number


_NUMBERS = _Numbers()


def by_number(context: LensContext) -> LensContext:
    """A context in which records are referred to by their numbers: for telling what differs, not for sending."""
    return replace(context, refs=_NUMBERS)


def changed_names(lens: Lens, state: State, agreed: State, context: LensContext) -> frozenset[str]:
    """Native fields in which a system is to show something else than was agreed with it."""
    wanted, had = lens.write(state, context).native, lens.write(agreed, context).native
    return frozenset(name for name, value in wanted.items() if name not in had or had[name] != value)


def _unreadable(change: Change) -> Finding | None:
    severity = worst(change.findings)
    if severity not in {"error", "wait", "hold"}:
        return None
    first = next(finding for finding in change.findings if finding.severity == severity)
    text = "; ".join(finding.text for finding in change.findings if finding.severity == severity)
    return structs.replace(first, text=text)


def _first(flow: KeepSpec, side: str, change: Change, *, may_create: bool) -> Verdict | None:
    """A record this side does not have."""
    if change.deleted:
        return None
    if side == flow.source:
        return _foreign(flow, change)
    active = flow.when(change.state)
    if active is False:
        return None
    if isinstance(active, Finding):
        return Verdict(action="create", state=_STATE_OF[active.severity], finding=active)
    shaped = flow.shape(change.state)
    if isinstance(shaped, Finding):
        return Verdict(action="create", state=_STATE_OF[shaped.severity], finding=shaped)
    if not may_create or change.candidates:
        return Verdict(action="create", state="held", finding=_unmatched(flow, side, change))
    return Verdict(action="create")


def _foreign(flow: KeepSpec, change: Change) -> Verdict | None:
    """A record that was made in the target of the flow: its owner does not have it."""
    if flow.foreign == "ignore":
        return None
    if flow.foreign == "create":
        return Verdict(action="create")
    name = flow.source_entity.replace("_", " ")
    state: MessageState = "skipped" if flow.foreign == "refuse" else "held"
    code = {"refuse": "made_elsewhere", "onboard": "onboarding"}.get(flow.foreign, "first_contact")
    mend = {
        "refuse": f"Make the {name} in {flow.source}; it comes to {flow.target} by itself.",
        "onboard": f"Have it made in {flow.source}: it is linked when it matches, else run `isthmus couple`.",
    }.get(flow.foreign, "Run `isthmus match-existing`, or couple it by hand with `isthmus couple`.")
    number = str(change.state.get("number") or change.native_id)
    text = f"{name} {number} was made in {flow.target}, but {name}s are made in {flow.source}"
    if change.candidates:
        text = f"{name} {number} of {flow.target} may be one of {flow.source}: {change.candidates}"
        state, code, mend = "held", "ambiguous", f"Say which one it is: `isthmus match-existing {flow.name}`."
    return Verdict(action="create", state=state, finding=Finding(code, "hold", text, value=number, mend=mend))


def _unmatched(flow: KeepSpec, side: str, change: Change) -> Finding:
    name = flow.source_entity.replace("_", " ")
    if change.candidates:
        text = f"{side} may have the same {name}, and nothing says for sure which it is: {change.candidates}"
        mend = f"Say which one it is: `isthmus match-existing {flow.name}`, or `isthmus couple`."
        return Finding("ambiguous", "hold", text, mend=mend)
    return Finding(
        "first_contact",
        "hold",
        f"{side} has no {name} that is surely the same, and none is made before a person has gone through what it "
        "holds already",
        mend=f"Run `isthmus match-existing {flow.name}`, or write `create: yes` into the flow.",
    )


def _review(change: Change) -> Finding:
    return Finding(
        "review",
        "hold",
        "both sides edited a field that a person decides on; the audit shows both values",
        value=str(change.state.get("number") or ""),
        mend="Put the right value into one system, or run `isthmus retry` to send the hub's.",
    )


def _message(
    flow: KeepSpec, side: str, company: str, connection: str, change: Change, row: SideRow, verdict: Verdict | None,
    told: Sequence[MessageRow],
) -> MessageWrite | None:  # fmt: skip
    """The message of a verdict: the open one of this side replaced, or a new one behind what is under way."""
    last = told[-1] if told else None
    pending = last if last is not None and last.state in REPLACEABLE - _CLOSED else None
    if verdict is None:
        return _in_step(pending, change, row) if pending is not None else None
    write = _written(flow, side, company, change, row, verdict)
    if pending is not None:
        write = structs.replace(write, key=pending.key, follows=pending.follows)
        return None if _same(pending, write) else write
    write = structs.replace(write, key=_key(side, connection, flow, change, row, len(told) + 1))
    if last is not None and last.state in {"sending", "uncertain"} and write.state == "ready":
        return waiting_behind(write, last.id)
    if last is not None and last.state in _CLOSED and _same(last, write):
        return None
    return write


def _key(side: str, connection: str, flow: KeepSpec, change: Change, row: SideRow, count: int) -> str:
    """From the id of the side that is written, or, where it has none yet, from the one the record was seen at."""
    if row.native_id:
        return f"{side}:{flow.target_entity}:{row.native_id}:state:{count}>{side}"
    return f"{connection}:{flow.source_entity}:{change.native_id}:state:{count}>{side}"


def _written(flow: KeepSpec, side: str, company: str, change: Change, row: SideRow, verdict: Verdict) -> MessageWrite:
    finding = verdict.finding
    return MessageWrite(
        key="",
        kind="state",
        flow=flow.name,
        connection=side,
        company=company,
        entity=flow.target_entity,
        action="update" if verdict.action == "update" else "create",
        state=verdict.state,
        lane=flow.lane,
        code=finding.code if finding else "",
        reason=finding.text if finding else "",
        field=finding.field if finding else "",
        value=finding.value if finding else "",
        mend=finding.mend if finding else "",
        record_id=change.record_id,
        subject=row.number or change.native_id,
        place=change.place,
        number="",
        amount=row.amount,
        currency=row.currency,
        waits_for=finding.value if finding and verdict.state == "waiting" else "",
        anchor_id=change.record_id,
    )


def _in_step(pending: MessageRow, change: Change, row: SideRow) -> MessageWrite:
    """What was to be told is no longer: the system shows it, lost the record, or the record no longer goes there."""
    reason = "the record is gone there" if row.link_deleted or change.deleted else "nothing is to be written any more"
    values = {name: getattr(pending, name) for name in MessageWrite.__struct_fields__ if hasattr(pending, name)}
    values |= {"state": "cancelled", "code": "in_step", "reason": reason, "mend": "", "waits_for": ""}
    return MessageWrite(**values)


def _same(last: MessageRow, write: MessageWrite) -> bool:
    return (last.state, last.code, last.reason, last.value) == (write.state, write.code, write.reason, write.value)
