"""Reconcile records that are kept in step: both systems read afresh, compared record by record and field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct, structs

from isthmus.contract.records import NativeRecord
from isthmus.controls.totals import ControlLine, Total, compare
from isthmus.ledger import messages, records, sides
from isthmus.ledger.types import Db, SideRow
from isthmus.model.entity import EntityType, State, entities
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell_decimal
from isthmus.model.state import decode_state
from isthmus.sync.admit import reading_context
from isthmus.sync.keep import by_number, changed_names
from isthmus.sync.observe import amount_of
from isthmus.sync.reconcile import DriftRow, Reconciled, pages, side_of
from isthmus.sync.world import KeepSpec, StreamSpec, World

_ZERO = Decimal(0)


class _Shown(Struct, frozen=True):
    """A record as one system shows it right now. `expected`: the flow brings it to the target."""

    record_id: int
    state: State
    place: str
    expected: bool = True


class _Side(Struct, frozen=True, kw_only=True):
    by_record: Mapping[int, _Shown]
    alone: Sequence[_Shown]
    unreadable: int


async def reconcile_kept(world: World, flow: KeepSpec, *, tolerance: Decimal = Decimal("0.01")) -> list[Reconciled]:
    """Compare the two sides of a flow of states. Reads both completely; writes nothing. Safe to repeat.

    Amounts are those of quantities and prices, not rounded; what the target's own line amounts differ from them by is
    told as rounding.
    """
    entity = entities()[flow.source_entity]
    left = await _read(world, flow, flow.source)
    right = await _read(world, flow, flow.target)
    async with world.transaction() as db:
        ids = sorted({*left.by_record, *right.by_record})
        hub = {one: decode_state(text) for one, text in (await records.states(db, ids)).items()}
        differing = await _differing(db, world, flow, left, right)
        last = await messages.of_records(db, flow.name, ids)
    wanted = [shown for shown in left.by_record.values() if shown.expected]
    linked = [shown for one, shown in right.by_record.items() if one in left.by_record or one in hub]
    lines = [_line(flow, entity, shown) for shown in wanted]
    target_lines = [_line(flow, entity, shown) for shown in linked]
    totals = compare(lines, target_lines, tolerance).totals
    reasons = {one: next((m.reason for m in reversed(rows) if m.state != "done"), "") for one, rows in last.items()}
    rows = []
    for total in totals:
        known = [state for state in hub.values() if amount_of(entity, state)[1] == total.currency]
        drift = [*_drift(total, left, right, reasons), *(differing if total is totals[0] else ())]
        rows.append(_row(flow, entity, total, known, linked, drift, left.unreadable))
    return rows


async def _read(world: World, flow: KeepSpec, connection: str) -> _Side:
    """Everything one side shows now, by the hub's record."""
    actor = world.actors[connection]
    found: dict[int, _Shown] = {}
    alone: list[_Shown] = []
    unreadable = 0
    for key, spec in actor.streams.items():
        if key.entity != flow.source_entity:
            continue
        async for page in pages(world, spec):
            async with world.transaction() as db:
                context = await reading_context(db, actor, spec.lens, key.company, [record.data for record in page])
                links = await records.links(db, key, [record.id for record in page])
            for record in page:
                if record.problem:
                    unreadable += 1
                    continue
                shown = _shown(flow, connection, spec, record, spec.lens.read(record.data, context).state)
                link = links.get(record.id)
                if link is None:
                    alone.append(shown)
                else:
                    found[link.record_id] = structs.replace(shown, record_id=link.record_id)
    return _Side(by_record=found, alone=alone, unreadable=unreadable)


def _shown(flow: KeepSpec, connection: str, spec: StreamSpec, record: NativeRecord, state: State) -> _Shown:
    del spec
    expected = connection == flow.target or (flow.when(state) is True and not isinstance(flow.shape(state), Finding))
    return _Shown(0, state, record.origin or record.id, expected)


def _line(flow: KeepSpec, entity: EntityType, shown: _Shown) -> ControlLine:
    amount, currency = amount_of(entity, shown.state)
    company = flow.route(shown.state)
    return ControlLine(
        flow.target_entity, company if isinstance(company, str) else "", currency, str(shown.record_id), amount or _ZERO
    )


async def _differing(db: Db, world: World, flow: KeepSpec, left: _Side, right: _Side) -> list[DriftRow]:
    """Records whose fields are not what was agreed: edited and not polled yet, or decided and not written yet."""
    found: list[DriftRow] = []
    for connection, side in ((flow.source, left), (flow.target, right)):
        company = flow.source_company if connection == flow.source else ""
        for key in world.actors[connection].streams:
            if key.entity != flow.source_entity or (company and key.company != company):
                continue
            rows = await sides.of_records(db, connection, key.entity, key.company, list(side.by_record))
            context = by_number((await world.actors[connection].tables(db, key.company)).context)
            for one, row in rows.items():
                if connection not in flow.sides() or not row.native_id:
                    continue
                lens = world.actors[connection].lenses[key.entity]
                names = sorted(changed_names(lens, side.by_record[one].state, decode_state(row.base), context))
                if not names:
                    shaped = flow.wanted(connection, decode_state(row.data))
                    if isinstance(shaped, dict):
                        names = sorted(changed_names(lens, shaped, decode_state(row.agreed), context))
                if names:
                    found.append(_differs(row, connection, names))
    return found


def _differs(row: SideRow, connection: str, names: Sequence[str]) -> DriftRow:
    reason = f"{connection} does not show what the hub holds: {', '.join(names)}"
    return DriftRow(
        kind="fields_differ", number=row.number, place=row.place, source="", target="", state="", reason=reason
    )


def _drift(total: Total, left: _Side, right: _Side, reasons: Mapping[int, str]) -> list[DriftRow]:
    rows = []
    for drift in total.drift:
        one = int(drift.number)
        shown = left.by_record.get(one) or right.by_record[one]
        kind = {"missing_left": "not_in_source", "missing_right": "not_booked"}.get(drift.kind, "amount_differs")
        rows.append(
            DriftRow(
                kind=kind,  # type: ignore[arg-type]
                number=str(shown.state.get("number") or shown.state.get("code") or ""),
                place=shown.place,
                source=spell_decimal(drift.left) if drift.left is not None else "",
                target=spell_decimal(drift.right) if drift.right is not None else "",
                state="",
                reason=reasons.get(one, ""),
            )
        )
    return rows


def _row(
    flow: KeepSpec, entity: EntityType, total: Total, hub: Sequence[State], linked: Sequence[_Shown],
    drift: Sequence[DriftRow], unreadable: int,
) -> Reconciled:  # fmt: skip
    held = sum((amount_of(entity, state)[0] or _ZERO for state in hub), _ZERO)
    rounding = sum((_rounding(shown.state) for shown in linked), _ZERO)
    return Reconciled(
        flow=flow.name,
        entity=total.entity,
        company=total.company,
        currency=total.currency,
        source=side_of(total.left.count, total.left.amount),
        hub=side_of(len(hub), held),
        target=side_of(total.right.count, total.right.amount),
        difference=spell_decimal(total.left.amount - total.right.amount),
        rounding=spell_decimal(total.rounding + rounding),
        drift=tuple(drift),
        unreadable=unreadable,
    )


def _rounding(state: State) -> Decimal:
    """What finance's own line amounts are more than quantity times price."""
    found = _ZERO
    for line in state.get("lines") or ():
        if line.get("booked_amount") is not None and line.get("amount") is not None:
            found += Decimal(str(line["booked_amount"])) - Decimal(str(line["amount"]))
    return found
