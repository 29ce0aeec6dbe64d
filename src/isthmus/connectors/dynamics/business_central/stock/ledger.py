"""Finding stock transactions in the books: item ledger entries by document number (bc.json, semantics.md §5).

An entry shows item, signed base quantity and document number; location, lot and dimensions it does not show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics._odata import Row, any_of, chunks, literal
from isthmus.connectors.dynamics.business_central.cursor import parse_moment
from isthmus.connectors.dynamics.business_central.native_records import decimal_of
from isthmus.connectors.dynamics.business_central.stock.movements import Movement
from isthmus.contract.operations import Outcome

_NUMBERS_PER_FILTER = 20
_FIELDS = "id,entryNumber,itemNumber,documentNumber,entryType,postingDate,quantity,lastModifiedDateTime"


async def entries_under(client: ODataClient, company: str, numbers: Sequence[str]) -> Mapping[str, Sequence[Row]]:
    """Entries by document number, oldest first."""
    found: dict[str, list[Row]] = {}
    for part in chunks(sorted(set(numbers)), _NUMBERS_PER_FILTER):
        options = {
            "$filter": any_of("documentNumber", map(literal, part)),
            "$select": _FIELDS,
            "$orderby": "entryNumber",
        }
        for row in await client.all(f"{company}/itemLedgerEntries", options):
            found.setdefault(str(row.data.get("documentNumber", "")).upper(), []).append(row)
    return found


async def find_moved(client: ODataClient, company: str, movements: Sequence[Movement]) -> dict[str, Outcome]:
    """Outcome by operation key of movements that are in the books: done, or reject when they were booked otherwise."""
    books = await entries_under(client, company, [movement.number for movement in movements])
    return {
        movement.key: _compare(movement, books[movement.number]) for movement in movements if movement.number in books
    }


async def entries_of_item(client: ODataClient, company: str, item: str, after: int) -> list[Row]:
    """Entries of an item behind an entry number, oldest first."""
    options = {
        "$filter": f"itemNumber eq {literal(item)} and entryNumber gt {after}",
        "$select": _FIELDS,
        "$orderby": "entryNumber",
    }
    return await client.all(f"{company}/itemLedgerEntries", options)


async def last_entry(client: ODataClient, company: str, item: str) -> int:
    """Number of the newest entry of an item, 0 without any."""
    options = {
        "$filter": f"itemNumber eq {literal(item)}",
        "$select": "id,entryNumber",
        "$orderby": "entryNumber desc",
        "$top": "1",
    }
    rows = await client.all(f"{company}/itemLedgerEntries", options)
    return int(rows[0].data["entryNumber"]) if rows else 0


def moved(movement: Movement, entry: Row, *, text: str = "", number: str = "") -> Outcome:
    """The outcome of a movement that stands in the books."""
    return Outcome(
        key=movement.key,
        result="done",
        native_id=str(entry.data.get("id", "")),
        number=number or movement.number,
        booked_at=parse_moment(entry.data.get("lastModifiedDateTime")),
        text=text,
    )


def _compare(movement: Movement, entries: Sequence[Row]) -> Outcome:
    ours = [entry for entry in entries if str(entry.data.get("itemNumber", "")).upper() == movement.item]
    quantities = [decimal_of(entry.data.get("quantity")) for entry in ours]
    if movement.is_transfer:
        quantities = [quantity for quantity in quantities if quantity > 0]
    if ours and sum(quantities, Decimal(0)) == movement.base:
        return moved(movement, ours[0])
    shown = ", ".join(f"{decimal_of(row.data.get('quantity'))} of {row.data.get('itemNumber')}" for row in entries)
    return Outcome(
        key=movement.key,
        result="reject",
        code="booked_otherwise",
        text=f"the item ledger shows {shown} under {movement.number}, ours is {movement.base} of {movement.item}.",
        field="quantity",
        value=str(movement.base),
        mend="Somebody changed it before it was posted: look at page Item Ledger Entries, then correct the source.",
    )
