"""Costs of a work order -> one balanced journal, by the posting rules.

Per cost line: a debit to the row's account and the same amount to its offset (a negative amount swaps the sides). Lines
are rounded to the company's places one by one, because that is how they are booked; what the document's exact sum
differs from the rounded lines goes to the table's rounding account. So each cost is expensed once, the document's
amount is the rounded exact sum, and no journal can be out of balance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal

from msgspec import Struct

from isthmus.controls.book import Book
from isthmus.controls.chart import account_findings, dimension_missing, dimension_value_findings
from isthmus.controls.journal_lines import Cost, cost_lines, document_amount, rounding_lines
from isthmus.controls.periods import PeriodPolicy, event_day, posting_date
from isthmus.controls.rule_checks import offset_missing
from isthmus.controls.rules import DimensionSource, RuleRow, RuleTable, choose, facts_of
from isthmus.controls.wording import document_text
from isthmus.model.entities.journals import JournalEntry, JournalLine
from isthmus.model.entities.work_orders import CostLine, WorkOrder
from isthmus.model.finding import Finding, worst
from isthmus.model.money import Money, known_currency, round_amount
from isthmus.model.spelling import spell

#: Exact worth of an amount in another currency on a day, or why there is none (no rate: error, wait or hold).
#: Not rounded.
Convert = Callable[[Money, str, date], Money | Finding]


class Posting(Struct, frozen=True):
    """What posting came to. `journal` is None with a finding of severity error, wait or skip.

    With a hold the journal is what would be booked once a person releases it.
    """

    journal: JournalEntry | None
    findings: tuple[Finding, ...]

    @property
    def ready(self) -> bool:
        """Whether the journal may go without a person."""
        return self.journal is not None and worst(self.findings) in {None, "notice"}


class _Pass(Struct, frozen=True):
    """What every step of one posting needs."""

    order: WorkOrder
    table: RuleTable
    book: Book
    convert: Convert
    event: date
    posted_on: date


def post_costs(
    order: WorkOrder,
    table: RuleTable,
    book: Book,
    *,
    document_number: str,
    convert: Convert,
    policy: PeriodPolicy = "hold",
) -> Posting:
    """The journal of `order` and all findings about it at once. The same order gives the same journal.

    `convert` is asked for lines in another currency than the company's, at the day of the event. The journal's
    `document_date` is that day, `posting_date` follows `policy`.
    """
    lines = [(index, line) for index, line in enumerate(order.lines) if line.amount]
    if not lines:
        return _nothing(())
    findings = [*_doubled_lines(order), *_currency_findings(order)]
    event = event_day(order.completed_at, order.completed_on, book)
    posted_on, said_of_date = posting_date(order.completed_at, order.completed_on, book, policy)
    if event is None or posted_on is None:
        return Posting(None, (*findings, *said_of_date))
    step = _Pass(order, table, book, convert, event, posted_on)
    can_convert = not any(finding.field == "currency" for finding in findings)
    costs: list[Cost] = []
    decided = 0
    for index, line in lines:
        cost, found = _decide(step, index, line, can_convert)
        findings += found
        costs += [cost] if cost else []
        decided += cost is not None or any(finding.code == "no_posting" for finding in found)
    complete = can_convert and decided == len(lines)  # half an order is never booked
    if complete and not costs and worst(tuple(findings)) in {None, "notice"}:
        return _nothing(findings)
    rounding, found = rounding_lines(order, costs, table, book) if complete else ((), [])
    journal_lines = (*(part for cost in costs for part in cost_lines(order, cost)), *rounding)
    if complete and not journal_lines and worst((*findings, *found)) in {None, "notice"}:
        return _nothing(findings)
    findings += [*said_of_date, *found]
    if not complete or worst(tuple(findings)) == "error":
        return Posting(None, _once(findings))
    return Posting(_journal(step, document_number, costs, journal_lines), _once(findings))


def _decide(step: _Pass, index: int, line: CostLine, can_convert: bool) -> tuple[Cost | None, list[Finding]]:
    facts = facts_of(step.order, line)
    choice = choose(step.table, facts, step.posted_on)
    if choice.row is None:
        return None, [_unmapped(step.table, facts, index, choice.why)]
    row = choice.row
    if row.no_posting:
        return None, [_left_out(step.table, row, line, index)]
    what = f"row {row.name!r} ({step.table.place(row.line)})"
    findings = account_findings(row.account, what, step.book)
    if row.offset:
        findings += account_findings(row.offset, what, step.book)
    else:
        findings.append(offset_missing(step.table, row, line.source))
    dimensions, found = _dimensions(step, row.dimensions, index, what)
    offset_dimensions, found_too = _dimensions(step, row.offset_dimensions, index, what)
    findings += [*found, *found_too]
    worth = _worth(step, line) if can_convert else line.amount
    if isinstance(worth, Finding):
        return None, [*findings, worth]
    amount = round_amount(worth, step.book.amount_places)
    return Cost(line, row, worth, amount, dimensions, offset_dimensions), findings


def _worth(step: _Pass, line: CostLine) -> Decimal | Finding:
    currency = step.order.currency or ""
    if currency == step.book.currency:
        return line.amount
    converted = step.convert(Money(line.amount, currency), step.book.currency, step.event)
    if isinstance(converted, Finding):
        return converted
    if converted.currency != step.book.currency:
        raise ValueError(f"convert gave {converted.currency} where {step.book.currency} was asked for")
    return converted.amount


def _dimensions(
    step: _Pass, sources: Mapping[str, DimensionSource], index: int, what: str
) -> tuple[dict[str, str], list[Finding]]:
    values: dict[str, str] = {}
    findings: list[Finding] = []
    for dimension, source in sources.items():
        value = source.literal or _value(step.order, index, source.path)
        if not value:
            field = source.path.replace("lines.", f"lines[{index}].", 1)
            findings.append(dimension_missing(dimension, source, field, what))
            continue
        values[dimension] = value
        findings += dimension_value_findings(dimension, source, value, what, step.book)
    return values, findings


def _value(order: WorkOrder, index: int, path: str) -> str:
    """The text at a canonical path; `lines.` means the cost line being posted. "" where nothing stands."""
    value: object = order
    for part in path.split("."):
        if value is order and part == "lines":
            value = order.lines[index]
        else:
            value = value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)
    return "" if value is None else str(spell(value)).strip()


def _journal(step: _Pass, number: str, costs: list[Cost], lines: tuple[JournalLine, ...]) -> JournalEntry:
    return JournalEntry(
        number=number,
        posting_date=step.posted_on,
        document_date=step.event,
        description=document_text(step.order),
        external_number=step.order.number,
        currency=step.book.currency,
        amount=document_amount(costs, step.book),
        lines=lines,
    )


def _currency_findings(order: WorkOrder) -> list[Finding]:
    if not order.currency:
        text, mend = "the cost lines have no currency", "Map the currency of the work order, or set it as a constant."
        return [Finding("currency_missing", "error", text, field="currency", mend=mend)]
    if not known_currency(order.currency):
        text = f"currency {order.currency!r} is not an ISO 4217 code"
        mend = "Correct it in the source, or translate it in a lookup table."
        return [Finding("currency_unknown", "error", text, field="currency", value=order.currency, mend=mend)]
    return []


def _doubled_lines(order: WorkOrder) -> list[Finding]:
    """A line key that stands twice would expense a cost twice, or hide one behind the other."""
    counts = Counter(line.key for line in order.lines)
    return [
        Finding(
            "cost_line_doubled",
            "error",
            f"{count} cost lines share the key {key!r}",
            field="lines",
            value=key,
            mend="Name a key in the mapping of the lines that tells them apart.",
        )
        for key, count in counts.items()
        if count > 1
    ]


def _unmapped(table: RuleTable, facts: Mapping[str, str | None], index: int, why: str) -> Finding:
    named = ("category", "type", "branch", "source")
    told = ", ".join(f"{name} {facts[name] if facts[name] is not None else '(none)'}" for name in named)
    return Finding(
        "account_unmapped",
        "error",
        f"no posting rule for {told}",
        field=f"lines[{index}]",
        value=told,
        mend=f"Add or widen a row in {table.file}: {why}.",
    )


def _left_out(table: RuleTable, row: RuleRow, line: CostLine, index: int) -> Finding:
    return Finding(
        "no_posting",
        "notice",
        f"cost line {line.key} of {line.amount} is not posted here: its {line.source} entry books it",
        field=f"lines[{index}]",
        mend=f"By row {row.name!r} ({table.place(row.line)}).",
    )


def _nothing(findings: Iterable[Finding]) -> Posting:
    text = "nothing to post: the work order has no cost"
    return Posting(None, _once([*findings, Finding("nothing_to_post", "skip", text, field="lines")]))


def _once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each statement once: fifty lines without a rule for the same values are one thing to mend."""
    return tuple(
        {(finding.code, finding.text, finding.mend): finding for finding in reversed(list(findings))}.values()
    )[::-1]
