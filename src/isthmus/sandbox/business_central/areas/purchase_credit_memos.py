"""`purchaseCreditMemos` and their lines: what a vendor takes back or lets off (bc.md section 15)."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.purchase_credit_posting import cancel_credit_memo, post_credit_memo
from isthmus.sandbox.business_central.areas.purchase_fields import (
    CURRENCY,
    LINE_DISCOUNT,
    LINE_KEY,
    LINE_OBJECT,
    LINE_PLACE,
    LINE_UNIT,
    PAY_TO,
    SHORTCUTS,
    TOTALS,
    VENDOR,
    address,
    line_amounts,
)
from isthmus.sandbox.business_central.areas.purchase_headers import PurchaseDocuments, VendorTexts
from isthmus.sandbox.business_central.areas.purchase_lines import PurchaseLines
from isthmus.sandbox.business_central.areas.purchase_setup import purchase_setup
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import Navigation, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import NO_GUID, Field, Kind, Options, Writing, key, modified, shown
from isthmus.sandbox.business_central.registry import Area, Reference
from isthmus.sandbox.business_central.tables import Row, Storage, Values

STATUS = Options("Purch. Cr. Memo Entity Status", ("Draft", "In Review", "Open", "Canceled", "Corrective", "Paid"))
_UPGRADE = (
    "You must run the data upgrade for this API page before using it. You can run the data upgrade by navigating to "
    "API Data Upgrade page and scheduling upgrade for Purchase Credit Memos."
)


class PurchaseCreditMemos(PurchaseDocuments):
    """Drafts and posted ones; `invoiceNumber` is the posted invoice it is applied to."""

    name = "purchaseCreditMemos"
    entity = "purchaseCreditMemo"
    title = "Purch. Cr. Memo Entity Buffer"
    table_id = 5508
    storage = Storage(
        "Purchase Header", unique=(("number",),), groups=("vendorNumber", "vendorCreditMemoNumber", "invoiceNumber")
    )
    navigations = (
        Navigation("dimensionSetLines", "dimensionSetLines"),
        Navigation("purchaseCreditMemoLines", "purchaseCreditMemoLines"),
        Navigation("vendor", "vendors", by="vendorId"),
        Navigation("currency", "currencies", by="currencyId"),
        Navigation("paymentTerm", "paymentTerms", by="paymentTermsId"),
    )
    dimension_parent = "Purchase Credit Memo"
    fields = (
        key(),
        shown("number", Kind.CODE, 20),
        Field("creditMemoDate", Kind.DATE),
        Field("postingDate", Kind.DATE),
        Field("dueDate", Kind.DATE),
        *VENDOR,
        Field("vendorCreditMemoNumber", Kind.CODE, 35),
        *PAY_TO,
        shown("payToName", Kind.TEXT, 100),
        *address("buyFrom"),
        *address("payTo"),
        *SHORTCUTS,
        *CURRENCY,
        Field("paymentTermsId", Kind.GUID),
        Field("shipmentMethodId", Kind.GUID),
        Field("purchaser", Kind.CODE, 20),
        shown("pricesIncludeTax", Kind.BOOL),
        *TOTALS,
        shown("status", Kind.ENUM, options=STATUS),
        modified(),
        Field("invoiceId", Kind.GUID),
        Field("invoiceNumber", Kind.CODE, 20),
        Field("vendorReturnReasonId", Kind.GUID),
    )
    document = "Credit Memo"
    lines = "purchaseCreditMemoLines"
    date_name = "creditMemoDate"
    series = "credit_memo_series"
    texts = VendorTexts(
        'A "vendorNumber" or a "vendorId" must be provided.',
        "The buy-from vendor cannot be found.",
        "The buy-from vendor values do not match to a Vendor.",
        pay_to_differ="The pay-to vendor values do not match to a Vendor.",
    )

    def __init__(self) -> None:
        super().__init__()
        self.actions |= {"post": _post, "cancel": _cancel}

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        _refuse_before_upgrade(call)
        return super().rows(call, parent)

    def candidates(self, call: Call, parent: Parent | None, column: str, value: object) -> Iterable[Row] | None:
        _refuse_before_upgrade(call)
        return super().candidates(call, parent, column, value)

    def find(self, call: Call, parent: Parent | None, key: str) -> Row:
        _refuse_before_upgrade(call)
        return super().find(call, parent, key)

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        _refuse_before_upgrade(call)
        return super().create(call, parent, values | _invoice(call.company, values))

    def change(self, call: Call, row: Row, values: Values) -> Row:
        return super().change(call, row, values | _invoice(call.company, values))


class PurchaseCreditMemoLines(PurchaseLines):
    """`unitCost` is the direct unit cost; quantities are those that go back, above zero."""

    name = "purchaseCreditMemoLines"
    entity = "purchaseCreditMemoLine"
    title = "Purch. Inv. Line Aggregate"
    table_id = 5478
    of = "purchaseCreditMemos"
    flat_text = "You must specify an id or a Document Id to get the lines."
    dimension_parent = "Purchase Credit Memo Line"
    fields = (
        *LINE_KEY,
        *LINE_OBJECT,
        *LINE_UNIT,
        Field("unitCost", Kind.DECIMAL),
        Field("quantity", Kind.DECIMAL),
        *LINE_DISCOUNT,
        *line_amounts(Writing.REFUSED),
        *LINE_PLACE,
    )


def _refuse_before_upgrade(call: Call) -> None:
    if purchase_setup(call.company).credit_memos_need_upgrade:
        raise errors.dialog(_UPGRADE)


def _invoice(company: Company, given: Values) -> Values:
    """The posted invoice that invoiceId or invoiceNumber names; a number alone is taken as it is (AL's table relation
    allows it; assumed). Raises Refusal.
    """
    table = company.tables["purchaseInvoices"]
    key, number = given.get("invoiceId", NO_GUID), given.get("invoiceNumber", "")
    by_id = table.rows.get(key)
    if key != NO_GUID and (by_id is None or not by_id.hidden["posted"]):
        raise errors.dialog('The "invoiceId" does not match to an Invoice.')
    if by_id is not None and number not in {"", by_id.values["number"]}:
        raise errors.dialog('The "invoiceId" and "invoiceNumber" do not match to a specific Invoice.')
    if by_id is not None:
        return {"invoiceId": by_id.id, "invoiceNumber": by_id.values["number"]}
    if not number:
        return {}
    by_number = table.one(("number",), number)
    found = by_number is not None and by_number.hidden["posted"]
    return {"invoiceId": by_number.id if by_number is not None and found else NO_GUID, "invoiceNumber": number}


def _post(call: Call, memo: Row) -> None:
    if memo.hidden["posted"]:
        raise errors.dialog("The action can be applied to a draft credit memo only.")
    post_credit_memo(call, memo)


def _cancel(call: Call, memo: Row) -> None:
    if not memo.hidden["posted"]:
        raise errors.dialog("The action can be applied to a posted credit memo only.")
    if memo.values["status"] == "Canceled":
        raise errors.dialog("The credit memo cannot be cancelled because it has already been canceled.")
    cancel_credit_memo(call, memo)


AREA = Area(
    sets=(PurchaseCreditMemos(), PurchaseCreditMemoLines()),
    references=(
        Reference("vendors", "purchaseCreditMemos", "vendorNumber"),
        Reference("vendors", "purchaseCreditMemos", "payToVendorNumber"),
        Reference("items", "purchaseCreditMemoLines", "lineObjectNumber", only=("lineType", "Item")),
    ),
)
