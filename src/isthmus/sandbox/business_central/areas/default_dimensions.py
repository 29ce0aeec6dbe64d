"""`defaultDimensions` of vendors and items: the values their documents start with, and the rules they must keep (bc.md
section 17). Those of G/L accounts are seeded with the accounts; v2.0 does not show them.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.accounts import DIMENSION_RULES
from isthmus.sandbox.business_central.areas.dimension_sets import refuse_blocked
from isthmus.sandbox.business_central.areas.dimensions import find_dimension, find_value
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import READ_WRITE, EntitySet, Navigation, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import NO_GUID, Field, Kind, Options, key, member, modified, shown
from isthmus.sandbox.business_central.posting import broken_rule
from isthmus.sandbox.business_central.registry import Area, Reference
from isthmus.sandbox.business_central.seeding import put
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction, Values

PARENT_TYPE = Options("Default Dimension Parent Type", (" ", "Customer", "Item", "Vendor", "Employee"))
VALIDATION = Options("Default Dimension Value Posting Type", (" ", "Code Mandatory", "Same Code", "No Code"))
_PARENTS = {"vendors": "Vendor", "items": "Item"}
_SETS = {parent_type: name for name, parent_type in _PARENTS.items()}
_NO_PARENT = "You must get to the parent first to get to the default dimensions."
_DIFFER = 'The "dimensionId" and "dimensionValueId" match to different Dimension records.'


class DefaultDimensions(EntitySet):
    """Read flat or under a vendor or item; made under one, or with its parentType and parentId."""

    name = "defaultDimensions"
    entity = "defaultDimension"
    title = "Default Dimension"
    table_id = 352
    methods = READ_WRITE
    order = ("parentType", "parentId", "dimensionCode")
    storage = Storage(
        "Default Dimension",
        unique=(("parentId", "dimensionCode"),),
        groups=("parentId", "dimensionCode"),
        captions=(("parentId", "No."), ("dimensionCode", "Dimension Code")),
    )
    navigations = (
        Navigation("dimension", "dimensions", by="dimensionId"),
        Navigation("dimensionValue", "dimensionValues", by="dimensionValueId"),
    )
    fields = (
        key(),
        Field("parentType", Kind.ENUM, options=PARENT_TYPE),
        Field("parentId", Kind.GUID),
        Field("dimensionId", Kind.GUID),
        shown("dimensionCode", Kind.CODE, 20),
        Field("dimensionValueId", Kind.GUID),
        shown("dimensionValueCode", Kind.CODE, 20),
        Field("postingValidation", Kind.ENUM, options=VALIDATION),
        modified(),
    )

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        if parent is None:
            return super().rows(call, None)
        return self.in_order(self.table(call).group("parentId", parent.row.id).values())

    def belongs(self, row: Row, parent: Parent) -> bool:
        return bool(row.values["parentId"] == parent.row.id)

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        if parent is not None:
            values |= {"parentType": _PARENTS[parent.entity_set.name], "parentId": parent.row.id}
        set_name = _SETS.get(values.get("parentType", ""))
        if set_name is None or values.get("parentId", NO_GUID) not in call.company.tables[set_name].rows:
            raise errors.dialog(_NO_PARENT)
        whole = {**self.blank, **values}
        return super().create(call, None, values | _codes(call.company, whole))

    def change(self, call: Call, row: Row, values: Values) -> Row:
        changed = {name: value for name, value in values.items() if row.values[name] != value}
        if changed.keys() & {"dimensionId", "dimensionValueId"}:
            changed |= _codes(call.company, {**row.values, **changed})
        return super().change(call, row, changed)


def _codes(company: Company, values: Values) -> Values:
    """The codes that go with the ids. Which texts a wrong or missing id raises is assumed, but for the two of bc.md."""
    dimension = company.tables["dimensions"].rows.get(values["dimensionId"])
    if dimension is None:
        raise errors.dialog('The "dimensionId" does not match to a Dimension.')
    code = dimension.values["code"]
    if values["dimensionValueId"] == NO_GUID:
        return {"dimensionCode": code, "dimensionValueCode": ""}
    value = company.tables["dimensionValues"].rows.get(values["dimensionValueId"])
    if value is None:
        raise errors.dialog('The "dimensionValueId" does not match to a Dimension Value.')
    if value.values["dimensionId"] != dimension.id:
        raise errors.dialog(_DIFFER)
    refuse_blocked(dimension, value)
    return {"dimensionCode": code, "dimensionValueCode": value.values["code"]}


def default_values(company: Company, *parents: Row) -> dict[str, str]:
    """Value codes by dimension code that documents of these records start with; the first record wins."""
    found: dict[str, str] = {}
    for parent in parents:
        for row in company.tables["defaultDimensions"].group("parentId", parent.id).values():
            if row.values["dimensionValueCode"]:
                found.setdefault(row.values["dimensionCode"], row.values["dimensionValueCode"])
    return found


def broken(company: Company, parent: Row, record: str, dims: dict[str, str]) -> str:
    """What is wrong with the dimensions of a posting by the rules of a record, which the text names as `record` says
    (`Item 1000`); blank when nothing is.
    """
    rules = {"Code Mandatory": "code_mandatory", "Same Code": "same_code", "No Code": "no_code"}
    for row in company.tables["defaultDimensions"].group("parentId", parent.id).values():
        values = row.values
        for name, rule in rules.items():
            if values["postingValidation"] == member(name):
                code = values["dimensionCode"]
                known = {"rule": rule, "value": values["dimensionValueCode"]}
                text = broken_rule(known, code, dims.get(code, ""), record)
                if text:
                    return text
    return ""


class DefaultSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A default dimension of a seed file: of a `vendor` or an `item`; `rule` as for accounts."""

    dimension: str
    value: str = ""
    rule: str = ""
    vendor: str = ""
    item: str = ""


def _seed(company: Company, tx: Transaction, given: list[DefaultSeed]) -> None:
    for one in given:
        set_name, number = ("vendors", one.vendor) if one.vendor else ("items", one.item)
        place = f"default dimension {one.dimension!r} of {number!r}"
        parent = company.tables[set_name].one(("number",), number.upper())
        dimension = find_dimension(company, one.dimension.upper())
        if parent is None or dimension is None:
            raise ValueError(f"{place}: no such {'dimension' if parent is not None else set_name[:-1]}")
        value = find_value(company, dimension.values["code"], one.value.upper()) if one.value else None
        if one.value and value is None:
            raise ValueError(f"{place}: the dimension has no value {one.value!r}")
        if one.rule not in DIMENSION_RULES:
            raise ValueError(f"{place}: {one.rule!r} is no rule; use one of {', '.join(DIMENSION_RULES[1:])}")
        values = {
            "parentType": _PARENTS[set_name],
            "parentId": parent.id,
            "dimensionId": dimension.id,
            "dimensionCode": dimension.values["code"],
            "dimensionValueId": value.id if value is not None else NO_GUID,
            "dimensionValueCode": value.values["code"] if value is not None else "",
            "postingValidation": VALIDATION.members[DIMENSION_RULES.index(one.rule)],
        }
        put(company, tx, "defaultDimensions", values)


AREA = Area(
    sets=(DefaultDimensions(),),
    references=tuple(Reference(name, "defaultDimensions", "parentId", removed=True, by="id") for name in _PARENTS),
    seeds={"default_dimensions": (list[DefaultSeed], _seed)},
    after=("vendors", "items", "dimensions"),
)
