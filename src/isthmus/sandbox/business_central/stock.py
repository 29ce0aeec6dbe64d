"""Movements of stock: what is checked, the item ledger entry, and its value in the general ledger.

The value is booked at once, as with automatic cost posting, on the accounts of the seeded posting set-up; a company
whose seed has no inventory_posting_setup books none. Quantities are in base units, costs in the company's currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.default_dimensions import broken
from isthmus.sandbox.business_central.areas.general_ledger import write_entry
from isthmus.sandbox.business_central.areas.item_ledger import on_hand, write_item_entry
from isthmus.sandbox.business_central.areas.posting_groups import general_setup, inventory_account
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.fields import NO_DATE, member
from isthmus.sandbox.business_central.tables import Row, Transaction


@dataclass(frozen=True, slots=True)
class Movement:
    """One item going in (quantity above zero) or out. `cost` has the sign of the quantity, or is zero where the value
    comes later. `kind`, `document_type` and `source_type` are AL names, e.g. `Positive Adjmt.`, `Purchase Receipt`.

    `record` names the line in error texts, e.g. `Item Journal Line: Journal Template Name=ITEM, ...`.
    """

    item: Row
    kind: str
    quantity: Decimal
    cost: Decimal
    posting_date: str
    document_number: str
    record: str
    location: str = ""
    description: str = ""
    document_type: str = " "
    source_type: str = " "
    source_number: str = ""
    business_group: str = ""
    external: str = ""
    journal: str = ""
    bin: str = ""
    lot: str = ""
    serial: str = ""
    dims: dict[str, str] = field(default_factory=dict)


def check_movement(company: Company, movement: Movement, *, offset: str = "inventory_adjustment_account") -> None:
    """Raises the first refusal; order assumed. Texts of bc.md sections 9 and 15, else as AL's TestField has them.
    `offset` is the account (a key of GeneralSetupSeed) its value will be booked against.
    """
    item, record = movement.item, movement.record
    name = item.values["number"]
    if movement.posting_date == NO_DATE:
        raise errors.must_have_value("Posting Date", record)
    if not company.setup.allows_posting(movement.posting_date):
        text = f"Posting Date is not within your range of allowed posting dates in {record.replace(': ', ' ', 1)}."
        raise Refusal(400, "Application_FieldValidationException", text)
    if not movement.document_number:
        raise errors.must_have_value("Document No.", record)
    if item.values["blocked"]:
        raise errors.must_equal("Blocked", "No", f"Item: No.={name}", "Yes")
    if item.values["type"] != "Inventory":
        raise errors.must_equal("Type", "Inventory", f"Item: No.={name}", item.values["type"])
    if not item.values["baseUnitOfMeasureCode"]:
        raise errors.must_have_value("Base Unit of Measure", f"Item: No.={name}")
    _check_tracking(movement)
    _check_location(company, movement)
    text = broken(company, item, f"Item {name}", movement.dims)
    if text:
        raise errors.dialog(f"A dimension used in {record} has caused an error. {text}")
    short = movement.quantity < 0 and on_hand(company, name, movement.location) + movement.quantity < 0
    if short and company.setup.prevent_negative_inventory:
        raise errors.dialog(f"You have insufficient quantity of Item {name} on inventory.")
    if _books(company):
        _accounts(company, movement.item, movement.location, movement.business_group, offset)


def _check_tracking(movement: Movement) -> None:
    tracking = movement.item.hidden["tracking"]
    if (tracking == "lot" and not movement.lot) or (tracking == "serial" and not movement.serial):
        raise errors.dialog(f"You must assign a {tracking} number for item {movement.item.values['number']}.")


def _check_location(company: Company, movement: Movement) -> None:
    if not movement.location:
        if company.setup.location_mandatory:
            raise errors.must_have_value("Location Code", movement.record)
        return
    location = company.tables["locations"].one(("code",), movement.location)
    if location is None:
        title = movement.record.partition(":")[0]
        raise errors.no_relation("Location Code", title, movement.location, "Location")
    if location.hidden["bin_mandatory"] and not movement.bin:
        raise errors.must_have_value("Bin Code", movement.record)


def post_movement(company: Company, tx: Transaction, movement: Movement, transaction: int, stamp: str) -> Row:
    """Write the entry and its value, without checks. `transaction` comes from `company.count("transaction")`, once per
    posting. Returns the item ledger entry.
    """
    values = {
        "postingDate": movement.posting_date,
        "entryType": member(movement.kind),
        "sourceNumber": movement.source_number,
        "sourceType": member(movement.source_type),
        "documentNumber": movement.document_number,
        "documentType": member(movement.document_type),
        "description": movement.description,
        "quantity": movement.quantity,
        "costAmountActual": movement.cost,
        "lastModifiedDateTime": stamp,
    }
    hidden = {
        "location": movement.location,
        "bin": movement.bin,
        "dims": dict(movement.dims),
        "external": movement.external,
        "journal": movement.journal,
        "transaction": transaction,
        "lot": movement.lot,
        "serial": movement.serial,
        "business_group": movement.business_group,
    }
    entry = write_item_entry(company, tx, movement.item, values, hidden)
    book_value(company, tx, entry, movement.cost, "inventory_adjustment_account", transaction, stamp)
    return entry


def add_cost(
    company: Company, tx: Transaction, entry: Row, cost: Decimal, posted: dict[str, Any], transaction: int, stamp: str
) -> None:
    """Give an entry a cost that became known later, such as an invoice's for a receipt, booked against the direct cost
    applied account. `posted` has postingDate, documentNumber and description of the document that brings it.
    """
    total = entry.values["costAmountActual"] + cost
    company.tables["itemLedgerEntries"].update(tx, entry, {"costAmountActual": total, "lastModifiedDateTime": stamp})
    book_value(company, tx, entry, cost, "direct_cost_applied_account", transaction, stamp, posted)


def book_value(
    company: Company,
    tx: Transaction,
    entry: Row,
    cost: Decimal,
    offset: str,
    transaction: int,
    stamp: str,
    posted: dict[str, Any] | None = None,
) -> None:
    """Debit stock and credit `offset` (a key of GeneralSetupSeed) with a cost; a negative one the other way round."""
    amount = company.round(cost)
    if not amount or not _books(company):
        return
    item = company.tables["items"].the(("number",), entry.values["itemNumber"])
    stock_account, other = _accounts(company, item, entry.hidden["location"], entry.hidden["business_group"], offset)
    source = posted or entry.values
    values = {name: source[name] for name in ("postingDate", "documentNumber", "description")}
    values["lastModifiedDateTime"] = stamp
    hidden = {
        "dims": entry.hidden["dims"],
        "transaction": transaction,
        "journal": entry.hidden["journal"],
        "drafted": values["documentNumber"],
        "external": entry.hidden["external"],
    }
    for account, signed in ((stock_account, amount), (other, -amount)):
        write_entry(company, tx, account=account, amount=signed, values=values, hidden=dict(hidden))


def _books(company: Company) -> bool:
    return bool(company.settings.get("inventory_posting_setup"))


def _accounts(company: Company, item: Row, location: str, business: str, offset: str) -> tuple[Row, Row]:
    """The stock account and the other one. Raises Refusal naming the set-up that is missing."""
    record = f"Item: No.={item.values['number']}"
    group, product = item.values["inventoryPostingGroupCode"], item.values["generalProductPostingGroupCode"]
    if not product:
        raise errors.must_have_value("Gen. Prod. Posting Group", record)
    if not group:
        raise errors.must_have_value("Inventory Posting Group", record)
    setup = general_setup(company, business, product)
    if setup is None:
        raise _missing(
            "General Posting Setup", f"Gen. Bus. Posting Group='{business}',Gen. Prod. Posting Group='{product}'"
        )
    number = inventory_account(company, location, group)
    if number is None:
        raise _missing("Inventory Posting Setup", f"Location Code='{location}',Invt. Posting Group Code='{group}'")
    if not setup[offset]:
        caption = {"inventory_adjustment_account": "Inventory Adjmt. Account"}.get(
            offset, "Direct Cost Applied Account"
        )
        key = f"Gen. Bus. Posting Group={business}, Gen. Prod. Posting Group={product}"
        raise errors.must_have_value(caption, f"General Posting Setup: {key}")
    accounts = company.tables["accounts"]
    return accounts.the(("number",), number), accounts.the(("number",), setup[offset])


def _missing(title: str, key: str) -> Refusal:
    """A record AL did not find: 400 when raised inside a posting (bc.md section 9)."""
    text = f"The {title} does not exist. Identification fields and values: {key}"
    return Refusal(400, "Internal_RecordNotFound", text)
