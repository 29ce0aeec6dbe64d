"""Reconcile goods: what operations accepted against what finance received, order by order; both read afresh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from isthmus.contract.records import Known, ReadRequest
from isthmus.controls.totals import ControlLine, Total, compare
from isthmus.ledger import messages, records
from isthmus.ledger.types import MessageRow
from isthmus.model.entity import State
from isthmus.model.spelling import spell_decimal
from isthmus.model.state import decode_state
from isthmus.sync.admit import reading_context
from isthmus.sync.reconcile import DriftRow, Reconciled, pages, side_of
from isthmus.sync.world import FlowSpec, World

_ZERO = Decimal(0)
_PAGE = 2000
_BOOKED = frozenset({"done", "saved"})
#: Nothing is to be in finance for these, or not yet.
_NOT_DUE = frozenset({"skipped", "cancelled", "waiting", "ready", "retrying", "uncertain", "sending"})


class _Hub(Struct, frozen=True, kw_only=True):
    """What the hub booked, by order, and how each record stands."""

    by_order: Mapping[str, Decimal]
    documents: int
    last: Mapping[int, MessageRow]


async def reconcile_goods(world: World, flow: FlowSpec, *, tolerance: Decimal = _ZERO) -> list[Reconciled]:
    """Compare quantities of a flow of receipts. Reads both systems completely; writes nothing. Safe to repeat.

    Receipts that wait (for their order's approval) or were skipped are on neither side. Counts are receipts, amounts
    quantities in the units of the orders' lines.
    """
    hub = await _hub(world, flow)
    source, count, unreadable = await _source(world, flow, hub)
    rows = []
    for company, wanted in source.items():
        booked, receipts = await _target(world, flow, company, set(wanted) | set(hub.by_order))
        left = [ControlLine(flow.target_entity, company, "", order, amount) for order, amount in wanted.items()]
        right = [ControlLine(flow.target_entity, company, "", order, amount) for order, amount in booked.items()]
        for total in compare(left, right, tolerance).totals:
            rows.append(_row(flow, total, hub, count, receipts, unreadable))
    return rows


async def _hub(world: World, flow: FlowSpec) -> _Hub:
    by_order: dict[str, Decimal] = {}
    last: dict[int, MessageRow] = {}
    documents = 0
    async with world.transaction() as db:
        async for row in messages.of_flow(db, flow.name):
            if row.record_id is not None:
                last[row.record_id] = row
            if row.state in _BOOKED and row.document:
                order = str(decode_state(row.document).get("order") or "")
                by_order[order] = by_order.get(order, _ZERO) + (row.amount or _ZERO)
                documents += 1
    return _Hub(by_order=by_order, documents=documents, last=last)


async def _source(world: World, flow: FlowSpec, hub: _Hub) -> tuple[dict[str, dict[str, Decimal]], int, int]:
    """Accepted by company and order, of receipts that are due; how many they are, and how many cannot be read."""
    actor = world.actors[flow.source]
    found: dict[str, dict[str, Decimal]] = {}
    count = unreadable = 0
    for key, spec in actor.streams.items():
        if key.entity != flow.source_entity:
            continue
        async for page in pages(world, spec):
            async with world.transaction() as db:
                context = await reading_context(db, actor, spec.lens, key.company, [record.data for record in page])
                links = await records.links(db, key, [record.id for record in page])
            for record in page:
                state = {} if record.problem else spec.lens.read(record.data, context).state
                link = links.get(record.id)
                row = hub.last.get(link.record_id) if link is not None else None
                unreadable += bool(record.problem)
                company = flow.route(state)
                due = row is None or row.state not in _NOT_DUE
                if not state or flow.when(state) is not True or not isinstance(company, str) or not due:
                    continue
                order, accepted = str(state.get("order") or ""), _accepted(state, row)
                orders = found.setdefault(company, {})
                if accepted:
                    orders[order] = orders.get(order, _ZERO) + accepted
                    count += 1
    return found, count, unreadable


def _accepted(state: State, row: MessageRow | None) -> Decimal:
    """In the units of the order. What was told in another unit counts as it was converted."""
    lines = state.get("lines") or ()
    if row is not None and row.amount is not None and row.state in _BOOKED and any(line.get("unit") for line in lines):
        return row.amount
    return sum((Decimal(str(line.get("accepted") or 0)) for line in lines), _ZERO)


async def _target(world: World, flow: FlowSpec, company: str, orders: set[str]) -> tuple[dict[str, Decimal], int]:
    """What finance received of these orders now, and in how many receipts."""
    actor = world.actors[flow.target]
    support, lens = actor.connector.capabilities.entities[flow.target_entity], actor.lenses[flow.target_entity]
    booked: dict[str, Decimal] = {}
    receipts = 0
    cursor: str | None = None
    more = support.read
    while more:
        request = ReadRequest(native=support.native, company=company, cursor=cursor, limit=_PAGE)
        page = await actor.connector.read(request, _NOTHING)
        async with world.transaction() as db:
            context = await reading_context(db, actor, lens, company, [record.data for record in page.records])
        for record in page.records:
            state = lens.read(record.data, context).state
            order = str(state.get("order") or "")
            if order in orders:
                booked[order] = booked.get(order, _ZERO) + _accepted(state, None)
                receipts += 1
        cursor, more = page.cursor, page.more
    return booked, receipts


async def _nothing_known(families: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
    del families
    return {}


_NOTHING: Known = _nothing_known


def _row(flow: FlowSpec, total: Total, hub: _Hub, count: int, receipts: int, unreadable: int) -> Reconciled:
    drift = tuple(
        DriftRow(
            kind="amount_differs" if one.left is not None and one.right is not None
            else "not_booked" if one.left is not None else "not_in_source",
            number=one.number,
            place="",
            source=spell_decimal(one.left) if one.left is not None else "",
            target=spell_decimal(one.right) if one.right is not None else "",
            state="",
            reason=f"the hub booked {spell_decimal(hub.by_order.get(one.number, _ZERO))} of the order",
        )
        for one in total.drift
    )  # fmt: skip
    return Reconciled(
        flow=flow.name,
        entity=total.entity,
        company=total.company,
        currency="",
        source=side_of(count, total.left.amount),
        hub=side_of(hub.documents, sum(hub.by_order.values(), _ZERO)),
        target=side_of(receipts, total.right.amount),
        difference=spell_decimal(total.left.amount - total.right.amount),
        rounding=spell_decimal(total.rounding),
        drift=drift,
        unreadable=unreadable,
    )
