"""What an item journal line becomes when its fields are set: defaults, look-ups and amounts, as the table's triggers do
it when a person fills it in. Assumed where no source is named: bc.md has none for this table.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.default_dimensions import default_values
from isthmus.sandbox.business_central.areas.dimension_sets import refuse_blocked
from isthmus.sandbox.business_central.areas.dimensions import find_dimension, find_value
from isthmus.sandbox.business_central.areas.item_journals import TRANSFER, lines_of
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.fields import NO_DATE
from isthmus.sandbox.business_central.tables import Row, Values

TITLE = "Item Journal Line"
_INWARD = ("Purchase", "Positive Adjmt.", "Output")
#: Entry types the item journal takes; the reclassification journal takes Transfer alone.
_ITEM_TYPES = ("Purchase", "Sale", "Positive Adjmt.", "Negative Adjmt.")

BLANK: Values = {
    "template": "",
    "batch": "",
    "lineNumber": 0,
    "postingDate": NO_DATE,
    "documentDate": NO_DATE,
    "entryType": "",
    "documentNumber": "",
    "externalDocumentNumber": "",
    "itemNumber": "",
    "variantCode": "",
    "description": "",
    "locationCode": "",
    "newLocationCode": "",
    "binCode": "",
    "newBinCode": "",
    "salespersonCode": "",
    "generalBusinessGroup": "",
    "generalProductGroup": "",
    "quantity": Decimal(0),
    "unitCode": "",
    "quantityPerUnit": Decimal(1),
    "unitAmount": Decimal(0),
    "amount": Decimal(0),
    "discountAmount": Decimal(0),
    "unitCost": Decimal(0),
    "appliesToEntry": 0,
    "reasonCode": "",
    "serialNumber": "",
    "lotNumber": "",
}


def new_line(company: Company, journal: Row, given: Values, today: str) -> Row:
    """A line of a batch from what was given; what is missing comes from the line before, as on the page."""
    lines = lines_of(company, journal)
    last = lines[-1].values if lines else None
    series = journal.values["noSeries"]
    values = {
        **BLANK,
        "id": company.new_id(),
        "batchId": journal.id,
        "template": journal.values["template"],
        "batch": journal.values["batch"],
        "lineNumber": (last["lineNumber"] if last is not None else 0) + 10_000,
        "postingDate": last["postingDate"] if last is not None else today,
        "documentDate": last["documentDate"] if last is not None else today,
        "entryType": last["entryType"] if last is not None else "Purchase",
        "documentNumber": last["documentNumber"] if last is not None else company.peek_number(series) if series else "",
    }
    if journal.values["type"] == "transfer":
        values["entryType"] = TRANSFER
    line = Row(values, {"dims": {}, "new_dims": {}})
    line.values, line.hidden = filled(company, journal, line, given)
    return line


def filled(company: Company, journal: Row, line: Row, given: Values) -> tuple[Values, Values]:
    """Values and hidden values of a line after these fields were set. `given` may have shortcut1 to shortcut8 and
    newShortcut1, newShortcut2. Raises Refusal.
    """
    given = {name: value for name, value in given.items() if name not in {"batchId", "template", "batch"}}
    plain = {name: value for name, value in given.items() if name in BLANK}
    values = {**line.values, **plain}
    if "postingDate" in plain and "documentDate" not in plain:
        values["documentDate"] = values["postingDate"]
    _check_type(journal, values["entryType"])
    dims = dict(line.hidden["dims"])
    if "itemNumber" in plain:
        dims |= _set_item(company, values, plain)
    elif "entryType" in plain and "unitAmount" not in plain:
        _set_cost(company, values)
    _check_locations(company, values, plain)
    if "unitCode" in plain:
        _set_unit(company, values)
    _set_amounts(company, values, plain)
    new_dims = dict(line.hidden["new_dims"])
    if "itemNumber" in plain and values["entryType"] == TRANSFER:
        new_dims |= dims
    for name, code in given.items():
        if name.startswith(("shortcut", "newShortcut")):
            _set_shortcut(company, new_dims if name.startswith("new") else dims, int(name[-1]), code)
    return values, {**line.hidden, "dims": dims, "new_dims": new_dims}


def _check_type(journal: Row, kind: str) -> None:
    transfer = journal.values["type"] == "transfer"
    if (kind == TRANSFER) is not transfer or (not transfer and kind not in _ITEM_TYPES):
        raise errors.dialog(f"You cannot use entry type {kind} in this journal.")


def _set_item(company: Company, values: Values, plain: Values) -> dict[str, str]:
    """Take description, unit, groups and cost from the item; answers the dimension values it brings."""
    number = values["itemNumber"]
    if not number:
        return {}
    item = company.tables["items"].one(("number",), number)
    if item is None:
        raise errors.no_relation("Item No.", TITLE, number, "Item")
    if item.values["blocked"]:
        raise errors.must_equal("Blocked", "No", f"Item: No.={number}", "Yes")
    if not plain.get("description"):
        values["description"] = item.values["displayName"]
    if not plain.get("generalProductGroup"):
        values["generalProductGroup"] = item.values["generalProductPostingGroupCode"]
    values["unitCode"] = plain.get("unitCode") or item.values["baseUnitOfMeasureCode"]
    values["quantityPerUnit"] = Decimal(1)
    _set_unit(company, values)
    return default_values(company, item)


def _set_cost(company: Company, values: Values) -> None:
    """Cost and amount of one unit of the line from the item's cost of a base unit."""
    item = company.tables["items"].one(("number",), values["itemNumber"])
    if item is not None:
        cost = item.values["unitCost"] * values["quantityPerUnit"]
        values["unitCost"] = cost
        values["unitAmount"] = cost if values["entryType"] != TRANSFER else Decimal(0)


def _set_unit(company: Company, values: Values) -> None:
    code = values["unitCode"]
    if code:
        unit = company.tables["itemUnits"].one(("itemNumber", "code"), values["itemNumber"], code)
        if unit is None:
            raise errors.no_relation("Unit of Measure Code", TITLE, code, "Item Unit of Measure")
        values["quantityPerUnit"] = unit.values["quantityPerUnit"]
    _set_cost(company, values)


def _check_locations(company: Company, values: Values, plain: Values) -> None:
    for name, caption in (("locationCode", "Location Code"), ("newLocationCode", "New Location Code")):
        code = values[name]
        if name in plain and code and company.tables["locations"].one(("code",), code) is None:
            raise errors.no_relation(caption, TITLE, code, "Location")


def _set_amounts(company: Company, values: Values, plain: Values) -> None:
    """Amount is quantity by unit amount; a given amount decides the unit amount. What comes in costs its unit
    amount.
    """
    quantity = values["quantity"]
    if "amount" in plain and quantity:
        values["unitAmount"] = plain["amount"] / quantity
    elif "unitAmount" in plain:
        values["unitAmount"] = plain["unitAmount"]
    if "amount" not in plain or not quantity:
        values["amount"] = company.round(quantity * values["unitAmount"])
    if values["entryType"] in _INWARD and plain.keys() & {"unitAmount", "amount"}:
        values["unitCost"] = values["unitAmount"]
    elif "unitCost" in plain:
        values["unitCost"] = plain["unitCost"]


def _set_shortcut(company: Company, dims: dict[str, str], place: int, value: str) -> None:
    known = company.setup.shortcut_dimensions
    if place > len(known):
        if value:
            raise errors.dialog(f"Shortcut Dimension {place} Code is not set up in General Ledger Setup.")
        return
    code = known[place - 1].upper()
    dims.pop(code, None)
    if not value:
        return
    dimension, found = find_dimension(company, code), find_value(company, code, value)
    if dimension is None or found is None:
        raise errors.no_relation(f"Shortcut Dimension {place} Code", TITLE, value, "Dimension Value")
    refuse_blocked(dimension, found)
    dims[code] = value


def shortcuts(company: Company, dims: dict[str, str]) -> dict[int, str]:
    """The values of the shortcut dimensions 1 to 8."""
    known: list[Any] = [*company.setup.shortcut_dimensions, *[""] * 8]
    return {place: dims.get(known[place - 1].upper(), "") for place in range(1, 9)}
