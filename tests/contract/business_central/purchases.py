"""Purchase orders and receipts, as the connector suite wants them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

from contract.business_central.parts import COMPANY, OF_POSTINGS, UNICODE, Part, Target
from isthmus.contract.operations import Operation
from isthmus.contract.records import NativeRecord
from isthmus.testing.harness import Refusal

VENDOR, ITEM = "V-BUYS", "PUMP-1"
#: What the simulator needs before anything here works.
BASIS: Mapping[str, Any] = {
    "number_series": [{"code": "P-ORD", "start": "106001"}, {"code": "P-RCPT", "start": "107031"}],
    "purchase_setup": {"order_series": "P-ORD", "receipt_series": "P-RCPT"},
    "accounts": [{"number": "7110", "name": "Purchases"}, {"number": "2110", "name": "Stock"}],
    "general_product_posting_groups": [{"code": "RETAIL"}],
    "inventory_posting_groups": [{"code": "RESALE"}],
    "inventory_posting_setup": [{"group": "RESALE", "inventory_account": "2110"}],
    "general_posting_setup": [
        {
            "product": "RETAIL",
            "business": "DOMESTIC",
            "purchase_account": "7110",
            "direct_cost_applied_account": "7110",
            "inventory_adjustment_account": "7110",
        }
    ],
    "vendor_posting_groups": [{"code": "DOMESTIC", "payables_account": "5410"}],
    "vendors": [
        {"number": VENDOR, "name": VENDOR, "vendor_posting_group": "DOMESTIC", "gen_bus_posting_group": "DOMESTIC"}
    ],
    "items": [
        {"number": ITEM, "name": ITEM, "unit": "PCS", "general_product_posting_group": "RETAIL",
         "inventory_posting_group": "RESALE"},
    ],
}  # fmt: skip
MISSING = "11111111-1111-4111-8111-111111111111"


def _order(name: str, *lines: Mapping[str, Any]) -> dict[str, Any]:
    return {"vendorNumber": VENDOR, "orderDate": "2026-03-01", "shipToName": name, "purchaseOrderLines": list(lines)}


class PurchaseOrders(Part):
    """Told apart by the name they are shipped to, so that the simulator's own list shows them."""

    key_field = "number"
    spared = OF_POSTINGS

    async def seed(self, count: int) -> None:
        for serial in self.target.next_serials(count):
            line = {"lineType": "Item", "lineObjectNumber": ITEM, "quantity": 2}
            await self.target.api("POST", "purchaseOrders", _order(f"{UNICODE} seeded {serial}", line))

    async def total(self) -> int:
        return self.target.rows_kept("purchaseOrders")

    async def edit(self, record: NativeRecord) -> bool:
        self.target.box.buy(
            "edit", str(record.data["number"]), COMPANY, line=10_000, values={"expectedReceiptDate": "2026-05-01"}
        )
        return True

    async def remove(self, record: NativeRecord) -> bool:
        self.target.box.buy("remove", str(record.data["number"]), COMPANY)
        return True

    def operation(self, serial: int, *, delivery: str, earlier: tuple[str, ...]) -> Operation:
        lines = [
            {**_LINE, "lineKey": "1", "directUnitCost": Decimal("12.34")},
            {**_LINE, "lineKey": "2147483655", "directUnitCost": Decimal("0.1234")},
        ]
        return self._operation(serial, lines, delivery, earlier)

    def refused(self, serial: int, *, delivery: str) -> Refusal | None:
        lines = [{"lineKey": "1", "itemId": MISSING, "quantity": Decimal(1)}]
        return Refusal(self._operation(serial, lines, delivery, ()), "item_unknown")

    async def effects(self, operation: Operation) -> int:
        name = operation.native["shipToName"]
        orders = await self.target.api("GET", f"purchaseOrders?$filter=shipToName eq '{name}'")
        for order in orders:
            rows = await self.target.api("GET", f"purchaseOrders({order['id']})/purchaseOrderLines")
            found = [(row["quantity"], row["directUnitCost"]) for row in rows if row["lineType"] == "Item"]
            wanted = [(line["quantity"], line["directUnitCost"]) for line in operation.native["purchaseOrderLines"]]
            assert found == wanted, f"ordered otherwise than meant: {found}"
        return len(orders)

    def _operation(
        self, serial: int, lines: list[dict[str, Any]], delivery: str, earlier: tuple[str, ...]
    ) -> Operation:
        return Operation(
            key=f"order-{serial}",
            entity="purchase_order",
            action="create",
            company=COMPANY,
            native={**_order(f"{UNICODE} {serial}", *lines), "operationsNumber": f"PO {serial} {UNICODE}"},
            mark=f"IS-{serial:016}",
            delivery=delivery,
            earlier=earlier,
        )


_LINE: Mapping[str, Any] = {"lineType": "Item", "lineObjectNumber": ITEM, "quantity": Decimal(10)}


class Receipts(Part):
    """Each receipt is of an order of its own, made before the suite counts calls or lets them go wrong."""

    key_field = "number"
    spared = frozenset[str]()

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._orders: dict[int, tuple[str, str]] = {}
        self._spare: list[tuple[str, str]] = []

    async def prepare(self) -> None:
        """Have some orders ready."""
        while len(self._spare) < 3:
            self._spare.append(await self._made(self.target))

    async def seed(self, count: int) -> None:
        _, number = await self._made(self.target, quantity=count)
        for _ in range(count):
            self.target.box.buy("receive", number, COMPANY, lines={"10000": 1})

    async def total(self) -> int:
        return self.target.rows_kept("purchaseReceipts")

    def operation(self, serial: int, *, delivery: str, earlier: tuple[str, ...]) -> Operation:
        return self._operation(serial, Decimal("2.5"), delivery, earlier)

    def refused(self, serial: int, *, delivery: str) -> Refusal | None:
        return Refusal(self._operation(serial, Decimal("10.5"), delivery, ()), "over_receipt")

    async def effects(self, operation: Operation) -> int:
        number = next(number for order, number in self._orders.values() if order == operation.native["orderId"])
        found = self.target.box.purchase(number, COMPANY)
        assert found["invoices"] == []
        for receipt in found["receipts"]:
            there = {line: Decimal(quantity) for line, quantity in receipt["lines"].items() if Decimal(quantity)}
            assert there == {"10000": operation.native["purchaseReceiptLines"][0]["quantity"]}, there
            assert receipt["date"] == operation.native["postingDate"]
        return len(found["receipts"])

    def _operation(self, serial: int, quantity: Decimal, delivery: str, earlier: tuple[str, ...]) -> Operation:
        return Operation(
            key=f"receipt-{serial}",
            entity="receipt",
            action="post",
            company=COMPANY,
            native={
                "orderId": self._order(serial)[0],
                "postingDate": "2026-03-05",
                "purchaseReceiptLines": [{"lineKey": "1", "orderLineKey": "1", "quantity": quantity}],
            },
            mark=f"IS-{serial + 10_000:016}",
            delivery=delivery,
            earlier=earlier,
        )

    def _order(self, serial: int) -> tuple[str, str]:
        if serial not in self._orders:
            self._orders[serial] = self._spare.pop() if self._spare else self._made_aside()
        return self._orders[serial]

    def _made_aside(self) -> tuple[str, str]:
        """An order made while a test that knows no waiting asks for its operation."""

        async def made() -> tuple[str, str]:
            other = self.target.another()
            try:
                return await self._made(other)
            finally:
                await other.close()

        with ThreadPoolExecutor(1) as aside:
            return aside.submit(asyncio.run, made()).result()

    async def _made(self, target: Target, quantity: int = 10) -> tuple[str, str]:
        lines = [{**_LINE, "quantity": quantity}, _LINE]
        order = await target.api("POST", "purchaseOrders", _order("to be received", *lines))
        return str(order["id"]), str(order["number"])
