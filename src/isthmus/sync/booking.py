"""What all flows that book something share: the company's books, its open days, findings on the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

import msgspec
from msgspec import Struct, structs

from isthmus.controls.book import Book
from isthmus.ledger import records
from isthmus.ledger.types import Db
from isthmus.model.entities.books import Company
from isthmus.model.entity import entities
from isthmus.model.finding import Finding
from isthmus.model.money import known_currency
from isthmus.model.state import decode_state
from isthmus.sync.world import Work

R = TypeVar("R")


class CompanySettings(Struct, frozen=True):
    """What the project says of a company: its time zone, and open days where it knows better than the target."""

    time_zone: str
    posting_from: date | None = None
    posting_to: date | None = None


async def open_book(db: Db, name: str, settings: CompanySettings) -> Book | None:
    """The books of a company without its chart; None when finance has none of that name in a known currency."""
    found = await typed_records(db, "company", name, Company)
    company = found[0] if found else None
    if company is None or not company.currency or not known_currency(company.currency):
        return None
    return Book(
        company=name,
        currency=company.currency,
        time_zone=settings.time_zone,
        posting_from=settings.posting_from or company.posting_from,
        posting_to=settings.posting_to or company.posting_to,
    )


async def typed_records(db: Db, entity: str, scope: str, cls: type[R]) -> list[R]:
    """Records that fit their entity; the others were told of when they were admitted."""
    return fitting(entity, await records.states_of(db, entity, scope), cls)


def fitting(entity: str, texts: Sequence[str], cls: type[R]) -> list[R]:
    """The state texts that fit their entity, as records."""
    found: list[R] = []
    for text in texts:
        try:
            record = entities()[entity].parse(decode_state(text))
        except msgspec.ValidationError:
            continue
        if isinstance(record, cls):
            found.append(record)
    return found


def with_findings(work: Work, findings: Sequence[Finding]) -> Work:
    """The work with more findings."""
    return structs.replace(work, findings=(*work.findings, *findings)) if findings else work


def no_books(company: str) -> Finding:
    """The finding of a company whose books are not known."""
    return Finding(
        code="company_missing",
        severity="error",
        text=f"the books of company {company!r} are not known: there is none, or it has no known local currency",
        field="company",
        value=company,
        mend="Correct the company of the flow's target, or its LCY code on page General Ledger Setup.",
    )


def incomplete(what: str, why: str) -> Finding:
    """The finding of a record that lacks what every record of its kind must have."""
    return Finding(
        code="record_incomplete",
        severity="error",
        text=f"the {what} cannot be read: {why}",
        mend="Complete it in its system or in the mapping.",
    )


def open_day(book: Book | None, day: date) -> date:
    """`day`, or the first open day when it is closed by now."""
    if book is None or book.open_on(day):
        return day
    return book.posting_from or day
