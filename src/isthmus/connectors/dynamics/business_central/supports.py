"""What a connection can do, entity by entity, as its settings have it."""

from __future__ import annotations

from datetime import timedelta

from isthmus.connectors.dynamics._odata import BATCH_LIMIT
from isthmus.connectors.dynamics.business_central.config import BusinessCentralConfig
from isthmus.connectors.dynamics.business_central.purchasing.receipt_delivery import RECEIPTS_AT_ONCE, REQUESTS_EACH
from isthmus.contract.capabilities import Capabilities, EntitySupport

#: Longest execution of a request online: 8 min, gateway 10 min (bc.md §10).
LONGEST_EXECUTION = timedelta(minutes=10)


def capabilities(config: BusinessCentralConfig) -> Capabilities:
    """What a connection with these settings can do."""
    return Capabilities(
        system="business_central",
        companies=True,
        webhooks=True,
        concurrency=config.concurrency,
        quota=config.quota,
        window=timedelta(minutes=5),
        call_timeout=timedelta(seconds=config.call_timeout),
        entities=_books()
        | _masters(config)
        | _published(config)
        | _stock(config)
        | _purchasing(config)
        | {"journal_entry": _journal_entry(config)},
    )


def _books() -> dict[str, EntitySupport]:
    return {
        "account": EntitySupport(native="accounts", changes="watermark", sees_deletes=True),
        "dimension": EntitySupport(native="dimensions", changes="watermark", sees_deletes=True),
        "currency": EntitySupport(native="currencies", changes="watermark", sees_deletes=True),
        "exchange_rate": EntitySupport(native="currencyExchangeRates", changes="watermark", sees_deletes=True),
        "company": EntitySupport(native="generalLedgerSetup", changes="scan", sees_deletes=True),
        "ledger_entry": EntitySupport(native="generalLedgerEntries", changes="append"),
    }


def _journal_entry(config: BusinessCentralConfig) -> EntitySupport:
    return EntitySupport(
        native="journals",
        read=False,
        actions=frozenset({"post"}),
        idempotency="natural_key",
        batch=config.documents_per_journal,
        settle=LONGEST_EXECUTION,
        requests_each=8,
        booked=config.posting == "post",
        assumed=(
            "Deleting a journal deletes its lines.",
            "A request inside a batch counts against the limit like one of its own.",
            "A failed request of a batch does not stop the later ones.",
        ),
    )


def _master(native: str, *, assigned: bool = False) -> EntitySupport:
    return EntitySupport(
        native=native,
        changes="watermark",
        sees_deletes=True,
        actions=frozenset({"create", "update"}),
        idempotency="probe" if assigned else "natural_key",
        batch=BATCH_LIMIT,
        settle=LONGEST_EXECUTION,
        versions=True,
        requests_each=2,
        assumed=("A failed request of a batch does not stop the later ones.",),
    )


def _masters(config: BusinessCentralConfig) -> dict[str, EntitySupport]:
    return {
        "vendor": _master("vendors", assigned="vendor" in config.assigned_numbers),
        "item": _master("items", assigned="item" in config.assigned_numbers),
        "unit_of_measure": _master("unitsOfMeasure"),
        "payment_terms": _master("paymentTerms"),
        "location": _master("locations"),
    }


def _published(config: BusinessCentralConfig) -> dict[str, EntitySupport]:
    """Entities that stand on pages the tenant publishes (bc.md §18)."""
    named = "Names of fields and keys of a published page follow its captions."
    found = {
        "dimension_value": EntitySupport(
            native="dimensionValues",
            changes="scan",
            sees_deletes=True,
            actions=frozenset({"create", "update"}) if config.services.dimension_values else frozenset(),
            idempotency="natural_key" if config.services.dimension_values else "none",
            batch=20,
            settle=LONGEST_EXECUTION,
            requests_each=3,
            assumed=(named,) if config.services.dimension_values else (),
        )
    }
    if config.services.item_units:
        found["item_unit"] = EntitySupport(
            native="itemUnitsOfMeasure",
            changes="scan",
            sees_deletes=True,
            actions=frozenset({"create", "update"}),
            idempotency="client_key",
            batch=20,
            settle=LONGEST_EXECUTION,
            versions=True,
            requests_each=2,
            assumed=(named,),
        )
    return found


def _stock(config: BusinessCentralConfig) -> dict[str, EntitySupport]:
    """Stock transactions, in the way the connection declares (semantics.md §5)."""
    assumed = {
        "journal_saved": (
            "Names of fields and keys of a published page follow its captions.",
            "A line of an item journal is kept as soon as the insert has answered.",
        ),
        "adjust": ("The posting date of an adjustment is today in UTC, the server's own day.",),
        "custom_action": ("The tenant's action books a document at most once per document number.",),
    }
    return {
        "inventory_transaction": EntitySupport(
            native="inventoryTransactions",
            read=False,
            actions=frozenset({"post"}),
            idempotency="probe" if config.stock == "adjust" else "natural_key",
            batch=1 if config.stock == "adjust" else 20,
            settle=LONGEST_EXECUTION,
            requests_each=5 if config.stock == "adjust" else 2,
            booked=config.stock != "journal_saved",
            assumed=assumed[config.stock],
        )
    }


def _purchasing(config: BusinessCentralConfig) -> dict[str, EntitySupport]:
    """Purchase orders and goods receipts (bc.md §15, semantics.md §5)."""
    return {
        "purchase_order": EntitySupport(
            native="purchaseOrders",
            changes="watermark",
            sees_deletes=True,
            actions=frozenset({"create", "update", "delete"}),
            idempotency="natural_key",
            batch=BATCH_LIMIT,
            settle=LONGEST_EXECUTION,
            versions=True,
            requests_each=2,
            assumed=(
                "A deep insert whose line is refused makes no order.",
                "Lines of a released order cannot be changed.",
                "A failed request of a batch does not stop the later ones.",
            ),
        ),
        "receipt": EntitySupport(
            native="purchaseReceipts",
            changes="watermark",
            actions=frozenset({"post"}),
            idempotency="probe",
            batch=RECEIPTS_AT_ONCE,
            settle=LONGEST_EXECUTION,
            requests_each=REQUESTS_EACH,
            booked=config.posting == "post",
            assumed=(
                "A bound action that is given an etag is refused when the record has another.",
                "A line with a negative quantity takes goods back when it is received.",
                "A posted line keeps the line number of the order's line, and comments are posted with it.",
            ),
        ),
    }
