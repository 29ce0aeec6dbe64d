"""Reconcile: both systems read afresh, compared document by document with each other and with the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from isthmus.contract.records import NativeRecord, ReadRequest
from isthmus.controls.totals import ControlLine, Total, compare
from isthmus.ledger import booked as booked_documents
from isthmus.ledger import records
from isthmus.ledger.booked import Booked
from isthmus.ledger.types import StreamKey
from isthmus.mapping.context import LensContext
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell_decimal
from isthmus.sync.world import Control, FlowSpec, StreamSpec, World

_PAGE = 5000
_ACCOUNTS_AT_ONCE = 20

DriftKind = Literal["not_booked", "not_in_source", "amount_differs", "not_in_hub", "fields_differ"]


class DriftRow(Struct, frozen=True, kw_only=True):
    """A document on which the systems do not agree, and what the hub knows of it."""

    kind: DriftKind
    number: str
    place: str
    source: str
    target: str
    state: str
    reason: str


class Reconciled(Struct, frozen=True, kw_only=True):
    """One flow's entity in one company and currency."""

    flow: str
    entity: str
    company: str
    currency: str
    source: dict[str, object]
    hub: dict[str, object]
    target: dict[str, object]
    difference: str
    rounding: str
    drift: tuple[DriftRow, ...]
    unreadable: int

    @property
    def agrees(self) -> bool:
        """Whether nothing but rounding differs."""
        return not self.drift


async def reconcile(world: World, flow: FlowSpec, *, tolerance: Decimal = Decimal("0.01")) -> list[Reconciled]:
    """Compare a flow's source and target. Reads both systems completely; writes nothing. Safe to repeat."""
    async with world.transaction() as db:
        known = await booked_documents.of_flow(db, flow.name)
        await flow.desk.load(db, sorted({need.company for need in flow.needs}))
    source, unreadable = await _source_lines(world, flow, known)
    target = await _target_lines(world, flow, flow.control, known)
    hub = [
        ControlLine(flow.target_entity, doc.company, doc.currency, doc.root, doc.amount or Decimal(0))
        for doc in known.documents
    ]
    agreed = {(t.company, t.currency): t for t in compare(hub, target, tolerance).totals}
    rows = []
    for total in compare(source, target, tolerance).totals:
        against = agreed.get((total.company, total.currency))
        rows.append(_row(flow, total, against, known, unreadable))
    return rows


def _row(flow: FlowSpec, total: Total, hub: Total | None, known: booked_documents.Known, unreadable: int) -> Reconciled:
    return Reconciled(
        flow=flow.name,
        entity=total.entity,
        company=total.company,
        currency=total.currency,
        source=side_of(total.left.count, total.left.amount),
        hub=side_of(hub.left.count, hub.left.amount) if hub else side_of(0, Decimal(0)),
        target=side_of(total.right.count, total.right.amount),
        difference=spell_decimal(total.left.amount - total.right.amount),
        rounding=spell_decimal(total.rounding),
        drift=tuple(_drift(d.number, d.left, d.right, known.by_root.get(d.number)) for d in total.drift),
        unreadable=unreadable,
    )


def side_of(count: int, amount: Decimal) -> dict[str, object]:
    """One side as JSON shows it."""
    return {"count": count, "amount": spell_decimal(amount)}


def _drift(number: str, left: Decimal | None, right: Decimal | None, doc: Booked | None) -> DriftRow:
    kind: DriftKind
    if left is None:
        kind = "not_in_source" if doc is not None else "not_in_hub"
    else:
        kind = "not_booked" if right is None else "amount_differs"
    return DriftRow(
        kind=kind,
        number=number,
        place=doc.place if doc else "",
        source=spell_decimal(left) if left is not None else "",
        target=spell_decimal(right) if right is not None else "",
        state=doc.state if doc else "",
        reason=doc.reason if doc else "the hub does not know this document",
    )


async def _source_lines(world: World, flow: FlowSpec, known: booked_documents.Known) -> tuple[list[ControlLine], int]:
    """What the source says now: one line per record that the flow's condition lets through and that costs something."""
    lines: list[ControlLine] = []
    unreadable = 0
    actor = world.actors[flow.source]
    for key, spec in actor.streams.items():
        if key.entity != flow.source_entity:
            continue
        async with world.transaction() as db:
            context = (await actor.tables(db, spec.scope)).context
        async for page in pages(world, spec):
            async with world.transaction() as db:
                ids = {i: link.record_id for i, link in (await records.links(db, key, [r.id for r in page])).items()}
            for record in page:
                line = _source_line(flow, spec, record, ids.get(record.id), known, context)
                if isinstance(line, Finding):
                    unreadable += 1
                elif line is not None:
                    lines.append(line)
    return lines, unreadable


def _source_line(
    flow: FlowSpec, spec: StreamSpec, record: NativeRecord, record_id: int | None, known: booked_documents.Known,
    context: LensContext,
) -> ControlLine | Finding | None:  # fmt: skip
    if record.problem:
        return Finding(code="unreadable", severity="error", text=record.problem)
    reading = spec.lens.read(record.data, context)
    error = next((finding for finding in reading.findings if finding.severity == "error"), None)
    if error is not None:
        return error
    if flow.when(reading.state) is not True:
        return None
    company = flow.route(reading.state)
    if isinstance(company, Finding):
        return company
    if flow.worth is None:
        return None
    worth = flow.worth(reading.state, company)
    if isinstance(worth, Finding):
        return worth
    if not worth.amount or (record_id is not None and record_id in known.left_out):
        return None
    root = known.root_of.get(record_id or 0, record.origin or record.id)
    return ControlLine(flow.target_entity, company, worth.currency, root, worth.amount)


async def _target_lines(
    world: World, flow: FlowSpec, control: Control | None, known: booked_documents.Known
) -> list[ControlLine]:
    """What the target's books say now on the accounts the flow charges, for documents of ours."""
    if control is None:
        return []
    actor = world.actors[flow.target]
    support = actor.connector.capabilities.entities.get(control.entity)
    lens = actor.lenses.get(control.entity)
    if support is None or lens is None:
        return []
    lines: list[ControlLine] = []
    for company in sorted({need.company for need in flow.needs}):
        async with world.transaction() as db:
            context = (await actor.tables(db, company)).context
        accounts = sorted(control.accounts | known.accounts)
        for start in range(0, len(accounts), _ACCOUNTS_AT_ONCE):
            asked = tuple(accounts[start : start + _ACCOUNTS_AT_ONCE])
            cursor: str | None = None
            more = True
            while more:
                page = await actor.connector.read(
                    ReadRequest(
                        native=support.native,
                        company=company,
                        cursor=cursor,
                        limit=_PAGE,
                        equals={control.field: asked},
                    ),
                    _nothing_known,
                )
                lines.extend(
                    _target_line(flow, control, company, lens.read(r.data, context).state, known) for r in page.records
                )
                cursor, more = page.cursor, page.more
    return [line for line in lines if line.number]


def _target_line(
    flow: FlowSpec, control: Control, company: str, entry: Mapping[str, object], known: booked_documents.Known
) -> ControlLine:
    number = str(entry.get("document") or "")
    root = known.root_by_number.get(number, number if number.startswith(control.number_prefix) else "")
    currency = str(entry.get("currency") or known.currency_of.get(company, ""))
    return ControlLine(flow.target_entity, company, currency, root, Decimal(str(entry.get("amount") or 0)))


async def pages(world: World, spec: StreamSpec) -> AsyncIterator[Sequence[NativeRecord]]:
    """All that a stream shows now, from its beginning."""
    key = StreamKey(spec.key.connection, spec.key.entity, spec.key.company)

    async def known(families: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
        async with world.transaction() as db:
            return await records.families(db, key, families)

    cursor: str | None = None
    more = True
    while more:
        request = ReadRequest(native=spec.native, company=key.company, cursor=cursor, limit=_PAGE)
        page = await world.actors[key.connection].connector.read(request, known)
        yield [record for record in page.records if not record.deleted]
        cursor, more = page.cursor, page.more


async def _nothing_known(families: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
    del families
    return {}
