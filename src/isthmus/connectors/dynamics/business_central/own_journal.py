"""One journal of our own on the wire: make it, fill it, see what is in it, post it, remove it (bc.md §14, §17).

The code of a journal is derived from the delivery, so that a later attempt finds and removes what an earlier one left.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from isthmus.connectors.dynamics._client import ODataClient, guid
from isthmus.connectors.dynamics._odata import Part, literal
from isthmus.connectors.dynamics.business_central.documents import Document, Line
from isthmus.connectors.dynamics.business_central.native_records import decimal_of
from isthmus.errors import IsthmusError, Reject

#: Line numbers go in steps of this size, as the service's own do (bc.md §14).
_STEP = 10_000
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DISPLAY_NAME_LENGTH = 100
#: How the display name of every journal of ours begins.
_OURS = "Isthmus "


def code_prefix(delivery: str) -> str:
    """First 8 of the 10 characters of all journals of a delivery: 35 bits of its hash behind an I."""
    return "I" + base64.b32encode(hashlib.sha256(delivery.encode()).digest()).decode()[:7]


def journal_code(delivery: str, index: int) -> str:
    """Code of the delivery's journal number `index` (a split makes further ones): 10 characters."""
    return code_prefix(delivery) + _DIGITS[index // 36] + _DIGITS[index % 36]


class Placed(Struct, frozen=True):
    """A line of a document with the number it has in the journal."""

    number: int
    document: Document
    line: Line


class Present(Struct, frozen=True):
    """A line as the journal holds it: its id, and what of it matters for posting."""

    id: str
    document: str
    account: str
    amount: Decimal
    posting_date: str
    #: code -> (dimension id, value code)
    dimensions: Mapping[str, tuple[str, str]]

    def holds(self, placed: Placed) -> bool:
        """Whether the line is what was wanted, apart from dimensions."""
        wanted = placed.line
        return (
            self.document.upper() == placed.document.number
            and self.account.upper() == wanted.account
            and self.amount == wanted.amount
            and self.posting_date == placed.document.posting_date.isoformat()
        )

    def wears(self, dimensions: Mapping[str, str]) -> bool:
        """Whether all dimensions wanted are on it. Further ones come from defaults finance has set; they stay."""
        return all(self.dimensions.get(code, ("", ""))[1] == value for code, value in dimensions.items())


class OwnJournal:
    """A journal made by one delivery in one company."""

    def __init__(self, client: ODataClient, company: str, delivery: str, index: int) -> None:
        self.code = journal_code(delivery, index)
        self.id = ""
        self._client = client
        self._company = company
        self._name = f"{_OURS}{delivery}"[:_DISPLAY_NAME_LENGTH]

    @property
    def _path(self) -> str:
        return f"{self._company}/journals({self.id})"

    async def create(self) -> None:
        """Make it in the default general template."""
        answer = await self._client.send(
            "POST", f"{self._company}/journals", {"code": self.code, "displayName": self._name}
        )
        self.id = guid(str(answer["id"]))

    async def add(self, lines: Sequence[Placed]) -> dict[str, IsthmusError]:
        """Insert lines. The refusals by document number; what the journal really holds is told by `present`."""
        parts = [Part(method="POST", path=f"{self._path}/journalLines", body=_line_body(line)) for line in lines]
        return self._refusals(lines, await self._client.batch(parts))

    async def dress(self, lines: Sequence[Placed], present: Mapping[int, Present]) -> dict[str, IsthmusError]:
        """Put the dimensions on: POST new ones, PATCH those a default put there with another value (bc.md §17)."""
        parts: list[Part] = []
        owners: list[Placed] = []
        for placed in lines:
            held = present[placed.number]
            path = f"{self._path}/journalLines({held.id})/dimensionSetLines"
            for code, value in placed.line.dimensions.items():
                dimension, now = held.dimensions.get(code, ("", ""))
                if dimension and now != value:
                    parts.append(Part(method="PATCH", path=f"{path}({dimension})", body={"valueCode": value}, etag="*"))
                    owners.append(placed)
                elif not dimension:
                    parts.append(Part(method="POST", path=path, body={"code": code, "valueCode": value}))
                    owners.append(placed)
        return self._refusals(owners, await self._client.batch(parts))

    async def present(self) -> dict[int, Present]:
        """What it holds now, by line number."""
        rows = await self._client.all(f"{self._path}/journalLines", {"$expand": "dimensionSetLines"})
        return {int(row.data["lineNumber"]): _present(row.data) for row in rows}

    async def drop(self, lines: Iterable[Present]) -> None:
        """Delete lines."""
        parts = [Part(method="DELETE", path=f"{self._path}/journalLines({line.id})", etag="*") for line in lines]
        await self._client.batch(parts)

    async def post(self) -> None:
        """Book everything in it: all or nothing (bc.md §14)."""
        await self._client.send("POST", f"{self._path}/Microsoft.NAV.post")

    async def remove(self) -> None:
        """Delete it with what it holds. Assumed: lines go with it; where the service minds, they go first."""
        await remove_journal(self._client, self._path)

    def _refusals(self, owners: Sequence[Placed], replies: Sequence[Any]) -> dict[str, IsthmusError]:
        """The first error of each document; anything but a refusal ends the delivery of the whole journal."""
        found: dict[str, IsthmusError] = {}
        for placed, reply in zip(owners, replies, strict=True):
            error = self._client.verdict(reply)
            if error is None:
                continue
            if error.next_step != "reject":
                raise error
            found.setdefault(placed.document.number, error)
        return found


async def remove_journal(client: ODataClient, path: str) -> None:
    """Delete a journal by path; one that is gone already is fine."""
    try:
        await client.send("DELETE", path, etag="*")
    except Reject as refusal:
        if refusal.code == "not_found":
            return
        lines = await client.all(f"{path}/journalLines", {"$select": "id"})
        parts = [
            Part(method="DELETE", path=f"{path}/journalLines({guid(str(line.data['id']))})", etag="*") for line in lines
        ]
        await client.batch(parts)
        await client.send("DELETE", path, etag="*")


async def journals_of(client: ODataClient, company: str, delivery: str) -> list[str]:
    """Paths of the journals a delivery left behind."""
    return await _paths(client, company, f"startswith(code,{literal(code_prefix(delivery))})")


async def all_journals(client: ODataClient, company: str) -> list[str]:
    """Paths of all journals of ours that stand, whichever delivery made them."""
    return await _paths(client, company, f"startswith(displayName,{literal(_OURS)})")


async def _paths(client: ODataClient, company: str, condition: str) -> list[str]:
    rows = await client.all(f"{company}/journals", {"$filter": condition, "$select": "id,code"})
    return [f"{company}/journals({guid(str(row.data['id']))})" for row in rows]


def place(documents: Sequence[Document]) -> list[Placed]:
    """Lines of all documents with their numbers in the journal; explicit numbers make each line recognisable."""
    lines = [(document, line) for document in documents for line in document.lines]
    return [Placed((index + 1) * _STEP, document, line) for index, (document, line) in enumerate(lines)]


def _line_body(placed: Placed) -> dict[str, Any]:
    body: dict[str, Any] = {
        "lineNumber": placed.number,
        "accountType": "G_x002F_L_x0020_Account",
        "accountNumber": placed.line.account,
        "postingDate": placed.document.posting_date.isoformat(),
        "documentNumber": placed.document.number,
        "amount": placed.line.amount,
        "description": placed.line.description,
    }
    if placed.document.external_number:
        body["externalDocumentNumber"] = placed.document.external_number
    return body


def _present(data: Mapping[str, Any]) -> Present:
    sets = data.get("dimensionSetLines")
    return Present(
        id=guid(str(data["id"])),
        document=str(data.get("documentNumber", "")),
        account=str(data.get("accountNumber", "")),
        amount=decimal_of(data.get("amount")),
        posting_date=str(data.get("postingDate", ""))[:10],
        dimensions={
            str(item["code"]).upper(): (guid(str(item["id"])), str(item.get("valueCode", "")).upper())
            for item in (sets if isinstance(sets, list) else [])
        },
    )
