"""A company that buys: vendors and items ready for posting, orders made by us, and people who work on them as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from integration.business_central.conftest import COMPANY, Bench
from isthmus.connectors.dynamics._odata import Part
from isthmus.connectors.dynamics.business_central.connector import BusinessCentral
from isthmus.contract.connector import Connector
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import NativeRecord
from isthmus.sandbox.server import Sandbox

MARK = "IS-{:016}".format


def item(number: str, **more: Any) -> dict[str, Any]:
    groups = {"general_product_posting_group": "RETAIL", "inventory_posting_group": "RESALE"}
    return {"number": number, "name": f"Item {number}", "unit": "PCS", "unit_cost": "2.50", **groups, **more}


def vendor(number: str, **more: Any) -> dict[str, Any]:
    groups = {"vendor_posting_group": "DOMESTIC", "gen_bus_posting_group": "DOMESTIC"}
    return {"number": number, "name": f"Vendor {number}", **groups, **more}


SEED: dict[str, Any] = {
    "allow_posting_from": "2026-01-01",
    "number_series": [{"code": "PO", "start": "106001"}, {"code": "RCPT", "start": "107001"}],
    "purchase_setup": {
        "order_series": "PO",
        "receipt_series": "RCPT",
        "invoice_series": "PO",
        "posted_invoice_series": "RCPT",
        "ext_doc_no_mandatory": False,
    },
    "accounts": [
        {"number": "2110", "name": "Stock"},
        {"number": "7110", "name": "Purchases"},
        {"number": "7170", "name": "Stock adjusted"},
        {"number": "7291", "name": "Direct cost applied"},
        {"number": "5410", "name": "Vendors", "direct_posting": False},
        {"number": "8640", "name": "Services"},
    ],
    "units_of_measure": [{"code": "PCS", "name": "Piece"}, {"code": "BOX", "name": "Box"}],
    "locations": [{"code": "EAST"}, {"code": "YARD", "require_receive": True}],
    "inventory_posting_groups": [{"code": "RESALE"}],
    "general_product_posting_groups": [{"code": "RETAIL"}],
    "inventory_posting_setup": [
        {"group": "RESALE", "location": place, "inventory_account": "2110"} for place in ("", "EAST", "YARD")
    ],
    "general_posting_setup": [
        {
            "product": "RETAIL",
            "business": "DOMESTIC",
            "inventory_adjustment_account": "7170",
            "direct_cost_applied_account": "7291",
            "purchase_account": "7110",
        }
    ],
    "vendors": [vendor("10000"), vendor("20000"), vendor("30000")],
    "items": [item("PUMP", units={"BOX": 12}), item("SEAL"), item("LOTTED", tracking="lot")],
}


class Purchasing(Bench):
    """A bench with that company. `ours` is one connector; people work on another door of the same service."""

    def __init__(self, box: Sandbox) -> None:
        super().__init__(box)
        self.seed(**SEED)
        self.ours = self.connector()
        self._ids: dict[tuple[str, str], str] = {}

    async def id(self, native: str, number: str) -> str:
        """Id of a record by its number or code."""
        if (native, number) not in self._ids:
            field = "code" if native in {"locations", "unitsOfMeasure"} else "number"
            for record in (await self.read(self.ours, native)).records:
                self._ids[native, str(record.data[field])] = record.id
        return self._ids[native, number]

    async def line(self, key: str, thing: str = "PUMP", quantity: str = "10", price: str = "4.5", **more: Any) -> Any:
        """A line as the lens writes it."""
        numbers = {"quantity": Decimal(quantity), "directUnitCost": Decimal(price)}
        return {"lineKey": key, "itemId": await self.id("items", thing), **numbers, **more}

    async def order(self, serial: int, *lines: Any, who: str = "10000", **more: Any) -> Operation:
        """The operation that makes order `serial`; ten pumps unless lines are given."""
        header = {
            "operationsNumber": f"PO-{serial}",
            "vendorId": await self.id("vendors", who),
            "orderDate": "2026-03-01",
        }
        native = {**header, "purchaseOrderLines": list(lines) or [await self.line("1")], **more}
        return Operation(
            key=f"order-{serial}", entity="purchase_order", action="create", company=COMPANY, native=native,
            mark=MARK(serial), delivery="d1",
        )  # fmt: skip

    async def made(self, serial: int, *lines: Any, **more: Any) -> Outcome:
        """Order `serial`, made."""
        operation = await self.order(serial, *lines, **more)
        outcome = (await self.write(self.ours, operation))[operation.key]
        assert outcome.result == "done", outcome
        return outcome

    @staticmethod
    def change(outcome: Outcome, serial: int = 1, *, version: str | None = "", **native: Any) -> Operation:
        """An amendment of an order; `version` "" is the one of the outcome."""
        known = outcome.version if version == "" else version
        return Operation(
            key=f"change-{serial}", entity="purchase_order", action="update", company=COMPANY, native=native,
            native_id=outcome.native_id, version=known, mark=MARK(9000 + serial), delivery="d2",
        )  # fmt: skip

    @staticmethod
    def cancel(outcome: Outcome, serial: int = 1) -> Operation:
        return Operation(
            key=f"cancel-{serial}", entity="purchase_order", action="delete", company=COMPANY,
            native_id=outcome.native_id, version=outcome.version, delivery="d3",
        )  # fmt: skip

    @staticmethod
    def receipt(
        order: Outcome, serial: int, *accepted: tuple[str, str], day: str = "2026-03-05",
        expected: Mapping[str, Any] | None = None, delivery: str = "r1", earlier: Sequence[str] = (),
    ) -> Operation:  # fmt: skip
        """A receipt of lines by key; 3 of line 1 unless told."""
        lines = [
            {"lineKey": str(place), "orderLineKey": key, "quantity": Decimal(quantity)}
            for place, (key, quantity) in enumerate(accepted or (("1", "3"),), 1)
        ]
        return Operation(
            key=f"receipt-{serial}", entity="receipt", action="post", company=COMPANY, mark=MARK(5000 + serial),
            native={"orderId": order.native_id, "postingDate": day, "purchaseReceiptLines": lines},
            expected=expected or {}, delivery=delivery, earlier=tuple(earlier),
        )  # fmt: skip

    async def received(self, *operations: Operation, connector: Connector | None = None) -> list[Outcome]:
        """Outcomes in the order of the operations."""
        found = await self.write(connector or self.ours, *operations)
        return [found[operation.key] for operation in operations]

    async def shown(self, order: Outcome) -> NativeRecord:
        """The order as it is read now."""
        return (await self.ours.fetch("purchaseOrders", COMPANY, [order.native_id or ""]))[0]

    async def lines(self, order: Outcome) -> dict[str, Any]:
        """Its lines by key."""
        return {line["lineKey"]: line for line in (await self.shown(order)).data["purchaseOrderLines"]}

    async def quantities(self, order: Outcome) -> dict[str, tuple[Decimal, Decimal]]:
        """(ordered, received) by key."""
        lines = await self.lines(order)
        return {key: (line["quantity"], line["receivedQuantity"]) for key, line in lines.items()}

    async def receipts(self) -> list[dict[str, Any]]:
        """What the posted receipts hold: order line key -> quantity, oldest first."""
        page = await self.read(self.ours, "purchaseReceipts")
        return [
            {line["orderLineKey"]: line["quantity"] for line in record.data["purchaseReceiptLines"]}
            for record in sorted(page.records, key=lambda record: str(record.data["number"]))
        ]

    # People

    async def person(self, method: str, path: str, body: Any = None) -> Any:
        """A call of somebody else, below the company."""
        assert isinstance(self.ours, BusinessCentral)
        company = await self.ours._companies.path(COMPANY)
        etag = "" if method in {"GET", "POST"} else "*"
        [reply] = await self.ours._client.batch([Part(method=method, path=f"{company}/{path}", body=body, etag=etag)])
        assert 200 <= reply.status < 300, reply.body
        return reply.body

    async def person_edits_line(self, order: Outcome, key: str, **values: Any) -> None:
        line = (await self.lines(order))[key]
        await self.person("PATCH", f"purchaseOrders({order.native_id})/purchaseOrderLines({line['id']})", values)

    def person_reopens(self, order: Outcome) -> None:
        """Somebody opens a released order again."""
        self.box.buy("reopen", str(order.number), COMPANY)

    def person_receives(self, order: Outcome, **quantities: int) -> None:
        """Somebody posts a receipt of these lines (`_1=3`), without invoicing."""
        lines = {str(int(key.removeprefix("_")) * 10_000): quantity for key, quantity in quantities.items()}
        self.box.buy("receive", str(order.number), COMPANY, lines=lines)
