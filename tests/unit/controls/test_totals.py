"""Control totals: counts, sums, rounding and drift, exact to the last digit."""

from __future__ import annotations

import random
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from isthmus.controls.totals import Comparison, ControlLine, Drift, Side, compare

CENT = Decimal("0.01")


def lines(**documents):
    return [ControlLine("work_order", "CRONUS", "USD", number, Decimal(amount)) for number, amount in documents.items()]


def test_equal_sides_agree():
    [total] = compare(lines(a="1.10", b="2"), lines(b="2.00", a="1.1")).totals
    assert total.agrees
    assert total.left == total.right == Side(2, Decimal("3.1"))
    assert (total.entity, total.company, total.currency, total.rounding) == ("work_order", "CRONUS", "USD", 0)


def test_drift_names_every_document_that_differs():
    comparison = compare(lines(a="1", b="2", c="3"), lines(b="2.50", c="3", d="4"), CENT)
    assert not comparison.agrees
    assert comparison.totals[0].drift == (
        Drift("a", "missing_right", Decimal(1), None),
        Drift("b", "amount_differs", Decimal(2), Decimal("2.50")),
        Drift("d", "missing_left", None, Decimal(4)),
    )


def test_within_the_tolerance_it_is_rounding_and_not_drift():
    [total] = compare(lines(a="10.004", b="1.00"), lines(a="10.00", b="1.01"), CENT).totals
    assert total.agrees
    assert total.rounding == Decimal("-0.006")
    assert compare(lines(a="1.00"), lines(a="1.011"), CENT).totals[0].drift[0].kind == "amount_differs"


def test_lines_of_one_document_are_added_up_and_a_second_posting_shows():
    left = lines(a="100.00")
    assert compare(left, [*lines(a="60.00"), *lines(a="40.00")]).agrees
    [drift] = compare(left, [*lines(a="100.00"), *lines(a="100.00")]).totals[0].drift
    assert (drift.kind, drift.difference) == ("amount_differs", Decimal("-100.00"))


def test_a_document_of_nothing_still_counts():
    [total] = compare(lines(a="0"), []).totals
    assert total.drift == (Drift("a", "missing_right", Decimal(0), None),)


def test_companies_currencies_and_entities_are_apart():
    left = [ControlLine("invoice", company, currency, "a", CENT) for company in "BA" for currency in ("USD", "EUR")]
    totals = compare(left, []).totals
    assert [(total.company, total.currency) for total in totals] == [
        ("A", "EUR"), ("A", "USD"), ("B", "EUR"), ("B", "USD"),
    ]  # fmt: skip


def test_nothing_agrees_with_nothing():
    assert compare([], []) == Comparison(())
    assert compare([], []).agrees


def test_sums_keep_more_digits_than_the_default_context_would():
    big, small = Decimal(10) ** 30, Decimal("0.0001")
    [total] = compare([*lines(a=big), *lines(a=small)], lines(a=big)).totals
    assert total.drift[0].difference == small


CONTROL = st.lists(
    st.builds(
        ControlLine,
        entity=st.just("journal_entry"),
        company=st.sampled_from("AB"),
        currency=st.sampled_from(["USD", "EUR"]),
        number=st.sampled_from("abcd"),
        amount=st.decimals(-(10**6), 10**6, places=4),
    ),
    max_size=25,
)


@given(left=CONTROL, right=CONTROL, tolerance=st.decimals(0, 10, places=2), seed=st.integers())
def test_the_difference_is_explained_to_the_last_digit(left, right, tolerance, seed):
    comparison = compare(iter(left), iter(right), tolerance)
    for total in comparison.totals:
        explained = total.rounding + sum(drift.difference for drift in total.drift)
        assert total.left.amount - total.right.amount == explained
    assert sum(total.left.amount for total in comparison.totals) == sum(line.amount for line in left)
    mixed = random.Random(seed).sample(left, len(left))
    assert compare(mixed, right, tolerance) == comparison


@given(left=CONTROL, right=CONTROL)
def test_exchanging_the_sides_changes_only_the_signs(left, right):
    for there, back in zip(compare(left, right).totals, compare(right, left).totals, strict=True):
        assert (there.left, there.right) == (back.right, back.left)
        assert [drift.difference for drift in there.drift] == [-drift.difference for drift in back.drift]
