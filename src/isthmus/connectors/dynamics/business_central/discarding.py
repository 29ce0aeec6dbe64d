"""Clearing away what earlier deliveries left unposted, so that nobody can post it after the document was sent again.

Journals of a known delivery are found by their code. A ledger restored from a backup does not know the deliveries of
the one that was lost: their lines are found by document number in whatever journal of ours they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from isthmus.connectors.dynamics._client import ODataClient, guid
from isthmus.connectors.dynamics._odata import Part
from isthmus.connectors.dynamics.business_central.documents import parse
from isthmus.connectors.dynamics.business_central.own_journal import all_journals, journals_of, remove_journal
from isthmus.contract.operations import Operation
from isthmus.errors import Reject, Retry


async def discard(client: ODataClient, company: str, operations: Sequence[Operation]) -> None:
    """Remove everything unposted of these operations from one company. Raises Retry while it is being posted."""
    numbers = set(_numbers(operations))
    try:
        for delivery in sorted({delivery for operation in operations for delivery in operation.earlier}):
            for journal in await journals_of(client, company, delivery):
                await remove_journal(client, journal)
        for journal in await all_journals(client, company):
            await _take_out(client, journal, numbers)
    except Reject as refusal:
        raise Retry(
            f"a journal of an earlier attempt cannot be removed yet: {refusal.message}", code=refusal.code
        ) from None


async def _take_out(client: ODataClient, journal: str, numbers: set[str]) -> None:
    """Delete the lines of these documents from a journal, and with its last line the journal."""
    lines = await client.all(f"{journal}/journalLines", {"$select": "id,documentNumber"})
    ours = [line for line in lines if str(line.data.get("documentNumber", "")).upper() in numbers]
    if not ours:
        return
    if len(ours) == len(lines):
        await remove_journal(client, journal)
        return
    parts = [
        Part(method="DELETE", path=f"{journal}/journalLines({guid(str(line.data['id']))})", etag="*") for line in ours
    ]
    for reply in await client.batch(parts):
        if (error := client.verdict(reply)) is not None and error.code != "not_found":
            raise error


def _numbers(operations: Sequence[Operation]) -> Iterable[str]:
    for operation in operations:
        try:
            yield parse(operation).number
        except Reject:
            continue  # what cannot be parsed was never sent
