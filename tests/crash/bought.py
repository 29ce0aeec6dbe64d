"""What Business Central must hold of a buyer's files, worked out from the files alone, and what it holds."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from crash.buyer import COMPANY, Buyer
from integration.adventureworks.bench import SENT

#: First comment of an order of ours: mark and number of operations.
OURS = re.compile(r"ISTHMUS (?P<mark>IS-[0-9A-Z]{16}) (?P<number>.+)")

#: (item, quantity) or (item, quantity, price) -> how often
Lines = Counter[tuple[Any, ...]]


class Order(NamedTuple):
    """An order of ours as it stands there. `number` is that of operations."""

    mark: str
    number: str
    vendor: str
    day: str
    ordered: Lines
    received: Lines


class Bought:
    """`orders`: all of them, one made twice twice. `receipts`: number of operations -> what each posted one holds."""

    def __init__(self, buyer: Buyer) -> None:
        self.orders: list[Order] = []
        self.receipts: dict[str, list[Lines]] = defaultdict(list)
        numbers: dict[str, str] = {}
        for shown in buyer.shown("purchaseOrders", "purchaseOrderLines"):
            texts = [line["description"] for line in shown["purchaseOrderLines"] if line["lineType"] == "Comment"]
            [told] = filter(None, map(OURS.fullmatch, texts))
            lines = shown["purchaseOrderLines"]
            ordered, received = _lines(lines, "quantity", "directUnitCost"), _lines(lines, "receivedQuantity")
            head = (told["mark"], told["number"], shown["vendorNumber"], shown["orderDate"])
            self.orders.append(Order(*head, ordered, received))
            numbers[shown["number"]] = told["number"]
        for receipt in buyer.shown("purchaseReceipts", "purchaseReceiptLines"):
            self.receipts[numbers[receipt["orderNumber"]]].append(_lines(receipt["purchaseReceiptLines"], "quantity"))

    @property
    def doubled(self) -> list[str]:
        """Orders that stand there more than once, by mark."""
        return [mark for mark, times in Counter(order.mark for order in self.orders).items() if times > 1]

    def everything(self) -> tuple[Any, ...]:
        """In one order, to be compared."""
        orders = sorted((*o[:4], sorted(o.ordered.items()), sorted(o.received.items())) for o in self.orders)
        receipts = sorted((number, [sorted(one.items()) for one in lines]) for number, lines in self.receipts.items())
        return orders, receipts


def _lines(lines: list[dict[str, Any]], *fields: str) -> Lines:
    """Lines of items with a quantity."""
    items = [line for line in lines if line["lineType"] == "Item"]
    counted = [(line["lineObjectNumber"], *(Decimal(line[field]) for field in fields)) for line in items]
    return Counter(one for one in counted if one[1])


def check(buyer: Buyer) -> None:
    """Each order that was sent stands there once, with exact quantities and prices; each receipt was posted once."""
    files, bought = buyer.files, Bought(buyer)
    item = {key: row["ProductNumber"] for key, row in files.products.items()}
    ordered: dict[str, Lines] = defaultdict(Counter)
    came: dict[str, Lines] = defaultdict(Counter)
    for row in files.of(*SENT):
        ordered[row["PurchaseOrderID"]][
            item[row["ProductID"]], Decimal(row["OrderQty"]), Decimal(row["UnitPrice"])
        ] += 1
        if accepted := Decimal(row["StockedQty"]):
            came[row["PurchaseOrderID"]][item[row["ProductID"]], accepted] += 1
    assert bought.doubled == []
    assert sorted(order.number for order in bought.orders) == sorted(ordered)
    assert {order.number: order.ordered for order in bought.orders} == ordered
    assert {order.number: order.received for order in bought.orders if order.received} == came
    assert bought.receipts == {number: [lines] for number, lines in came.items()}
    assert stock(buyer) == _expected_stock(buyer, came)
    rows = next(one["rows"] for one in buyer.box.state()["companies"] if one["name"] == COMPANY)
    assert rows["purchaseInvoices"] == 0  # received, never invoiced
    check_messages(buyer, came)


def check_messages(buyer: Buyer, came: Mapping[str, Lines]) -> None:
    """Nothing is under way, nothing is stuck; what stands still does so for its order's sake."""
    status = buyer.files.status
    expected = {("purchase-orders", number): ("done", "") for number, one in status.items() if one in SENT}
    for number, one in status.items():
        expected["goods-receipts", f"GR-{number}"] = {
            "1": ("waiting", "order_pending"), "3": ("skipped", "order_called_off"),
        }.get(one, ("done", "") if number in came else ("skipped", "nothing_to_post"))  # fmt: skip
    assert {(row.flow, row.subject): (row.state, row.code) for row in buyer.messages()} == expected
    assert len(buyer.messages()) == len(expected)
    assert buyer.ask("select count(*) from note where written <> body") == [(0,)]


def stock(buyer: Buyer) -> dict[str, Decimal]:
    """Item -> how many there are, by the item ledger."""
    items = buyer.box.stock(COMPANY)["items"]
    return {item: sum(map(Decimal, places.values()), Decimal(0)) for item, places in items.items()}


def _expected_stock(buyer: Buyer, came: Mapping[str, Lines]) -> dict[str, Decimal]:
    """What lay there at the start, and what was accepted."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    with (buyer.folder / "ProductInventory.csv").open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            found[buyer.files.products[row["ProductID"]]["ProductNumber"]] += Decimal(row["Quantity"])
    for lines in came.values():
        for (item, quantity), times in lines.items():
            found[item] += quantity * times
    return dict(found)


def end_state(buyer: Buyer) -> dict[str, Any]:
    """Everything a run leaves behind at both ends, apart from times, running numbers and ids."""
    with (buyer.folder / "receipts.results.csv").open(encoding="utf-8", newline="") as stream:
        told = [
            sorted((name, value) for name, value in row.items() if name not in {"at", "booked_on", "number"})
            for row in csv.DictReader(stream)
        ]
    return {
        "bought": Bought(buyer).everything(),
        "stock": stock(buyer),
        "messages": buyer.ask(
            "select key, kind, state, code, reason, amount, event_on, waits_for from message order by key"
        ),
        "told": sorted(told),
        "links": buyer.ask(
            """select l.connection, r.entity, r.number, l.company, l.deleted_at is null
                 from link l join record r on r.id = l.record_id order by 1, 2, 3, 4"""
        ),
        "records": buyer.ask(
            "select entity, number, amount, currency from record where deleted_at is null order by 1, 2, 3"
        ),
        "rereads": buyer.ask("select count(*) from reread"),
    }
