"""`dimensionSetLines`: the dimensions of one line or entry, reached through it only (bc.md section 17)."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.dimensions import find_dimension
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import READ_WRITE, EntitySet, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Field, Kind, Options, Writing, member, shown
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.tables import Row, Values

#: The first parent types of the AL enum; the rest come with the sets that need them.
PARENT_TYPE = Options(
    "Dimension Set Entry Buffer Parent Type",
    (
        " ",
        "Journal Line",
        "Sales Order",
        "Sales Order Line",
        "Sales Quote",
        "Sales Quote Line",
        "Sales Credit Memo",
        "Sales Credit Memo Line",
        "Sales Invoice",
        "Sales Invoice Line",
        "Purchase Invoice",
        "Purchase Invoice Line",
        "General Ledger Entry",
        "Time Registration Entry",
        "Sales Shipment",
        "Sales Shipment Line",
        "Purchase Receipt",
        "Purchase Receipt Line",
        "Purchase Order",
        "Purchase Order Line",
        "Purchase Credit Memo",
        "Purchase Credit Memo Line",
    ),
)
_PARENT_MISSING = "You must get to the parent first to get to the dimension set line."
_FIELDS_DIFFER = "The dimension field values do not match to a specific Dimension."
_VALUES_DIFFER = (
    'The values of the "dimensionCode" field and the "dimensionId" field do not refer to the same Dimension Value.'
)
_EXISTS = (
    "The dimension set line already exists. Check existing dimension set lines and the default dimension set lines on "
    "the parent."
)


class DimensionSetLines(EntitySet):
    """`id` is the id of the dimension, a key within the parent. Rows are made of the parent's set at each call."""

    name = "dimensionSetLines"
    entity = "dimensionSetLine"
    title = "Dimension Set Entry"
    table_id = 480
    methods = READ_WRITE
    fields = (
        Field("id", Kind.GUID),
        Field("code", Kind.CODE, 20),
        shown("consolidationCode", Kind.CODE, 20),
        shown("parentId", Kind.GUID),
        shown("parentType", Kind.ENUM, options=PARENT_TYPE),
        Field("displayName", Kind.TEXT, 30, Writing.IGNORED),
        Field("valueId", Kind.GUID),
        Field("valueCode", Kind.CODE, 20),
        shown("valueConsolidationCode", Kind.CODE, 20),
        Field("valueDisplayName", Kind.TEXT, 50, Writing.IGNORED),
    )

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        if parent is None:
            raise errors.dialog(_PARENT_MISSING)
        return [self._row(call.company, parent, code) for code in sorted(parent.row.hidden.get("dims", ()))]

    def find(self, call: Call, parent: Parent | None, key: str) -> Row:
        for row in self.rows(call, parent):
            if row.id == key:
                return row
        raise errors.not_found(self.title, key)

    def etag(self, row: Row) -> str:
        mark = f"'20;{row.version};{row.values['code']};'".encode()
        return 'W/"' + base64.b64encode(mark).decode() + '"'

    def _row(self, company: Company, parent: Parent, code: str) -> Row:
        dimension = company.tables["dimensions"].the(("code",), code)
        value_code = parent.row.hidden["dims"][code]
        value = company.tables["dimensionValues"].the(("dimensionId", "code"), dimension.id, value_code)
        values = {
            "id": dimension.id,
            "code": code,
            "consolidationCode": "",
            "parentId": parent.row.id,
            "parentType": member(parent.entity_set.dimension_parent),
            "displayName": dimension.values["displayName"],
            "valueId": value.id,
            "valueCode": value.values["code"],
            "valueConsolidationCode": "",
            "valueDisplayName": value.values["displayName"],
        }
        return Row(values, {"parent": parent}, parent.row.version)

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        if parent is None:
            raise errors.dialog("You must get to the parent first to create a dimension set line.")
        self._refuse_read_only(parent)
        dimension = _dimension(call.company, values)
        value = _value(call.company, dimension, values)
        dims = parent.row.hidden.get("dims", {})
        code = dimension.values["code"]
        if code in dims:
            raise errors.dialog(_EXISTS)
        self._write(call, parent, {**dims, code: value.values["code"]})
        return self._row(call.company, parent, code)

    def change(self, call: Call, row: Row, values: Values) -> Row:
        parent: Parent = row.hidden["parent"]
        self._refuse_read_only(parent)
        if any(name in values and values[name] != row.values[name] for name in ("id", "code")):
            raise errors.dialog('The "id" and "code" fields cannot be modified.')
        if not any(name in values and values[name] != row.values[name] for name in ("valueId", "valueCode")):
            return row
        dimension = call.company.tables["dimensions"].rows[row.id]
        value = _value(call.company, dimension, values)
        self._write(call, parent, {**parent.row.hidden["dims"], row.values["code"]: value.values["code"]})
        return self._row(call.company, parent, row.values["code"])

    def remove(self, call: Call, row: Row) -> None:
        parent: Parent = row.hidden["parent"]
        self._refuse_read_only(parent)
        dims = {code: value for code, value in parent.row.hidden["dims"].items() if code != row.values["code"]}
        self._write(call, parent, dims)

    def _refuse_read_only(self, parent: Parent) -> None:
        if not parent.entity_set.dimensions_writable:
            raise errors.dialog(
                f"Parent with ID {parent.row.id} does not exist or dimension set lines are read only for parent type "
                f"{parent.entity_set.dimension_parent}."
            )

    def _write(self, call: Call, parent: Parent, dims: dict[str, str]) -> None:
        parent.entity_set.write_dimensions(call, parent.row, dims)


def _dimension(company: Company, values: Values) -> Row:
    """The dimension that `id` or `code` names; both only if they agree."""
    dimension_id, code = values.get("id", ""), values.get("code", "")
    by_id = company.tables["dimensions"].rows.get(dimension_id)
    by_code = find_dimension(company, code)
    if dimension_id and by_id is None:
        raise errors.dialog('The "id" does not match to a Dimension.')
    if code and by_code is None:
        raise errors.dialog('The "code" does not match to a Dimension.')
    if by_id is not None and by_code is not None and by_id is not by_code:
        raise errors.dialog(_FIELDS_DIFFER)
    found = by_id or by_code
    if found is None:
        raise errors.dialog('The "id" or "code" field must be filled in.')
    return found


def _value(company: Company, dimension: Row, values: Values) -> Row:
    """The value of the dimension that `valueId` or `valueCode` names."""
    value_id, code = values.get("valueId", ""), values.get("valueCode", "")
    table = company.tables["dimensionValues"]
    by_id = table.rows.get(value_id)
    by_code = table.one(("dimensionId", "code"), dimension.id, code)
    if value_id and (by_id is None or by_id.values["dimensionId"] != dimension.id):
        raise errors.dialog('The "valueId" does not match to a Dimension Value.')
    if code and by_code is None:
        raise errors.dialog('The "valueCode" does not match to a Dimension Value.')
    if by_id is not None and by_code is not None and by_id is not by_code:
        raise errors.dialog(_VALUES_DIFFER)
    found = by_id or by_code
    if found is None:
        raise errors.dialog('The "valueId" or "valueCode" field must be filled in.')
    refuse_blocked(dimension, found)
    return found


def refuse_blocked(dimension: Row, value: Row) -> None:
    """A blocked dimension or value must not be used. Texts after "%1 %2 is blocked." (bc.md section 17)."""
    text = blocked_text(dimension, value)
    if text:
        raise errors.dialog(text)


def blocked_text(dimension: Row, value: Row) -> str:
    code = dimension.values["code"]
    if dimension.hidden.get("blocked"):
        return f"Dimension {code} is blocked."
    if value.hidden.get("blocked"):
        return f"Dimension Value {code} - {value.values['code']} is blocked."
    return ""


AREA = Area(sets=(DimensionSetLines(),))
