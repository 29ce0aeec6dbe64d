"""What is checked before a purchase document is posted, in the order of bc.md section 15. The first refusal ends it,
and `purchase_posting` takes its native code away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.default_dimensions import broken
from isthmus.sandbox.business_central.areas.dimension_sets import blocked_text
from isthmus.sandbox.business_central.areas.dimensions import find_dimension, find_value
from isthmus.sandbox.business_central.areas.posting_groups import general_setup
from isthmus.sandbox.business_central.areas.purchase_amounts import quantity_of
from isthmus.sandbox.business_central.areas.purchase_fields import ACCOUNT, COMMENT, ITEM
from isthmus.sandbox.business_central.areas.purchase_headers import PurchaseDocuments, refuse_blocked_vendor
from isthmus.sandbox.business_central.areas.purchase_objects import PURCHASING_BLOCKED
from isthmus.sandbox.business_central.areas.purchase_setup import (
    books_purchases,
    knows_vat,
    payables_account,
    purchase_setup,
    vat_rate,
)
from isthmus.sandbox.business_central.areas.vendor_ledger import CREDIT_MEMO, INVOICE, posted_before
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.fields import NO_DATE
from isthmus.sandbox.business_central.posting import broken_rule, combination_blocked
from isthmus.sandbox.business_central.stock import Movement, check_movement
from isthmus.sandbox.business_central.tables import Row

NOTHING = "There is nothing to post because the document does not contain a quantity or amount."
_NUMBER_NEEDED = (
    "You need to enter the document number of the document from the vendor in the {field} field, so that this document "
    "stays linked to the original."
)


@dataclass(slots=True)
class Posting:
    """One document on its way into the books. `receive` and `invoice` are quantities by the id of the line; those of a
    credit memo go the other way (`sign` -1).
    """

    call: Call
    documents: PurchaseDocuments
    header: Row
    lines: list[Row]
    receive: dict[str, Decimal]
    invoice: dict[str, Decimal]
    #: The vendor's own number of the bill.
    external: str
    sign: int = 1
    transaction: int = 0
    #: What came of each line and is not invoiced: item entry, base quantity, expected cost (amounts as text).
    entries: dict[str, list[list[str]]] = field(default_factory=dict)

    @property
    def company(self) -> Company:
        return self.call.company

    @property
    def kind(self) -> str:
        """Type of the vendor's document, as ledgers have it."""
        return INVOICE if self.sign > 0 else CREDIT_MEMO

    def record(self, line: Row) -> str:
        """A line as TestField names it."""
        number = self.header.values["number"]
        kind, sequence = self.documents.document, line.values["sequence"]
        return f"Purchase Line: Document Type={kind}, Document No.={number}, Line No.={sequence}"

    def item(self, line: Row) -> Row | None:
        return self.company.tables["items"].rows.get(line.values["itemId"]) if line.values["lineType"] == ITEM else None


def check(posting: Posting) -> None:
    """Raises the first Refusal."""
    company, header = posting.company, posting.header.values
    record = posting.documents.record(posting.header)
    for caption, name in (("Posting Date", "postingDate"), ("Document Date", posting.documents.date_name)):
        if header[name] == NO_DATE:
            raise errors.must_have_value(caption, record)
    if not company.setup.allows_posting(header["postingDate"]):
        raise errors.dialog("Posting Date is not within your range of allowed posting dates.")
    vendors = company.tables["vendors"].rows
    for one in dict.fromkeys((vendors[header["vendorId"]], vendors[header["payToVendorId"]])):
        refuse_blocked_vendor(one, "post")
    if not any(posting.receive.values()) and not any(posting.invoice.values()):
        raise errors.dialog(NOTHING)
    if any(posting.invoice.values()):
        _check_number(posting)
    for line in posting.lines:
        if line.values["lineType"] != COMMENT:
            _check_line(posting, line)
    if any(posting.invoice.values()) and books_purchases(company):
        group = posting.header.hidden["vendor_group"]
        if payables_account(company, group) is None:
            raise missing("Vendor Posting Group", f"Code='{group}'")


def _check_number(posting: Posting) -> None:
    company, external = posting.company, posting.external
    if not external:
        if purchase_setup(company).ext_doc_no_mandatory:
            name = "Vendor Invoice No." if posting.sign > 0 else "Vendor Cr. Memo No."
            raise errors.dialog(_NUMBER_NEEDED.format(field=name))
        return
    vendor = posting.header.values["payToVendorNumber"]
    if posted_before(company, vendor, posting.kind, external) is not None:
        kind = "Invoice" if posting.sign > 0 else "Credit Memo"
        # %2 is the vendor's number in AL; bc.md's example does not say.
        raise errors.dialog(f"Purchase {kind} {external} already exists for this vendor.")


def _check_line(posting: Posting, line: Row) -> None:
    receive, invoice = posting.receive.get(line.id), posting.invoice.get(line.id)
    if not receive and not invoice:
        return
    if not line.values["lineObjectNumber"]:
        raise errors.must_have_value("No.", posting.record(line))
    _check_dimensions(posting, line)
    item = posting.item(line)
    if item is not None:
        number = item.values["number"]
        if item.values["blocked"]:
            raise errors.must_equal("Blocked", "No", f"Item: No.={number}", "Yes")
        if item.hidden["purchasing_blocked"] and posting.sign > 0:
            raise errors.dialog(PURCHASING_BLOCKED)
    _check_setup(posting, line, invoicing=bool(invoice))
    if item is not None and item.values["type"] == "Inventory" and receive:
        _check_warehouse(posting, line)
        offset = "direct_cost_applied_account"
        check_movement(posting.company, movement(posting, line, item, "?"), offset=offset)


def _check_warehouse(posting: Posting, line: Row) -> None:
    location = posting.company.tables["locations"].one(("code",), line.hidden["location"])
    if posting.sign < 0 or location is None:
        return
    if location.hidden["require_receive"] or location.hidden["require_put_away"]:
        kind, number = posting.documents.document, posting.header.values["number"]
        text = f"Document Type = {kind}, Document No. = {number}, Line No. = {line.values['sequence']}."
        raise errors.dialog(f"Warehouse handling is required for {text}")


def _check_dimensions(posting: Posting, line: Row) -> None:
    company, dims = posting.company, line.hidden["dims"]
    place = f"{posting.documents.document} {posting.header.values['number']}, line no. {line.values['sequence']}"
    if combination_blocked(company, dims):
        raise errors.dialog(f"The combination of dimensions used in {place} is blocked.")
    text = _broken(posting, line, dims)
    if text:
        raise errors.dialog(f"The dimensions used in {place} are invalid. {text}")


def _broken(posting: Posting, line: Row, dims: dict[str, str]) -> str:
    """What is wrong with the dimensions of a line: its values, then the rules of vendor, item and account."""
    company = posting.company
    for code, value_code in dims.items():
        dimension, value = find_dimension(company, code), find_value(company, code, value_code)
        text = blocked_text(dimension, value) if dimension is not None and value is not None else ""
        if text:
            return text
    vendor = company.tables["vendors"].rows[posting.header.values["vendorId"]]
    texts = [broken(company, vendor, f"Vendor {vendor.values['number']}", dims)]
    item = posting.item(line)
    if item is not None:
        texts.append(broken(company, item, f"Item {item.values['number']}", dims))
    if line.values["lineType"] == ACCOUNT:
        account = company.tables["accounts"].rows[line.values["accountId"]]
        for code, rule in account.hidden.get("dimensions", {}).items():
            name = f"G/L Account {account.values['number']}"
            texts.append(broken_rule(rule, code, dims.get(code, ""), name))
    return next((text for text in texts if text), "")


def _check_setup(posting: Posting, line: Row, *, invoicing: bool) -> None:
    company, header = posting.company, posting.header.hidden
    item = posting.item(line)
    if item is not None and company.settings.get("general_posting_setup"):
        business, product = header["gen_bus"], line.hidden["gen_prod"]
        setup = general_setup(company, business, product)
        if setup is None:
            key = f"Gen. Bus. Posting Group='{business}',Gen. Prod. Posting Group='{product}'"
            raise missing("General Posting Setup", key)
        if invoicing and books_purchases(company) and not setup["purchase_account"]:
            key = f"Gen. Bus. Posting Group={business}, Gen. Prod. Posting Group={product}"
            raise errors.must_have_value("Purch. Account", f"General Posting Setup: {key}")
    code = line.values["taxCode"]
    if code and knows_vat(company):
        rate = vat_rate(company, header["vat_bus"], code)
        key = f"VAT Bus. Posting Group='{header['vat_bus']}',VAT Prod. Posting Group='{code}'"
        if rate is None:
            raise missing("VAT Posting Setup", key)
        if rate.blocked:
            raise errors.must_equal("Blocked", "No", f"VAT Posting Setup: {key.replace(chr(39), '')}", "Yes")
        if invoicing and books_purchases(company) and rate.percent and not rate.account:
            raise errors.must_have_value("Purchase VAT Account", f"VAT Posting Setup: {key.replace(chr(39), '')}")


def missing(title: str, key: str) -> Refusal:
    """A record AL did not find while posting."""
    text = f"The {title} does not exist. Identification fields and values: {key}"
    return Refusal(400, "Internal_RecordNotFound", text)


def movement(posting: Posting, line: Row, item: Row, document_number: str) -> Movement:
    """The item ledger movement of a line; its cost comes with the bill."""
    header = posting.header
    return Movement(
        item=item,
        kind="Purchase",
        quantity=base_quantity(line, posting.receive[line.id]) * posting.sign,
        cost=Decimal(0),
        posting_date=header.values["postingDate"],
        document_number=document_number,
        record=posting.record(line),
        location=line.hidden["location"],
        description=line.values["description"],
        document_type="Purchase Receipt" if posting.sign > 0 else "Purchase Credit Memo",
        source_type="Vendor",
        source_number=header.values["vendorNumber"],
        business_group=header.hidden["gen_bus"],
        external=posting.external,
        dims=line.hidden["dims"],
    )


def base_quantity(line: Row, quantity: Decimal) -> Decimal:
    """A quantity in base units of the item, to five decimals."""
    return quantity_of(quantity * line.hidden["per_unit"])
