"""Journal entries: balanced G/L documents."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec

from isthmus.model.entity import Record, about, entity


class JournalLine(Record, frozen=True, kw_only=True):
    """One line. Debit above zero, credit below (as Business Central signs it, bc.md §14)."""

    key: Annotated[str, about("Identity of the line within its document", key=True)]
    account: Annotated[str, about("G/L account number", owner="finance")]
    amount: Annotated[Decimal, about("Debit above zero, credit below, in the company's currency", owner="finance")]
    description: Annotated[str | None, about("Line text")] = None
    dimensions: Annotated[dict[str, str], about("Dimension code -> value code", owner="finance")] = msgspec.field(
        default_factory=dict
    )
    rule: Annotated[str | None, about("Posting rule that chose the account", owner="finance")] = None


@entity("journal_entry", scope="company", number="number", title="Journal entry", amount="amount", currency="currency")
class JournalEntry(Record, frozen=True, kw_only=True):
    """A balanced document. `amount` is the net debit on expense side: what the event cost."""

    number: Annotated[str, about("Document number, at most 20 upper-case characters", owner="finance", key=True)]
    posting_date: Annotated[date, about("Date it is booked on", owner="finance")]
    document_date: Annotated[date | None, about("Date of the event", owner="finance")] = None
    description: Annotated[str | None, about("Document text")] = None
    external_number: Annotated[str | None, about("Number of the source document")] = None
    currency: Annotated[str, about("Company currency, ISO 4217", owner="finance")]
    amount: Annotated[Decimal, about("Net amount charged to expense; negative is a credit", owner="finance")]
    lines: Annotated[tuple[JournalLine, ...], about("Lines; they add up to zero", owner="finance")] = ()
    corrects: Annotated[str | None, about("Document number this one counters or replaces", owner="finance")] = None
    booked_number: Annotated[str | None, about("Number the target booked it under", owner="finance")] = None
