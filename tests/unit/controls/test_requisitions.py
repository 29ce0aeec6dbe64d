"""From a requisition to the draft order it asks for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.controls.requisitions import order_of
from isthmus.model.entities.purchasing import PurchaseRequisition, RequisitionLine


def line(key: str = "1", **more: Any) -> RequisitionLine:
    return RequisitionLine(key=key, **({"item": "BOLT", "quantity": Decimal(4), "unit_cost": Decimal("1.3333")} | more))


def requisition(*lines: RequisitionLine, **more: Any) -> PurchaseRequisition:
    values = {"status": "submitted", "vendor": "V1", "currency": "USD", "location": "MAIN"} | more
    return PurchaseRequisition(number="PR-7", lines=lines or (line(),), **values)


def test_an_order_with_the_same_lines() -> None:
    found = order_of(
        requisition(
            line("1", unit="BOX", needed_on=date(2026, 3, 1), location="YARD"),
            line("2", item=None, account="6230", unit_cost=None, amount=Decimal(80), description="Crane"),
            requested_on=date(2026, 2, 1),
            needed_on=date(2026, 2, 20),
            description="Bolts",
        )
    )
    order = found.order
    assert found.findings == ()
    assert order is not None
    assert (order.number, order.requisition, order.status, order.vendor) == ("PR-7", "PR-7", "draft", "V1")
    assert (order.ordered_on, order.expected_on, order.description) == (date(2026, 2, 1), date(2026, 2, 20), "Bolts")
    first, second = order.lines
    assert (first.key, first.requisition_line, first.amount) == ("1", "1", Decimal("5.3332"))
    assert (first.unit, first.location, first.expected_on) == ("BOX", "YARD", date(2026, 3, 1))
    assert (second.account, second.amount, second.location, second.expected_on) == (
        "6230", Decimal(80), "MAIN", date(2026, 2, 20),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "code", "severity"),
    [
        ("draft", "requisition_pending", "wait"),
        ("rejected", "requisition_off", "skip"),
        ("cancelled", "requisition_off", "skip"),
        ("ordered", "requisition_off", "skip"),
    ],
)
def test_a_requisition_that_is_not_to_be_ordered(status: str, code: str, severity: str) -> None:
    found = order_of(requisition(status=status))
    assert found.order is None
    assert [(finding.code, finding.severity) for finding in found.findings] == [(code, severity)]
    assert status in found.findings[0].text


def test_a_requisition_without_vendor_is_held_with_its_order() -> None:
    found = order_of(requisition(vendor=None))
    assert found.order is not None
    assert [(finding.code, finding.severity) for finding in found.findings] == [("requisition_vendor", "hold")]


def test_lines_that_ask_for_nothing() -> None:
    found = order_of(requisition(line("1", item=None), line("2", quantity=Decimal(0))))
    assert [(finding.code, finding.field) for finding in found.findings] == [
        ("requisition_line", "lines[0].item"), ("requisition_line", "lines[1].quantity"),
    ]  # fmt: skip
    empty = order_of(PurchaseRequisition(number="PR-7", vendor="V1"))
    assert [finding.code for finding in empty.findings] == ["requisition_empty"]


QUANTITIES = st.decimals("0.01", 10**6, places=5)
PRICES = st.none() | st.decimals(0, 10**6, places=5)


@given(st.lists(st.tuples(QUANTITIES, PRICES), min_size=1, max_size=8))
def test_no_line_is_lost_and_amounts_are_exact(rows: list[tuple[Decimal, Decimal | None]]) -> None:
    lines = [line(str(key), quantity=quantity, unit_cost=price) for key, (quantity, price) in enumerate(rows)]
    found = order_of(requisition(*lines))
    assert found.order is not None
    assert [(made.key, made.quantity, made.amount) for made in found.order.lines] == [
        (asked.key, asked.quantity, None if asked.unit_cost is None else asked.quantity * asked.unit_cost)
        for asked in lines
    ]
