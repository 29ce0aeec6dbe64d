"""The items of stock transactions, read before anything is sent: a quantity needs its base unit, stock a stock item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isthmus.connectors.dynamics.business_central.item_card import ItemCards
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.stock.movements import Movement, parse, refuse_untold
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import NativeRecord, ReadRequest
from isthmus.errors import Reject

_FIELDS = ("number", "type", "blocked", "inventory", "baseUnitOfMeasureCode")


async def items_of(site: Site, place: Place, numbers: Sequence[str]) -> Mapping[str, NativeRecord]:
    """Items by number; where cards are published, with their tracking code."""
    fields = (*_FIELDS, "itemTrackingCode") if ItemCards(site.published).published else _FIELDS
    wanted = tuple(sorted(set(numbers)))
    if not wanted:
        return {}
    request = ReadRequest(native="items", company=place.name, equals={"number": wanted}, fields=fields)
    page = await site.reading.read(request)
    return {str(record.data.get("number", "")).upper(): record for record in page.records}


async def prepared(
    site: Site, place: Place, operations: Sequence[Operation], *, tracked: bool
) -> tuple[list[Movement], list[Outcome]]:
    """What can be sent, and the refusals of the rest. `tracked`: lots, serial numbers and bins can be given."""
    items = await items_of(
        site, place, [str(operation.native.get("itemNumber") or "").strip().upper() for operation in operations]
    )
    movements: dict[str, Movement] = {}
    refused: list[Outcome] = []
    for operation in operations:
        try:
            movement = _prepared(site, operation, items, tracked=tracked)
        except Reject as refusal:
            refused.append(outcome_of(operation.key, refusal))
            continue
        if movement.number in movements:
            text = f"two stock transactions of one delivery have the mark {movement.number}."
            twice = Reject(text, code="number_taken", field="number", value=movement.number)
            refused.append(outcome_of(operation.key, twice))
            continue
        movements[movement.number] = movement
    return list(movements.values()), refused


def _prepared(site: Site, operation: Operation, items: Mapping[str, NativeRecord], *, tracked: bool) -> Movement:
    number = str(operation.native.get("itemNumber") or "").strip().upper()
    item = items.get(number)
    movement = parse(operation, str(item.data.get("baseUnitOfMeasureCode", "")).upper() if item else None)
    if item is None:
        raise Reject(
            f"item {number} does not exist.",
            code="item_unknown",
            field="item",
            value=number,
            hint="Create it on page Items, or link the item of the source with the right one.",
        )
    if item.data.get("type") not in (None, "Inventory"):
        raise Reject(
            f"no stock is kept of item {number}: its type is {item.data.get('type')}.",
            code="item_without_stock",
            field="item",
            value=number,
            hint="Take it out of stock transactions in the source, or change its type on page Items.",
        )
    if item.data.get("blocked") is True:
        raise Reject(
            f"item {number} is blocked.",
            code="item_blocked",
            field="item",
            value=number,
            hint="Unblock it on page Items, or use another item.",
        )
    if not tracked:
        tracking = str(item.data.get("itemTrackingCode") or "")
        refuse_untold(movement, tracking, site.config.warehouse_locations)
    return movement


def parsed(operations: Sequence[Operation]) -> list[Movement]:
    """The movements of operations that were sent: those that cannot be parsed never were."""
    movements = []
    for operation in operations:
        try:
            movements.append(parse(operation))
        except Reject:
            continue
    return movements


def nothing_to_book(movement: Movement) -> Outcome | None:
    """A count that found what was expected is done without a booking."""
    if movement.base != 0:
        return None
    return Outcome(
        key=movement.key,
        result="done",
        number=movement.number,
        text="counted as expected: nothing to book.",
    )
