"""Receipts of goods and confirmations of services; corrected by further receipts, never changed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from isthmus.sandbox.cafm.entities.lines import EXTERNAL, EXTERNAL_NAMES, check_unit
from isthmus.sandbox.cafm.entities.orders import RECEIVING, received
from isthmus.sandbox.cafm.entity import Entity, Field, Work
from isthmus.sandbox.cafm.kinds import QUANTITY, ById, Choice, Integer, Reading, Record, Text, Time, shown
from isthmus.sandbox.cafm.problems import conflict
from isthmus.sandbox.cafm.stock_levels import factor

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World


class _LineId(Integer):
    """The id of an order's line; a user's hand may say its line number instead. Which order is known only later."""

    def __init__(self) -> None:
        super().__init__(1, 2**53 - 1)


LINES = Field(
    "lines",
    lines=(
        Field("orderLineId", _LineId(), required=True),
        Field("received", QUANTITY, required=True),
        Field("rejected", QUANTITY, default="0.00000"),
        Field("accepted", QUANTITY),
        Field("unit"),
        Field("rejectReason", Text(100)),
        Field("lot", Text(30)),
    ),
)


class _Receipts(Entity):
    """Receipts."""

    def complete(self, work: Work, record: Record, before: Record | None, reading: Reading) -> None:
        if before is not None:
            return
        world = work.world
        order = world.tables["purchaseOrders"].rows[record["purchaseOrderId"]]
        if order["status"] not in RECEIVING:
            raise conflict("not_editable", f"Nothing is received for an order that is {order['status']}.")
        record["receivedAt"] = record["receivedAt"] or work.now
        record["locationId"] = record["locationId"] or order["locationId"]
        if not record["lines"]:
            reading.wrong("required", "lines", "a receipt needs a line.")
        corrected = self._corrected(world, record, reading)
        seen: set[int] = set()
        for index, line in enumerate(record["lines"]):
            self._line(reading, record, order, line, f"lines[{index}].")
            if line["orderLineId"] in seen:
                reading.wrong("duplicate_line", f"lines[{index}].orderLineId", "this line is named twice.")
            seen.add(line["orderLineId"])
        if reading.details:
            return
        for index, line in enumerate(record["lines"]):
            _limits(world, order, line, corrected, reading, f"lines[{index}].")
        if not reading.details:
            _enough_stock(world, record, order)

    @staticmethod
    def _corrected(world: World, record: Record, reading: Reading) -> Record | None:
        if record["correctsReceiptId"] is None:
            return None
        found = world.tables["receipts"].rows[record["correctsReceiptId"]]
        if found["correctsReceiptId"] is not None:
            reading.wrong("over_correction", "correctsReceiptId", "a correction is not corrected.")
        if found["purchaseOrderId"] != record["purchaseOrderId"]:
            reading.wrong("unknown_reference", "correctsReceiptId", "that receipt is of another order.")
        return found

    @staticmethod
    def _line(reading: Reading, record: Record, order: Record, line: Record, at: str) -> None:
        of_order = _order_line(order, line["orderLineId"], lenient=reading.lenient)
        if of_order is None:
            text = f"order {order['number']} has no line {line['orderLineId']}."
            reading.wrong("unknown_reference", f"{at}orderLineId", text)
            return
        line["orderLineId"], line["unit"] = of_order["id"], of_order["unit"]
        if (of_order["type"] == "service") is not (record["kind"] == "service"):
            text = f"a line of type {of_order['type']} is not confirmed by a receipt of {record['kind']}."
            reading.wrong("not_a_choice", f"{at}orderLineId", text)
        number = {name: Decimal(line[name] or 0) for name in ("received", "rejected", "accepted")}
        if line["accepted"] is None:
            number["accepted"] = number["received"] - number["rejected"]
            line["accepted"] = shown(number["accepted"], 5)
        if number["received"] != number["accepted"] + number["rejected"]:
            reading.wrong("quantities_do_not_add_up", f"{at}received", "received is accepted and rejected together.")
        sign = 1 if record["correctsReceiptId"] is None else -1
        if any(one * sign < 0 for one in number.values()) or not any(number.values()):
            word = "above" if sign > 0 else "below"
            reading.wrong("out_of_range", f"{at}received", f"the quantities of this receipt are {word} 0.")
        stock = _stock_item(reading.world, of_order)
        if stock is not None:
            probe = {**line, "itemId": stock["id"]}
            check_unit(reading, probe, at, quantity="accepted")
            _stock_location(reading, record["locationId"])

    def editable(self, record: Record, changed: frozenset[str]) -> None:
        if changed - EXTERNAL_NAMES:
            raise conflict("immutable", "A receipt is never changed; correct it by another one.", min(changed))

    def deletable(self, work: Work, record: Record) -> None:
        raise conflict("immutable", "A receipt is never deleted; correct it by another one.")

    def stored(self, work: Work, record: Record, before: Record | None) -> None:
        if before is not None:
            return
        world = work.world
        order = world.tables["purchaseOrders"].rows[record["purchaseOrderId"]]
        for item, quantity in _stock_changes(world, record, order):
            world.stock.add(item, record["locationId"], quantity)
        lines = {
            line["orderLineId"]: (Decimal(line["accepted"]), Decimal(line["rejected"])) for line in record["lines"]
        }
        received(work, order["id"], lines)


def _order_line(order: Record, name: int, *, lenient: bool) -> Record | None:
    for line in order["lines"]:
        if line["id"] == name or (lenient and line["lineNumber"] == name):
            return dict(line)
    return None


def _stock_item(world: World, line: Record) -> Record | None:
    item = world.tables["items"].rows.get(line["itemId"])
    return item if item is not None and item["type"] == "stock" else None


def _stock_location(reading: Reading, location: int | None) -> None:
    if location is None:
        reading.wrong("required", "locationId", "goods of a stock item need a location.")
    elif not reading.world.tables["locations"].rows[location]["stockKeeping"]:
        reading.wrong("inactive_reference", "locationId", "this location keeps no stock.")


def _limits(world: World, order: Record, line: Record, corrected: Record | None, reading: Reading, at: str) -> None:
    """Not more than ordered and a little, and not more taken back than was received."""
    if corrected is None:
        of_order = next(one for one in order["lines"] if one["id"] == line["orderLineId"])
        most = Decimal(of_order["quantity"]) * (100 + world.switches.over_receipt_percent) / 100
        sum_of_all = Decimal(of_order["quantityReceived"]) + Decimal(line["accepted"])
        if sum_of_all > most:
            text = f"{sum_of_all.normalize():f} would be received of {Decimal(of_order['quantity']).normalize():f}."
            reading.wrong("over_receipt", f"{at}accepted", text)
        return
    for name in ("accepted", "rejected"):
        left = _sum(corrected, line["orderLineId"], name)
        for other in world.tables["receipts"].having("correctsReceiptId", corrected["id"]):
            left += _sum(other, line["orderLineId"], name)
        if -Decimal(line[name]) > left:
            text = f"{-Decimal(line[name]).normalize():f} is more than the {left.normalize():f} left of that receipt."
            reading.wrong("over_correction", f"{at}{name}", text)


def _sum(receipt: Record, order_line: int, name: str) -> Decimal:
    return sum((Decimal(line[name]) for line in receipt["lines"] if line["orderLineId"] == order_line), Decimal(0))


def _stock_changes(world: World, record: Record, order: Record) -> list[tuple[int, Decimal]]:
    """What the accepted quantities do to the stock, in base units."""
    changes = []
    by_id = {line["id"]: line for line in order["lines"]}
    for line in record["lines"]:
        item = _stock_item(world, by_id[line["orderLineId"]])
        if item is not None:
            units = factor(world, item["id"], line["unit"])
            if units is None:
                raise RuntimeError(f"receipt of {item['code']} in {line['unit']} was not checked")
            changes.append((item["id"], Decimal(line["accepted"]) * units))
    return changes


def _enough_stock(world: World, record: Record, order: Record) -> None:
    for item, quantity in _stock_changes(world, record, order):
        if quantity < 0 and world.stock.at(item, record["locationId"]) + quantity < 0:
            code = world.tables["items"].rows[item]["code"]
            text = (
                f"Of item {code} only {world.stock.at(item, record['locationId']).normalize():f} are left to take back."
            )
            raise conflict("insufficient_stock", text, "lines")


RECEIPTS = _Receipts(
    "receipts",
    (
        Field("kind", Choice("goods", "service"), default="goods"),
        Field("purchaseOrderId", ById("purchaseOrders"), required=True),
        Field("receivedAt", Time(past=True)),
        Field("receivedBy", Text(50)),
        Field("deliveryNote", Text(35)),
        Field("locationId", ById("locations")),
        Field("note", Text(250)),
        Field("correctsReceiptId", ById("receipts")),
        LINES,
        *EXTERNAL,
    ),
    prefix="GR-",
    first_id=9_007_199_000_000_001,
    filters=("purchaseOrderId", "correctsReceiptId"),
    since={"received_since": "receivedAt"},
)
