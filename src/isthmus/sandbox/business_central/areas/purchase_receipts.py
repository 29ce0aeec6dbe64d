"""`purchaseReceipts` and their lines: what came, and when. Read only (bc.md section 15)."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.purchase_fields import address
from isthmus.sandbox.business_central.entity import EntitySet, Navigation, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Kind, Options, Writing, key, modified, shown
from isthmus.sandbox.business_central.registry import Area, Reference
from isthmus.sandbox.business_central.tables import Row, Storage

TYPE = Options(
    "Purchase Line Type",
    (" ", "G/L Account", "Item", "Resource", "Fixed Asset", "Charge (Item)", "Allocation Account"),
)


class PurchaseReceipts(EntitySet):
    """`orderNumber` leads to the order, which may be gone; it is blank for the receipt of a standalone invoice."""

    name = "purchaseReceipts"
    entity = "purchaseReceipt"
    title = "Purch. Rcpt. Header"
    table_id = 120
    order = ("number",)
    storage = Storage("Purch. Rcpt. Header", unique=(("number",),), groups=("orderNumber", "vendorNumber"))
    navigations = (
        Navigation("purchaseReceiptLines", "purchaseReceiptLines"),
        Navigation("dimensionSetLines", "dimensionSetLines"),
    )
    dimension_parent = "Purchase Receipt"
    fields = (
        key(),
        shown("number", Kind.CODE, 20),
        shown("invoiceDate", Kind.DATE),
        shown("postingDate", Kind.DATE),
        shown("dueDate", Kind.DATE),
        shown("vendorNumber", Kind.CODE, 20),
        shown("vendorName", Kind.TEXT, 100),
        shown("payToName", Kind.TEXT, 100),
        shown("payToContact", Kind.TEXT, 100),
        shown("payToVendorNumber", Kind.CODE, 20),
        shown("shipToName", Kind.TEXT, 100),
        shown("shipToContact", Kind.TEXT, 100),
        *address("buyFrom", Writing.REFUSED),
        *address("shipTo", Writing.REFUSED),
        *address("payTo", Writing.REFUSED),
        shown("currencyCode", Kind.TEXT),
        shown("orderNumber", Kind.CODE, 20),
        modified(),
    )

    def rows_above(self, call: Call, parent: Parent | None, column: str, value: object) -> Iterable[Row] | None:
        """Receipts behind a watermark, found from the end: they are only ever added."""
        if parent is not None or column != "lastModifiedDateTime":
            return None
        found = []
        for row in reversed(self.table(call).rows.values()):
            if row.values[column] <= value:
                break
            found.append(row)
        return self.in_order(found)


class PurchaseReceiptLines(EntitySet):
    """A receipt has a line for every line of its order, with quantity 0 where nothing came (AL, Purch.-Post). Nothing
    leads back to the order line but the equal sequence. That the set may be read flat is assumed (bc.md section 4).
    """

    name = "purchaseReceiptLines"
    entity = "purchaseReceiptLine"
    title = "Purch. Rcpt. Line"
    table_id = 121
    storage = Storage("Purch. Rcpt. Line", unique=(("documentId", "sequence"),), groups=("documentId",))
    navigations = (Navigation("dimensionSetLines", "dimensionSetLines"),)
    dimension_parent = "Purchase Receipt Line"
    fields = (
        key(),
        shown("documentId", Kind.GUID),
        shown("sequence", Kind.INT),
        shown("lineType", Kind.ENUM, options=TYPE),
        shown("lineObjectNumber", Kind.CODE, 20),
        shown("description", Kind.TEXT, 100),
        shown("description2", Kind.TEXT, 50),
        shown("unitOfMeasureCode", Kind.CODE, 10),
        shown("unitCost", Kind.DECIMAL),
        shown("quantity", Kind.DECIMAL),
        shown("discountPercent", Kind.DECIMAL),
        shown("taxPercent", Kind.DECIMAL),
        shown("expectedReceiptDate", Kind.DATE),
    )

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        if parent is None:
            return self.table(call)
        if parent.entity_set.name != "purchaseReceipts":
            raise errors.unknown_segment(self.name)
        return self.table(call).group("documentId", parent.row.id).values()

    def belongs(self, row: Row, parent: Parent) -> bool:
        return bool(row.values["documentId"] == parent.row.id)


AREA = Area(
    sets=(PurchaseReceipts(), PurchaseReceiptLines()),
    references=(
        Reference("vendors", "purchaseReceipts", "vendorNumber"),
        Reference("vendors", "purchaseReceipts", "payToVendorNumber"),
        Reference("items", "purchaseReceiptLines", "lineObjectNumber", only=("lineType", "Item")),
    ),
)
