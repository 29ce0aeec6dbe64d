"""The bill of a posting: its lines, its entries in the general and the vendor ledger, and the cost of what came."""

from __future__ import annotations

from decimal import Decimal

from isthmus.sandbox.business_central.areas.general_ledger import write_entry
from isthmus.sandbox.business_central.areas.posting_groups import general_setup
from isthmus.sandbox.business_central.areas.purchase_amounts import amounts, gross
from isthmus.sandbox.business_central.areas.purchase_checks import Posting, base_quantity
from isthmus.sandbox.business_central.areas.purchase_fields import ITEM
from isthmus.sandbox.business_central.areas.purchase_receiving import book_expected, ledger_hidden
from isthmus.sandbox.business_central.areas.purchase_setup import books_purchases, payables_account, vat_rate
from isthmus.sandbox.business_central.areas.vendor_ledger import write_vendor_entry
from isthmus.sandbox.business_central.money import factor, precision, rounded
from isthmus.sandbox.business_central.stock import add_cost
from isthmus.sandbox.business_central.tables import Row, Values

_ZERO = Decimal(0)


def billed_amounts(posting: Posting, line: Row) -> Values:
    """Quantity, discounts and amounts of the part of a line that is billed."""
    quantity = posting.invoice.get(line.id, _ZERO)
    whole = line.values["quantity"]
    if quantity == whole:
        return dict(line.values)
    step = precision(posting.company, posting.header.values["currencyCode"])
    found = dict(line.values) | {"quantity": quantity}
    whole_price = gross(found, posting.documents.price, step)
    found["discountAmount"] = rounded(whole_price * line.values["discountPercent"] / 100, step)
    allocated = line.values["invoiceDiscountAllocation"]
    found["invoiceDiscountAllocation"] = rounded(allocated * quantity / whole, step) if whole else allocated
    including = posting.header.values["pricesIncludeTax"]
    return found | amounts(found, posting.documents.price, step, including_tax=including)


def bill(posting: Posting, document: Row, number: str, billed: dict[str, Values]) -> Row:
    """Book a bill: the general ledger where purchases are booked, the vendor's account, the cost of the goods.
    `document` is its row, `number` its posted number, `billed` the amounts by line. Returns the vendor ledger entry.
    """
    header = posting.header.values
    worth = factor(posting.company, header["currencyCode"], header["postingDate"])
    step = posting.company.setup.amount_precision
    owed = local = _ZERO
    for line in posting.lines:
        if not posting.invoice.get(line.id):
            continue
        one = billed[line.id]
        net = rounded(one["netAmount"] * worth, step) * posting.sign
        tax = rounded(one["netTaxAmount"] * worth, step) * posting.sign
        owed += one["netAmountIncludingTax"] * posting.sign
        local += net + tax
        _book_line(posting, line, net, tax, number)
        _add_cost(posting, line, net, number)
    if books_purchases(posting.company):
        account = payables_account(posting.company, posting.header.hidden["vendor_group"]) or ""
        _book(posting, None, account, -local, number)
    return _owe(posting, document, number, owed, local)


def _book_line(posting: Posting, line: Row, net: Decimal, tax: Decimal, number: str) -> None:
    company, header = posting.company, posting.header.hidden
    if not books_purchases(company):
        return
    account = line.values["lineObjectNumber"]
    if line.values["lineType"] == ITEM:
        setup = general_setup(company, header["gen_bus"], line.hidden["gen_prod"])
        account = setup["purchase_account"] if setup is not None else ""
    _book(posting, line, account, net, number)
    rate = vat_rate(company, header["vat_bus"], line.values["taxCode"])
    if rate is not None:
        _book(posting, line, rate.account, tax, number)


def _book(posting: Posting, line: Row | None, account_number: str, amount: Decimal, number: str) -> None:
    company, call = posting.company, posting.call
    if not amount or not account_number:
        return
    values = {
        "postingDate": posting.header.values["postingDate"],
        "documentNumber": number,
        "documentType": posting.kind,
        "description": line.values["description"] if line is not None else posting.header.values["vendorName"],
        "lastModifiedDateTime": call.stamp,
    }
    account = company.tables["accounts"].the(("number",), account_number.upper())
    write_entry(company, call.tx, account=account, amount=amount, values=values, hidden=ledger_hidden(posting, line))


def _add_cost(posting: Posting, line: Row, net: Decimal, number: str) -> None:
    """Give what came its cost, oldest first, and take back what was expected for it."""
    company, call = posting.company, posting.call
    waiting = posting.entries.get(line.id)
    if not waiting:
        return
    wanted = abs(base_quantity(line, posting.invoice[line.id]))
    left, worth, kept = wanted, net, []
    for entry_id, open_text, cost_text in waiting:
        open_quantity, cost = Decimal(open_text), Decimal(cost_text)
        taken = min(left, abs(open_quantity))
        left -= taken
        if not taken:
            kept.append([entry_id, open_text, cost_text])
            continue
        back = rounded(cost * taken / abs(open_quantity), company.setup.amount_precision)
        book_expected(posting, line, -back, number)
        entry = company.tables["itemLedgerEntries"].rows[entry_id]
        posted = {
            "postingDate": posting.header.values["postingDate"],
            "documentNumber": number,
            "description": line.values["description"],
        }
        share = rounded(net * taken / wanted, company.setup.amount_precision) if left else worth
        worth -= share
        add_cost(company, call.tx, entry, share, posted, posting.transaction, call.stamp)
        if taken != abs(open_quantity):
            kept.append([entry_id, str(open_quantity - taken.copy_sign(open_quantity)), str(cost - back)])
    posting.entries[line.id] = kept


def _owe(posting: Posting, document: Row, number: str, owed: Decimal, local: Decimal) -> Row:
    header = posting.header.values
    values = {
        "vendorNumber": header["payToVendorNumber"],
        "postingDate": header["postingDate"],
        "documentDate": header[posting.documents.date_name],
        "dueDate": document.values["dueDate"],
        "documentType": posting.kind,
        "documentNumber": number,
        "externalDocumentNumber": posting.external,
        "description": f"{posting.documents.document} {header['number']}",
        "currencyCode": header["currencyCode"],
        "amount": -owed,
        "localAmount": -local,
    }
    hidden = {"document": document.id, "transaction": posting.transaction, "dims": dict(posting.header.hidden["dims"])}
    return write_vendor_entry(posting.company, posting.call.tx, values, hidden)
