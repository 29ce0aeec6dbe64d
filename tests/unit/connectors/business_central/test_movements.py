"""Stock transactions made ready: signs, base quantities, what no standard call can tell."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.connectors.dynamics.business_central.stock.movements import Movement, parse, refuse_untold
from isthmus.contract.operations import Operation
from isthmus.errors import Reject

QUANTITIES = st.decimals(min_value="-99999", max_value="99999", places=5)


def operation(kind: str = "issue", quantity: object = Decimal(2), **native: Any) -> Operation:
    given = {"type": kind, "itemNumber": " seal ", "quantity": quantity, "postingDate": "2026-03-05"} | native
    return Operation(key="k", entity="inventory_transaction", action="post", native=given, mark="IS-abc")


@given(QUANTITIES, st.sampled_from(["issue", "return", "adjustment", "count"]), QUANTITIES)
def test_what_leaves_is_below_zero_and_what_comes_above(quantity: Decimal, kind: str, frozen: Decimal) -> None:
    told = operation(kind, quantity, countedAs=frozen)
    if kind != "count" and (quantity == 0 or (quantity < 0 and kind != "adjustment")):
        with pytest.raises(Reject, match=f"of a {kind} must be"):
            parse(told)
        return
    made = parse(told)
    expected = {"issue": -quantity, "return": quantity, "adjustment": quantity, "count": quantity - frozen}[kind]
    assert (made.quantity, made.base) == (expected, expected)


@given(QUANTITIES.filter(bool), st.decimals(min_value="0.001", max_value=1000, places=3))
def test_the_base_quantity_is_told_and_never_calculated(quantity: Decimal, factor: Decimal) -> None:
    base = quantity * factor
    made = parse(operation("adjustment", quantity, unitOfMeasureCode="box", baseQuantity=base), "PCS")
    assert (made.quantity, made.base, made.unit) == (quantity, base, "BOX")
    with pytest.raises(Reject, match="must have the sign"):
        parse(operation("adjustment", quantity, unitOfMeasureCode="box", baseQuantity=-base), "PCS")


def test_another_unit_without_its_base_quantity_is_refused_and_the_base_unit_is_not() -> None:
    assert parse(operation(unitOfMeasureCode="pcs"), "PCS").base == -2
    with pytest.raises(Reject, match="BOX is another unit") as refused:
        parse(operation(unitOfMeasureCode="box"), "PCS")
    assert (refused.value.code, refused.value.field) == ("base_quantity_missing", "base_quantity")


def test_codes_are_upper_case_and_the_mark_is_the_document_number() -> None:
    made = parse(operation("transfer", locationCode="east", newLocationCode=" west "))
    assert (made.number, made.item, made.location, made.to_location) == ("IS-ABC", "SEAL", "EAST", "WEST")


def test_a_float_is_no_quantity() -> None:
    with pytest.raises(TypeError, match="Decimal"):
        parse(operation(quantity=1.5))


@pytest.mark.parametrize("mark", ["", "X" * 21])
def test_a_mark_is_needed_and_fits_a_document_number(mark: str) -> None:
    native = operation().native
    with pytest.raises(Reject, match="1 to 20 characters"):
        parse(Operation(key="k", entity="inventory_transaction", action="post", native=native, mark=mark))


def movement(**more: Any) -> Movement:
    return parse(operation(locationCode="EAST", lotNumber="L1", binCode="B1", **more))


def test_what_business_central_asks_for_and_no_call_can_tell_is_refused() -> None:
    with pytest.raises(Reject, match="LOTALL") as tracked:
        refuse_untold(movement(), "LOTALL", ())
    assert (tracked.value.code, tracked.value.field, tracked.value.value) == ("tracking_needed", "item", "SEAL")
    with pytest.raises(Reject, match="location EAST works with bins") as warehouse:
        refuse_untold(movement(), "", ("EAST",))
    assert (warehouse.value.code, warehouse.value.field) == ("warehouse_location", "location")


def test_a_lot_or_bin_nobody_asks_for_stops_nothing() -> None:
    refuse_untold(movement(), "", ("WEST",))
