"""Process: changes through the flows they start; the outcome is messages, each with a key from the business event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from msgspec import Struct, structs

from isthmus.ledger import messages, progress
from isthmus.ledger.messages import CHANGED_IN_FLIGHT, behind
from isthmus.ledger.progress import Progress
from isthmus.ledger.types import Db, MessageRow, MessageState, MessageWrite
from isthmus.model.finding import Finding, Severity, worst
from isthmus.model.state import decode_state, encode_state
from isthmus.sync import standing
from isthmus.sync.change import Change
from isthmus.sync.standing import REPLACEABLE
from isthmus.sync.tell import tell_source
from isthmus.sync.world import AnyFlow, FlowSpec, Work, World

#: A person decided that nothing shall be booked for this document.
SKIPPED_BY_PERSON = "skipped_by_person"
_STATE_OF: dict[Severity, MessageState] = {"error": "dead", "hold": "held", "wait": "waiting", "skip": "skipped"}


class Processed(Struct, kw_only=True):
    """What process made of a page's changes: messages by key, counts by flow and state, connections to wake."""

    made: list[MessageWrite]
    ids: dict[str, int]
    wake: set[str]


async def process(
    db: Db, world: World, connection: str, entity: str, changes: Sequence[Change], done: Processed
) -> None:
    """Run the flows of events of an entity over changes, within the caller's transaction. Safe to repeat."""
    for flow in world.events_from(connection, entity):
        await _run_flow(db, world, flow, changes, done)


async def _run_flow(db: Db, world: World, flow: FlowSpec, changes: Sequence[Change], done: Processed) -> None:
    ids = [change.record_id for change in changes]
    known = await progress.of_records(db, flow.name, ids)
    earlier = await messages.of_records(db, flow.name, ids)
    routed = [(change, _route(flow, change)) for change in changes]
    companies = sorted({route for _, route in routed if isinstance(route, str)})
    await flow.desk.load(db, companies, [change.state for change in changes])
    moved: list[Progress] = []
    made: list[MessageWrite] = []
    for change, route in routed:
        before = known.get(change.record_id, Progress(change.record_id, active=False, occurrence=0))
        after, write = decide(world, flow, change, route, before, earlier.get(change.record_id, []))
        if after != before:
            moved.append(after)
        if write is not None:
            made.append(write)
    await progress.save(db, flow.name, moved)
    await put(db, world, flow, made, done)


async def put(db: Db, world: World, flow: AnyFlow, made: Sequence[MessageWrite], done: Processed) -> None:
    """Write messages and tell their sources; what is ready wakes its connection. Those that hang on one record queue
    up behind each other."""
    for wave in _waves(made):
        await _put_wave(db, world, flow, wave, done)


def _waves(made: Sequence[MessageWrite]) -> list[list[MessageWrite]]:
    """Messages of which no two in a wave hang on the same record of the same connection, each record's in order."""
    waves: list[list[MessageWrite]] = []
    depth: dict[tuple[str, int], int] = {}
    for message in made:
        at = 0
        if message.anchor_id is not None:
            at = depth.get((message.connection, message.anchor_id), -1) + 1
            depth[message.connection, message.anchor_id] = at
        if at == len(waves):
            waves.append([])
        waves[at].append(message)
    return waves


async def _queued(db: Db, made: Sequence[MessageWrite]) -> list[MessageWrite]:
    """What hangs on a record that has an open message waits behind that one."""
    hanging = [(m.key, m.connection, m.anchor_id) for m in made if m.anchor_id is not None and m.state == "ready"]
    ahead = await messages.ahead(db, hanging)
    return [waiting_behind(m, ahead[m.key]) if m.state == "ready" and m.key in ahead else m for m in made]


async def _put_wave(db: Db, world: World, flow: AnyFlow, made: Sequence[MessageWrite], done: Processed) -> None:
    now = world.clock.now()
    made = await _queued(db, [_first_look(world, message) for message in made])
    ids = await messages.put(db, made, now, epoch=world.epoch, configuration=world.configuration)
    done.ids.update(ids)
    done.made.extend(message for message in made if message.key in ids)
    done.wake.update(message.connection for message in made if message.state in {"ready", "uncertain"})
    released = [ids[m.key] for m in made if m.key in ids and m.state in {"skipped", "cancelled"}]
    await messages.release(db, released, now)
    if flow.write_back:
        await tell_source(db, world, flow, await messages.by_ids(db, list(ids.values())))
        done.wake.add(flow.source)


def _route(flow: FlowSpec, change: Change) -> str | Finding:
    return flow.route(change.state)


def decide(
    world: World, flow: FlowSpec, change: Change, route: str | Finding, before: Progress, earlier: Sequence[MessageRow]
) -> tuple[Progress, MessageWrite | None]:
    """What a change means for a flow: where the record stands now, and the message it asks for, if any."""
    last = earlier[-1] if earlier else None
    if change.deleted:
        return structs.replace(before, active=False), _cancelled(change, last)
    readable = not any(finding.severity == "error" for finding in change.findings)
    active: bool | Finding = flow.when(change.state) if readable else True
    if active is False:
        return structs.replace(before, active=False), _reopened(change, last)
    findings = change.findings if active is True else (*change.findings, active)
    occurrence = before.occurrence if before.active else before.occurrence + 1
    after = Progress(change.record_id, active=True, occurrence=occurrence)
    key = standing.slot(event_key(flow, change, occurrence), earlier)
    if isinstance(route, Finding):
        findings, route = (*findings, route), ""
    work = Work(
        state=change.state,
        record_id=change.record_id,
        native_id=change.native_id,
        place=change.place,
        company=route,
        key=key,
        findings=findings,
    )
    for step in flow.steps if readable and worst(findings) in {None, "notice"} else ():
        work = step(work)
        if worst(work.findings) == "skip":
            break
    return after, _message(world, flow, work, earlier)


def event_key(flow: FlowSpec, change: Change, occurrence: int) -> str:
    """connection, entity, native id, transition, occurrence: never the content (semantics, identity)."""
    return f"{flow.source}:{flow.source_entity}:{change.native_id}:{flow.transition}:{occurrence}>{flow.target}"


def _message(world: World, flow: FlowSpec, work: Work, earlier: Sequence[MessageRow]) -> MessageWrite | None:
    write = written(flow, work)
    write = _first_look(world, write)
    if not earlier:
        return write
    last = earlier[-1]
    if last.code == SKIPPED_BY_PERSON and last.document == write.document:
        return None
    counter = standing.countering(earlier)
    if counter is not None:
        return _of_correction(write, counter, earlier)
    booked = standing.booked(earlier)
    if booked is not None:
        return _of_booked(flow, write, booked, last)
    flying = standing.flying(earlier)
    if flying is not None:
        return _put_off(flow, write, flying, last)
    if last.state in REPLACEABLE and last.key == write.key:
        return structs.replace(write, follows=last.follows) if _differs(last, write) else None
    return _behind(write, last)


def _of_correction(write: MessageWrite, counter: MessageRow, earlier: Sequence[MessageRow]) -> MessageWrite | None:
    """A further change while a correction is under way: the document that follows the counter is replaced."""
    own = next((message for message in earlier if message.key == write.key), None)
    if own is None and write.state == "skipped":
        return None
    write = structs.replace(write, follows=counter.follows)
    if write.state in {"ready", "uncertain"}:
        write = waiting_behind(write, counter.id)
    return write if own is None or _differs(own, write) else None


def _of_booked(flow: FlowSpec, write: MessageWrite, booked: MessageRow, last: MessageRow) -> MessageWrite | None:
    """A change of something booked: held for a person, never patched; back to the booked value: cancelled."""
    pending = last if last.id != booked.id and last.state in REPLACEABLE else None
    changed = _changed(flow, write, booked)
    if changed is None:
        return _undone(write, pending)
    if pending is not None and pending.reason == changed.text and pending.document == write.document:
        return None
    return structs.replace(
        write,
        key=pending.key if pending is not None else f"{booked.key}:change:{last.id}",
        state="held",
        code=changed.code,
        reason=changed.text,
        mend=changed.mend,
        field=changed.field,
        value=changed.value,
        follows=booked.id,
        waits_for="",
    )


def _put_off(flow: FlowSpec, write: MessageWrite, flying: MessageRow, last: MessageRow) -> MessageWrite | None:
    """A change while the document is on its way: only when that has ended it can be said what it changes."""
    pending = last if last.id != flying.id else None
    if _changed(flow, write, flying) is None:
        return _undone(write, pending)
    reason = f"changed while M-{flying.id} is under way: decided when that has ended"
    write = structs.replace(
        waiting_behind(write, flying.id),
        key=pending.key if pending is not None else f"{flying.key}:change:{flying.id}",
        code=CHANGED_IN_FLIGHT,
        reason=reason,
        mend="",
        field="",
        value="",
    )
    return write if pending is None or _differs(pending, write) else None


def _changed(flow: FlowSpec, write: MessageWrite, sent: MessageRow) -> Finding | None:
    if not write.document:
        return _unbookable(write, sent)
    return flow.compare(decode_state(sent.document), decode_state(write.document))


def _undone(write: MessageWrite, pending: MessageRow | None) -> MessageWrite | None:
    if pending is None or pending.state in {"cancelled", "skipped"}:
        return None
    reason = "the source shows what is booked"
    return structs.replace(write, key=pending.key, state="cancelled", code="change_undone", reason=reason)


def _unbookable(write: MessageWrite, booked: MessageRow) -> Finding | None:
    if write.state == "skipped" and write.code != "nothing_to_post":
        return None
    return Finding(
        code="already_booked",
        severity="hold",
        text=f"already booked as {booked.number}, changed since: {write.reason}",
        mend="Run `isthmus correct` to counter it, or restore the source.",
    )


def _behind(write: MessageWrite, last: MessageRow) -> MessageWrite:
    if write.state != "ready" or last.state in {"done", "skipped", "cancelled"}:
        return write
    return waiting_behind(write, last.id)


def waiting_behind(write: MessageWrite, last: int) -> MessageWrite:
    """The message, waiting until that one is over."""
    return structs.replace(
        write,
        state="waiting",
        code="behind",
        reason=f"behind M-{last}",
        waits_for=behind(last),
        settled_at=None,
    )


def _differs(last: MessageRow, write: MessageWrite) -> bool:
    return (last.document, last.state, last.code, last.reason, last.place) != (
        write.document,
        write.state,
        write.code,
        write.reason,
        write.place,
    )


def _cancelled(change: Change, last: MessageRow | None) -> MessageWrite | None:
    """The source deleted the record: what was not delivered is cancelled; what is booked stays booked."""
    if last is None or last.state not in REPLACEABLE - {"skipped", "cancelled"}:
        return None
    return _closing(last, "source_gone", f"{change.place or change.native_id} is no longer in the source")


def _reopened(change: Change, last: MessageRow | None) -> MessageWrite | None:
    if last is None or last.state not in REPLACEABLE - {"skipped", "cancelled"}:
        return None
    return _closing(last, "reopened", "the source no longer fulfils the flow's condition")


def _closing(last: MessageRow, code: str, reason: str) -> MessageWrite:
    values = {name: getattr(last, name) for name in MessageWrite.__struct_fields__ if hasattr(last, name)}
    values |= {"state": "cancelled", "code": code, "reason": reason, "mend": "", "waits_for": ""}
    return MessageWrite(**values)


def written(flow: FlowSpec, work: Work) -> MessageWrite:
    """The message of a piece of work that went through the steps."""
    severity = worst(work.findings)
    deciding = [finding for finding in work.findings if finding.severity == severity]
    state: MessageState = "ready" if severity in {None, "notice"} else _STATE_OF[severity or "error"]
    first = deciding[0] if deciding and state != "ready" else None
    return MessageWrite(
        key=work.key,
        kind="event",
        flow=flow.name,
        connection=flow.target,
        company=work.company,
        entity=flow.target_entity,
        action=flow.action,
        state=state,
        lane=flow.lane,
        code=first.code if first else "",
        reason="; ".join(finding.text for finding in deciding) if first else "",
        field=first.field if first else "",
        value=first.value if first else "",
        mend=" ".join(dict.fromkeys(finding.mend for finding in deciding if finding.mend)) if first else "",
        record_id=work.record_id,
        subject=str(work.state.get("number") or work.native_id),
        place=work.place,
        document=encode_state(work.document) if work.document is not None else "",
        number=work.number,
        amount=Decimal(work.amount) if work.amount else None,
        currency=work.currency,
        event_on=work.event_on,
        waits_for=first.value if first and state == "waiting" else "",
        anchor_id=work.anchor_id,
    )


def _first_look(world: World, write: MessageWrite) -> MessageWrite:
    """After a restore an event may have been booked by the ledger that was lost: look it up before anything is sent."""
    if write.state != "ready" or world.restored_at is None:
        return write
    settle = settle_time(world, write.connection, write.entity)
    return structs.replace(
        write,
        state="uncertain",
        code="restored",
        reason="the ledger was restored from a backup: looked up before anything is sent",
        settled_at=world.restored_at + settle,
    )


def settle_time(world: World, connection: str, entity: str) -> timedelta:
    """How long a lost call may still take effect: its own deadline plus the target's longest execution."""
    if not world.settle_on:
        return timedelta(0)
    capabilities = world.actors[connection].connector.capabilities
    support = capabilities.entities.get(entity)
    if support is None or support.idempotency == "client_key":
        return timedelta(0)
    return capabilities.call_timeout + support.settle
