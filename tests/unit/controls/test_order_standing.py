"""What the status of an order means, and orders that end early."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.controls.order_standing import cancelled, order_shape, order_standing, short_closed, standing_of
from isthmus.model.entities.purchasing import OrderStatus
from isthmus.model.entity import State, entities
from isthmus.model.finding import Finding


def order(status: str | None = "approved", **more: Any) -> State:
    lines = [
        {"key": "1", "quantity": "10", "unit_cost": "2.5", "amount": "25", "received": "4"},
        {"key": "2", "quantity": "3", "unit_cost": "1.3333", "amount": "3.9999"},
    ]
    return {"number": "12", "status": status, "lines": lines, **more}


def test_every_status_means_something() -> None:
    assert {standing_of({"status": status}) for status in get_args(OrderStatus)} == {"waits", "off", "stands", "over"}
    assert standing_of({"number": "12"}) == "stands"


@pytest.mark.parametrize("status", ["draft", "pending"])
def test_an_order_nobody_approved_waits(status: str) -> None:
    finding = order_standing(order(status))
    assert finding is not None
    assert (finding.code, finding.severity, finding.text) == ("order_pending", "wait", f"order 12 is {status}")


@pytest.mark.parametrize("status", ["rejected", "cancelled"])
def test_an_order_that_was_decided_against_is_skipped(status: str) -> None:
    finding = order_standing(order(status))
    assert finding is not None
    assert (finding.code, finding.severity, finding.text) == ("order_off", "skip", f"order 12 is {status}")


@pytest.mark.parametrize("status", ["approved", "sent", "partly_received", "received", None])
def test_an_order_that_stands_goes_as_it_is(status: str | None) -> None:
    assert order_shape(order(status)) == order(status)


def test_a_closed_order_wants_what_came() -> None:
    shaped = order_shape(order("closed"))
    assert isinstance(shaped, dict)
    assert [(line["quantity"], line["amount"]) for line in shaped["lines"]] == [("4", "10"), ("0", "0")]
    assert order("closed") == order("closed", lines=order()["lines"])  # the hub's own state is not touched


def test_a_closed_order_that_finance_never_saw_goes_as_it_was_ordered() -> None:
    lines = [{"key": "1", "quantity": "10"}]
    assert order_shape(order("closed", lines=lines)) == order("closed", lines=lines)


def test_a_cancelled_order_that_finance_has_keeps_what_came_and_nothing_else() -> None:
    shaped = order_shape(order("cancelled"))
    assert isinstance(shaped, dict)
    assert [(line["key"], line["quantity"]) for line in shaped["lines"]] == [("1", "4")]
    nothing_came = order_shape(
        {"number": "12", "status": "rejected", "booked_number": "106001", "lines": [{"key": "1"}]}
    )
    assert nothing_came == {"number": "12", "status": "rejected", "booked_number": "106001", "lines": []}


def test_a_cancelled_order_that_finance_never_saw_is_skipped() -> None:
    lines = [{"key": "1", "quantity": "10"}]
    finding = order_shape(order("cancelled", lines=lines))
    assert isinstance(finding, Finding)
    assert finding.severity == "skip"


NUMBERS = st.decimals(min_value=0, max_value=10**6, places=4, allow_nan=False).map(str)
LINES = st.lists(
    st.fixed_dictionaries(
        {"key": st.text("0123456789", min_size=1, max_size=4), "quantity": NUMBERS},
        optional={"received": NUMBERS | st.none(), "unit_cost": NUMBERS, "amount": NUMBERS},
    ),
    max_size=6,
)
STATES = st.fixed_dictionaries(
    {"number": st.just("12"), "lines": LINES},
    optional={"status": st.sampled_from(get_args(OrderStatus)), "booked_number": st.just("106001")},
)


@given(STATES)
def test_a_shape_is_an_order_and_shaping_it_again_changes_nothing(state: State) -> None:
    shaped = order_shape(state)
    if isinstance(shaped, Finding):
        assert shaped.severity in {"wait", "skip"}
        return
    entities()["purchase_order"].parse(shaped)
    once_more = order_shape(shaped)
    assert once_more == shaped or (isinstance(once_more, Finding) and not shaped["lines"])


@given(STATES)
def test_nothing_more_comes_of_an_order_that_ends(state: State) -> None:
    for ended in (short_closed(state), cancelled(state)):
        open_quantity = [Decimal(line["quantity"]) - Decimal(line.get("received") or 0) for line in ended["lines"]]
        assert not any(open_quantity)
        assert all(Decimal(line["amount"]) == Decimal(line["quantity"]) * Decimal(line["unit_cost"])
                   for line in ended["lines"] if line.get("amount") is not None and "unit_cost" in line)  # fmt: skip
    kept = [line["key"] for line in cancelled(state)["lines"]]
    assert kept == [line["key"] for line in state["lines"] if Decimal(line.get("received") or 0)]
    assert [line["key"] for line in short_closed(state)["lines"]] == [line["key"] for line in state["lines"]]
