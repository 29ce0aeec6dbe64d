"""What of Business Central this connector knows: sets, change detection, fields it adds (bc.json, bc.md §12)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from isthmus.contract.capabilities import Capabilities, EntitySupport
from isthmus.contract.connector import NativeField

#: Longest execution of a request online: 8 min, gateway 10 min (bc.md §10).
LONGEST_EXECUTION = timedelta(minutes=10)

Kind = Literal["text", "guid", "int", "date", "bool"]


class SetFacts(Struct, frozen=True, kw_only=True):
    """One entity set.

    keys      how literals of its fields are written in a filter; fields not named are text
    writable  the service lets the set be changed
    added     fields of our native record that the service does not have, made by `reading`
    """

    native: str
    keys: Mapping[str, Kind] = MappingProxyType({})
    writable: bool = False
    added: tuple[NativeField, ...] = ()


_ID: Mapping[str, Kind] = MappingProxyType({"id": "guid"})

SETS: Mapping[str, SetFacts] = MappingProxyType(
    {
        facts.native: facts
        for facts in (
            SetFacts(native="accounts", keys={"id": "guid", "blocked": "bool", "directPosting": "bool"}),
            SetFacts(native="dimensions", keys=_ID),
            SetFacts(
                native="dimensionValues",
                keys={"id": "guid", "dimensionId": "guid"},
                added=(NativeField(name="dimensionCode", type="text", writable=False, max_length=20),),
            ),
            SetFacts(native="currencies", keys=_ID, writable=True),
            SetFacts(native="currencyExchangeRates", keys={"id": "guid", "startingDate": "date"}),
            SetFacts(
                native="generalLedgerSetup",
                keys=_ID,
                added=(NativeField(name="companyName", type="text", writable=False, max_length=30),),
            ),
            SetFacts(
                native="generalLedgerEntries",
                keys={"id": "guid", "entryNumber": "int", "postingDate": "date", "accountId": "guid"},
                added=(
                    NativeField(name="amount", type="decimal", writable=False),
                    NativeField(name="currencyCode", type="text", writable=False, max_length=10),
                    NativeField(name="dimensions", type="unknown", writable=False),
                ),
            ),
        )
    }
)

#: The native form of a journal entry as the lens writes it: one document with its lines. The service has no such thing
#: (journals are batches of loose lines, bc.md §14); field lengths are those of journalLines (bc.json).
JOURNAL_DOCUMENT: tuple[NativeField, ...] = (
    NativeField(name="documentNumber", type="text", max_length=20),
    NativeField(name="externalDocumentNumber", type="text", max_length=35),
    NativeField(name="postingDate", type="date"),
    NativeField(name="description", type="text", max_length=100),
    NativeField(
        name="journalLines",
        type="list",
        fields=(
            NativeField(name="lineKey", type="text"),
            NativeField(name="accountNumber", type="text", max_length=20),
            NativeField(name="postingDate", type="date"),
            NativeField(name="documentNumber", type="text", max_length=20),
            NativeField(name="amount", type="decimal"),
            NativeField(name="description", type="text", max_length=100),
            NativeField(name="dimensions", type="unknown"),
        ),
    ),
)


def capabilities(*, documents: int, books: bool, concurrency: int, quota: int, call_timeout: float) -> Capabilities:
    """What a connection can do. `books`: journals are posted, not only saved."""
    return Capabilities(
        system="business_central",
        companies=True,
        concurrency=concurrency,
        quota=quota,
        window=timedelta(minutes=5),
        call_timeout=timedelta(seconds=call_timeout),
        entities={
            "account": EntitySupport(native="accounts", changes="watermark"),
            "dimension": EntitySupport(native="dimensions", changes="watermark"),
            "dimension_value": EntitySupport(native="dimensionValues", changes="scan", sees_deletes=True),
            "currency": EntitySupport(native="currencies", changes="watermark"),
            "exchange_rate": EntitySupport(native="currencyExchangeRates", changes="watermark"),
            "company": EntitySupport(native="generalLedgerSetup", changes="scan", sees_deletes=True),
            "ledger_entry": EntitySupport(native="generalLedgerEntries", changes="append"),
            "journal_entry": EntitySupport(
                native="journals",
                read=False,
                actions=frozenset({"post"}),
                idempotency="natural_key",
                batch=documents,
                settle=LONGEST_EXECUTION,
                requests_each=8,
                booked=books,
                assumed=(
                    "Deleting a journal deletes its lines.",
                    "A request inside a batch counts against the limit like one of its own.",
                    "A failed request of a batch does not stop the later ones.",
                ),
            ),
        },
    )
