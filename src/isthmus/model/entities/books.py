"""The books of a company as finance keeps them: currency, open dates, and what was booked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec

from isthmus.model.entity import Record, about, entity


@entity("company", scope="company", number="name", title="Company")
class Company(Record, frozen=True, kw_only=True):
    """Accounting set-up of one company. No date in `posting_from` / `posting_to` means open in that direction."""

    name: Annotated[str, about("Company name", owner="finance", key=True)]
    currency: Annotated[str | None, about("Local currency, ISO 4217", owner="finance")] = None
    posting_from: Annotated[date | None, about("First day open for posting", owner="finance")] = None
    posting_to: Annotated[date | None, about("Last day open for posting", owner="finance")] = None


@entity("ledger_entry", scope="company", number="number", title="G/L entry", amount="amount", currency="currency")
class LedgerEntry(Record, frozen=True, kw_only=True):
    """One posted entry of the general ledger. Read only: what is booked is never patched."""

    number: Annotated[str, about("Entry number", owner="finance", key=True)]
    document: Annotated[str, about("Document number", owner="finance")]
    posting_date: Annotated[date, about("Date it is booked on", owner="finance")]
    account: Annotated[str, about("G/L account number", owner="finance")]
    amount: Annotated[Decimal, about("Debit above zero, credit below, in the company's currency", owner="finance")]
    description: Annotated[str | None, about("Text", owner="finance")] = None
    currency: Annotated[str | None, about("Company currency", owner="finance")] = None
    dimensions: Annotated[dict[str, str], about("Dimension code -> value code", owner="finance")] = msgspec.field(
        default_factory=dict
    )
