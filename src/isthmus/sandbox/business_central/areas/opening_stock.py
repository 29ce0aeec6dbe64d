"""Opening stock of a seed: as item ledger entries, with their value on the accounts of the posting set-up."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.fields import NO_TIME
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.stock import Movement, post_movement
from isthmus.sandbox.business_central.tables import Transaction


class StockSeed(msgspec.Struct, forbid_unknown_fields=True):
    """So much of an item at a location (blank is one too), in base units; `unit_cost` is the item's when left out.
    Seeded again it comes on top.
    """

    item: str
    quantity: Decimal
    date: str
    location: str = ""
    bin: str = ""
    unit_cost: Decimal | None = None
    document: str = "OPENING"


def _seed(company: Company, tx: Transaction, given: list[StockSeed]) -> None:
    items, locations = company.tables["items"], company.tables["locations"]
    transaction = company.count("transaction")
    for one in given:
        number, location = one.item.strip().upper(), one.location.strip().upper()
        item = items.one(("number",), number)
        if item is None or (location and locations.one(("code",), location) is None):
            missing = f"item {one.item!r}" if item is None else f"location {one.location!r}"
            raise ValueError(f"there is no {missing}")
        if item.values["type"] != "Inventory":
            raise ValueError(f"item {one.item!r} is of type {item.values['type']} and has no stock")
        if not one.quantity:
            continue
        unit_cost = item.values["unitCost"] if one.unit_cost is None else one.unit_cost
        movement = Movement(
            item=item,
            kind="Positive Adjmt." if one.quantity > 0 else "Negative Adjmt.",
            quantity=one.quantity,
            cost=company.round(one.quantity * unit_cost),
            posting_date=one.date,
            document_number=one.document.upper(),
            record="",
            location=location,
            bin=one.bin.upper(),
            description="Opening stock",
        )
        post_movement(company, tx, movement, transaction, tx.stamp or NO_TIME)


AREA = Area(
    seeds={"stock": (list[StockSeed], _seed)},
    after=("items", "locations", "inventory_posting_setup", "general_posting_setup"),
)
