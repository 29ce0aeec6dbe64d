"""A company with vendors, items and locations, its pages published, and what tests look at behind the API's back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from integration.business_central.conftest import COMPANY, Bench
from isthmus.connectors.dynamics.business_central.connector import BusinessCentral
from isthmus.contract.connector import Connector
from isthmus.contract.operations import Operation
from isthmus.model.values import Action
from isthmus.sandbox.server import Sandbox

SERVICES = {
    "item_card": "ItemCard",
    "item_units": "ItemUnits",
    "dimension_values": "DimensionValues",
    "item_journal": "ItemJournal",
    "item_reclassification": "ItemReclass",
}
_PAGES = {"ItemCard": 30, "ItemUnits": 5404, "DimensionValues": 537, "ItemJournal": 40, "ItemReclass": 393}


def item(number: str, **more: Any) -> dict[str, Any]:
    groups = {"general_product_posting_group": "RETAIL", "inventory_posting_group": "RESALE"}
    return {"number": number, "name": f"Item {number}", "unit": "PCS", "unit_cost": "2.50", **groups, **more}


SEED: dict[str, Any] = {
    "vendor_series": "VEND",
    "item_series": "ITEM",
    "shortcut_dimensions": ["DEPARTMENT", "PROJECT"],
    "number_series": [{"code": "VEND", "start": "V0001"}, {"code": "ITEM", "start": "I0001"}],
    "accounts": [{"number": "2110", "name": "Stock"}, {"number": "7170", "name": "Stock adjusted"}],
    "units_of_measure": [{"code": "PCS", "name": "Piece"}, {"code": "BOX", "name": "Box"}],
    "payment_terms": [{"code": "30D", "name": "30 days", "due": "30D"}],
    "locations": [{"code": "EAST"}, {"code": "WEST"}],
    "inventory_posting_groups": [{"code": "RESALE"}],
    "general_product_posting_groups": [{"code": "RETAIL"}],
    "inventory_posting_setup": [
        {"group": "RESALE", "inventory_account": "2110"},
        {"group": "RESALE", "location": "EAST", "inventory_account": "2110"},
        {"group": "RESALE", "location": "WEST", "inventory_account": "2110"},
    ],
    "general_posting_setup": [{"product": "RETAIL", "inventory_adjustment_account": "7170"}],
    "vendors": [{"number": "10000", "name": "London Postmaster", "payment_terms": "30D"}],
    "items": [
        item("1000", units={"BOX": 12}),
        item("1001", tracking="lot"),
        item("1002", blocked=True),
        item("1003", type="Service", general_product_posting_group="", inventory_posting_group=""),
    ],
    "item_journals": [
        {"template": "ITEM", "batch": "ISTHMUS"},
        {"template": "RECLASS", "batch": "ISTHMUS", "type": "transfer"},
    ],
}


class Stockroom(Bench):
    """A bench with that company. Its connectors use all published pages unless told otherwise."""

    def __init__(self, box: Sandbox) -> None:
        super().__init__(box)
        box.publish(**_PAGES)
        self.seed(**SEED)

    def connector(self, **changes: Any) -> Connector:
        return super().connector(**{"services": SERVICES} | changes)

    @staticmethod
    def op(entity: str, key: str, native: Mapping[str, Any], action: Action = "create", **more: Any) -> Operation:
        return Operation(key=key, entity=entity, action=action, company=COMPANY, native=native, delivery="d1", **more)

    @staticmethod
    def move(serial: int, kind: str = "issue", quantity: str = "2", **native: Any) -> Operation:
        """A stock transaction of item 1000 on 5 March at EAST, unless told otherwise."""
        given = {
            "externalDocumentNumber": f"ST-{serial}",
            "type": kind,
            "itemNumber": "1000",
            "quantity": Decimal(quantity),
            "locationCode": "EAST",
            "postingDate": "2026-03-05",
        } | native
        return Operation(
            key=f"move-{serial}",
            entity="inventory_transaction",
            action="post",
            company=COMPANY,
            native={name: value for name, value in given.items() if value is not None},
            mark=f"IS-MARK{serial:04}",
            delivery="d1",
        )

    async def rows(self, path: str) -> list[dict[str, Any]]:
        """Rows as the standard API shows them to somebody else."""
        connector = super().connector()
        assert isinstance(connector, BusinessCentral)
        company = await connector._companies.path(COMPANY)
        return [dict(row.data) for row in await connector._client.all(f"{company}/{path}")]

    async def lines(self, service: str = "ItemJournal") -> list[dict[str, Any]]:
        """What waits in the item journals."""
        connector = super().connector()
        assert isinstance(connector, BusinessCentral)
        client = connector._service(connector._config.published_root)
        return [dict(row.data) for row in await client.all(f"Company('{COMPANY}')/{service}")]

    def stock(self, number: str = "1000") -> dict[str, str]:
        """Stock by location, from the simulator's own books."""
        return dict(json.loads(json.dumps(self.box.stock(COMPANY)["items"].get(number, {}))))
