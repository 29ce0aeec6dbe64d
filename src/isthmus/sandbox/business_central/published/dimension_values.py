"""Page 537 Dimension Values: the only way to make one from outside; `dimensionValues` of v2.0 is read only."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.dimensions import find_dimension, find_value
from isthmus.sandbox.business_central.entity import Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Kind
from isthmus.sandbox.business_central.published.page import Captions, Page, Property, Shown, code, text
from isthmus.sandbox.business_central.tables import Row, Values

TYPE = Captions("Dimension Value Type", ("Standard", "Heading", "Total", "Begin-Total", "End-Total"))


class DimensionValuesPage(Page):
    """Key Dimension_Code and Code. Two public callers send Dimension_Code, Code, Name, Dimension_Value_Type and
    Blocked, and one of them expects Internal_EntityWithSameKeyExists for one that is there (third party).
    """

    number = 537
    title_of_page = "Dimension Values"
    title = "Dimension Value"
    table_id = 349
    source = "dimensionValues"
    keys = ("Dimension_Code", "Code")
    properties = (
        code("Dimension_Code", "dimension", hidden=True),
        code("Code", "code"),
        text("Name", "displayName", 50),
        Property("Dimension_Value_Type", "type", Kind.ENUM, options=TYPE, hidden=True),
        Property("Blocked", "blocked", Kind.BOOL, hidden=True),
        code("Consolidation_Code", "consolidationCode"),
    )

    def present(self, call: Call, row: Row) -> Shown:
        found = super().present(call, row)
        dimension = call.company.tables["dimensions"].rows[row.values["dimensionId"]]
        found.values["Dimension_Code"] = dimension.values["code"]
        return found

    def candidates(self, call: Call, parent: Parent | None, column: str, value: object) -> Iterable[Row] | None:
        if column != "Dimension_Code":
            return super().candidates(call, parent, column, value)
        dimension = find_dimension(call.company, str(value))
        found = self.table(call).group("dimensionId", dimension.id) if dimension is not None else {}
        return self.in_order([self.present(call, row) for row in found.values()])

    def find_by(self, call: Call, key: Values) -> Row:
        row = find_value(call.company, key["Dimension_Code"], key["Code"])
        if row is None:
            raise self.missing(key)
        return self.present(call, row)

    def insert(self, call: Call, plain: Values, hidden: Values) -> Row:
        company = call.company
        named = hidden.pop("dimension", "")
        dimension = find_dimension(company, named)
        if dimension is None:
            raise errors.no_relation("Dimension Code", "Dimension Value", named, "Dimension")
        if not plain.get("code"):
            raise errors.must_have_value("Code", f"Dimension Value: Dimension Code={named}, Code=")
        if find_value(company, named, plain["code"]) is not None:
            text = "The Dimension Value already exists. Identification fields and values: "
            key = f"Dimension Code='{named}',Code='{plain['code']}'"
            raise errors.Refusal(400, "Internal_EntityWithSameKeyExists", text + key)
        values = {
            "id": company.new_id(),
            "dimensionId": dimension.id,
            "displayName": "",
            "consolidationCode": "",
            **plain,
            "lastModifiedDateTime": call.stamp,
        }
        return self.table(call).insert(call.tx, Row(values, {"blocked": False, **hidden}))

    def modify(self, call: Call, row: Row, plain: Values, hidden: Values) -> Row:
        if "dimension" in hidden or "code" in plain:
            # Renaming would have to follow into every dimension set; the sandbox leaves it to a person.
            raise errors.dialog("The sandbox does not rename dimension values.")
        return super().modify(call, row, plain | {"lastModifiedDateTime": call.stamp}, hidden)

    def delete(self, call: Call, row: Row) -> None:
        dimension = call.company.tables["dimensions"].rows[row.values["dimensionId"]]
        _refuse_used(call, dimension.values["code"], row.values["code"])
        super().delete(call, row)


def _refuse_used(call: Call, dimension: str, value: str) -> None:
    """A value that entries, lines or default dimensions carry stays (text assumed)."""
    defaults = call.company.tables["defaultDimensions"].group("dimensionCode", dimension).values()
    if any(row.values["dimensionValueCode"] == value for row in defaults):
        raise errors.dialog(f"You cannot delete dimension value {dimension} {value} because it is a default dimension.")
    for table in call.company.tables.values():
        if any(row.hidden.get("dims", {}).get(dimension) == value for row in table):
            raise errors.dialog(f"You cannot delete dimension value {dimension} {value} because it has been used.")


PAGES = (DimensionValuesPage,)
