"""A company with vendors, items and stock, and calls of its published pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

TENANT = "0f6d8c52-6f0e-4b55-9e3b-3c1d1b0f7a10"
PRINCIPAL = {"client_id": "11111111-0000-4000-8000-000000000001", "secret": "full-secret"}
NO_GUID = "00000000-0000-0000-0000-000000000000"


def company(**more: Any) -> dict[str, Any]:
    """Sections and setup in `more` replace those here."""
    return {
        "name": "CRONUS",
        "currency": "EUR",
        "vendor_series": "VEND",
        "item_series": "ITEM",
        "shortcut_dimensions": ["DEPARTMENT"],
        "number_series": [
            {"code": "VEND", "start": "V0001"},
            {"code": "ITEM", "start": "I0001", "manual": False},
            {"code": "IJNL", "start": "T00001"},
        ],
        "dimensions": [
            {"code": "DEPARTMENT", "values": ["ADM", "PROD", {"code": "OLD", "blocked": True}]},
            {"code": "AREA", "values": ["30", "40"]},
        ],
        "accounts": [
            {"number": "2110", "name": "Stock"},
            {"number": "2111", "name": "Stock, east"},
            {"number": "7170", "name": "Stock adjusted"},
        ],
        "currencies": [{"code": "USD"}],
        "units_of_measure": [{"code": "PCS", "name": "Piece"}, {"code": "BOX"}, {"code": "KG"}],
        "payment_terms": [{"code": "30D", "name": "30 days", "due": "30D"}],
        "payment_methods": [{"code": "BANK"}],
        "locations": [{"code": "EAST"}, {"code": "WEST"}, {"code": "BINS", "bin_mandatory": True}],
        "item_categories": [{"code": "PARTS"}],
        "inventory_posting_groups": [{"code": "RESALE"}],
        "general_product_posting_groups": [{"code": "RETAIL"}, {"code": "MISC"}],
        "inventory_posting_setup": [
            {"group": "RESALE", "inventory_account": "2110"},
            {"group": "RESALE", "location": "EAST", "inventory_account": "2111"},
        ],
        "general_posting_setup": [{"product": "RETAIL", "inventory_adjustment_account": "7170"}],
        "vendor_templates": [
            {"when": {"country": "US"}, "vendor_posting_group": "FOREIGN"},
            {"vendor_posting_group": "DOMESTIC", "gen_bus_posting_group": "DOMESTIC"},
        ],
        "item_templates": [{"when": {"type": "Inventory"}, "general_product_posting_group": "MISC"}],
        "vendors": [{"number": "10000", "name": "London Postmaster", "payment_terms": "30D"}],
        "items": [
            item("1000", units={"BOX": 12}, unit_cost="2.50"),
            item("1001", tracking="lot"),
            item("1002", blocked=True),
            item("1003", type="Service", general_product_posting_group="", inventory_posting_group=""),
            item("1004", costing_method="standard"),
            item("1005", general_product_posting_group="MISC"),
        ],
        "item_journals": [
            {"template": "ITEM", "batch": "DEFAULT", "no_series": "IJNL"},
            {"template": "ITEM", "batch": "OTHER"},
            {"template": "RECLASS", "batch": "DEFAULT", "type": "transfer"},
        ],
        **more,
    }


def item(number: str, **more: Any) -> dict[str, Any]:
    return {
        "number": number,
        "name": f"Item {number}",
        "unit": "PCS",
        "unit_cost": "1.00",
        "general_product_posting_group": "RETAIL",
        "inventory_posting_group": "RESALE",
        **more,
    }


def seed(**more: Any) -> dict[str, Any]:
    return {"tenant": TENANT, "environment": "Sandbox", "principals": [PRINCIPAL], "companies": [company(**more)]}


async def one(bc: Any, path: str) -> dict[str, Any]:
    """The one record a collection must have."""
    found = (await bc.get(path)).value
    assert len(found) == 1, found
    return dict(found[0])


class Pages:
    """Published pages of a company, as a signed-in client of the API calls them."""

    def __init__(self, client: Any, company: str = "CRONUS") -> None:
        self.client = client
        named = company.replace("'", "''")
        self.root = f"{client.root.removesuffix('/api/v2.0')}/ODataV4"
        self.base = f"{self.root}/Company('{quote(named)}')"

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return await self.client.call(method, f"{self.base}/{path}", body, **headers)

    async def get(self, path: str, **headers: str) -> Any:
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: Any) -> Any:
        return await self.call("POST", path, body)

    async def patch(self, path: str, body: Any, etag: str = "*") -> Any:
        return await self.call("PATCH", path, body, If_Match=etag)

    async def line(self, item: str, quantity: Any, kind: str = "Negative Adjmt.", **more: Any) -> Any:
        """A line of the item journal ITEM/DEFAULT, published as Item_Journal."""
        body = {
            "Journal_Template_Name": "ITEM",
            "Journal_Batch_Name": "DEFAULT",
            "Entry_Type": kind,
            "Item_No": item,
            "Quantity": quantity,
            **more,
        }
        return await self.post("Item_Journal", body)
