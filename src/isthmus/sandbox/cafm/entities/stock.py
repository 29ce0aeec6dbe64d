"""Movements of stock other than receipts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from isthmus.sandbox.cafm.entities.lines import EXTERNAL, EXTERNAL_NAMES, amount, check_unit, default_unit
from isthmus.sandbox.cafm.entities.work_orders import WORK_ORDERS, costs
from isthmus.sandbox.cafm.entity import Entity, Field, Work
from isthmus.sandbox.cafm.kinds import DIMENSIONS, QUANTITY, ByCode, ById, Choice, Reading, Record, Text, Time, shown
from isthmus.sandbox.cafm.problems import bad_request, conflict
from isthmus.sandbox.cafm.stock_levels import factor
from isthmus.sandbox.cafm.writing import store, touch

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World

_OF_WORK_ORDERS = frozenset({"issue", "return"})


class _StockTransactions(Entity):
    """Stock transactions."""

    def complete(self, work: Work, record: Record, before: Record | None, reading: Reading) -> None:
        if before is not None:
            return
        world = work.world
        record["at"] = record["at"] or work.now
        default_unit(world, record)
        _check_fields(world, record, reading)
        check_unit(reading, record, "")
        if reading.details:
            return
        _measure(world, record)
        _enough(world, record)

    def editable(self, record: Record, changed: frozenset[str]) -> None:
        if changed - EXTERNAL_NAMES - {"reversedById"}:
            raise conflict("immutable", "A movement is never changed; reverse it.", min(changed))

    def deletable(self, work: Work, record: Record) -> None:
        raise conflict("immutable", "A movement is never deleted; reverse it.")

    def stored(self, work: Work, record: Record, before: Record | None) -> None:
        if before is not None:
            return
        for place, quantity in _moves(record):
            work.world.stock.add(record["itemId"], place, quantity)
        if record["workOrderId"] is not None:
            _book_part(work, record)


def _check_fields(world: World, record: Record, reading: Reading) -> None:
    kind, quantity = record["type"], Decimal(record["quantity"])
    if world.tables["items"].rows[record["itemId"]]["type"] != "stock":
        reading.wrong("inactive_reference", "itemId", "this item has no stock.")
    if kind == "adjustment":
        if not quantity:
            reading.wrong("out_of_range", "quantity", "an adjustment is other than 0.")
    elif quantity < 0 or (not quantity and kind != "count"):
        reading.wrong("out_of_range", "quantity", f"the quantity of a {kind} is above 0.")
    if (kind == "transfer") is not (record["toLocationId"] is not None):
        word = "needs" if kind == "transfer" else "has no"
        reading.wrong("required" if kind == "transfer" else "not_a_choice", "toLocationId", f"a {kind} {word} one.")
    if record["toLocationId"] is not None and record["toLocationId"] == record["locationId"]:
        reading.wrong("not_a_choice", "toLocationId", "this is where it leaves.")
    for name in ("locationId", "toLocationId"):
        place = world.tables["locations"].rows.get(record[name])
        if place is not None and not place["stockKeeping"]:
            reading.wrong("inactive_reference", name, f"location {place['code']} keeps no stock.")
    if record["workOrderId"] is None:
        return
    if kind not in _OF_WORK_ORDERS:
        reading.wrong("not_a_choice", "workOrderId", f"a {kind} is of no work order.")
    order = world.tables["workOrders"].rows[record["workOrderId"]]
    if order["status"] in {"closed", "cancelled"}:
        raise conflict("not_editable", f"Work order {order['number']} is {order['status']}.", "workOrderId")


def _measure(world: World, record: Record) -> None:
    """The change in base units, and what it is worth."""
    quantity = Decimal(record["quantity"]) * (factor(world, record["itemId"], record["unit"]) or 1)
    if record["type"] == "count":
        expected = world.stock.at(record["itemId"], record["locationId"])
        record["expected"] = shown(expected, 5)
        quantity -= expected
    elif record["type"] == "issue":
        quantity = -quantity
    _value(world, record, quantity)


def _value(world: World, record: Record, quantity: Decimal) -> None:
    record["baseQuantity"] = shown(quantity, 5)
    record["unitCost"] = world.tables["items"].rows[record["itemId"]]["unitCost"]
    record["amount"] = amount(world, None, record["baseQuantity"], record["unitCost"])


def _moves(record: Record) -> list[tuple[int, Decimal]]:
    """What happens at which location, in base units."""
    quantity = Decimal(record["baseQuantity"])
    if record["type"] == "transfer":
        return [(record["locationId"], -quantity), (record["toLocationId"], quantity)]
    return [(record["locationId"], quantity)]


def _enough(world: World, record: Record) -> None:
    if world.switches.negative_stock:
        return
    for place, quantity in _moves(record):
        held = world.stock.at(record["itemId"], place)
        if quantity < 0 and held + quantity < 0:
            item = world.tables["items"].rows[record["itemId"]]["code"]
            where = world.tables["locations"].rows[place]["code"]
            text = f"Of item {item} only {held.normalize():f} are at {where}."
            raise conflict("insufficient_stock", text, "quantity")


def _book_part(work: Work, record: Record) -> None:
    """What was issued becomes a part of the work order; what came back, a negative one."""
    table = work.world.tables["workOrders"]
    before = table.rows[record["workOrderId"]]
    base = -Decimal(record["baseQuantity"])
    units = factor(work.world, record["itemId"], record["unit"]) or Decimal(1)
    cost = record["unitCost"]
    line = {
        "id": table.next_line(),
        "lineNumber": max((one["lineNumber"] for one in before["parts"]), default=0) + 10,
        "itemId": record["itemId"],
        "quantity": shown(base / units, 5),
        "unit": record["unit"],
        "unitCost": shown(Decimal(cost) * units, 4) if cost is not None else None,
        "locationId": record["locationId"],
        "amount": amount(work.world, None, base, cost),
        "stockTransactionId": record["id"],
    }
    after = {**before, "parts": [*before["parts"], line]}
    after["costs"] = costs(after)
    touch(work, WORK_ORDERS, after, before, "updated")


def reverse(work: Work, before: Record, body: Mapping[str, Any]) -> tuple[Entity, Record]:
    """The action `reverse`: the opposite of a movement, once only. Raises Problem."""
    unknown = set(body) - {"reason"}
    if unknown:
        raise bad_request("unknown_field", f"{min(unknown)}: there is no such field.", min(unknown))
    if before["reversedById"] is not None or before["reversesId"] is not None:
        raise conflict("not_editable", "This movement was reversed already, or reverses another one.")
    order = work.world.tables["workOrders"].rows.get(before["workOrderId"])
    if order is not None and order["status"] in {"closed", "cancelled"}:
        raise conflict("not_editable", f"Work order {order['number']} is {order['status']}.", "workOrderId")
    table = work.world.tables[STOCK_TRANSACTIONS.name]
    record = {**before, "reason": work.reading().value(Text(50), body.get("reason"), "reason")}
    record |= {"reversesId": before["id"], "at": work.now, "externalId": None, "integration": None, "version": 1}
    record |= {"externalNumber": None, "externalStatus": None, "externalMessage": None}
    record |= {"createdAt": work.now, "updatedAt": work.now, "createdBy": work.actor, "updatedBy": work.actor}
    if before["type"] == "transfer":
        record |= {"locationId": before["toLocationId"], "toLocationId": before["locationId"]}
    else:
        turned = -Decimal(before["baseQuantity"])
        record |= {"baseQuantity": shown(turned, 5), "expected": None}
        record["amount"] = amount(work.world, None, turned, before["unitCost"])
        if before["type"] == "adjustment":
            record["quantity"] = shown(-Decimal(before["quantity"]), 5)
    _enough(work.world, record)
    record |= {"id": table.next_id(), "number": table.next_number()}
    made = store(work, STOCK_TRANSACTIONS, record, None, "created")
    touch(work, STOCK_TRANSACTIONS, {**before, "reversedById": made["id"]}, before, "updated")
    return STOCK_TRANSACTIONS, made


STOCK_TRANSACTIONS = _StockTransactions(
    "stockTransactions",
    (
        Field("type", Choice("issue", "return", "adjustment", "transfer", "count"), required=True),
        Field("itemId", ById("items"), required=True),
        Field("quantity", QUANTITY, required=True),
        Field("unit", ByCode("units")),
        Field("baseQuantity"),
        Field("expected"),
        Field("locationId", ById("locations"), required=True),
        Field("toLocationId", ById("locations")),
        Field("workOrderId", ById("workOrders")),
        Field("reason", Text(50)),
        Field("note", Text(250)),
        Field("at", Time(past=True)),
        Field("unitCost"),
        Field("amount"),
        Field("accountCode", ByCode("accounts")),
        Field("dimensions", DIMENSIONS, default=[]),
        Field("reversesId"),
        Field("reversedById"),
        *EXTERNAL,
    ),
    prefix="ST-",
    first_id=9_007_199_000_000_001,
    filters=("type", "itemId", "locationId", "workOrderId"),
    since={"at_since": "at"},
)
STOCK_TRANSACTIONS.actions["reverse"] = reverse
