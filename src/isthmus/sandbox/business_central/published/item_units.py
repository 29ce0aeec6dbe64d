"""Page 5404 Item Units of Measure: how many base units a further unit of an item is."""

from __future__ import annotations

from decimal import Decimal

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.published.page import Page, code, decimal
from isthmus.sandbox.business_central.tables import Row, Values


class ItemUnits(Page):
    """Key Item_No and Code. That three properties are called so is in bc.md's design notes; sizes of the unit are left
    out.
    """

    number = 5404
    title_of_page = "Item Units of Measure"
    title = "Item Unit of Measure"
    table_id = 5404
    source = "itemUnits"
    keys = ("Item_No", "Code")
    properties = (
        code("Item_No", "itemNumber"),
        code("Code", "code", 10),
        decimal("Qty_per_Unit_of_Measure", "quantityPerUnit"),
    )

    def insert(self, call: Call, plain: Values, hidden: Values) -> Row:
        company = call.company
        for column, caption, target, key in (
            ("itemNumber", "Item No.", "items", "number"),
            ("code", "Code", "unitsOfMeasure", "code"),
        ):
            value = plain.get(column, "")
            if not value:
                raise errors.must_have_value(caption, "Item Unit of Measure")
            if company.tables[target].one((key,), value) is None:
                title = company.tables[target].storage.title
                raise errors.no_relation(caption, "Item Unit of Measure", value, title)
        values = {"id": company.new_id(), "quantityPerUnit": Decimal(1), **plain}
        _refuse_nothing(values)
        return self.table(call).insert(call.tx, Row(values))

    def modify(self, call: Call, row: Row, plain: Values, hidden: Values) -> Row:
        """Texts are assumed: of the base unit the quantity stays 1, and a unit keeps its name."""
        values = {**row.values, **plain}
        _refuse_nothing(values)
        if "quantityPerUnit" in plain and _is_base(call, row):
            raise errors.dialog("The quantity per unit of measure must be 1 for the base unit of measure.")
        return super().modify(call, row, plain, hidden)

    def delete(self, call: Call, row: Row) -> None:
        if _is_base(call, row):
            text = (
                f"You cannot delete the base unit of measure {row.values['code']} of item {row.values['itemNumber']}."
            )
            raise errors.dialog(text)
        super().delete(call, row)


def _is_base(call: Call, row: Row) -> bool:
    item = call.company.tables["items"].one(("number",), row.values["itemNumber"])
    return item is not None and item.values["baseUnitOfMeasureCode"] == row.values["code"]


def _refuse_nothing(values: Values) -> None:
    if values["quantityPerUnit"] <= 0:
        raise errors.dialog("Qty. per Unit of Measure must be greater than 0.")


PAGES = (ItemUnits,)
