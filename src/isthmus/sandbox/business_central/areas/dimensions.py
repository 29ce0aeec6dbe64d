"""`dimensions` and `dimensionValues`: master data, read only, that must exist before a line names it (bc.md
section 13).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import EntitySet, Navigation, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import NO_TIME, Kind, key, modified, shown
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction


class Dimensions(EntitySet):
    """Dimensions in order of their code."""

    name = "dimensions"
    entity = "dimension"
    title = "Dimension"
    table_id = 348
    order = ("code",)
    storage = Storage("Dimension", unique=(("code",),), captions=(("code", "Code"),))
    navigations = (Navigation("dimensionValues", "dimensionValues"),)
    fields = (
        key(),
        shown("code", Kind.CODE, 20),
        shown("displayName", Kind.TEXT, 30),
        shown("consolidationCode", Kind.CODE, 20),
        modified(),
    )


class DimensionValues(EntitySet):
    """Values of all dimensions, or of one as `dimensions({id})/dimensionValues`. Whether a value is blocked is not
    shown.
    """

    name = "dimensionValues"
    entity = "dimensionValue"
    title = "Dimension Value"
    table_id = 349
    order = ("dimensionId", "code")
    storage = Storage("Dimension Value", unique=(("dimensionId", "code"),), groups=("dimensionId", "code"))
    navigations = (Navigation("dimension", "dimensions", by="dimensionId"),)
    fields = (
        key(),
        shown("code", Kind.CODE, 20),
        shown("dimensionId", Kind.GUID),
        shown("displayName", Kind.TEXT, 50),
        shown("consolidationCode", Kind.CODE, 20),
        modified(),
    )

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        if parent is None:
            return super().rows(call, None)
        return self.in_order(self.table(call).group("dimensionId", parent.row.id).values())

    def belongs(self, row: Row, parent: Parent) -> bool:
        return bool(row.values["dimensionId"] == parent.row.id)


class ValueSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A dimension value of a seed file."""

    code: str
    name: str = ""
    blocked: bool = False


class DimensionSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A dimension of a seed file with its values; a value may be its code alone."""

    code: str
    name: str = ""
    blocked: bool = False
    values: list[ValueSeed | str] = []


class ValueSwitch(msgspec.Struct, forbid_unknown_fields=True):
    """What `/_sandbox/set` may change on a dimension value, named CODE/VALUE."""

    blocked: bool


def find_dimension(company: Company, code: str) -> Row | None:
    return company.tables["dimensions"].one(("code",), code)


def find_value(company: Company, dimension: str, code: str) -> Row | None:
    """The value of a dimension by both codes."""
    found = find_dimension(company, dimension)
    return found and company.tables["dimensionValues"].one(("dimensionId", "code"), found.id, code)


def _put(company: Company, tx: Transaction, set_name: str, row: Row) -> None:
    """Insert, or replace the row that has this id already."""
    table = company.tables[set_name]
    found = table.rows.get(row.id)
    if found is None:
        table.insert(tx, row)
    else:
        table.update(tx, found, row.values, row.hidden)


def _seed(company: Company, tx: Transaction, dimensions: list[DimensionSeed]) -> None:
    for dimension in dimensions:
        code = dimension.code.upper()
        values = {
            "id": company.seeded_id("dimensions", code),
            "code": code,
            "displayName": dimension.name or dimension.code,
            "consolidationCode": "",
            "lastModifiedDateTime": NO_TIME,
        }
        _put(company, tx, "dimensions", Row(values, {"blocked": dimension.blocked}))
        for given in dimension.values:
            value = ValueSeed(given) if isinstance(given, str) else given
            _put(company, tx, "dimensionValues", _value_row(company, code, values["id"], value))


def _value_row(company: Company, dimension: str, dimension_id: str, value: ValueSeed) -> Row:
    code = value.code.upper()
    values = {
        "id": company.seeded_id("dimensionValues", dimension, code),
        "code": code,
        "dimensionId": dimension_id,
        "displayName": value.name or value.code,
        "consolidationCode": "",
        "lastModifiedDateTime": NO_TIME,
    }
    return Row(values, {"blocked": value.blocked})


def _switch(company: Company, tx: Transaction, switches: dict[str, ValueSwitch]) -> None:
    for name, switch in switches.items():
        dimension, _, code = name.upper().partition("/")
        row = find_value(company, dimension, code)
        if row is None:
            raise ValueError(f"company {company.name!r} has no dimension value {name!r}; write it as CODE/VALUE")
        company.tables["dimensionValues"].update(
            tx, row, {"lastModifiedDateTime": tx.stamp}, {"blocked": switch.blocked}
        )


AREA = Area(
    sets=(Dimensions(), DimensionValues()),
    seeds={"dimensions": (list[DimensionSeed], _seed)},
    switches={"dimension_values": (dict[str, ValueSwitch], _switch)},
)
