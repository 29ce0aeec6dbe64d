"""What people do with stopped messages: retry, skip, correct. Only the messages named move."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from isthmus.ledger import audit, messages, sides
from isthmus.ledger.types import AuditWrite, Db, MessageRow, MessageWrite
from isthmus.model.state import decode_state
from isthmus.sync import standing
from isthmus.sync.again import decide_again, decide_put_off
from isthmus.sync.process import SKIPPED_BY_PERSON, Processed, put, written
from isthmus.sync.tell import tell_source
from isthmus.sync.world import AnyFlow, FlowSpec, Work, World

#: Stopped because nobody has said yet which record of the other side is the same.
_FOR_COUPLING = frozenset({"ambiguous", "first_contact", "onboarding", "made_elsewhere"})


class Acted(Struct, frozen=True):
    """What became of one message a person acted on."""

    id: int
    done: bool
    text: str


async def retry(db: Db, world: World, rows: Sequence[MessageRow], who: str) -> list[Acted]:
    """Decide anew and deliver again. The document is rebuilt from the record as it is now, by today's rules.

    Safe to repeat: what is booked stays booked, what moves already is left alone.
    """
    acted = []
    for row in rows:
        flow = world.flow(row.flow)
        if flow is None:
            acted.append(Acted(row.id, False, f"flow {row.flow!r} is no longer in the project"))
        elif row.state not in {"dead", "held", "waiting", "retrying", "skipped", "cancelled"}:
            acted.append(Acted(row.id, False, f"is {row.state}: nothing to retry"))
        elif row.code == "already_booked":
            acted.append(Acted(row.id, False, "is booked already: use `isthmus correct`"))
        elif isinstance(flow, FlowSpec):
            acted.append(await _retry_one(db, world, flow, row, who))
        else:
            acted.append(await _retry_state(db, world, flow, row, who))
    return acted


async def _retry_state(db: Db, world: World, flow: AnyFlow, row: MessageRow, who: str) -> Acted:
    """What a state is to bring is computed at delivery: the message just goes on, unless a person has to link first."""
    if row.code in _FOR_COUPLING:
        return Acted(row.id, False, f"{row.reason}: {row.mend}")
    await _send_again(db, world, flow, row)
    await _told(db, world, row, who, "retried", f"{row.state} -> ready")
    return Acted(row.id, True, "ready")


async def _retry_one(db: Db, world: World, flow: FlowSpec, row: MessageRow, who: str) -> Acted:
    every = (await messages.of_records(db, flow.name, [row.record_id or 0])).get(row.record_id or 0, [])
    if (why := _superseded(every, row)) is not None:
        return Acted(row.id, False, why)
    if row.memo and row.anchor_id is not None:  # what the person was shown is what is expected from now on
        await sides.remember(db, row.connection, {row.anchor_id: row.memo})
    if row.key.endswith((standing.COUNTER, standing.DIFFERENCE)):
        made: MessageWrite | str = await _send_again(db, world, flow, row)
    else:
        made = await decide_again(db, world, flow, row, forget=True)
    if isinstance(made, str):
        return Acted(row.id, False, made)
    await _told(db, world, row, who, "retried", f"{row.state} -> {made.state}")
    goes_on = made.state in {"ready", "uncertain"}
    return Acted(row.id, goes_on, made.state if not made.reason else f"{made.state}: {made.reason}")


def _superseded(every: Sequence[MessageRow], row: MessageRow) -> str | None:
    """Why a message must not be made anew: its record is in the books, or a later message took its place."""
    counter = standing.countering(every)
    if row.key.endswith(standing.COUNTER):
        return None if counter is not None and counter.id == row.id else "its correction is over"
    later = [message for message in every if message.id > row.id and message.state != "waiting"]
    if later:
        return f"M-{later[-1].id} took its place"
    if row.key.endswith(standing.DIFFERENCE):
        return None
    booked = standing.booked(every)
    if booked is not None and counter is None:
        return f"is booked already as {booked.number}: use `isthmus correct` for a change of it"
    return None


async def _send_again(db: Db, world: World, flow: AnyFlow, row: MessageRow) -> MessageWrite:
    """The same message once more: a correction says what was booked, not what the record holds now."""
    values = {name: getattr(row, name) for name in MessageWrite.__struct_fields__ if hasattr(row, name)}
    values |= {"state": "ready", "code": "", "reason": "", "field": "", "value": "", "mend": "", "waits_for": ""}
    write = MessageWrite(**values)
    await put(db, world, flow, [write], Processed(made=[], ids={}, wake=set()))
    return write


async def skip(db: Db, world: World, rows: Sequence[MessageRow], who: str, why: str) -> list[Acted]:
    """A person decides that nothing shall be sent for these. Raises nothing; what is booked stays booked.

    Without its counter a correction is off: what was to follow a skipped counter is cancelled.
    """
    acted = []
    skippable = [row for row in rows if row.state in {"dead", "held", "waiting", "ready", "retrying"}]
    now = world.clock.now()
    ids = await messages.close(
        db, [row.id for row in skippable], "skipped", SKIPPED_BY_PERSON, f"skipped by {who}: {why}", now
    )
    counters = [row.id for row in skippable if row.id in ids and row.key.endswith(standing.COUNTER)]
    off = await messages.followers(db, counters)
    await messages.close(db, off, "cancelled", "correction_skipped", f"its counter was skipped by {who}: {why}", now)
    await messages.release(db, ids, now)
    await decide_put_off(db, world, ids)
    for row in rows:
        if row.id in ids:
            await _told(db, world, row, who, "skipped", why)
            acted.append(Acted(row.id, True, "skipped"))
        else:
            acted.append(Acted(row.id, False, f"is {row.state}: nothing to skip"))
    for flow in world.flows:
        if flow.write_back:
            await tell_source(db, world, flow, [r for r in await messages.by_ids(db, ids) if r.flow == flow.name])
    return acted


async def correct(db: Db, world: World, row: MessageRow, who: str) -> Acted:
    """Book the counter of what is booked and the new document, linked to the first. `row`: the held change."""
    flow = world.event_flow(row.flow)
    booked = (await messages.by_ids(db, [row.follows or 0]))[:1]
    if flow is None or not booked or row.state != "held" or row.code != "already_booked":
        return Acted(row.id, False, f"is {row.state} ({row.code or 'no code'}): only a held change can be corrected")
    now = world.clock.now()
    if not await messages.close(db, [row.id], "cancelled", "corrected", f"corrected by {who}", now, only="held"):
        return Acted(row.id, False, "somebody else was faster: it is not held any more")
    event, number = standing.correction(booked[0].key)
    work = Work(
        state={"number": row.subject},
        record_id=row.record_id or 0,
        native_id="",
        place=row.place,
        company=row.company,
        key=event,
        event_on=row.event_on,
        document=decode_state(row.document) if row.document else None,
        number=row.number,
        currency=row.currency,
        anchor_id=row.anchor_id,
    )
    await flow.desk.load(db, [row.company], [work.state])
    works = flow.correct(decode_state(booked[0].document), work, number)
    writes: list[MessageWrite] = [structs.replace(written(flow, w), follows=booked[0].id) for w in works]
    done = Processed(made=[], ids={}, wake=set())
    await put(db, world, flow, writes[:1], done)
    for later in writes[1:]:
        previous = done.ids[writes[0].key]
        waiting = structs.replace(
            later, state="waiting", code="behind", reason=f"behind M-{previous}", waits_for=messages.behind(previous)
        )
        await put(db, world, flow, [waiting], done)
    await _told(db, world, row, who, "corrected", row.reason)
    numbers = " and ".join(write.number for write in writes)
    what = "counter and new document" if len(writes) > 1 else "correction"
    return Acted(row.id, True, f"{what}: {numbers}")


async def _told(db: Db, world: World, row: MessageRow, who: str, what: str, reason: str) -> None:
    await audit.append(
        db,
        row.connection,
        [
            AuditWrite(
                what=f"message {what}",
                who=who,
                entity=row.entity,
                record_id=row.record_id,
                message_id=row.id,
                reason=reason,
            )
        ],
        world.clock.now(),
    )
