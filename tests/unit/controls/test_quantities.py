"""Units of items: what converts, how it is rounded, and what is never guessed."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.controls.quantities import ItemUnits, QuantityRule
from isthmus.model.entities.items import Item, ItemUnit

AMOUNTS = st.decimals(min_value=-(10**6), max_value=10**6, places=5, allow_nan=False)
FACTORS = st.decimals(min_value="0.00001", max_value=10**5, places=5, allow_nan=False)


def units_of(**factors: str | Decimal) -> ItemUnits:
    """Item BOLT, kept in PCS, and its other units."""
    rows = [ItemUnit(key=f"BOLT/{unit}", item="BOLT", unit=unit, factor=Decimal(f)) for unit, f in factors.items()]
    return ItemUnits([Item(number="BOLT", base_unit="PCS"), Item(number="OIL")], rows)


@pytest.mark.parametrize(
    ("quantity", "unit", "to", "expected"),
    [
        ("2", "BOX", None, "20"),
        ("20", None, "BOX", "2"),
        ("5", "PCS", "BOX", "0.5"),
        ("3", "PALLET", "BOX", "150"),
        ("-1.5", "BOX", "PCS", "-15"),
        ("7", "PCS", None, "7"),
        ("7", None, None, "7"),
        ("7", "CRATE", "CRATE", "7"),
        ("0", "BOX", None, "0"),
    ],
)
def test_a_quantity_in_another_unit(quantity: str, unit: str | None, to: str | None, expected: str) -> None:
    found = units_of(BOX="10", PALLET="500").convert(Decimal(quantity), unit, to, "BOLT")
    assert (str(found.quantity), found.findings) == (expected, ())


@pytest.mark.parametrize(
    ("unit", "to", "item", "told"),
    [
        ("CRATE", None, "BOLT", "no factor above zero for CRATE of item BOLT"),
        ("PCS", "CRATE", "BOLT", "no factor above zero for CRATE of item BOLT"),
        ("BAD", None, "BOLT", "no factor above zero for BAD of item BOLT"),
        ("DRUM", None, "OIL", "finance has no base unit of item OIL"),
        ("BOX", None, "NUT", "finance has no base unit of item NUT"),
        ("BOX", "PCS", "NUT", "no factor above zero for BOX of item NUT"),
        ("HOUR", "DAY", None, "only units of items have factors"),
    ],
)
def test_a_factor_that_is_missing_is_told_and_never_taken_to_be_one(
    unit: str | None, to: str | None, item: str | None, told: str
) -> None:
    found = units_of(BOX="10", BAD="0").convert(Decimal(1), unit, to, item, field="lines[2].accepted")
    assert found.quantity is None
    (finding,) = found.findings
    assert (finding.code, finding.severity, finding.field) == ("factor_missing", "error", "lines[2].accepted")
    assert told in finding.text
    assert finding.mend


def test_rounding_is_told_and_follows_the_rule() -> None:
    units = units_of(THIRD="3")
    found = units.convert(Decimal(2), None, "THIRD", "BOLT")
    assert str(found.quantity) == "0.66667"
    (finding,) = found.findings
    assert (finding.code, finding.severity) == ("quantity_rounded", "notice")
    assert finding.text == "quantity: 2 is rounded to 0.66667 THIRD"
    down = units.convert(Decimal(2), None, "THIRD", "BOLT", rule=QuantityRule(places=0, rounding=ROUND_DOWN))
    assert str(down.quantity) == "0"


def test_a_quantity_with_more_decimals_than_finance_keeps_is_rounded_in_its_own_unit_too() -> None:
    found = units_of().convert(Decimal("1.1234567"), "PCS", "PCS", "BOLT")
    assert (str(found.quantity), [finding.code for finding in found.findings]) == ("1.12346", ["quantity_rounded"])


@given(AMOUNTS, FACTORS)
def test_there_and_back_is_the_same_where_nothing_was_rounded(quantity: Decimal, factor: Decimal) -> None:
    units = units_of(BOX=factor)
    there = units.convert(quantity, "BOX", None, "BOLT")
    assert there.quantity is not None
    back = units.convert(there.quantity, None, "BOX", "BOLT")
    if not there.findings:
        assert back.quantity == quantity


@given(AMOUNTS, AMOUNTS, FACTORS)
def test_conversion_keeps_order_and_sign(one: Decimal, other: Decimal, factor: Decimal) -> None:
    units = units_of(BOX=factor)
    first, second = (units.convert(quantity, "BOX", None, "BOLT").quantity for quantity in (one, other))
    assert first is not None
    assert second is not None
    if one <= other:
        assert first <= second
    mirrored = units.convert(-one, "BOX", None, "BOLT").quantity
    assert mirrored == -first
    assert abs(first - one * factor) <= Decimal("0.000005")
