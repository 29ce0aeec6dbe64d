"""Currency and unit conversion: dated, exact, and never a guess."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.mapping.rates import Rates
from isthmus.mapping.units import UnitFactor, Units
from isthmus.model.entities.currencies import ExchangeRate
from isthmus.model.finding import Finding
from isthmus.model.money import Money
from isthmus.model.quantity import Quantity

JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def rate(currency: str, on: date, amount: str, worth: str, base: str | None = None) -> ExchangeRate:
    return ExchangeRate(
        key=f"{currency}/{on}",
        currency=currency,
        base=base,
        starts_on=on,
        amount=Decimal(amount),
        relational_amount=Decimal(worth),
    )


RATES = Rates(
    [
        rate("EUR", JAN, "100", "110"),
        rate("EUR", MAR, "100", "120"),
        rate("JPY", JAN, "1000", "6.4"),
        rate("GBP", FEB, "1", "1.25", "USD"),
        rate("CHF", JAN, "1", "0.95", "EUR"),
    ],
    base="USD",
)


def money(amount: str, currency: str) -> Money:
    return Money(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("source", "to", "on", "result"),
    [
        (money("10", "EUR"), "USD", JAN, money("11.00", "USD")),
        (money("10", "EUR"), "USD", date(2026, 2, 28), money("11.00", "USD")),
        (money("10", "EUR"), "USD", MAR, money("12.00", "USD")),
        (money("11", "USD"), "EUR", JAN, money("10.00", "EUR")),
        (money("-183.05", "EUR"), "USD", JAN, money("-201.36", "USD")),
        (money("10", "EUR"), "JPY", JAN, money("1719", "JPY")),
        (money("10", "GBP"), "EUR", FEB, money("11.36", "EUR")),
        (money("10", "CHF"), "EUR", JAN, money("9.50", "EUR")),
        (money("1.005", "USD"), "USD", JAN, money("1.01", "USD")),
    ],
)
def test_converts_by_the_latest_rate_of_the_day(source: Money, to: str, on: date, result: Money) -> None:
    converted = RATES.convert(source, to, on)
    assert converted == result
    assert isinstance(converted, Money)
    assert str(converted.amount) == str(result.amount)


def test_rounds_once_and_as_told() -> None:
    source = money("0.05", "EUR")
    assert RATES.convert(source, "USD", JAN, places=4) == money("0.0550", "USD")
    assert RATES.convert(source, "USD", JAN, rounding="ROUND_DOWN") == money("0.05", "USD")
    assert RATES.convert(source, "USD", JAN) == money("0.06", "USD")


@pytest.mark.parametrize(
    ("source", "to", "on", "said"),
    [
        (money("1", "SEK"), "USD", JAN, "there is none at all"),
        (money("1", "GBP"), "USD", JAN, "the first one is of 2026-02-01"),
        (money("1", "CHF"), "USD", JAN, "CHF to USD"),
        (money("1", "EUR"), "SEK", JAN, "USD to SEK"),
        (money("1", "EUR"), "XYZ", JAN, "not an ISO 4217"),
    ],
)
def test_a_missing_rate_names_pair_day_and_place(source: Money, to: str, on: date, said: str) -> None:
    finding = RATES.convert(source, to, on)
    assert isinstance(finding, Finding)
    assert (finding.code, finding.severity) == ("rate_missing", "error")
    assert said in finding.text
    assert on.isoformat() in finding.value
    assert "exchange rates of finance" in finding.mend


def test_rates_that_contradict_or_are_zero_are_not_used() -> None:
    twice = Rates([rate("EUR", JAN, "1", "1.1"), rate("EUR", JAN, "1", "1.2")], base="USD")
    zero = Rates([rate("EUR", JAN, "1", "0")], base="USD")
    for rates, said in ((twice, "two different rates"), (zero, "zero or negative")):
        finding = rates.convert(money("1", "EUR"), "USD", MAR)
        assert isinstance(finding, Finding)
        assert said in finding.text


def test_the_same_rate_told_twice_is_no_contradiction() -> None:
    rates = Rates([rate("EUR", JAN, "1", "1.1"), rate("EUR", JAN, "1.0", "1.10")], base="USD")
    assert rates.convert(money("1", "EUR"), "USD", JAN) == money("1.10", "USD")


AMOUNTS = st.decimals(-(10**9), 10**9, places=2, allow_nan=False)
POSITIVE = st.decimals(Decimal("0.0001"), 10_000, places=4, allow_nan=False)


@settings(max_examples=400, deadline=None)
@given(AMOUNTS, POSITIVE, POSITIVE)
def test_there_and_back_within_rounding(amount: Decimal, quantity: Decimal, worth: Decimal) -> None:
    rates = Rates([rate("EUR", JAN, str(quantity), str(worth))], base="USD")
    there = rates.convert(Money(amount, "EUR"), "USD", JAN)
    assert isinstance(there, Money)
    back = rates.convert(there, "EUR", JAN, places=12)
    assert isinstance(back, Money)
    half_cent_at_the_rate = Decimal("0.005") * quantity / worth
    assert abs(back.amount - amount) <= half_cent_at_the_rate + Decimal("0.00000001")


@settings(max_examples=200, deadline=None)
@given(AMOUNTS, POSITIVE, POSITIVE)
def test_through_the_company_currency_is_both_steps(amount: Decimal, one: Decimal, two: Decimal) -> None:
    rates = Rates([rate("EUR", JAN, "1", str(one)), rate("GBP", JAN, "1", str(two))], base="USD")
    through = rates.convert(Money(amount, "EUR"), "GBP", JAN, places=2)
    assert isinstance(through, Money)
    assert abs(through.amount - amount * one / two) <= Decimal("0.005") + Decimal("1E-12")


UNITS = Units(
    [
        UnitFactor("BOLT", "uom:BOX10", Decimal(10)),
        UnitFactor("BOLT", "uom:PAL", Decimal(2000)),
        UnitFactor("", "uom:DOZ", Decimal(12)),
        UnitFactor("OIL", "uom:DRUM", Decimal("208.2")),
    ],
    bases={"OIL": "l"},
)


def quantity(amount: str, unit: str) -> Quantity:
    return Quantity(Decimal(amount), unit)


@pytest.mark.parametrize(
    ("source", "to", "item", "result"),
    [
        (quantity("3", "uom:BOX10"), "each", "BOLT", quantity("30", "each")),
        (quantity("30", "each"), "uom:BOX10", "BOLT", quantity("3", "uom:BOX10")),
        (quantity("1", "uom:PAL"), "uom:BOX10", "BOLT", quantity("200", "uom:BOX10")),
        (quantity("2", "uom:DOZ"), "each", "BOLT", quantity("24", "each")),
        (quantity("2", "uom:DRUM"), "l", "OIL", quantity("416.4", "l")),
        (quantity("1.5", "hour"), "minute", "", quantity("90", "minute")),
        (quantity("1", "km"), "m", "", quantity("1000", "m")),
        (quantity("7", "kg"), "kg", "", quantity("7", "kg")),
    ],
)
def test_units_convert_by_the_factors_of_the_item(source: Quantity, to: str, item: str, result: Quantity) -> None:
    assert UNITS.convert(source, to, item) == result


@pytest.mark.parametrize(
    ("source", "to", "item"),
    [
        (quantity("1", "uom:BOX10"), "each", "OIL"),
        (quantity("1", "each"), "kg", "BOLT"),
        (quantity("1", "hour"), "each", "BOLT"),
        (quantity("1", "day"), "hour", ""),
    ],
)
def test_a_missing_factor_is_a_finding(source: Quantity, to: str, item: str) -> None:
    finding = UNITS.convert(source, to, item)
    assert isinstance(finding, Finding)
    assert (finding.code, finding.severity) == ("factor_missing", "error")
    assert source.unit in finding.text


def test_units_round_only_when_told() -> None:
    converted = UNITS.convert(quantity("1", "each"), "uom:DOZ", places=3)
    assert converted == quantity("0.083", "uom:DOZ")
    with pytest.raises(ValueError, match="above zero"):
        Units([UnitFactor("A", "uom:X", Decimal(0))])
