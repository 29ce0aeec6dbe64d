"""Steps of receipt flows: what was accepted of an order is received once in finance, in the units of the order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import cast

import msgspec
from msgspec import structs

from isthmus.controls.book import Book
from isthmus.controls.numbers import document_number
from isthmus.controls.order_standing import standing_of
from isthmus.controls.periods import PeriodPolicy, before_cut_over, posting_date
from isthmus.controls.quantities import FIVE_PLACES, QuantityRule
from isthmus.controls.receiving import Accepted, accept
from isthmus.controls.validation import Check
from isthmus.model.entities.purchasing import Receipt, ReceiptLine
from isthmus.model.entity import State, dump, entities
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell_decimal
from isthmus.sync.booking import incomplete, no_books, open_day, with_findings
from isthmus.sync.costing import checks_step
from isthmus.sync.procurement import Ordered, ProcurementDesk
from isthmus.sync.standing import COUNTER, DIFFERENCE
from isthmus.sync.world import Step, Work

_ZERO = Decimal(0)


def goods_receipts(
    desk: ProcurementDesk, policy: PeriodPolicy, cut_over: date | None, checks: Sequence[Check]
) -> tuple[Step, ...]:
    """The steps of the template `goods-receipts`."""
    return (checks_step(checks), receipt_step(desk, policy, cut_over))


def receipt_step(
    desk: ProcurementDesk, policy: PeriodPolicy, cut_over: date | None, rule: QuantityRule = FIVE_PLACES
) -> Step:
    """Cut-over, the order, its lines, then the receipt as finance is to book it."""

    def step(work: Work) -> Work:
        book = desk.book(work.company)
        if book is None:
            return with_findings(work, (no_books(work.company),))
        try:
            receipt = _receipt(work.state)
        except msgspec.ValidationError as error:
            return with_findings(work, (incomplete("receipt", str(error)),))
        day = receipt.received_on
        if day is not None and (finding := before_cut_over(day, cut_over)) is not None:
            return with_findings(structs.replace(work, event_on=day), (finding,))
        work = structs.replace(work, event_on=day)
        order = desk.order(work.company, receipt.order)
        if isinstance(order, Finding):
            return with_findings(work, (order,))
        work = structs.replace(work, anchor_id=order.record_id)
        if (finding := _order_stands(receipt, order)) is not None:
            return with_findings(work, (finding,))
        coming = _coming(desk, work, receipt, order, cut_over, rule)
        accepted = accept(receipt, order.order, desk.units(work.company), coming=coming, rule=rule)
        booked_on, findings = _booked_on(day, book, policy)
        work = with_findings(work, (*accepted.findings, *findings))
        if booked_on is None or any(finding.severity == "error" for finding in work.findings):
            return work
        return _built(work, receipt, accepted, booked_on)

    return step


def _order_stands(receipt: Receipt, order: Ordered) -> Finding | None:
    """Goods of an order that nobody approved wait for it; those of one that is called off are not booked, and told."""
    standing, status = standing_of(order.state), order.order.status
    if standing == "waits":
        return Finding(
            "order_pending",
            "wait",
            f"order {receipt.order} is {status}",
            field="order",
            value=receipt.order,
            mend="Nothing: the receipt goes when its order is approved.",
        )
    if standing == "off":
        return Finding(
            "order_called_off",
            "skip",
            f"goods came for order {receipt.order}, which is {status}",
            field="order",
            value=receipt.order,
            mend="Approve the order and run `isthmus retry`, or send the goods back and run `isthmus skip`.",
        )
    return None


def _coming(
    desk: ProcurementDesk, work: Work, receipt: Receipt, order: Ordered, cut_over: date | None, rule: QuantityRule
) -> Mapping[str, Decimal]:
    """Accepted per order line by earlier receipts that finance does not count yet."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for earlier in desk.coming(order.record_id, receipt.number):
        for line in earlier.lines:
            total[line.order_line] += line.accepted
    units = desk.units(work.company)
    for mate in desk.new_before(receipt):
        if mate.received_on is not None and before_cut_over(mate.received_on, cut_over) is not None:
            continue
        accepted = accept(mate, order.order, units, coming=total, rule=rule)
        if all(finding.severity == "notice" for finding in accepted.findings):
            for line in accepted.lines:
                total[line.order_line] += line.accepted
    return total


def _booked_on(day: date | None, book: Book, policy: PeriodPolicy) -> tuple[date | None, tuple[Finding, ...]]:
    if day is not None:
        return posting_date(None, day, book, policy)
    return None, (
        Finding(
            "date_missing",
            "error",
            "the day the goods came is not told, so there is no day to book them on",
            field="received_on",
            mend="Fill the day in its system, or map received_on to another date.",
        ),
    )


def _built(work: Work, receipt: Receipt, accepted: Accepted, booked_on: date) -> Work:
    if not accepted.lines:
        return structs.replace(work, amount="0")
    made = structs.replace(
        receipt,
        number=document_number(work.key),
        received_on=booked_on,
        lines=accepted.lines,
        booked_number=None,
    )
    return _made(work, work.key, made)


def _made(work: Work, key: str, receipt: Receipt) -> Work:
    total = sum((line.accepted for line in receipt.lines), _ZERO)
    return structs.replace(
        work, key=key, document=dump(receipt), number=receipt.number, amount=spell_decimal(total)
    )  # fmt: skip


def compare_receipts(booked: State, new: State) -> Finding | None:
    """What changed since the receipt was booked: the order, or what was accepted of a line; None for the rest.

    The day is not compared: it moves by itself when a period closes, and goods are received on it once.
    """
    old, now = _receipt(booked), _receipt(new)
    before, after = _per_line(old), _per_line(now)
    changes = [f"order {old.order} -> {now.order}"] if old.order != now.order else []
    changes += [
        f"line {key}: {spell_decimal(before.get(key, _ZERO))} -> {spell_decimal(after.get(key, _ZERO))}"
        for key in sorted({*before, *after})
        if before.get(key, _ZERO) != after.get(key, _ZERO)
    ]
    if not changes:
        return None
    return Finding(
        "already_booked",
        "hold",
        f"already booked as {old.booked_number or old.number}, change of {', '.join(changes)}",
        field="order" if old.order != now.order else "lines",
        mend="Use `isthmus correct` to receive or take back the difference, or dismiss the change.",
    )


def receipt_corrector(desk: ProcurementDesk) -> Callable[[State, Work, int], Sequence[Work]]:
    """Makes the receipt of what differs, or, where the receipt is of another order or of nothing now, one that takes
    the booked one back whole and the new one.

    Finance cannot receive again what a line has received: taken back, its order line stays received (bc.md §15).
    Therefore only the difference moves (docs/decisions/012-receipt-corrections.md).
    """

    def correct(booked: State, work: Work, serial: int) -> Sequence[Work]:
        old, book = _receipt(booked), desk.book(work.company)
        key = f"{work.key}:correct:{serial}"
        new = _receipt(work.document) if work.document is not None else None
        work = structs.replace(work, findings=())
        if new is not None and new.order == old.order:
            key += DIFFERENCE
            return [_made(work, key, _dated(_difference(old, new, document_number(key)), book))]
        before = desk.order(work.company, old.order)
        anchor = work.anchor_id if isinstance(before, Finding) else before.record_id
        counter = _dated(_counter(old, document_number(key + COUNTER)), book)
        works = [_made(structs.replace(work, anchor_id=anchor), key + COUNTER, counter)]
        if new is not None:
            anew = structs.replace(new, number=document_number(key), corrects=old.number)
            works.append(_made(work, key, _dated(anew, book)))
        return works

    return correct


def _difference(old: Receipt, new: Receipt, number: str) -> Receipt:
    """What is to be received or taken back so that `new` is what came of it all; every line says what it comes to."""
    before, after = _per_line(old), _per_line(new)
    known = {line.order_line: line for line in (*old.lines, *new.lines)}
    return structs.replace(
        new,
        number=number,
        corrects=old.number,
        lines=tuple(
            ReceiptLine(
                key=key,
                order_line=key,
                item=line.item,
                unit=line.unit,
                accepted=after.get(key, _ZERO) - before.get(key, _ZERO),
                total=after.get(key, _ZERO),
            )
            for key, line in known.items()
        ),
    )


def _counter(old: Receipt, number: str) -> Receipt:
    """Every line taken back whole."""
    lines = tuple(
        ReceiptLine(
            key=line.key, order_line=line.order_line, item=line.item, unit=line.unit,
            accepted=-(line.accepted if line.total is None else line.total),
        )
        for line in old.lines
    )  # fmt: skip
    return structs.replace(old, number=number, corrects=old.number, booked_number=None, lines=lines)


def _dated(receipt: Receipt, book: Book | None) -> Receipt:
    """On its day, or on the first open one."""
    day = receipt.received_on
    return receipt if day is None else structs.replace(receipt, received_on=open_day(book, day))


def _per_line(receipt: Receipt) -> Mapping[str, Decimal]:
    """Order line -> what the receipt comes to, its corrections included."""
    total: dict[str, Decimal] = defaultdict(Decimal)
    for line in receipt.lines:
        total[line.order_line] += line.accepted if line.total is None else line.total
    return total


def _receipt(state: State) -> Receipt:
    return cast("Receipt", entities()["receipt"].parse(state))
