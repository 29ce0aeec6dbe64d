"""`unitsOfMeasure`, and the units of each item, which no set of v2.0 shows: they are the table `itemUnits`."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.fields import Field, Kind, Writing, key, modified
from isthmus.sandbox.business_central.records import MasterSet
from isthmus.sandbox.business_central.registry import Area, Reference
from isthmus.sandbox.business_central.seeding import put
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction

#: Units of items: columns id, itemNumber, code, quantityPerUnit (how many base units it is).
ITEM_UNITS = Storage(
    "Item Unit of Measure",
    unique=(("itemNumber", "code"),),
    groups=("itemNumber", "code"),
    decimals=("quantityPerUnit",),
    captions=(("itemNumber", "Item No."), ("code", "Code")),
)


class UnitsOfMeasure(MasterSet):
    """Units in order of their code."""

    name = "unitsOfMeasure"
    entity = "unitOfMeasure"
    title = "Unit of Measure"
    table_id = 204
    order = ("code",)
    storage = Storage("Unit of Measure", unique=(("code",),), captions=(("code", "Code"),))
    fields = (
        key(),
        Field("code", Kind.CODE, 10, required=True),
        Field("displayName", Kind.TEXT, 50),
        Field("internationalStandardCode", Kind.CODE, 10),
        Field("symbol", Kind.TEXT, 10),
        modified(Writing.IGNORED),
    )


def put_item_unit(company: Company, tx: Transaction, item: str, code: str, quantity: Decimal) -> Row:
    """Let an item have a unit of so many base units."""
    table = company.tables["itemUnits"]
    found = table.one(("itemNumber", "code"), item, code)
    if found is not None:
        return table.update(tx, found, {"quantityPerUnit": quantity})
    values = {"id": company.new_id(), "itemNumber": item, "code": code, "quantityPerUnit": quantity}
    return table.insert(tx, Row(values))


class UnitSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A unit of measure of a seed file."""

    code: str
    name: str = ""
    international_code: str = ""
    symbol: str = ""


def _seed(company: Company, tx: Transaction, units: list[UnitSeed]) -> None:
    for unit in units:
        values = {
            "code": unit.code.strip().upper(),
            "displayName": unit.name or unit.code,
            "internationalStandardCode": unit.international_code.upper(),
            "symbol": unit.symbol,
        }
        put(company, tx, "unitsOfMeasure", values)


AREA = Area(
    sets=(UnitsOfMeasure(),),
    tables={"itemUnits": ITEM_UNITS},
    references=(
        Reference("items", "itemUnits", "itemNumber", removed=True),
        Reference("unitsOfMeasure", "itemUnits", "code"),
        Reference("unitsOfMeasure", "items", "baseUnitOfMeasureCode"),
    ),
    seeds={"units_of_measure": (list[UnitSeed], _seed)},
)
