"""States: equal records give equal text, nothing is lost on the way, and no float or naive time gets in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.model.entities.work_orders import CostLine, WorkOrder
from isthmus.model.entity import dump, entities
from isthmus.model.spelling import spell, spell_decimal
from isthmus.model.state import decode_state, encode_state
from isthmus.model.values import aware_utc

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=ZONES)  # noqa: DTZ001 - bounds are naive
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=12,
)
STATES = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), PLAIN, max_size=5)
ORDERS = st.builds(
    WorkOrder,
    number=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    description=TEXTS,
    completed_at=st.none() | MOMENTS,
    completed_on=st.none() | st.dates(),
    lines=st.lists(
        st.builds(CostLine, key=st.text(max_size=3), kind=st.just("part"), source=st.just("stock"), amount=DECIMALS)
    ).map(tuple),
    extra=st.dictionaries(st.text(max_size=3), st.none() | st.booleans() | DECIMALS, max_size=3),
)


@given(state=STATES)
def test_a_state_comes_back_as_it_was_and_has_one_spelling(state):
    text = encode_state(state)
    assert decode_state(text) == state
    assert encode_state(decode_state(text)) == text
    assert encode_state(dict(reversed(state.items()))) == text


@given(order=ORDERS)
def test_a_record_survives_its_state(order):
    state = dump(order)
    parsed = entities()["work_order"].parse(decode_state(encode_state(state)))
    assert encode_state(dump(parsed)) == encode_state(state)
    assert parsed.lines == order.lines
    assert parsed.completed_at == order.completed_at


@given(amount=DECIMALS, zeros=st.integers(0, 6))
def test_equal_numbers_have_one_spelling(amount, zeros):
    text = spell_decimal(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    exponent = amount.as_tuple().exponent
    assert (
        spell_decimal(amount.quantize(Decimal(1).scaleb(min(exponent, 0) - zeros))) == text if exponent > -10 else True
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("183.10", "183.1"),
        ("1E+2", "100"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("0E-9", "0"),
        ("-5.50", "-5.5"),
        ("1E-7", "0.0000001"),
    ],
)
def test_decimals_are_spelled_plainly(value, text):
    assert spell_decimal(Decimal(value)) == text


@given(moment=MOMENTS, zone=ZONES)
def test_the_same_moment_has_one_spelling(moment, zone):
    assert spell(moment) == spell(moment.astimezone(zone))
    assert spell(moment).endswith("Z")


def test_absent_null_and_empty_stay_three_things():
    texts = {encode_state(state) for state in ({}, {"name": None}, {"name": ""})}
    assert len(texts) == 3


def test_a_float_and_a_number_without_end_cannot_stand_in_a_state():
    with pytest.raises(TypeError, match="float"):
        spell(1.5)
    with pytest.raises(TypeError, match="float"):
        dump(WorkOrder(number="1", extra={"hours": 1.5}))
    for value in ("NaN", "Infinity"):
        with pytest.raises(ValueError, match="finite"):
            spell_decimal(Decimal(value))


def test_wire_numbers_become_decimals():
    assert decode_state('{"amount": 183.05}') == {"amount": Decimal("183.05")}


def test_a_float_cannot_be_the_amount_of_a_record():
    with pytest.raises(TypeError, match="amount must be a Decimal"):
        CostLine(key="1", kind="part", source="stock", amount=1.5)


def test_a_time_without_zone_cannot_be_made():
    naive = datetime(2026, 1, 31, 12)  # noqa: DTZ001 - the naive time is the point
    with pytest.raises(ValueError, match="completed_at has no time zone"):
        WorkOrder(number="1", completed_at=naive)
    with pytest.raises(ValueError, match="no time zone"):
        aware_utc(naive)
    with pytest.raises(ValueError, match="no time zone"):
        spell(naive)
    with pytest.raises(ValueError, match="completed_at"):
        entities()["work_order"].parse({"number": "1", "completed_at": "2026-01-31T12:00:00"})


def test_dates_stay_dates_and_times_become_utc():
    order = WorkOrder(
        number="1",
        completed_on=date(2026, 1, 31),
        completed_at=datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=13))),
        modified_at=datetime(2026, 1, 31, tzinfo=UTC),
    )
    assert dump(order) == {
        "number": "1",
        "completed_on": "2026-01-31",
        "completed_at": "2026-01-30T23:00:00Z",
        "modified_at": "2026-01-31T00:00:00Z",
    }
