"""What people do with stopped messages: retry, skip, correct. Only the messages named move."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from isthmus.ledger import audit, messages, progress, records
from isthmus.ledger.types import AuditWrite, Db, MessageRow, MessageWrite
from isthmus.model.finding import Finding
from isthmus.model.state import decode_state
from isthmus.sync.admit import Change
from isthmus.sync.process import SKIPPED_BY_PERSON, Processed, decide, put, written
from isthmus.sync.tell import tell_source
from isthmus.sync.world import FlowSpec, Work, World


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
        else:
            acted.append(await _retry_one(db, world, flow, row, who))
    return acted


async def _retry_one(db: Db, world: World, flow: FlowSpec, row: MessageRow, who: str) -> Acted:
    change = await _change_of(db, flow, row)
    if change is None:
        return Acted(row.id, False, "its record is gone from the source")
    await flow.desk.load(db, [row.company] if row.company else [])
    standing = (await progress.of_records(db, flow.name, [change.record_id])).get(change.record_id)
    if standing is None:
        return Acted(row.id, False, "its record never met the flow's condition")
    forgotten = structs.replace(row, state="retrying", code="", reason="", document="")
    after, write = decide(world, flow, change, flow.route(change.state), standing, [forgotten])
    if write is None:
        return Acted(row.id, False, "nothing is to be done for it any more")
    done = Processed(made=[], ids={}, wake=set())
    await put(db, world, flow, [structs.replace(write, key=row.key)], done)
    await progress.save(db, flow.name, [after])
    await _told(db, world, row, who, "retried", f"{row.state} -> {write.state}")
    return Acted(row.id, write.state == "ready", write.state if not write.reason else f"{write.state}: {write.reason}")


async def _change_of(db: Db, flow: FlowSpec, row: MessageRow) -> Change | None:
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


async def skip(db: Db, world: World, rows: Sequence[MessageRow], who: str, why: str) -> list[Acted]:
    """A person decides that nothing shall be sent for these. Raises nothing; what is booked stays booked."""
    acted = []
    skippable = [row for row in rows if row.state in {"dead", "held", "waiting", "ready", "retrying"}]
    now = world.clock.now()
    ids = await messages.close(
        db, [row.id for row in skippable], "skipped", SKIPPED_BY_PERSON, f"skipped by {who}: {why}", now
    )
    await messages.release(db, ids, now)
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
    flow = world.flow(row.flow)
    booked = (await messages.by_ids(db, [row.follows or 0]))[:1]
    if flow is None or not booked or row.state != "held" or row.code != "already_booked":
        return Acted(row.id, False, f"is {row.state} ({row.code or 'no code'}): only a held change can be corrected")
    work = Work(
        state={"number": row.subject},
        record_id=row.record_id or 0,
        native_id="",
        place=row.place,
        company=row.company,
        key=booked[0].key,
        event_on=row.event_on,
        document=decode_state(row.document) if row.document else None,
        number=row.number,
        currency=row.currency,
    )
    await flow.desk.load(db, [row.company])
    works = flow.correct(decode_state(booked[0].document), work, row.id)
    writes: list[MessageWrite] = [structs.replace(written(flow, w), follows=booked[0].id) for w in works]
    now = world.clock.now()
    await messages.close(db, [row.id], "cancelled", "corrected", f"corrected by {who}", now)
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
    return Acted(row.id, True, f"counter and new document: {numbers}")


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
