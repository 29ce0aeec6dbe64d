"""Observe: one native record against what its system showed last. New, known or gone; three-way merge; what is written.

Nothing is written here: the desk gathers rows, audit and changes of a page, and the page writes them in bulk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct, structs

from isthmus.contract.records import NativeRecord
from isthmus.ledger.types import AuditWrite, LinkRow, RecordWrite
from isthmus.mapping.context import LensContext
from isthmus.model.entity import EntityType, State
from isthmus.model.finding import Finding
from isthmus.model.state import decode_state, encode_state
from isthmus.sync.change import Change, audit_fields
from isthmus.sync.merge import Merged, Policy, Side, merge
from isthmus.sync.world import Actor, StreamSpec


class Desk(Struct):
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


def observe_new(desk: Desk, stream: StreamSpec, record: NativeRecord, record_id: int, context: LensContext) -> None:
    """A record the system never showed before: what it shows is the base, and the state."""
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


def observe_known(
    desk: Desk, actor: Actor, stream: StreamSpec, record: NativeRecord, link: LinkRow, context: LensContext
) -> None:
    """A record seen before: an echo, or a difference that is merged under the policy of each field."""
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
    if link.deleted:  # it was gone and is back: what was decided meanwhile (put out of use) is decided anew
        base = {}
    merged = _merge(actor, stream, base, ours, state, record, link)
    agreed = follow(decode_state(link.agreed), base, state, stream.list_keys)
    desk.count("changed")
    _changed(desk, stream, record, link.record_id, ours, link.data, merged, shown, encode_state(agreed), findings,
             returned=link.deleted)  # fmt: skip
    if link.deleted:
        desk.audits.append(_told(stream, link.record_id, "record returned", record.origin))


def _merge(
    actor: Actor, stream: StreamSpec, base: State, ours: State, theirs: State, record: NativeRecord, link: LinkRow
) -> Merged:
    """Where the hub holds something else than this system showed last, another system was edited: its time counts."""
    return merge(
        base,
        ours,
        theirs,
        mine=Side("another system", link.elsewhere_at),
        other=Side(actor.id, record.modified_at),
        policy=lambda path: actor.policy(stream.entity.name, path),
        list_keys=stream.list_keys,
    )


def _changed(
    desk: Desk, stream: StreamSpec, record: NativeRecord, record_id: int, ours: State, data: str, merged: Merged,
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


def observe_gone(desk: Desk, stream: StreamSpec, link: LinkRow, why: str) -> None:
    """The system has the record no more: the link is dead, the record only when no other system has it."""
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


def _told_unreadable(
    desk: Desk, stream: StreamSpec, record: NativeRecord, record_id: int, findings: Sequence[Finding]
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


def _told(stream: StreamSpec, record_id: int, what: str, reason: str) -> AuditWrite:
    return AuditWrite(what=what, who="person unknown", entity=stream.entity.name, record_id=record_id, reason=reason)


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
