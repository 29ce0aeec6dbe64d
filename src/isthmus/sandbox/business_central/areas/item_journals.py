"""Item journals and item reclassification journals: lines wait in a batch until a person posts it. No set of v2.0 shows
them (bc.md section 18); the published pages 40 and 393 write them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.registry import Area, Reference
from isthmus.sandbox.business_central.stock import Movement, check_movement, post_movement
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction, Values

BATCHES = Storage(
    "Item Journal Batch",
    unique=(("template", "batch"),),
    captions=(("template", "Journal Template Name"), ("batch", "Name")),
)
LINES = Storage(
    "Item Journal Line",
    unique=(("template", "batch", "lineNumber"),),
    groups=("batchId", "batch", "documentNumber", "itemNumber"),
    decimals=("quantity", "quantityPerUnit", "unitAmount", "amount", "discountAmount", "unitCost"),
    captions=(
        ("template", "Journal Template Name"),
        ("batch", "Journal Batch Name"),
        ("lineNumber", "Line No."),
    ),
)
TRANSFER = "Transfer"


def find_batch(company: Company, template: str, batch: str) -> Row | None:
    return company.tables["itemJournalBatches"].one(("template", "batch"), template, batch)


def lines_of(company: Company, batch: Row) -> list[Row]:
    """Lines in order of their number."""
    found = company.tables["itemJournalLines"].group("batchId", batch.id).values()
    return sorted(found, key=lambda line: int(line.values["lineNumber"]))


def post_batch(company: Company, tx: Transaction, template: str, batch: str, stamp: str) -> dict[str, Any]:
    """What a person does with Post in the journal: all lines or none. Returns numbers of what was posted."""
    journal = find_batch(company, template.upper(), batch.upper())
    if journal is None:
        raise ValueError(f"company {company.name!r} has no item journal batch {template}/{batch}")
    # A line without item is passed over, as AL's EmptyLine does (assumed).
    lines = [line for line in lines_of(company, journal) if line.values["itemNumber"]]
    if not lines:
        raise errors.dialog("There is nothing to post.")
    transaction = company.count("transaction")
    numbers: dict[str, str] = {}
    entries = 0
    for line in lines:
        number = _posted_number(company, journal, line, numbers)
        for movement in _movements(company, line, number):
            check_movement(company, movement)
            post_movement(company, tx, movement, transaction, stamp)
            entries += 1
    table = company.tables["itemJournalLines"]
    for line in lines_of(company, journal):
        table.delete(tx, line)
    return {"lines": len(lines), "entries": entries, "documents": sorted(set(numbers.values()))}


def _posted_number(company: Company, journal: Row, line: Row, numbers: dict[str, str]) -> str:
    """The document number as posted: a posting number series gives another one; the batch's own moves on when used."""
    drafted = line.values["documentNumber"]
    if drafted not in numbers:
        posting, series = journal.values["postingNoSeries"], journal.values["noSeries"]
        if posting and drafted:
            numbers[drafted] = company.take_number(posting)
        else:
            numbers[drafted] = drafted
            if series and drafted == company.peek_number(series):
                company.take_number(series)
    return numbers[drafted]


def _movements(company: Company, line: Row, number: str) -> list[Movement]:
    """What a line moves: once, or for a transfer out of one location and into the other."""
    values = line.values
    record = (
        f"Item Journal Line: Journal Template Name={values['template']}, Journal Batch Name={values['batch']}, "
        f"Line No.={values['lineNumber']}"
    )
    item = company.tables["items"].one(("number",), values["itemNumber"])
    if item is None:
        raise errors.no_relation("Item No.", "Item Journal Line", values["itemNumber"], "Item")
    if not values["quantity"]:
        raise errors.must_have_value("Quantity", record)
    quantity = values["quantity"] * values["quantityPerUnit"]  # in base units
    sign = -1 if values["entryType"] in {"Sale", "Negative Adjmt.", "Consumption", TRANSFER} else 1
    cost = company.round(values["quantity"] * values["unitCost"])
    kept: dict[str, Any] = {
        "item": item,
        "kind": values["entryType"],
        "posting_date": values["postingDate"],
        "document_number": number,
        "record": record,
        "description": values["description"],
        "business_group": values["generalBusinessGroup"],
        "external": values["externalDocumentNumber"],
        "journal": values["batch"],
        "lot": values["lotNumber"],
        "serial": values["serialNumber"],
    }
    out = Movement(
        **kept,
        quantity=sign * quantity,
        cost=sign * cost,
        location=values["locationCode"],
        bin=values["binCode"],
        dims=line.hidden["dims"],
    )
    if values["entryType"] != TRANSFER:
        return [out]
    into = Movement(
        **kept,
        quantity=quantity,
        cost=cost,
        location=values["newLocationCode"],
        bin=values["newBinCode"],
        dims=line.hidden["new_dims"],
    )
    return [out, into]


class ItemJournalSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A batch of a seed file. `type` item or transfer is that of its template, which is made with it."""

    template: str
    batch: str
    type: str = "item"
    description: str = ""
    no_series: str = ""
    posting_no_series: str = ""


def _seed(company: Company, tx: Transaction, given: list[ItemJournalSeed]) -> None:
    table = company.tables["itemJournalBatches"]
    for one in given:
        template, batch = one.template.upper(), one.batch.upper()
        if one.type not in {"item", "transfer"}:
            raise ValueError(f"item journal {template}/{batch}: type {one.type!r}; use item or transfer")
        series = {"noSeries": one.no_series.upper(), "postingNoSeries": one.posting_no_series.upper()}
        for code in series.values():
            if code and code not in company.series:
                raise ValueError(f"item journal {template}/{batch}: no number series {code!r}; seed it first")
        values: Values = {"template": template, "batch": batch, "type": one.type, "description": one.description}
        values |= series
        found = find_batch(company, template, batch)
        if found is None:
            values["id"] = company.seeded_id("itemJournalBatches", template, batch)
            table.insert(tx, Row(values))
        else:
            table.update(tx, found, values)


#: What a new company has.
STANDARD = (
    {"template": "ITEM", "batch": "DEFAULT", "type": "item"},
    {"template": "RECLASS", "batch": "DEFAULT", "type": "transfer"},
)


AREA = Area(
    tables={"itemJournalBatches": BATCHES, "itemJournalLines": LINES},
    references=(
        Reference("items", "itemJournalLines", "itemNumber"),
        Reference("unitsOfMeasure", "itemJournalLines", "unitCode"),
        Reference("locations", "itemJournalLines", "locationCode"),
        Reference("locations", "itemJournalLines", "newLocationCode"),
    ),
    seeds={"item_journals": (list[ItemJournalSeed], _seed)},
    after=("number_series",),
)
