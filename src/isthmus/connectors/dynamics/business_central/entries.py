"""Finding our documents in the books: G/L entries by document number (bc.md §14).

A G/L entry knows neither the journal nor an external number, so the document number is the only key; posting date and
sum of debits tell our document from a stranger's under the same number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics._odata import Row, any_of, chunks, literal
from isthmus.connectors.dynamics.business_central.cursor import parse_moment
from isthmus.connectors.dynamics.business_central.documents import Document
from isthmus.connectors.dynamics.business_central.native_records import decimal_of
from isthmus.contract.operations import Outcome

_NUMBERS_PER_FILTER = 20
_FIELDS = "id,entryNumber,documentNumber,postingDate,debitAmount,lastModifiedDateTime"

Books = Mapping[str, Sequence[Row]]


async def entries_of(client: ODataClient, company: str, documents: Sequence[Document]) -> Books:
    """Entries under the numbers of the documents, by number, oldest first."""
    found: dict[str, list[Row]] = {}
    for part in chunks(sorted({document.number for document in documents}), _NUMBERS_PER_FILTER):
        options = {
            "$filter": any_of("documentNumber", map(literal, part)),
            "$select": _FIELDS,
            "$orderby": "entryNumber",
        }
        for row in await client.all(f"{company}/generalLedgerEntries", options):
            found.setdefault(str(row.data.get("documentNumber", "")).upper(), []).append(row)
    return found


async def find_booked(client: ODataClient, company: str, documents: Sequence[Document]) -> dict[str, Outcome]:
    """Outcome by operation key of documents whose number is in the books: done, or reject when it is a stranger's."""
    books = await entries_of(client, company, documents)
    known = [document for document in documents if document.number in books]
    return {document.key: _compare(document, books[document.number]) for document in known}


async def confirm(client: ODataClient, company: str, documents: Sequence[Document]) -> dict[str, Outcome]:
    """The same right after our own posting succeeded: what stands under the number is ours, even where the service
    added entries (reverse-charge VAT), so a different sum is told but doubts nothing."""
    books = await entries_of(client, company, documents)
    found = {}
    for document in documents:
        if document.number in books:
            compared = _compare(document, books[document.number])
            told = "" if compared.result == "done" else "booked with another sum than asked for."
            found[document.key] = _done(document, books[document.number], text=told)
    return found


def _compare(document: Document, entries: Sequence[Row]) -> Outcome:
    date = document.posting_date.isoformat()
    ours = [entry for entry in entries if str(entry.data.get("postingDate", ""))[:10] == date]
    if ours and _debits(ours) == document.debits:
        return _done(document, ours)
    seen = ours or entries
    return Outcome(
        key=document.key,
        result="reject",
        code="number_taken",
        text=f"the books hold another document under number {document.number}: {_debits(seen)} debit on "
        f"{str(seen[0].data.get('postingDate', ''))[:10]}, ours is {document.debits} on {date}.",
        field="number",
        value=document.number,
        mend="Look it up on page General Ledger Entries; then link it, or deliver ours under another number.",
    )


def _done(document: Document, entries: Sequence[Row], *, text: str = "") -> Outcome:
    first = entries[0].data
    return Outcome(
        key=document.key,
        result="done",
        native_id=str(first.get("id", "")),
        number=str(first.get("documentNumber", document.number)),
        booked_at=parse_moment(first.get("lastModifiedDateTime")),
        text=text,
    )


def _debits(entries: Sequence[Row]) -> Decimal:
    return sum((decimal_of(entry.data.get("debitAmount")) for entry in entries), Decimal(0))
