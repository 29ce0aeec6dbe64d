"""What the lines of purchase orders, invoices and credit memos have in common (bc.md sections 4 and 15)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import ClassVar, cast

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.purchase_amounts import amounts, gross, percent_of, quantity_of
from isthmus.sandbox.business_central.areas.purchase_fields import COMMENT
from isthmus.sandbox.business_central.areas.purchase_headers import PurchaseDocuments
from isthmus.sandbox.business_central.areas.purchase_objects import (
    Edit,
    blank_hidden,
    set_location,
    set_object,
    set_tax,
    set_unit,
    set_unit_id,
    set_variant,
)
from isthmus.sandbox.business_central.areas.purchase_setup import purchase_setup
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import READ_WRITE, EntitySet, Navigation, Parent
from isthmus.sandbox.business_central.environment import Body, Call
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.fields import NO_GUID
from isthmus.sandbox.business_central.money import precision, rounded
from isthmus.sandbox.business_central.registry import entity_sets
from isthmus.sandbox.business_central.tables import Row, Storage, Values

_OBJECT = frozenset({"itemId", "accountId", "lineType", "lineObjectNumber"})
#: Properties that only an open document lets be changed; those of AL's TestStatusOpen.
_WHILE_OPEN = _OBJECT | {
    "quantity",
    "directUnitCost",
    "unitCost",
    "discountAmount",
    "discountPercent",
    "unitOfMeasureId",
    "unitOfMeasureCode",
    "taxCode",
    "locationId",
    "itemVariantId",
}
#: Of these a line of text may have none.
_OF_OBJECTS = frozenset({"quantity", "directUnitCost", "unitCost", "discountAmount", "discountPercent"})

LINE_STORAGE = Storage(
    "Purchase Line", unique=(("documentId", "sequence"),), groups=("documentId",), hidden_decimals=("per_unit",)
)
LINE_NAVIGATIONS = (
    Navigation("dimensionSetLines", "dimensionSetLines"),
    Navigation("location", "locations", by="locationId"),
    Navigation("item", "items", by="itemId"),
    Navigation("account", "accounts", by="accountId"),
    Navigation("unitOfMeasure", "unitsOfMeasure", by="unitOfMeasureId"),
)


class PurchaseLines(EntitySet):
    """Reached through their document, by `$filter=documentId eq`, or by their id; never flat."""

    methods = READ_WRITE
    storage = LINE_STORAGE
    navigations = LINE_NAVIGATIONS
    dimensions_writable = True
    #: The set of their documents.
    of: ClassVar[str]
    flat_text: ClassVar[str] = "You must specify an Id or a Document Id to get the lines."

    def documents(self) -> PurchaseDocuments:
        return cast("PurchaseDocuments", entity_sets()[self.of])

    def header(self, company: Company, row: Row) -> Row:
        return company.tables[self.of].rows[row.values["documentId"]]

    # reading

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        if parent is None:
            raise errors.dialog(self.flat_text)
        return self.documents().lines_of(call.company, parent.row.id)

    def candidates(self, call: Call, parent: Parent | None, column: str, value: object) -> Iterable[Row] | None:
        if parent is None and column == "documentId":
            return self.documents().lines_of(call.company, str(value))
        if parent is None and column == "id":
            found = self.table(call).rows.get(str(value))
            return (found,) if found is not None else ()
        return None

    def in_order(self, rows: Iterable[Row]) -> Iterable[Row]:
        return rows  # `lines_of` has put them in order

    def belongs(self, row: Row, parent: Parent) -> bool:
        return bool(row.values["documentId"] == parent.row.id)

    def read_body(self, call: Call, body: Body) -> tuple[Values, dict[str, list[Body]]]:
        values, nested = super().read_body(call, body)
        if call.chosen is not None and purchase_setup(call.company).validate_in_body_order:
            values = {name: values[name] for name in body if name in values}
        return values, nested

    # writing

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        documents, table = self.documents(), self.table(call)
        header = self._document(call, parent, values)
        documents.refuse_closed(header)
        row = {**self.blank, "id": call.company.new_id(), "documentId": header.id}
        row["sequence"] = values.get("sequence") or self._last(call.company, header.id) + 10_000
        edit = self._edit(call, header, row, blank_hidden(header.hidden["dims"]))
        if table.one(("documentId", "sequence"), header.id, row["sequence"]) is not None:
            text = f"The Purchase Line already exists. Identification fields and values: {edit.place(',', chr(39))}"
            raise Refusal(400, "Internal_EntityWithSameKeyExists", text)
        self.write(edit, values)
        line = table.insert(call.tx, Row(edit.row, edit.hidden))
        documents.line_changed(call, header, None, line.values)
        return line

    def change(self, call: Call, row: Row, values: Values) -> Row:
        changed = {name for name, value in values.items() if row.values[name] != value}
        if "documentId" in changed:
            raise errors.dialog('The value for "documentId" cannot be modified.')
        if "sequence" in changed:
            raise errors.dialog("The value for sequence cannot be modified. Delete and insert the line again.")
        documents, header = self.documents(), self.header(call.company, row)
        if changed:
            documents.refuse_posted(header)
        if changed & _WHILE_OPEN:
            documents.refuse_closed(header)
        before = row.values
        edit = self._edit(call, header, dict(before), dict(row.hidden))
        self.write(edit, values)
        if edit.row == before and edit.hidden == row.hidden:
            return row
        found = self.table(call).update(call.tx, row, edit.row, edit.hidden)
        documents.line_changed(call, header, before, found.values)
        return found

    def remove(self, call: Call, row: Row) -> None:
        documents, header = self.documents(), self.header(call.company, row)
        documents.refuse_closed(header)
        self.check_removal(call, row)
        super().remove(call, row)
        documents.line_changed(call, header, row.values, None)

    def check_removal(self, call: Call, row: Row) -> None:
        """Raises Refusal for a line that must stay, whatever the status of its document."""
        self.refuse_removal(self._edit(call, self.header(call.company, row), row.values, row.hidden))

    def refuse_removal(self, edit: Edit) -> None:
        """Raises Refusal for a line that must stay."""

    def write_dimensions(self, call: Call, row: Row, dims: dict[str, str]) -> None:
        self.documents().refuse_posted(self.header(call.company, row))
        self.table(call).update(call.tx, row, {}, {"dims": dims})

    def _document(self, call: Call, parent: Parent | None, values: Values) -> Row:
        named = values.get("documentId", NO_GUID)
        if parent is not None:
            if named not in {NO_GUID, parent.row.id}:
                raise errors.dialog('The value for "documentId" cannot be modified.')
            return parent.row
        if named == NO_GUID:
            raise errors.dialog(self.flat_text)
        header = call.company.tables[self.of].rows.get(named)
        if header is None:
            raise errors.dialog(f"The {self.documents().document.lower()} cannot be found.")
        return header

    def _last(self, company: Company, document: str) -> int:
        lines = company.tables[self.name].group("documentId", document).values()
        return max((int(line.values["sequence"]) for line in lines), default=0)

    def _edit(self, call: Call, header: Row, row: Values, hidden: Values) -> Edit:
        documents = self.documents()
        setup = purchase_setup(call.company)
        return Edit(call.company, setup, header, documents.document, documents.price, row, hidden)

    # validating

    def write(self, edit: Edit, values: Values) -> None:
        """Validate what was given, one property after the other; what equals the value of then is passed over (bc.md
        section 19, point 6). Amounts follow at the end.
        """
        set_object(edit, {name: value for name, value in values.items() if name in _OBJECT})
        for name, value in values.items():
            if name not in _OBJECT and name not in {"documentId", "sequence"} and edit.row[name] != value:
                self.validate(edit, name, value)
        company, header = edit.company, edit.header.values
        step = precision(company, header["currencyCode"])
        edit.row |= amounts(edit.row, edit.price, step, including_tax=header["pricesIncludeTax"])

    def validate(self, edit: Edit, name: str, value: object) -> None:
        """One property as AL's OnValidate has it. Raises Refusal."""
        if name in _OF_OBJECTS and value:
            if edit.row["lineType"] == COMMENT:
                raise errors.must_have_value("Type", edit.record)  # assumed, as for a line without number
            if not edit.row["lineObjectNumber"]:
                raise errors.must_have_value("No.", edit.record)
        setter = _SETTERS.get(name)
        if setter is not None:
            setter(edit, value)
        elif name in {"quantity", edit.price}:
            edit.row[name] = quantity_of(cast("Decimal", value)) if name == "quantity" else value
            _discount_by_percent(edit)
        else:
            edit.row[name] = value


def _discount_by_percent(edit: Edit) -> None:
    step = precision(edit.company, edit.header.values["currencyCode"])
    whole = gross(edit.row, edit.price, step)
    edit.row["discountAmount"] = rounded(whole * edit.row["discountPercent"] / 100, step)


def _set_percent(edit: Edit, value: Decimal) -> None:
    if not 0 <= value <= 100:
        raise errors.dialog("The value in the Line Discount % field must be between 0 and 100.")  # code assumed
    edit.row["discountPercent"] = value
    _discount_by_percent(edit)


def _set_discount(edit: Edit, value: Decimal) -> None:
    if not edit.row["quantity"]:
        raise errors.must_have_value("Quantity", edit.record)
    step = precision(edit.company, edit.header.values["currencyCode"])
    edit.row["discountAmount"] = rounded(value, step)
    edit.row["discountPercent"] = percent_of(edit.row["discountAmount"], gross(edit.row, edit.price, step))


_SETTERS: dict[str, Callable[..., None]] = {
    "discountPercent": _set_percent,
    "discountAmount": _set_discount,
    "unitOfMeasureCode": set_unit,
    "unitOfMeasureId": set_unit_id,
    "locationId": set_location,
    "itemVariantId": set_variant,
    "taxCode": set_tax,
}
