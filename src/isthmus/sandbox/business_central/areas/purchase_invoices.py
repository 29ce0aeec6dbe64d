"""`purchaseInvoices` and their lines: drafts and posted ones in one set (bc.md section 15)."""

from __future__ import annotations

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.purchase_fields import (
    CURRENCY,
    LINE_DISCOUNT,
    LINE_KEY,
    LINE_OBJECT,
    LINE_PLACE,
    LINE_UNIT,
    PAY_TO,
    SHIP_TO,
    SHORTCUTS,
    TOTALS,
    VENDOR,
    address,
    line_amounts,
)
from isthmus.sandbox.business_central.areas.purchase_headers import PurchaseDocuments, VendorTexts
from isthmus.sandbox.business_central.areas.purchase_invoice_posting import post_invoice
from isthmus.sandbox.business_central.areas.purchase_lines import PurchaseLines
from isthmus.sandbox.business_central.entity import Navigation
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Field, Kind, Options, Writing, key, member, modified, shown
from isthmus.sandbox.business_central.registry import Area, Reference
from isthmus.sandbox.business_central.tables import Row, Storage

STATUS = Options(
    "Invoice Entity Aggregate Status", (" ", "Draft", "In Review", "Open", "Paid", "Canceled", "Corrective")
)


class PurchaseInvoices(PurchaseDocuments):
    """`id` stays through posting, `number` becomes the posted one. What is posted is neither changed nor deleted (that
    a deletion is refused, and how, is assumed).
    """

    name = "purchaseInvoices"
    entity = "purchaseInvoice"
    title = "Purch. Inv. Entity Aggregate"
    table_id = 5477
    storage = Storage(
        "Purchase Header", unique=(("number",),), groups=("vendorNumber", "vendorInvoiceNumber", "orderNumber")
    )
    navigations = (
        Navigation("dimensionSetLines", "dimensionSetLines"),
        Navigation("purchaseInvoiceLines", "purchaseInvoiceLines"),
        Navigation("vendor", "vendors", by="vendorId"),
        Navigation("currency", "currencies", by="currencyId"),
    )
    dimension_parent = "Purchase Invoice"
    fields = (
        key(),
        shown("number", Kind.CODE, 20),
        Field("postingDate", Kind.DATE),
        Field("invoiceDate", Kind.DATE),
        Field("dueDate", Kind.DATE),
        Field("vendorInvoiceNumber", Kind.CODE, 35),
        *VENDOR,
        shown("payToName", Kind.TEXT, 100),
        shown("payToContact", Kind.TEXT, 100),
        *PAY_TO,
        *SHIP_TO,
        *address("buyFrom"),
        *address("shipTo"),
        *address("payTo", Writing.REFUSED),
        *SHORTCUTS,
        *CURRENCY,
        shown("orderId", Kind.GUID),
        shown("orderNumber", Kind.CODE, 20),
        Field("purchaser", Kind.CODE, 20),
        Field("pricesIncludeTax", Kind.BOOL),
        *TOTALS,
        Field("status", Kind.ENUM, writing=Writing.REFUSED, options=STATUS, default=member("Draft")),
        modified(Writing.IGNORED),
    )
    document = "Invoice"
    lines = "purchaseInvoiceLines"
    date_name = "invoiceDate"
    series = "invoice_series"
    texts = VendorTexts(
        'A "vendorNumber" or a "vendorID" must be provided.',
        "The vendor cannot be found.",
        "The vendor cannot be found.",
        pay_to_differ="The pay-to vendor cannot be found.",
    )

    def __init__(self) -> None:
        super().__init__()
        self.actions["post"] = _post


class PurchaseInvoiceLines(PurchaseLines):
    """`unitCost` is the direct unit cost."""

    name = "purchaseInvoiceLines"
    entity = "purchaseInvoiceLine"
    title = "Purch. Inv. Line Aggregate"
    table_id = 5478
    of = "purchaseInvoices"
    dimension_parent = "Purchase Invoice Line"
    fields = (
        *LINE_KEY,
        *LINE_OBJECT,
        Field("description2", Kind.TEXT, 50),
        *LINE_UNIT,
        Field("unitCost", Kind.DECIMAL),
        Field("quantity", Kind.DECIMAL),
        *LINE_DISCOUNT,
        *line_amounts(Writing.IGNORED),
        Field("expectedReceiptDate", Kind.DATE),
        *LINE_PLACE,
    )


def _post(call: Call, invoice: Row) -> None:
    if invoice.hidden["posted"]:
        raise errors.dialog("The action can be applied to a draft invoice only.")
    post_invoice(call, invoice)


AREA = Area(
    sets=(PurchaseInvoices(), PurchaseInvoiceLines()),
    references=(
        Reference("vendors", "purchaseInvoices", "vendorNumber"),
        Reference("vendors", "purchaseInvoices", "payToVendorNumber"),
        Reference("items", "purchaseInvoiceLines", "lineObjectNumber", only=("lineType", "Item")),
    ),
)
