"""Money is Decimal in a known currency, or it cannot be made; rounding is explicit."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.model.money import Money, currency_digits, known_currency, round_amount, total
from isthmus.model.quantity import BUILT_IN_UNITS, Quantity

AMOUNTS = st.decimals(-(10**12), 10**12, places=4)


@pytest.mark.parametrize("amount", [1.5, 1, True, "1.50", None])
def test_only_a_decimal_is_an_amount(amount):
    with pytest.raises(TypeError, match="must be a Decimal"):
        Money(amount, "USD")
    with pytest.raises(TypeError, match="must be a Decimal"):
        Quantity(amount, "hour")


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_an_amount_is_finite(amount):
    with pytest.raises(ValueError, match="finite"):
        Money(Decimal(amount), "USD")
    with pytest.raises(ValueError, match="finite"):
        Quantity(Decimal(amount), "hour")


@pytest.mark.parametrize("currency", ["", "usd", "US$", "DOLLAR", "BTC", " USD"])
def test_a_currency_is_an_iso_code(currency):
    assert not known_currency(currency)
    with pytest.raises(ValueError, match="unknown currency"):
        Money(Decimal(1), currency)


@pytest.mark.parametrize("unit", ["", "hrs", "HOUR", "uom:", "uom"])
def test_an_unknown_unit_cannot_be_made(unit):
    with pytest.raises(ValueError, match="unknown unit"):
        Quantity(Decimal(1), unit)


@pytest.mark.parametrize("unit", [*sorted(BUILT_IN_UNITS), "uom:BOX"])
def test_built_in_units_and_those_of_the_master_data_exist(unit):
    assert Quantity(Decimal("1.5"), unit).unit == unit


@pytest.mark.parametrize(("currency", "digits"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_each_currency_has_its_own_decimals(currency, digits):
    assert currency_digits(currency) == digits
    assert -Money(Decimal("1.23456"), currency).rounded().amount.as_tuple().exponent == digits


def test_amounts_of_different_currencies_do_not_combine():
    one, other = Money(Decimal(1), "USD"), Money(Decimal(1), "EUR")
    for combine in (lambda: one + other, lambda: one - other, lambda: total([one, other], "USD")):
        with pytest.raises(ValueError, match="convert at the document's date"):
            combine()


def test_half_is_rounded_away_from_zero_unless_said_otherwise():
    assert Money(Decimal("1.005"), "USD").rounded().amount == Decimal("1.01")
    assert Money(Decimal("-1.005"), "USD").rounded().amount == Decimal("-1.01")
    assert Money(Decimal("1.005"), "USD").rounded(rounding=ROUND_HALF_EVEN).amount == Decimal("1.00")
    assert Money(Decimal("1.23456"), "USD").rounded(4).amount == Decimal("1.2346")
    with pytest.raises(ValueError, match="unknown rounding"):
        round_amount(Decimal(1), 2, "half up")


@given(amounts=st.lists(AMOUNTS))
def test_a_total_is_the_exact_sum_in_any_order(amounts):
    monies = [Money(amount, "USD") for amount in amounts]
    assert total(monies, "USD") == total(reversed(monies), "USD") == Money(sum(amounts, Decimal(0)), "USD")


@given(amount=AMOUNTS, places=st.integers(0, 4))
def test_rounding_treats_both_signs_alike(amount, places):
    assert round_amount(-amount, places) == -round_amount(amount, places)
    assert abs(round_amount(amount, places) - amount) <= Decimal(5).scaleb(-places - 1)


def test_money_shows_amount_and_currency_and_is_false_at_zero():
    assert str(Money(Decimal("183.05"), "USD")) == "183.05 USD"
    assert not Money(Decimal("0.00"), "USD")
    assert -Money(Decimal(1), "USD") == Money(Decimal(-1), "USD")
