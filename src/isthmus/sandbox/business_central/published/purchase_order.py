"""Page 50 Purchase Order: the header of an order with what v2.0 does not show of it, above all the vendor's number of
the bill (bc.md section 18).
"""

from __future__ import annotations

from typing import cast

from isthmus.sandbox.business_central.areas.purchase_headers import AL_STATUS, PurchaseDocuments
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Kind, Writing
from isthmus.sandbox.business_central.published.page import Captions, Page, Property, Shown, code, read_only, text
from isthmus.sandbox.business_central.registry import entity_sets
from isthmus.sandbox.business_central.tables import Row, Values

_STATUS = Captions("Purchase Document Status", ("Open", "Released", "Pending Approval", "Pending Prepayment"))
_TYPE = Captions("Purchase Document Type", ("Order",))
_SOURCE = "purchaseOrders"


class PurchaseOrder(Page):
    """`PurchaseOrder('Order','106001')`. That the vendor's number is called Vendor_Invoice_No, and that the key is type
    and number, is bc.md section 18; the other names are assumed. Lines are a page of their own in Business Central,
    which this sandbox leaves out.
    """

    number = 50
    title_of_page = "Purchase Order"
    title = "Purchase Header"
    table_id = 38
    source = _SOURCE
    keys = ("Document_Type", "No")
    properties = (
        Property("Document_Type", "document_type", Kind.ENUM, options=_TYPE, writing=Writing.REFUSED, hidden=True),
        read_only("No", "number", Kind.CODE, 20),
        code("Buy_from_Vendor_No", "vendorNumber"),
        read_only("Buy_from_Vendor_Name", "vendorName", Kind.TEXT, 100),
        Property("Posting_Date", "postingDate", Kind.DATE),
        Property("Document_Date", "orderDate", Kind.DATE),
        code("Vendor_Invoice_No", "vendor_document", 35, hidden=True),
        text("Your_Reference", "your_reference", 35, hidden=True),
        code("Vendor_Order_No", "vendor_order", 35, hidden=True),
        code("Vendor_Shipment_No", "vendor_shipment", 35, hidden=True),
        Property("Status", "status", Kind.ENUM, options=_STATUS, writing=Writing.REFUSED),
        code("Currency_Code", "currencyCode", 10),
        code("Shortcut_Dimension_1_Code", "shortcutDimension1Code"),
        code("Shortcut_Dimension_2_Code", "shortcutDimension2Code"),
        code("Purchaser_Code", "purchaser"),
        Property("Requested_Receipt_Date", "requestedReceiptDate", Kind.DATE),
    )

    def present(self, call: Call, row: Row) -> Shown:
        found = super().present(call, row)
        found.values["Document_Type"] = "Order"
        found.values["Status"] = AL_STATUS[row.values["status"]]
        # The page shows the currency as it is kept: blank for the company's own.
        if row.values["currencyCode"] == call.company.setup.currency:
            found.values["Currency_Code"] = ""
        return found

    def find_by(self, call: Call, key: Values) -> Row:
        row = self.table(call).one(("number",), key["No"])
        if row is None or key["Document_Type"] != "Order":
            raise self.missing(key)
        return self.present(call, row)

    def insert(self, call: Call, plain: Values, hidden: Values) -> Row:
        row = _orders().create(call, None, plain)
        return self.table(call).update(call.tx, row, {}, hidden) if hidden else row

    def modify(self, call: Call, row: Row, plain: Values, hidden: Values) -> Row:
        orders = _orders()
        row = orders.change(call, row, plain) if plain else row
        if hidden:
            row = self.table(call).update(call.tx, row, {"lastModifiedDateTime": call.stamp}, hidden)
        return row

    def delete(self, call: Call, row: Row) -> None:
        _orders().remove(call, row)


def _orders() -> PurchaseDocuments:
    return cast("PurchaseDocuments", entity_sets()[_SOURCE])


PAGES = (PurchaseOrder,)
