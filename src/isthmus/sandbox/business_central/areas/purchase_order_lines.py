"""`purchaseOrderLines`: what is ordered, what came, what is billed, and what the next posting does with it (bc.md
section 15).
"""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.purchase_amounts import quantity_of, trimmed
from isthmus.sandbox.business_central.areas.purchase_fields import (
    COMMENT,
    LINE_DISCOUNT,
    LINE_KEY,
    LINE_OBJECT,
    LINE_PLACE,
    LINE_UNIT,
    line_amounts,
)
from isthmus.sandbox.business_central.areas.purchase_lines import PurchaseLines
from isthmus.sandbox.business_central.areas.purchase_objects import Edit
from isthmus.sandbox.business_central.areas.purchase_setup import PurchaseSetup
from isthmus.sandbox.business_central.fields import NO_DATE, Field, Kind, Writing
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.tables import Values

#: Fields that AL refuses to change once something of the line was received.
_BEFORE_RECEIPT = frozenset({"unitOfMeasureId", "unitOfMeasureCode"})


class PurchaseOrderLines(PurchaseLines):
    """`receiveQuantity` and `invoiceQuantity` say what posting takes; what was received and billed, posting writes."""

    name = "purchaseOrderLines"
    entity = "purchaseOrderLine"
    title = "Purch. Inv. Line Aggregate"
    table_id = 5478
    of = "purchaseOrders"
    dimension_parent = "Purchase Order Line"
    fields = (
        *LINE_KEY,
        *LINE_OBJECT,
        Field("description2", Kind.TEXT, 50),
        *LINE_UNIT,
        Field("quantity", Kind.DECIMAL),
        Field("directUnitCost", Kind.DECIMAL),
        *LINE_DISCOUNT,
        *line_amounts(Writing.REFUSED),
        Field("expectedReceiptDate", Kind.DATE),
        Field("receivedQuantity", Kind.DECIMAL, writing=Writing.IGNORED),
        Field("invoicedQuantity", Kind.DECIMAL, writing=Writing.IGNORED),
        Field("invoiceQuantity", Kind.DECIMAL),
        Field("receiveQuantity", Kind.DECIMAL),
        *LINE_PLACE,
    )

    def write(self, edit: Edit, values: Values) -> None:
        before = edit.row["lineObjectNumber"]
        super().write(edit, values)
        moved = edit.row["lineObjectNumber"] != before
        if moved and edit.row["receivedQuantity"]:
            raise errors.must_equal("Quantity Received", "0", edit.record, plain(edit.row["receivedQuantity"]))
        if moved and edit.row["expectedReceiptDate"] == NO_DATE and "expectedReceiptDate" not in values:
            # Without lead times: what the header asks for, else the day of the order (assumed).
            header = edit.header.values
            asked = header["requestedReceiptDate"]
            edit.row["expectedReceiptDate"] = asked if asked != NO_DATE else header["orderDate"]

    def validate(self, edit: Edit, name: str, value: object) -> None:
        row = edit.row
        if name == "receiveQuantity":
            _set_receive(edit, quantity_of(cast("Decimal", value)))
            return
        if name == "invoiceQuantity":
            _set_invoice(edit, quantity_of(cast("Decimal", value)))
            return
        if name in _BEFORE_RECEIPT and row["receivedQuantity"]:
            raise errors.must_equal("Quantity Received", "0", edit.record, plain(row["receivedQuantity"]))
        if name == "locationId" and row["receivedQuantity"] != row["invoicedQuantity"]:
            raise _waiting_for_invoice(edit)
        super().validate(edit, name, value)
        if name == "quantity":
            _check_quantity(edit)
            expect_remainder(row, edit.setup)

    def refuse_removal(self, edit: Edit) -> None:
        if edit.row["lineType"] != COMMENT and edit.row["receivedQuantity"] != edit.row["invoicedQuantity"]:
            raise _waiting_for_invoice(edit)


def outstanding(row: Values) -> Decimal:
    """What is ordered and not received yet."""
    left: Decimal = row["quantity"] - row["receivedQuantity"]
    return left


def most_to_invoice(row: Values) -> Decimal:
    """AL's MaxQtyToInvoice: received, and about to be received, less what is invoiced."""
    most: Decimal = row["receivedQuantity"] + row["receiveQuantity"] - row["invoicedQuantity"]
    return most


def expect_remainder(row: Values, setup: PurchaseSetup) -> None:
    """AL's InitQtyToReceive: the outstanding quantity is to be received, or with Blank what was there; what is to be
    invoiced follows.
    """
    if setup.default_qty_to_receive == "remainder":
        row["receiveQuantity"] = outstanding(row)
    row["invoiceQuantity"] = most_to_invoice(row)


def plain(value: Decimal) -> str:
    """A quantity in an error text."""
    return str(trimmed(value))


def _check_quantity(edit: Edit) -> None:
    quantity, received = edit.row["quantity"], edit.row["receivedQuantity"]
    if quantity * received < 0 or abs(quantity) < abs(received):
        raise edit.field_error("Quantity must not be less than Quantity Received")


def _set_receive(edit: Edit, value: Decimal) -> None:
    """The trap of bc.md section 15: what is to be invoiced is computed anew."""
    row = edit.row
    row["receiveQuantity"] = value
    if value == outstanding(row):
        expect_remainder(row, edit.setup)
    else:
        row["invoiceQuantity"] = most_to_invoice(row)
    if value * row["quantity"] < 0 or abs(value) > abs(outstanding(row)):
        raise errors.dialog(f"You cannot receive more than {plain(outstanding(row))} units.")


def _set_invoice(edit: Edit, value: Decimal) -> None:
    row, most = edit.row, most_to_invoice(edit.row)
    row["invoiceQuantity"] = value
    if value * row["quantity"] < 0 or abs(value) > abs(most):
        raise errors.dialog(f"You cannot invoice more than {plain(most)} units.")


def _waiting_for_invoice(edit: Edit) -> errors.Refusal:
    """AL's TestField of Qty. Rcd. Not Invoiced on a line that goes or moves."""
    waiting = edit.row["receivedQuantity"] - edit.row["invoicedQuantity"]
    return errors.must_equal("Qty. Rcd. Not Invoiced", "0", edit.record, plain(waiting))


AREA = Area(sets=(PurchaseOrderLines(),))
