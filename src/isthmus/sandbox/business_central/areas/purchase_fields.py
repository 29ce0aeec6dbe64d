"""Properties that purchase documents and their lines share (bc.json, purchaseOrders and its neighbours)."""

from __future__ import annotations

from isthmus.sandbox.business_central.fields import Field, Kind, Options, Writing, key, shown

LINE_TYPE = Options(
    "Invoice Line Agg. Line Type",
    ("Comment", "Account", "Item", "Resource", "Fixed Asset", "Charge", "Allocation Account"),
)
COMMENT, ACCOUNT, ITEM = "Comment", "Account", "Item"

#: Address properties by prefix, with the property of a vendor they start from.
ADDRESS = {
    "AddressLine1": "addressLine1",
    "AddressLine2": "addressLine2",
    "City": "city",
    "Country": "country",
    "State": "state",
    "PostCode": "postalCode",
}
_ADDRESS_KINDS = {
    "AddressLine1": (Kind.TEXT, 100),
    "AddressLine2": (Kind.TEXT, 50),
    "City": (Kind.TEXT, 30),
    "Country": (Kind.CODE, 10),
    "State": (Kind.TEXT, 30),
    "PostCode": (Kind.CODE, 20),
}


def address(prefix: str, writing: Writing = Writing.ALLOWED) -> tuple[Field, ...]:
    """The six properties of an address."""
    return tuple(Field(f"{prefix}{name}", kind, size, writing) for name, (kind, size) in _ADDRESS_KINDS.items())


VENDOR = (
    Field("vendorId", Kind.GUID),
    Field("vendorNumber", Kind.CODE, 20),
    shown("vendorName", Kind.TEXT, 100),
)
PAY_TO = (Field("payToVendorId", Kind.GUID), Field("payToVendorNumber", Kind.CODE, 20))
SHIP_TO = (Field("shipToName", Kind.TEXT, 100), Field("shipToContact", Kind.TEXT, 100))
SHORTCUTS = (
    Field("shortcutDimension1Code", Kind.CODE, 20),
    Field("shortcutDimension2Code", Kind.CODE, 20),
)
CURRENCY = (Field("currencyId", Kind.GUID), Field("currencyCode", Kind.TEXT))
TOTALS = (
    Field("discountAmount", Kind.DECIMAL),
    shown("discountAppliedBeforeTax", Kind.BOOL),
    shown("totalAmountExcludingTax", Kind.DECIMAL),
    shown("totalTaxAmount", Kind.DECIMAL),
    shown("totalAmountIncludingTax", Kind.DECIMAL),
)

LINE_KEY = (key(), Field("documentId", Kind.GUID), Field("sequence", Kind.INT))
LINE_OBJECT = (
    Field("itemId", Kind.GUID),
    Field("accountId", Kind.GUID),
    Field("lineType", Kind.ENUM, options=LINE_TYPE),
    Field("lineObjectNumber", Kind.CODE, 20),
    Field("description", Kind.TEXT, 100),
)
LINE_UNIT = (Field("unitOfMeasureId", Kind.GUID), Field("unitOfMeasureCode", Kind.CODE, 10))
LINE_DISCOUNT = (
    Field("discountAmount", Kind.DECIMAL),
    Field("discountPercent", Kind.DECIMAL),
    shown("discountAppliedBeforeTax", Kind.BOOL),
)
LINE_PLACE = (Field("itemVariantId", Kind.GUID), Field("locationId", Kind.GUID))


def line_amounts(writing: Writing) -> tuple[Field, ...]:
    """Amounts of a line. The pages of invoice lines show most of them as editable; what is computed is ignored there
    (assumed).
    """
    return (
        Field("amountExcludingTax", Kind.DECIMAL, writing=writing),
        Field("taxCode", Kind.CODE, 50),
        shown("taxPercent", Kind.DECIMAL),
        shown("totalTaxAmount", Kind.DECIMAL),
        Field("amountIncludingTax", Kind.DECIMAL, writing=writing),
        Field("invoiceDiscountAllocation", Kind.DECIMAL, writing=writing),
        Field("netAmount", Kind.DECIMAL, writing=writing),
        Field("netTaxAmount", Kind.DECIMAL, writing=writing),
        Field("netAmountIncludingTax", Kind.DECIMAL, writing=writing),
    )
