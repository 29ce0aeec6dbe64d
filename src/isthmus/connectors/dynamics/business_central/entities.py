"""What of Business Central this connector knows: sets, change detection, fields it adds (bc.json, bc.md §12)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from isthmus.connectors.dynamics.business_central.purchasing.orders import LINE_FIELDS, ORDER_FIELDS
from isthmus.connectors.dynamics.business_central.purchasing.receipt_documents import (
    RECEIPT_FIELDS,
    RECEIPT_LINE_FIELDS,
)
from isthmus.contract.connector import NativeField

Kind = Literal["text", "guid", "int", "decimal", "date", "bool", "enum"]
#: Field a stream is followed by: a time that every change moves, or a number that only grows.
Order = Literal["lastModifiedDateTime", "entryNumber"]

#: How the service writes "none" (bc.md §4).
BLANK_GUID = "00000000-0000-0000-0000-000000000000"
BLANK_ENUM = "_x0020_"


class SetFacts(Struct, frozen=True, kw_only=True):
    """One entity set.

    keys      what its fields hold, where it is not text: how they are written in a filter, and what their blank is
    order     what its changes are followed by
    expand    collection every record is read with, "" for none
    whole     it is read with it whatever fields are asked for
    writable  the service lets the set be changed
    added     fields of our native record that the set does not have, made by `reading`
    lines     the same of the elements of the collection
    """

    native: str
    keys: Mapping[str, Kind] = MappingProxyType({})
    order: Order = "lastModifiedDateTime"
    expand: str = ""
    whole: bool = False
    writable: bool = False
    added: tuple[NativeField, ...] = ()
    lines: tuple[NativeField, ...] = ()


_ID: Mapping[str, Kind] = MappingProxyType({"id": "guid"})

#: Planning fields of an item: only on page 30, under these names here (bc.md §18; semantics.md §5).
CARD_FIELDS: tuple[NativeField, ...] = (
    NativeField(name="reorderPoint", type="decimal"),
    NativeField(name="safetyStockQuantity", type="decimal"),
    NativeField(name="itemTrackingCode", type="text", writable=False, max_length=10),
)

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
                order="entryNumber",
                expand="dimensionSetLines",
                added=(
                    NativeField(name="amount", type="decimal", writable=False),
                    NativeField(name="currencyCode", type="text", writable=False, max_length=10),
                    NativeField(name="dimensions", type="unknown", writable=False),
                ),
            ),
            SetFacts(
                native="vendors",
                keys={
                    "id": "guid",
                    "currencyId": "guid",
                    "paymentTermsId": "guid",
                    "paymentMethodId": "guid",
                    "taxLiable": "bool",
                    "blocked": "enum",
                },
                writable=True,
            ),
            SetFacts(
                native="items",
                keys={
                    "id": "guid",
                    "itemCategoryId": "guid",
                    "baseUnitOfMeasureId": "guid",
                    "taxGroupId": "guid",
                    "generalProductPostingGroupId": "guid",
                    "inventoryPostingGroupId": "guid",
                    "type": "enum",
                    "blocked": "bool",
                    "unitCost": "decimal",
                    "unitPrice": "decimal",
                    "inventory": "decimal",
                },
                writable=True,
                added=CARD_FIELDS,
            ),
            SetFacts(native="unitsOfMeasure", keys=_ID, writable=True),
            SetFacts(
                native="paymentTerms",
                keys={"id": "guid", "discountPercent": "decimal", "calculateDiscountOnCreditMemos": "bool"},
                writable=True,
            ),
            SetFacts(native="locations", keys=_ID, writable=True),
            SetFacts(
                native="purchaseOrders",
                keys={
                    "id": "guid",
                    "vendorId": "guid",
                    "currencyId": "guid",
                    "paymentTermsId": "guid",
                    "orderDate": "date",
                    "postingDate": "date",
                    "requestedReceiptDate": "date",
                    "fullyReceived": "bool",
                },
                expand="purchaseOrderLines",
                whole=True,
                writable=True,
                added=ORDER_FIELDS,
                lines=LINE_FIELDS,
            ),
            SetFacts(
                native="purchaseReceipts",
                keys={"id": "guid", "postingDate": "date"},
                expand="purchaseReceiptLines",
                whole=True,
                writable=True,
                added=RECEIPT_FIELDS,
                lines=RECEIPT_LINE_FIELDS,
            ),
        )
    }
)

#: Sets without which nothing of what this connector was made for first works; missing others take away less.
ESSENTIAL = frozenset(
    {
        "accounts",
        "dimensions",
        "dimensionValues",
        "currencies",
        "currencyExchangeRates",
        "generalLedgerSetup",
        "generalLedgerEntries",
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
