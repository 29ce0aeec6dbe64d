"""Items, the units they are counted in, and how many of one unit are in another."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from isthmus.sandbox.cafm.entities.finance import ACTIVE
from isthmus.sandbox.cafm.entity import Entity, Field, Work
from isthmus.sandbox.cafm.kinds import (
    NOT_NEGATIVE,
    PRICE,
    RATE,
    ByCode,
    ById,
    Choice,
    Code,
    Integer,
    Reading,
    Record,
    Text,
    shown,
)
from isthmus.sandbox.cafm.problems import conflict

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World


class _Items(Entity):
    """Items; what is on hand is shown, not kept."""

    def complete(self, work: Work, record: Record, before: Record | None, reading: Reading) -> None:
        fixed = before is not None and before["baseUnit"] != record["baseUnit"]
        if fixed and work.world.stock.moved(record["id"]):
            raise conflict("not_editable", "Stock of this item was moved: its base unit is fixed.", "baseUnit")

    def deletable(self, work: Work, record: Record) -> None:
        if work.world.stock.of(record["id"]):
            raise conflict("in_use", "There is stock of this item.")

    def show(self, world: World, record: Record) -> Record:
        locations = world.tables["locations"].rows
        held = world.stock.of(record["id"])
        on_hand = [
            {"locationId": place, "locationCode": locations[place]["code"], "quantity": shown(quantity, 5)}
            for place, quantity in held.items()
        ]
        return {**record, "onHand": on_hand, "onHandTotal": shown(sum(held.values(), Decimal(0)), 5)}


UNITS = Entity(
    "units",
    (
        Field("code", Code(10), required=True),
        Field("description", Text(50)),
        Field("decimals", Integer(0, 5), default=5),
        ACTIVE,
    ),
    unique=("code",),
    filters=("active",),
    events=False,
    first_id=1,
    code_fixed=True,
    referenced=(("items", "baseUnit", "code"), ("itemUnits", "unitCode", "code")),
)

ITEMS = _Items(
    "items",
    (
        Field("code", Code(20), required=True),
        Field("description", Text(100), required=True),
        Field("type", Choice("stock", "nonStock", "service"), default="stock"),
        Field("baseUnit", ByCode("units"), required=True),
        Field("category", Text(20)),
        Field("unitCost", PRICE),
        Field("reorderPoint", NOT_NEGATIVE),
        Field("safetyStock", NOT_NEGATIVE),
        Field("reorderQuantity", NOT_NEGATIVE),
        Field("preferredVendorId", ById("vendors")),
        ACTIVE,
        Field("onHand"),
        Field("onHandTotal"),
    ),
    unique=("code",),
    filters=("category", "type", "active"),
    looked_up=("baseUnit", "preferredVendorId"),
    referenced=(("stockTransactions", "itemId", "id"),),
)

ITEM_UNITS = Entity(
    "itemUnits",
    (
        Field("itemId", ById("items"), required=True),
        Field("unitCode", ByCode("units"), required=True),
        Field("factor", RATE, required=True),
        ACTIVE,
    ),
    unique=("itemId", "unitCode"),
    filters=("itemId", "unitCode", "active"),
    events=False,
    code_fixed=True,
)
