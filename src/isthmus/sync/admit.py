"""Admit: what a page shows, compared with what that system showed last; three-way merge; audit; the changes left.

Equal to the base is an echo or no change and is dropped here: this is the loop guard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct, structs

from isthmus.contract.records import NativeRecord
from isthmus.ledger import audit, messages, records, refs, rereads, sides, streams
from isthmus.ledger.types import AuditWrite, Db, LinkRow, RecordWrite
from isthmus.mapping.context import LensContext
from isthmus.mapping.lens import Lens
from isthmus.model.entity import EntityType, State
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell
from isthmus.model.state import decode_state, encode_state
from isthmus.sync.merge import ABSENT, FieldChange, Merged, Policy, Side, merge
from isthmus.sync.world import Actor, StreamSpec


class Change(Struct, frozen=True, kw_only=True):
    """An observed difference, after merge. `before` is None for a record the hub sees first.

    gone     no system has the record any more (`deleted`: the one that was read has it no more)
    candidates   records of the other side that may be the same, for people
    review   both sides edited a field that a person decides on
    """

    record_id: int
    native_id: str
    place: str
    before: State | None
    state: State
    findings: tuple[Finding, ...] = ()
    deleted: bool = False
    gone: bool = False
    review: bool = False
    candidates: str = ""


class Admitted(Struct, kw_only=True):
    """The changes of a page, and what was counted on the way."""

    changes: list[Change]
    counts: dict[str, int]


class _Desk(Struct):
    """What one page gathers before it is written in bulk."""

    rows: list[RecordWrite]
    audits: list[AuditWrite]
    changes: list[Change]
    places: list[tuple[str, str]]
    counts: dict[str, int]
    #: records something is stopped for: shown again as they were, they may be mended
    stopped: set[int] = set()
    #: records that another connection still has: they live on when this one loses them
    elsewhere: set[int] = set()
    #: (record, what it refers to that is not linked yet), by native ids
    unlinked: list[tuple[str, str]] = []

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


async def admit(
    db: Db, actor: Actor, stream: StreamSpec, page: Sequence[NativeRecord], now: datetime, *, reread: bool = False
) -> Admitted:
    """Admit a page within the caller's transaction. Safe to repeat: an equal page changes nothing.

    `reread`: look at records again although their version is unchanged (the lens changed).
    """
    known = await records.links(db, stream.key, [record.id for record in page])
    desk = _Desk([], [], [], [], {"seen": len(page)})
    fresh_ids = iter(await records.next_ids(db, sum(1 for record in page if record.id not in known)))
    context = await reading_context(db, actor, stream.lens, stream.key.company, [record.data for record in page])
    gone = [known[r.id].record_id for r in page if r.deleted and r.id in known]
    desk.elsewhere = await sides.held_elsewhere(db, gone, stream.key.connection) if gone else set()
    edited = (known[r.id].record_id for r in page if r.id in known and not _unchanged(r, known[r.id]))
    desk.stopped = await messages.stopped(db, list(edited))
    told: set[str] = set()
    for record in page:
        if record.id in told:
            continue  # a page may repeat a record while the source changes under the paging
        told.add(record.id)
        link = known.get(record.id)
        if link is None:
            record_id = next(fresh_ids)
            if record.deleted:
                continue
            _admit_new(desk, stream, record, record_id, context)
        elif link.aside:
            desk.count("aside")
        elif record.deleted:
            _admit_gone(desk, stream, link, "gone in the source")
        elif not reread and _unchanged(record, link):
            desk.count("unchanged")
            if record.origin != link.place:
                desk.places.append((record.id, record.origin))
        else:
            _admit_known(desk, actor, stream, record, link, context)
    await records.save(db, stream.key, stream.scope, desk.rows, now)
    await rereads.note(db, stream.key, desk.unlinked)
    if desk.places:
        await records.move_places(db, stream.key, desk.places)
    await audit.append(db, stream.key.connection, desk.audits, now)
    return Admitted(changes=desk.changes, counts=desk.counts)


async def admit_gone(db: Db, stream: StreamSpec, scan: str, now: datetime, *, most: Decimal) -> Admitted:
    """End of a full scan: live links it did not show are gone. Nothing is taken as gone when their share exceeds `most`
    (a truncated file, a wrong filter): that is counted as `gone_held` and told by the caller."""
    ids = await streams.unseen(db, stream.key, scan)
    desk = _Desk([], [], [], [], {})
    if ids:
        live = await records.live_links(db, stream.key)
        if Decimal(len(ids)) > most * live and len(ids) > 20:
            await streams.forget_scans(db, stream.key)
            return Admitted(changes=[], counts={"gone_held": len(ids)})
        known = await records.links(db, stream.key, ids)
        gone = [link.record_id for link in known.values()]
        desk.elsewhere = await sides.held_elsewhere(db, gone, stream.key.connection)
        for native_id in ids:
            _admit_gone(desk, stream, known[native_id], "no longer in the source")
        await records.save(db, stream.key, stream.scope, desk.rows, now)
        await audit.append(db, stream.key.connection, desk.audits, now)
    await streams.forget_scans(db, stream.key)
    return Admitted(changes=desk.changes, counts=desk.counts)


async def reading_context(
    db: Db, actor: Actor, lens: Lens, company: str, natives: Sequence[Mapping[str, Any]]
) -> LensContext:
    """What the lens needs to read these native records: tables, and the numbers of the records they refer to."""
    tables = (await actor.tables(db, company)).context
    pairs = {pair for data in natives for pair in lens.native_references(data)}
    return replace(tables, refs=await refs.resolve(db, actor.id, company, ids=pairs)) if pairs else tables


def _unchanged(record: NativeRecord, link: LinkRow) -> bool:
    """Whether it shows what it showed. What is wrong with rows may name other lines: told anew when they move."""
    if record.problem and record.origin != link.place:
        return False
    return record.version is not None and record.version == link.version and not link.deleted


def _told_unreadable(
    desk: _Desk, stream: StreamSpec, record: NativeRecord, record_id: int, findings: Sequence[Finding]
) -> None:
    """What a lens could not read is told in the audit, whether or not a flow starts from the record. What it refers to
    and is not known yet is remembered: the record is read again when that is linked."""
    desk.unlinked.extend((record.id, finding.value) for finding in findings if finding.code == "reference_missing")
    desk.audits.extend(
        AuditWrite(
            what="field unreadable",
            who="Isthmus",
            entity=stream.entity.name,
            record_id=record_id,
            field=finding.field,
            reason=str(finding),
        )
        for finding in findings
        if finding.severity == "error"
    )


def _read(stream: StreamSpec, record: NativeRecord, context: LensContext) -> tuple[State, tuple[Finding, ...]]:
    if record.problem:
        text = record.problem.removesuffix(".")
        if not text.startswith(record.origin):
            text = f"{record.origin}: {text}"
        return {}, (Finding(code="unreadable", severity="error", text=f"{text}.", mend=record.mend),)
    reading = stream.lens.read(record.data, context)
    findings = reading.findings
    if record.origin and findings:
        findings = tuple(_placed(finding, record.origin) for finding in findings)
    return reading.state, findings


def _placed(finding: Finding, origin: str) -> Finding:
    return Finding(
        code=finding.code,
        severity=finding.severity,
        text=f"{origin}: {finding.text}",
        field=finding.field,
        value=finding.value,
        mend=finding.mend or f"Mend it in {origin}.",
    )


def _admit_new(desk: _Desk, stream: StreamSpec, record: NativeRecord, record_id: int, context: LensContext) -> None:
    state, findings = _read(stream, record, context)
    text = encode_state(state)
    desk.count("new")
    desk.rows.append(_row(stream.entity, record, record_id, state, text, text, new=True))
    desk.audits.append(
        AuditWrite(
            what="record seen",
            who="person unknown",
            entity=stream.entity.name,
            record_id=record_id,
            reason=record.origin or f"{stream.native} {record.id}",
        )
    )
    _told_unreadable(desk, stream, record, record_id, findings)
    desk.changes.append(
        Change(
            record_id=record_id,
            native_id=record.id,
            place=record.origin,
            before=None,
            state=state,
            findings=findings,
        )
    )


def _admit_known(
    desk: _Desk, actor: Actor, stream: StreamSpec, record: NativeRecord, link: LinkRow, context: LensContext
) -> None:
    state, findings = _read(stream, record, context)
    base = decode_state(link.base)
    shown = encode_state(_known(base, state) if findings else state)
    ours = decode_state(link.data)
    told_of = (
        bool(findings) or link.record_id in desk.stopped
    )  # what is wrong with it may be mended or another thing now
    if shown == link.base and not link.deleted and not told_of:
        desk.count("echo")
        row = _row(stream.entity, record, link.record_id, ours, link.data, shown)
        desk.rows.append(structs.replace(row, agreed="" if link.agreed == shown else link.agreed))
        return
    merged = _merge(actor, stream, base, ours, state, record)
    agreed = follow(decode_state(link.agreed), base, state, stream.list_keys)
    desk.count("changed")
    _changed(desk, stream, record, link.record_id, ours, link.data, merged, shown, encode_state(agreed), findings,
             returned=link.deleted)  # fmt: skip
    if link.deleted:
        desk.audits.append(_told(stream, link.record_id, "record returned", record.origin))


def _merge(actor: Actor, stream: StreamSpec, base: State, ours: State, theirs: State, record: NativeRecord) -> Merged:
    return merge(
        base,
        ours,
        theirs,
        mine=Side("hub"),
        other=Side(actor.id, record.modified_at),
        policy=lambda path: actor.policy(stream.entity.name, path),
        list_keys=stream.list_keys,
    )


def _changed(
    desk: _Desk, stream: StreamSpec, record: NativeRecord, record_id: int, ours: State, data: str, merged: Merged,
    shown: str, agreed: str, findings: tuple[Finding, ...], *, returned: bool = False,
) -> None:  # fmt: skip
    text = encode_state(merged.state)
    row = _row(stream.entity, record, record_id, merged.state, text, shown, changed=text != data or returned)
    desk.rows.append(structs.replace(row, agreed="" if agreed == shown else agreed))
    desk.audits.extend(audit_fields(stream.entity.name, record_id, merged))
    _told_unreadable(desk, stream, record, record_id, findings)
    desk.changes.append(
        Change(
            record_id=record_id,
            native_id=record.id,
            place=record.origin,
            before=ours,
            state=merged.state,
            findings=findings,
            review=merged.review,
        )
    )


def follow(agreed: State, base: State, shown: State, list_keys: Mapping[str, str]) -> State:
    """The hub's state that a system's values stand for, after the system changed some: those are taken as they are."""
    side = Side("system")
    return merge(base, agreed, shown, mine=side, other=side, policy=lambda path: _THEIRS, list_keys=list_keys).state


_THEIRS = Policy("owner", "system")


def _known(base: State, state: State) -> State:
    """What the system is known to show: of fields that could not be read, what it showed before."""
    return {
        **base,
        **{
            name: _known(base[name], value) if isinstance(value, dict) and isinstance(base.get(name), dict) else value
            for name, value in state.items()
        },
    }


def _admit_gone(desk: _Desk, stream: StreamSpec, link: LinkRow, why: str) -> None:
    if link.deleted:
        return
    state = decode_state(link.data)
    desk.count("gone")
    gone = NativeRecord(id=link.native_id, version=link.version, deleted=True, origin=link.place)
    last = link.record_id not in desk.elsewhere
    row = _row(stream.entity, gone, link.record_id, state, link.data, link.base, changed=last, deleted=True)
    desk.rows.append(structs.replace(row, agreed="" if link.agreed == link.base else link.agreed, record_gone=last))
    desk.audits.append(_told(stream, link.record_id, "record gone", why))
    desk.changes.append(
        Change(
            record_id=link.record_id,
            native_id=link.native_id,
            place=link.place,
            before=state,
            state=state,
            deleted=True,
            gone=last,
        )
    )


def _row(
    entity: EntityType, record: NativeRecord, record_id: int, state: State, text: str, base: str, *,
    new: bool = False, changed: bool = False, deleted: bool = False,
) -> RecordWrite:  # fmt: skip
    amount, currency = amount_of(entity, state)
    return RecordWrite(
        record_id=record_id,
        new=new,
        number=str(state.get(entity.number) or ""),
        data=text,
        amount=amount,
        currency=currency,
        changed=changed,
        deleted=deleted,
        native_id=record.id,
        new_link=new,
        family=record.family,
        version=record.version,
        base=base,
        place=record.origin,
        modified_at=record.modified_at,
        external_id=record.external_id,
    )


def list_keys_of(lens: Lens) -> Mapping[str, str]:
    """List path -> field of its elements that tells them apart."""
    return {plan.path: plan.key for plan in lens.plans if plan.key}


def amount_of(entity: EntityType, state: State) -> tuple[Decimal | None, str]:
    """The amount totals add up (the entity's amount path, list elements summed) and its currency."""
    if not entity.amount:
        return None, ""
    found = list(_amounts(state, entity.amount.split(".")))
    currency = str(state.get(entity.currency) or "")
    return (sum(found, Decimal(0)), currency) if found else (None, currency)


def _amounts(value: Any, path: list[str]) -> Iterable[Decimal]:
    if isinstance(value, list):
        for item in value:
            yield from _amounts(item, path)
    elif not path:
        if value is not None:
            try:
                yield Decimal(str(value))
            except InvalidOperation:
                return
    elif isinstance(value, dict):
        yield from _amounts(value.get(path[0]), path[1:])


def audit_fields(entity: str, record_id: int, merged: Merged, who: str = "person unknown") -> Iterable[AuditWrite]:
    """One audit row per field that changed or was kept against an edit."""
    for change in merged.changes:
        yield AuditWrite(
            what=f"field {change.kind}",
            who=who,
            entity=entity,
            record_id=record_id,
            field=change.path,
            old=value_text(change.old),
            new=value_text(change.kept),
            reason=_reason(change),
        )


def _reason(change: FieldChange) -> str:
    if change.lost is ABSENT:
        return change.reason
    return f"{change.reason}; not kept: {value_text(change.lost)}"


def _told(stream: StreamSpec, record_id: int, what: str, reason: str) -> AuditWrite:
    return AuditWrite(what=what, who="person unknown", entity=stream.entity.name, record_id=record_id, reason=reason)


def value_text(value: Any) -> str | None:
    """A value as the audit keeps it; None for nothing."""
    if value is ABSENT or value is None:
        return None
    if isinstance(value, dict | list):
        return encode_state({"": value})[4:-1]
    return str(spell(value))
