"""Steps of cost flows: a completed work order becomes one balanced journal entry in the company's books."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import cast

import msgspec
from msgspec import structs

from isthmus.controls.book import Book
from isthmus.controls.corrections import booked_change, counter_document
from isthmus.controls.numbers import document_number
from isthmus.controls.periods import PeriodPolicy, before_cut_over, event_day, posting_date
from isthmus.controls.posting import Convert, post_costs
from isthmus.controls.rules import RuleTable, choose, facts_of
from isthmus.controls.validation import Check, validate
from isthmus.ledger import records
from isthmus.ledger.types import Db
from isthmus.mapping.rates import Rates
from isthmus.model.entities.currencies import ExchangeRate
from isthmus.model.entities.journals import JournalEntry
from isthmus.model.entities.ledger_accounts import Account, DimensionValue
from isthmus.model.entities.work_orders import CostLine, WorkOrder
from isthmus.model.entity import State, dump, entities
from isthmus.model.finding import Finding
from isthmus.model.money import Money
from isthmus.model.spelling import spell
from isthmus.sync.booking import (
    CompanySettings,
    incomplete,
    no_books,
    open_book,
    open_day,
    typed_records,
    with_findings,
)
from isthmus.sync.standing import COUNTER
from isthmus.sync.world import Step, Work

#: What a cost flow reads of the target's books before it decides anything.
REFERENCE_ENTITIES = ("company", "account", "dimension_value", "exchange_rate")

#: Decimals of a converted amount before lines and document are rounded: far below what any amount is rounded to.
_UNROUNDED = 10


class CostDesk:
    """Books and rates of the target's companies, read from the hub's records and kept until one of them changes."""

    def __init__(self, companies: Mapping[str, CompanySettings]) -> None:
        self._companies = companies
        self._stamps: dict[str, str] = {}
        self._books: dict[str, Book] = {}
        self._rates: dict[str, Rates] = {}

    async def load(self, db: Db, companies: Sequence[str], states: Sequence[State] = ()) -> None:
        """Bring the books of these companies up to date."""
        del states
        for company in companies:
            stamp = await records.stamp(db, REFERENCE_ENTITIES, company)
            if self._stamps.get(company) != stamp:
                await self._load_company(db, company)
                self._stamps[company] = stamp

    def book(self, company: str) -> Book | None:
        """The company's books, None when finance has no such company."""
        return self._books.get(company)

    def convert(self, company: str) -> Convert:
        """Conversion by the company's own rates. Not rounded: each line is, and once more their sum."""
        rates = self._rates[company]

        def convert(money: Money, currency: str, on: date) -> Money | Finding:
            return rates.convert(money, currency, on, places=_UNROUNDED)

        return convert

    async def _load_company(self, db: Db, name: str) -> None:
        book = await open_book(db, name, self._companies.get(name, CompanySettings("UTC")))
        if book is None:
            self._books.pop(name, None)
            return
        accounts = await typed_records(db, "account", name, Account)
        values = await typed_records(db, "dimension_value", name, DimensionValue)
        rates = await typed_records(db, "exchange_rate", name, ExchangeRate)
        self._books[name] = structs.replace(
            book,
            accounts={account.number: account for account in accounts},
            dimension_values=frozenset(value.key for value in values),
        )
        self._rates[name] = Rates(rates, base=book.currency)


def checks_step(checks: Sequence[Check]) -> Step:
    """All declared conditions of the record at once."""

    def step(work: Work) -> Work:
        return with_findings(work, validate(work.state, checks)) if checks else work

    return step


def cost_step(desk: CostDesk, table: RuleTable, policy: PeriodPolicy, cut_over: date | None) -> Step:
    """Cut-over, then the journal with all findings."""

    def step(work: Work) -> Work:
        book = desk.book(work.company)
        if book is None:
            return with_findings(work, (no_books(work.company),))
        try:
            order = cast("WorkOrder", entities()["work_order"].parse(work.state))
        except msgspec.ValidationError as error:
            return with_findings(work, (incomplete("work order", str(error)),))
        day = event_day(order.completed_at, order.completed_on, book)
        if day is not None and (finding := before_cut_over(day, cut_over)) is not None:
            return with_findings(structs.replace(work, event_on=day), (finding,))
        posting = post_costs(
            order,
            table,
            book,
            document_number=document_number(work.key),
            convert=desk.convert(work.company),
            policy=policy,
        )
        return _built(structs.replace(work, event_on=day), posting.journal, posting.findings, book)

    return step


def _built(work: Work, journal: JournalEntry | None, findings: Sequence[Finding], book: Book) -> Work:
    work = with_findings(work, findings)
    if journal is None:
        skipped = any(finding.severity == "skip" for finding in findings)
        return structs.replace(work, amount="0" if skipped else "", currency=book.currency)
    return structs.replace(
        work,
        document=dump(journal),
        number=journal.number,
        amount=str(spell(journal.amount)),
        currency=journal.currency,
    )


def worth_of(desk: CostDesk, table: RuleTable, policy: PeriodPolicy) -> Callable[[State, str], Money | Finding]:
    """What an order's document comes to in the company's currency, at the day of the event.

    Lines that a rule leaves to somebody else (`no_posting`) are no part of it.
    """

    def worth(state: State, company: str) -> Money | Finding:
        book = desk.book(company)
        if book is None:
            return no_books(company)
        try:
            order = cast("WorkOrder", entities()["work_order"].parse(state))
        except msgspec.ValidationError as error:
            return Finding(code="record_incomplete", severity="error", text=str(error))
        day = event_day(order.completed_at, order.completed_on, book)
        posted_on, _ = posting_date(order.completed_at, order.completed_on, book, policy)
        amounts = (line.amount for line in order.lines if posted_on is None or _posts(table, order, line, posted_on))
        total = Money(sum(amounts, Decimal(0)), order.currency or book.currency)
        if total.currency == book.currency or day is None:
            return total
        converted = desk.convert(company)(total, book.currency, day)
        return converted if isinstance(converted, Finding) else converted.rounded(book.amount_places)

    return worth


def _posts(table: RuleTable, order: WorkOrder, line: CostLine, on: date) -> bool:
    row = choose(table, facts_of(order, line), on).row
    return row is None or not row.no_posting


def control_accounts(table: RuleTable) -> frozenset[str]:
    """Accounts that together show what a document is worth: those the table's rows charge, and that of rounding."""
    rounding = {table.rounding.account} if table.rounding is not None else set()
    return frozenset({row.account for row in table.rows if row.account} | rounding)


def compare_journals(booked: State, new: State) -> Finding | None:
    """What changed since the document was booked, None when both have the same effect."""
    return booked_change(_journal(booked), _journal(new))


def corrector(desk: CostDesk) -> Callable[[State, Work, int], Sequence[Work]]:
    """Makes the counter document of what is booked and, when something is left to book, the new one.

    The counter goes on the day the first one was booked on, the new one on its own day; a day that is closed by now
    gives way to the first open one. The last argument tells corrections of one document apart.
    """

    def correct(booked: State, work: Work, serial: int) -> Sequence[Work]:
        old = _journal(booked)
        key = f"{work.key}:correct:{serial}"
        counter = counter_document(
            old, document_number(key + COUNTER), open_day(desk.book(work.company), old.posting_date)
        )
        works = [_made(work, key + COUNTER, counter)]
        if work.document is not None:
            new = _journal(work.document)
            day = open_day(desk.book(work.company), new.posting_date)
            new = structs.replace(new, number=document_number(key), corrects=old.number, posting_date=day)
            works.append(_made(work, key, new))
        return works

    return correct


def _made(work: Work, key: str, journal: JournalEntry) -> Work:
    return structs.replace(
        work,
        key=key,
        document=dump(journal),
        number=journal.number,
        amount=str(spell(journal.amount)),
        currency=journal.currency,
        findings=(),
    )


def _journal(state: State) -> JournalEntry:
    return cast("JournalEntry", entities()["journal_entry"].parse(state))


def work_order_costs(
    desk: CostDesk, table: RuleTable, policy: PeriodPolicy, cut_over: date | None, checks: Sequence[Check]
) -> tuple[Step, ...]:
    """The steps of the template `work-order-costs`."""
    return (checks_step(checks), cost_step(desk, table, policy, cut_over))
