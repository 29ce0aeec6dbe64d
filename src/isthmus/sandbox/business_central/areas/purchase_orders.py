"""`purchaseOrders` and their action receiveAndInvoice (bc.md section 15)."""

from __future__ import annotations

from typing import cast

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.purchase_fields import (
    COMMENT,
    CURRENCY,
    PAY_TO,
    SHIP_TO,
    SHORTCUTS,
    TOTALS,
    VENDOR,
    address,
)
from isthmus.sandbox.business_central.areas.purchase_headers import AL_STATUS, PurchaseDocuments, VendorTexts
from isthmus.sandbox.business_central.areas.purchase_lines import PurchaseLines
from isthmus.sandbox.business_central.areas.purchase_order_posting import post_order
from isthmus.sandbox.business_central.areas.purchase_setup import purchase_setup
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import Navigation
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.fields import Field, Kind, Options, Writing, key, modified, shown
from isthmus.sandbox.business_central.registry import Area, Reference, entity_sets
from isthmus.sandbox.business_central.tables import Row, Storage, Values

STATUS = Options("Purchase Order Entity Buffer Status", ("Draft", "In Review", "Open"))
_OUTSTANDING = "there is at least one outstanding Purchase Order"


class PurchaseOrders(PurchaseDocuments):
    """Numbers come from a series and cannot be given. Hidden besides those of all documents: your_reference."""

    name = "purchaseOrders"
    entity = "purchaseOrder"
    title = "Purchase Order Entity Buffer"
    table_id = 5496
    storage = Storage("Purchase Header", unique=(("number",),), groups=("vendorNumber",))
    navigations = (
        Navigation("purchaseOrderLines", "purchaseOrderLines"),
        Navigation("dimensionSetLines", "dimensionSetLines"),
        Navigation("vendor", "vendors", by="vendorId"),
        Navigation("currency", "currencies", by="currencyId"),
        Navigation("paymentTerm", "paymentTerms", by="paymentTermsId"),
    )
    dimension_parent = "Purchase Order"
    fields = (
        key(),
        shown("number", Kind.CODE, 20),
        Field("orderDate", Kind.DATE),
        Field("postingDate", Kind.DATE),
        *VENDOR,
        shown("payToName", Kind.TEXT, 100),
        *PAY_TO,
        *SHIP_TO,
        *address("buyFrom"),
        *address("payTo", Writing.REFUSED),
        *address("shipTo"),
        *SHORTCUTS,
        *CURRENCY,
        Field("pricesIncludeTax", Kind.BOOL),
        Field("paymentTermsId", Kind.GUID),
        Field("shipmentMethodId", Kind.GUID),
        Field("purchaser", Kind.CODE, 20),
        Field("requestedReceiptDate", Kind.DATE),
        *TOTALS,
        Field("fullyReceived", Kind.BOOL, writing=Writing.IGNORED),
        shown("status", Kind.ENUM, options=STATUS),
        modified(),
    )
    action_names = ("receiveAndInvoice",)
    document = "Order"
    lines = "purchaseOrderLines"
    price = "directUnitCost"
    date_name = "orderDate"
    series = "order_series"
    texts = VendorTexts(
        'A "vendorNumber" or a "vendorId" must be provided.',
        "The buy-from vendor cannot be found.",
        "The buy-from vendor values do not match to a specific Vendor.",
    )
    while_open = frozenset(
        {"vendorId", "vendorNumber", "payToVendorId", "payToVendorNumber", "pricesIncludeTax", "requestedReceiptDate"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.actions["receiveandinvoice"] = _receive_and_invoice

    def refuse_closed(self, header: Row) -> None:
        status = AL_STATUS[header.values["status"]]
        if status != "Open":
            raise errors.must_equal("Status", "Open", self.record(header), status)

    def remove(self, call: Call, row: Row) -> None:
        """What was received and not invoiced keeps an order, whatever its status."""
        line_set = cast("PurchaseLines", entity_sets()[self.lines])
        for line in self.lines_of(call.company, row.id):
            line_set.check_removal(call, line)
        super().remove(call, row)

    def follow_up(self, company: Company, header: Row) -> Values:
        return {"fullyReceived": fully_received(self.lines_of(company, header.id))}

    def _refuse_received(self, company: Company, row: Row) -> None:
        if any(line.values["receivedQuantity"] for line in self.lines_of(company, row.id)):
            # AL's TestField on the lines; which field it names is assumed.
            raise errors.must_equal("Quantity Received", "0", self.record(row), "received")


def fully_received(lines: list[Row]) -> bool:
    """Whether all that was ordered came; lines of text do not count."""
    ordered = [line.values for line in lines if line.values["lineType"] != COMMENT]
    return bool(ordered) and all(one["receivedQuantity"] == one["quantity"] for one in ordered)


def _receive_and_invoice(call: Call, order: Row) -> tuple[str, str] | None:
    """Post what the lines say is to be received and invoiced. What was done before is committed, and so is the posting:
    nothing of it is taken back with a batch (bc.md section 7).
    """
    number = order.values["number"]
    invoice = post_order(call, order)
    if invoice is not None:
        return "purchaseInvoices", invoice.id
    if purchase_setup(call.company).receive_only_answers_400:
        filters = f"Order No.: {number}"
        text = f"There is no Purch. Inv. Header within the filter.\r\n\r\nFilters: {filters}"
        raise Refusal(400, "Internal_DataNotFoundFilter", text)
    return None


AREA = Area(
    sets=(PurchaseOrders(),),
    references=(
        Reference(
            "vendors",
            "purchaseOrders",
            "vendorNumber",
            refusal=f"You cannot delete Vendor {{key}} because {_OUTSTANDING} for this vendor.",
        ),
        Reference("vendors", "purchaseOrders", "payToVendorNumber"),
        Reference(
            "items",
            "purchaseOrderLines",
            "lineObjectNumber",
            refusal=f"You cannot delete Item {{key}} because {_OUTSTANDING} that includes this item.",
            only=("lineType", "Item"),
        ),
    ),
)
