"""Stock transactions: what can be booked, and as what."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.controls.movements import Moved, counter_movement, movement_of
from isthmus.controls.quantities import ItemUnits
from isthmus.model.entities.items import Item, ItemUnit
from isthmus.model.entities.stock import InventoryTransaction

UNITS = ItemUnits(
    [
        Item(number="BOLT", base_unit="PCS", type="stock"),
        Item(number="WORK", base_unit="HOUR", type="service"),
        Item(number="PUMP", base_unit="PCS", type="stock", tracking="serial"),
    ],
    [ItemUnit(key="BOLT/BOX", item="BOLT", unit="BOX", factor=Decimal(10))],
)


def told(type: str = "issue", quantity: str = "3", **more: Any) -> InventoryTransaction:
    counted = more.pop("counted_as", None)
    values = {"item": "BOLT", "unit": None, "location": "MAIN"} | more
    expected = None if counted is None else Decimal(counted)
    return InventoryTransaction(number="T1", type=type, quantity=Decimal(quantity), counted_as=expected, **values)


def move(*args: Any, **more: Any) -> Moved:
    return movement_of(told(*args, **more), UNITS)


def codes(moved: Moved) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.severity, finding.field) for finding in moved.findings]


@pytest.mark.parametrize(
    ("kind", "quantity", "unit", "booked"),
    [
        ("issue", "3", "BOX", "30"),
        ("return", "3", "PCS", "3"),
        ("adjustment", "-2", "BOX", "-20"),
        ("adjustment", "2", None, "2"),
    ],
)
def test_a_movement_in_base_units(kind: str, quantity: str, unit: str | None, booked: str) -> None:
    moved = move(kind, quantity, unit=unit)
    assert moved.findings == ()
    assert moved.movement is not None
    assert (moved.movement.type, str(moved.movement.quantity), moved.movement.unit) == (kind, booked, "PCS")


@pytest.mark.parametrize(("counted", "expected", "booked"), [("8", "10", "-2"), ("10", "8", "2")])
def test_a_count_becomes_the_adjustment_it_amounts_to(counted: str, expected: str, booked: str) -> None:
    moved = move("count", counted, counted_as=expected)
    assert moved.movement is not None
    assert (moved.movement.type, str(moved.movement.quantity), moved.movement.counted_as) == (
        "adjustment",
        booked,
        None,
    )


@pytest.mark.parametrize(("kind", "more"), [("count", {"counted_as": "3"}), ("adjustment", {"quantity": "0"})])
def test_what_moves_nothing_is_skipped(kind: str, more: dict[str, str]) -> None:
    moved = movement_of(told(kind, **more), UNITS)
    assert (moved.movement, codes(moved)) == (None, [("nothing_to_post", "skip", "quantity")])


@pytest.mark.parametrize(
    ("given", "findings"),
    [
        ({"type": "issue", "quantity": "-3"}, [("movement_quantity", "error", "quantity")]),
        ({"type": "return", "quantity": "-3"}, [("movement_quantity", "error", "quantity")]),
        ({"type": "count", "quantity": "-3", "counted_as": "1"}, [("movement_quantity", "error", "quantity")]),
        ({"type": "count"}, [("count_expected", "error", "counted_as")]),
        ({"type": "transfer"}, [("transfer_location", "error", "to_location")]),
        ({"type": "transfer", "location": None, "to_location": "YARD"}, [("transfer_location", "error", "location")]),
        ({"type": "transfer", "to_location": "MAIN"}, [("transfer_location", "error", "to_location")]),
        ({"unit": "CRATE"}, [("factor_missing", "error", "quantity")]),
        ({"item": "WORK"}, [("item_without_stock", "error", "item")]),
        ({"item": "NUT"}, [("item_missing", "wait", "item")]),
        (
            {"item": "PUMP", "serial": "S1"},
            [("serial_quantity", "error", "serial"), ("tracked_item", "hold", "serial")],
        ),
    ],
)
def test_what_cannot_be_booked(given: dict[str, Any], findings: list[Any]) -> None:
    moved = movement_of(told(**given), UNITS)
    assert (moved.movement, codes(moved)) == (None, findings)
    assert all(finding.mend for finding in moved.findings)


def test_a_tracked_piece_is_held_with_its_movement() -> None:
    moved = move(quantity="1", item="PUMP", serial="S1")
    assert codes(moved) == [("tracked_item", "hold", "serial")]
    assert moved.movement is not None


def test_what_waits_for_an_item_names_it() -> None:
    (finding,) = move(item="NUT").findings
    assert finding.value == "NUT"


KINDS = st.sampled_from(["issue", "return", "adjustment", "transfer"])
AMOUNTS = st.decimals(min_value="0.00001", max_value=10**6, places=5, allow_nan=False)


@given(KINDS, AMOUNTS, st.booleans())
def test_a_counter_movement_undoes_it_and_its_own_counter_is_the_movement_again(
    kind: str, amount: Decimal, less: bool
) -> None:
    quantity = -amount if less and kind == "adjustment" else amount
    moved = movement_of(told(kind, str(quantity), to_location="YARD" if kind == "transfer" else None), UNITS).movement
    assert moved is not None
    counter = counter_movement(moved, "T2")
    assert {place: -change for place, change in effect(moved).items()} == effect(counter)
    again = counter_movement(counter, "T3")
    assert (again.type, again.quantity, again.location, again.to_location) == (
        moved.type, moved.quantity, moved.location, moved.to_location,
    )  # fmt: skip
    with pytest.raises(ValueError, match="number of its own"):
        counter_movement(moved, moved.number)


def effect(moved: InventoryTransaction) -> dict[str | None, Decimal]:
    """What a movement adds to the stock of each place."""
    if moved.type == "transfer":
        return {moved.location: -moved.quantity, moved.to_location: moved.quantity}
    return {moved.location: -moved.quantity if moved.type == "issue" else moved.quantity}
