"""Laws of posting that hold for any order, any amounts and any decimals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from isthmus.controls.posting import post_costs
from isthmus.controls.rules import COST_KINDS, COST_SOURCES
from isthmus.model.entities.work_orders import CostLine, WorkOrder
from isthmus.model.money import Money, round_amount

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=5, allow_nan=False)
RATES = st.decimals(min_value="0.0001", max_value=1000, places=6)


@st.composite
def orders(draw) -> WorkOrder:
    keys = draw(st.lists(st.text(min_size=1, max_size=4), max_size=8, unique=True))
    lines = tuple(
        CostLine(
            key=key,
            kind=draw(st.sampled_from(COST_KINDS)),
            source=draw(st.sampled_from(COST_SOURCES)),
            amount=draw(AMOUNTS),
            vendor="V10",
            description=draw(st.text(max_size=150)),
        )
        for key in keys
    )
    return WorkOrder(
        number="WO-1",
        category=draw(st.sampled_from(["PM01", "PM02"])),
        asset="EX-7",
        cost_centre="CC1",
        completed_on=date(2026, 3, 10),
        currency=draw(st.sampled_from(["USD", "EUR"])),
        lines=lines,
    )


def posted(order, table, book, rate=Decimal(1)):
    return post_costs(
        order,
        table,
        book,
        document_number="IS-1",
        convert=lambda money, currency, _on: Money(money.amount * rate, currency),
    ).journal


@given(order=orders(), rate=RATES)
def test_every_journal_is_balanced_and_worth_the_rounded_sum(table, make_book, order, rate):
    book = make_book()
    journal = posted(order, table, book, rate)
    exact = sum((line.amount for line in order.lines), Decimal(0)) * (rate if order.currency == "EUR" else 1)
    if journal is None:
        assert round_amount(exact, 2) == 0
        return
    assert sum(line.amount for line in journal.lines) == 0
    assert journal.amount == round_amount(exact, 2)
    offsets = {row.offset for row in table.rows}
    assert sum(line.amount for line in journal.lines if line.account not in offsets) == journal.amount
    assert all(line.amount for line in journal.lines)
    assert len({line.key for line in journal.lines}) == len(journal.lines)
    assert all(len(line.description.encode("utf-16-le")) <= 200 for line in journal.lines)


@given(order=orders())
def test_every_cost_is_expensed_once(table, make_book, order):
    journal = posted(order, table, make_book())
    booked = {line.key: line.amount for line in journal.lines} if journal else {}
    for line in order.lines:
        amount = round_amount(line.amount, 2)
        assert booked.pop(f"{line.key}/d", Decimal(0)) == amount
        assert booked.pop(f"{line.key}/o", Decimal(0)) == -amount
    assert set(booked) <= {"rounding/difference", "rounding/offset"}


@given(order=orders())
def test_the_opposite_costs_give_the_opposite_journal(table, make_book, order):
    opposite = msgspec.structs.replace(
        order, lines=tuple(msgspec.structs.replace(line, amount=-line.amount) for line in order.lines)
    )
    journal, mirrored = posted(order, table, make_book()), posted(opposite, table, make_book())
    if journal is None or mirrored is None:
        assert journal is mirrored is None
        return
    assert mirrored.amount == -journal.amount
    assert [(line.key, line.account, -line.amount) for line in mirrored.lines] == [
        (line.key, line.account, line.amount) for line in journal.lines
    ]


@given(order=orders())
def test_the_same_order_gives_the_same_journal(table, make_book, order):
    assert posted(order, table, make_book()) == posted(order, table, make_book())
