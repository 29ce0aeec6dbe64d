"""A company that buys: set-up, vendors, items and the shortest ways to orders and their lines."""

from __future__ import annotations

from typing import Any

from integration.sandbox.masters import PRINCIPAL, TENANT, item

SERIES = {
    "order_series": ("P-ORD", "106001"),
    "invoice_series": ("P-INV", "107001"),
    "credit_memo_series": ("P-CR", "1001"),
    "receipt_series": ("P-RCPT", "107031"),
    "posted_invoice_series": ("P-INV+", "108001"),
    "posted_credit_memo_series": ("P-CR+", "109001"),
}
SETUP = {name: code for name, (code, _) in SERIES.items()}


def company(name: str = "CRONUS", **more: Any) -> dict[str, Any]:
    """Sections and setup in `more` replace those here; `purchase_setup` is put on top."""
    setup = {**SETUP, **more.pop("purchase_setup", {})}
    found = {
        "name": name,
        "currency": "EUR",
        "vendor_series": "VEND",
        "shortcut_dimensions": ["DEPARTMENT", "AREA"],
        "number_series": [
            {"code": "VEND", "start": "V0001"},
            *({"code": code, "start": start} for code, start in SERIES.values()),
        ],
        "purchase_setup": setup,
    }
    return {**found, **_finance(), **_posting(), **_masters(), **more}


def _finance() -> dict[str, Any]:
    return {
        "dimensions": [
            {"code": "DEPARTMENT", "values": ["ADM", "PROD", {"code": "OLD", "blocked": True}]},
            {"code": "AREA", "values": ["30", "40"]},
        ],
        "accounts": [
            {"number": "2110", "name": "Stock"},
            {"number": "2112", "name": "Stock, interim"},
            {"number": "5410", "name": "Vendors"},
            {"number": "5510", "name": "Received, not invoiced"},
            {"number": "5630", "name": "Purchase VAT"},
            {"number": "7110", "name": "Purchases"},
            {"number": "7170", "name": "Stock adjusted"},
            {"number": "7190", "name": "Direct cost applied"},
            {"number": "8430", "name": "Repairs", "dimensions": {"DEPARTMENT": "code_mandatory"}},
            {"number": "8450", "name": "Consumables"},
            {"number": "8600", "name": "Closed", "blocked": True},
        ],
        "currencies": [{"code": "USD"}, {"code": "JPY", "rounding_precision": "1"}, {"code": "SEK"}],
        "exchange_rates": [
            {"currency": "USD", "start": "2020-01-01", "relational_amount": "0.90"},
            {"currency": "JPY", "start": "2020-01-01", "relational_amount": "0.62", "amount": "100"},
        ],
        "payment_terms": [{"code": "30D", "due": "30D"}, {"code": "CM+10D", "due": "CM+10D"}],
    }


def _posting() -> dict[str, Any]:
    places, accounts = ("", "EAST", "WHITE", "GREEN"), (("RETAIL", "7110"), ("NOACC", ""))
    shared = {"inventory_adjustment_account": "7170", "direct_cost_applied_account": "7190"}
    return {
        "inventory_posting_groups": [{"code": "RESALE"}],
        "general_product_posting_groups": [{"code": "RETAIL"}, {"code": "MISC"}, {"code": "NOACC"}],
        "inventory_posting_setup": [
            {"group": "RESALE", "location": place, "inventory_account": "2110"} for place in places
        ],
        "general_posting_setup": [
            {"product": product, "business": "DOMESTIC", "purchase_account": account, **shared}
            for product, account in accounts
        ],
        "vendor_posting_groups": [{"code": "DOMESTIC", "payables_account": "5410"}],
        "vat_posting_setup": [
            {"product": "VAT19", "business": "DOMESTIC", "percent": "19", "purchase_vat_account": "5630"},
            {"product": "VAT0", "business": "DOMESTIC"},
        ],
    }


def _masters() -> dict[str, Any]:
    return {
        "units_of_measure": [{"code": "PCS", "name": "Piece"}, {"code": "BOX"}, {"code": "KG"}],
        "locations": [
            {"code": "EAST"},
            {"code": "WHITE", "require_receive": True},
            {"code": "GREEN", "require_put_away": True},
        ],
        "vendors": [
            vendor("10000", payment_terms="30D", city="London"),
            vendor("20000", currency="USD"),
            vendor("30000", vendor_posting_group="", gen_bus_posting_group=""),
            vendor("40000", blocked="All"),
            vendor("50000", blocked="Payment"),
        ],
        "items": [
            item("1000", units={"BOX": 12}, unit_cost="2.50"),
            item("1001", tracking="lot"),
            item("1002", blocked=True),
            item("1003", purchasing_blocked=True),
            item("1004", type="Service", inventory_posting_group=""),
            item("1005", general_product_posting_group="MISC"),
            item("1006", general_product_posting_group="NOACC"),
            item("1007", vat_prod_posting_group="VAT19"),
            item("1008", tracking="serial"),
        ],
    }


def vendor(number: str, **more: Any) -> dict[str, Any]:
    return {
        "number": number,
        "name": f"Vendor {number}",
        "vendor_posting_group": "DOMESTIC",
        "gen_bus_posting_group": "DOMESTIC",
        "vat_bus_posting_group": "DOMESTIC",
        **more,
    }


def seed(**more: Any) -> dict[str, Any]:
    return {"tenant": TENANT, "environment": "Sandbox", "principals": [PRINCIPAL], "companies": [company(**more)]}


def line(number: str = "1000", quantity: Any = 10, **more: Any) -> dict[str, Any]:
    """A line about an item, as a body has it."""
    return {"lineType": "Item", "lineObjectNumber": number, "quantity": quantity, **more}


class Buyer:
    """Purchase documents of a signed-in client. Every method asserts what it needs to go on."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def order(self, *lines: dict[str, Any], vendor: str = "10000", **more: Any) -> dict[str, Any]:
        """A new order, read with its lines."""
        body = {"vendorNumber": vendor, "purchaseOrderLines": list(lines), **more}
        answer = await self.client.post("purchaseOrders?$expand=purchaseOrderLines", body)
        assert answer.status == 201, answer.body
        return dict(answer.body)

    async def read(self, order: dict[str, Any]) -> dict[str, Any]:
        """An order as it is now, with its lines."""
        answer = await self.client.get(f"purchaseOrders({order['id']})?$expand=purchaseOrderLines")
        assert answer.status == 200, answer.body
        return dict(answer.body)

    async def lines(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.read(order))["purchaseOrderLines"]
        return found

    async def set_line(self, line: dict[str, Any], **values: Any) -> Any:
        return await self.client.patch(f"purchaseOrderLines({line['id']})", values)

    async def act(self, order: dict[str, Any], action: str = "receiveAndInvoice") -> Any:
        return await self.client.call("POST", f"purchaseOrders({order['id']})/Microsoft.NAV.{action}")

    async def receive(self, order: dict[str, Any], *quantities: Any) -> Any:
        """Receive so much of each line, in two rounds of changes; the answer of the action."""
        lines = await self.lines(order)
        for one, quantity in zip(lines, quantities, strict=True):
            answer = await self.set_line(one, receiveQuantity=quantity)
            assert answer.status == 200, answer.body
        for one in lines:
            answer = await self.set_line(one, invoiceQuantity=0)
            assert answer.status == 200, answer.body
        return await self.act(order)
