"""What a purchase line is about: an item, a G/L account or nothing but text; its unit, location, variant and VAT."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.default_dimensions import default_values
from isthmus.sandbox.business_central.areas.purchase_fields import ACCOUNT, COMMENT, ITEM
from isthmus.sandbox.business_central.areas.purchase_setup import PurchaseSetup, knows_vat, vat_products, vat_rate
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.fields import NO_GUID
from isthmus.sandbox.business_central.tables import Row, Values

BOTH = 'Both "itemId" and "accountId" are specified. Specify only one of them.'
FIXED_NUMBER = 'The value for "lineObjectNumber" cannot be modified.'
NO_ITEM, NO_ACCOUNT = "Item does not exist.", "Account does not exist."
PURCHASING_BLOCKED = (
    "You cannot purchase this item because the Purchasing Blocked check box is selected on the item card."
)
_TABLE = "Purchase Line"
#: Tables of line types this sandbox has no records of: every number is unknown there.
_OTHERS = {
    COMMENT: "Standard Text",
    "Resource": "Resource",
    "Fixed_x0020_Asset": "Fixed Asset",
    "Charge": "Item Charge",
    "Allocation_x0020_Account": "Allocation Account",
}
#: The type of a line as posted receipts show it.
PURCHASE_TYPE = {COMMENT: "_x0020_", ACCOUNT: "G_x002F_L_x0020_Account", ITEM: "Item"}


@dataclass(slots=True)
class Edit:
    """A line while it is written: `row` and `hidden` are its values to be, changed in place.

    Hidden of a line: dims; per_unit, how many base units its unit is; location, the code; gen_prod, the product group;
    entries, what was received and not invoiced (see `purchase_receiving`).
    """

    company: Company
    setup: PurchaseSetup
    header: Row
    document: str
    price: str
    row: Values
    hidden: Values

    @property
    def record(self) -> str:
        """The line as TestField names it."""
        return f"{_TABLE}: {self.place(', ', '')}"

    def place(self, between: str, quote: str) -> str:
        parts = {
            "Document Type": self.document,
            "Document No.": self.header.values["number"],
            "Line No.": self.row["sequence"],
        }
        return between.join(f"{name}={quote}{value}{quote}" for name, value in parts.items())

    def field_error(self, text: str) -> Refusal:
        """AL's FieldError; its code is assumed to be that of TestField."""
        found = f"{text} in {_TABLE} {self.place(',', chr(39))}."
        return Refusal(400, "Application_FieldValidationException", found)

    @property
    def item(self) -> Row | None:
        return self.company.tables["items"].rows.get(self.row["itemId"])


def blank_hidden(dims: dict[str, str]) -> Values:
    return {"dims": dict(dims), "per_unit": Decimal(1), "location": "", "gen_prod": "", "entries": []}


def set_object(edit: Edit, given: Values) -> None:
    """Make the line one about what itemId, accountId, lineType or lineObjectNumber name; what stays as it is, is passed
    over. That an id goes before a number, and what both together raise, is assumed.
    """
    row = edit.row
    asked = {name: value for name, value in given.items() if row.get(name) != value}
    if given.get("itemId", NO_GUID) != NO_GUID and given.get("accountId", NO_GUID) != NO_GUID:
        raise errors.dialog(BOTH)
    if asked.get("accountId", NO_GUID) != NO_GUID and given.get("itemId", row["itemId"]) != NO_GUID:
        raise errors.dialog(BOTH)
    number = asked.get("lineObjectNumber", "")
    if number and row["lineObjectNumber"]:
        raise errors.dialog(FIXED_NUMBER)
    found = _by_id(edit, asked)
    if found is None and "lineType" in asked:
        _clear(edit, asked["lineType"])
    if found is None and number:
        found = _by_number(edit, row["lineType"], number)
    if found is None:
        return
    kind, one = found
    if given.get("lineType", kind) != kind:
        raise errors.dialog(NO_ITEM if given["lineType"] == ITEM else NO_ACCOUNT)
    if number and number != one.values["number"]:
        raise errors.dialog(FIXED_NUMBER)
    _clear(edit, kind)
    (_take_item if kind == ITEM else _take_account)(edit, one)


def _by_id(edit: Edit, asked: Values) -> tuple[str, Row] | None:
    ways = (("itemId", "items", ITEM, NO_ITEM), ("accountId", "accounts", ACCOUNT, NO_ACCOUNT))
    for name, target, kind, text in ways:
        key = asked.get(name, NO_GUID)
        if key != NO_GUID:
            found = edit.company.tables[target].rows.get(key)
            if found is None:
                raise errors.dialog(text)
            return kind, found
    return None


def _by_number(edit: Edit, kind: str, number: str) -> tuple[str, Row]:
    if kind in _OTHERS:
        raise errors.no_relation("No.", _TABLE, number, _OTHERS[kind])
    found = edit.company.tables["items" if kind == ITEM else "accounts"].one(("number",), number)
    if found is None:
        raise errors.dialog(NO_ITEM if kind == ITEM else NO_ACCOUNT)
    return kind, found


def _clear(edit: Edit, kind: str) -> None:
    """A line of this type before it is about anything; its quantity stays."""
    edit.row |= {
        "lineType": kind,
        "itemId": NO_GUID,
        "accountId": NO_GUID,
        "lineObjectNumber": "",
        "unitOfMeasureId": NO_GUID,
        "unitOfMeasureCode": "",
        "itemVariantId": NO_GUID,
        edit.price: Decimal(0),
    }
    edit.hidden |= {"per_unit": Decimal(1), "gen_prod": ""}


def _take_item(edit: Edit, item: Row) -> None:
    values, record = item.values, f"Item: No.={item.values['number']}"
    if values["blocked"]:
        raise errors.must_equal("Blocked", "No", record, "Yes")
    if item.hidden["purchasing_blocked"] and edit.document != "Credit Memo":
        raise errors.dialog(PURCHASING_BLOCKED)
    if edit.company.settings.get("general_posting_setup"):
        if not values["generalProductPostingGroupCode"]:
            raise errors.must_have_value("Gen. Prod. Posting Group", record)
        if values["type"] == "Inventory" and not values["inventoryPostingGroupCode"]:
            raise errors.must_have_value("Inventory Posting Group", record)
    edit.row |= {"itemId": item.id, "lineObjectNumber": values["number"], "description": values["displayName"]}
    if "description2" in edit.row:
        edit.row["description2"] = values["displayName2"]
    edit.hidden["gen_prod"] = values["generalProductPostingGroupCode"]
    edit.hidden["dims"] = default_values(edit.company, item) | edit.hidden["dims"]
    set_unit(edit, values["baseUnitOfMeasureCode"])
    set_tax(edit, item.hidden["vat_prod_posting_group"])


def _take_account(edit: Edit, account: Row) -> None:
    values, record = account.values, f"G/L Account: No.={account.values['number']}"
    if values["accountType"] != "Posting":
        raise errors.must_equal("Account Type", "Posting", record, values["accountType"])
    if values["blocked"]:
        raise errors.must_equal("Blocked", "No", record, "Yes")
    if not values["directPosting"]:
        raise errors.must_equal("Direct Posting", "Yes", record, "No")
    edit.row |= {"accountId": account.id, "lineObjectNumber": values["number"], "description": values["displayName"]}
    rules = account.hidden.get("dimensions", {})
    edit.hidden["dims"] = {code: rule["value"] for code, rule in rules.items() if rule["value"]} | edit.hidden["dims"]
    set_tax(edit, "")


def set_unit(edit: Edit, code: str) -> None:
    """A unit the item has, or for other lines any unit. It brings the item's cost per unit as price (assumed)."""
    company, item = edit.company, edit.item
    unit = company.tables["unitsOfMeasure"].one(("code",), code)
    factor = Decimal(1)
    if code and item is not None:
        known = company.tables["itemUnits"].one(("itemNumber", "code"), item.values["number"], code)
        if known is None:
            raise errors.no_relation("Unit of Measure Code", _TABLE, code, "Item Unit of Measure")
        factor = known.values["quantityPerUnit"]
    elif code and unit is None:
        raise errors.no_relation("Unit of Measure Code", _TABLE, code, "Unit of Measure")
    edit.row |= {"unitOfMeasureCode": code, "unitOfMeasureId": unit.id if unit is not None else NO_GUID}
    edit.hidden["per_unit"] = factor
    if item is not None and item.values["unitCost"]:
        edit.row[edit.price] = item.values["unitCost"] * factor


def set_unit_id(edit: Edit, key: str) -> None:
    unit = edit.company.tables["unitsOfMeasure"].rows.get(key)
    if unit is None and key != NO_GUID:
        raise errors.no_relation("Unit of Measure Id", _TABLE, key, "Unit of Measure")
    set_unit(edit, unit.values["code"] if unit is not None else "")


def set_location(edit: Edit, key: str) -> None:
    location = edit.company.tables["locations"].rows.get(key)
    if location is None and key != NO_GUID:
        raise errors.no_relation("Location Id", _TABLE, key, "Location")
    edit.row["locationId"] = key
    edit.hidden["location"] = location.values["code"] if location is not None else ""


def set_variant(edit: Edit, key: str) -> None:
    """A variant of the line's item."""
    table = edit.company.tables.get("itemVariants")
    variant = table.rows.get(key) if table is not None else None
    if key != NO_GUID and (variant is None or variant.values["itemId"] != edit.row["itemId"]):
        raise errors.no_relation("Variant Id", _TABLE, key, "Item Variant")
    edit.row["itemVariantId"] = key


def set_tax(edit: Edit, code: str) -> None:
    """The VAT product posting group and the rate it has for the vendor. Where VAT is not set up any code goes, at no
    rate (assumed).
    """
    company, percent = edit.company, Decimal(0)
    if code and knows_vat(company):
        if code not in vat_products(company):
            raise errors.no_relation("VAT Prod. Posting Group", _TABLE, code, "VAT Product Posting Group")
        rate = vat_rate(company, edit.header.hidden["vat_bus"], code)
        percent = rate.percent if rate is not None else percent
    edit.row |= {"taxCode": code, "taxPercent": percent}
