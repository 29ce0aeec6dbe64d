"""A goods receipt against its order."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.controls.quantities import ItemUnits
from isthmus.controls.receiving import Accepted, accept
from isthmus.model.entities.items import Item, ItemUnit
from isthmus.model.entities.purchasing import PurchaseOrder, PurchaseOrderLine, Receipt, ReceiptLine

UNITS = ItemUnits(
    [
        Item(number="BOLT", base_unit="PCS"),
        Item(number="OIL", base_unit="L", tracking="lot"),
        Item(number="PUMP", base_unit="PCS", tracking="serial"),
    ],
    [ItemUnit(key="BOLT/BOX", item="BOLT", unit="BOX", factor=Decimal(10))],
)


def ordered(key: str = "1", quantity: str = "10", **more: Any) -> PurchaseOrderLine:
    received = more.pop("received", None)
    return PurchaseOrderLine(
        key=key, quantity=Decimal(quantity), received=None if received is None else Decimal(received),
        **({"item": "BOLT", "unit": "PCS"} | more),
    )  # fmt: skip


def came(accepted: str, order_line: str = "1", key: str = "1", **more: Any) -> ReceiptLine:
    amounts = {name: Decimal(more.pop(name)) for name in ("received", "rejected") if name in more}
    return ReceiptLine(key=key, order_line=order_line, accepted=Decimal(accepted), **amounts, **more)


def check(lines: Sequence[ReceiptLine], *wanted: PurchaseOrderLine, **more: Any) -> Accepted:
    order = PurchaseOrder(number="12", status="approved", lines=wanted or (ordered(),))
    return accept(Receipt(number="R1", order="12", lines=tuple(lines)), order, UNITS, **more)


def told(accepted: Accepted) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.severity, finding.field) for finding in accepted.findings]


def test_what_was_accepted_is_booked() -> None:
    found = check([came("7", received="9", rejected="2")])
    assert (found.findings, found.total) == ((), Decimal(7))
    (line,) = found.lines
    assert (line.order_line, line.accepted, line.unit) == ("1", Decimal(7), "PCS")


def test_lines_that_accept_nothing_are_left_out() -> None:
    found = check([came("0", received="2", rejected="2"), came("3", "2", "2")], ordered(), ordered("2"))
    assert [line.key for line in found.lines] == ["2"]
    assert found.findings == ()


def test_a_receipt_of_nothing_is_skipped() -> None:
    found = check([came("0")])
    assert told(found) == [("nothing_to_post", "skip", "lines")]
    assert found.findings[0].text == "receipt R1 accepts nothing"


def test_accepted_is_received_less_rejected() -> None:
    found = check([came("8", received="9", rejected="2")])
    assert told(found) == [("accepted_differs", "error", "lines[0].accepted")]
    assert found.findings[0].text == "line 1: 9 received less 2 rejected is not 8 accepted"


def test_a_line_the_order_does_not_have() -> None:
    found = check([came("3"), came("1", "9", "2")])
    assert told(found) == [("order_line_unknown", "error", "lines[1].order_line")]
    assert "line 9 of order 12, which the order does not have" in found.findings[0].text
    assert [line.key for line in found.lines] == ["1"]


def test_another_item_than_was_ordered() -> None:
    assert told(check([came("3", item="NUT")])) == [("item_differs", "error", "lines[0].item")]
    assert told(check([came("3", item="BOLT")])) == []


def test_boxes_of_what_is_ordered_in_pieces() -> None:
    found = check([came("1", unit="BOX")])
    assert (found.lines[0].accepted, found.lines[0].unit, found.findings) == (Decimal(10), "PCS", ())
    pieces = check([came("5", unit="PCS")], ordered(unit="BOX", quantity="1"))
    assert (str(pieces.lines[0].accepted), pieces.lines[0].unit) == ("0.5", "BOX")
    unknown = check([came("1", unit="CRATE")])
    assert (told(unknown), unknown.lines) == ([("factor_missing", "error", "lines[0].accepted")], ())


@pytest.mark.parametrize(("accepted", "over"), [("4", False), ("5", True)])
def test_more_than_was_ordered_is_held(accepted: str, over: bool) -> None:
    """Ten ordered, four counted by finance, two on their way."""
    found = check([came(accepted)], ordered(received="4"), coming={"1": Decimal(2)})
    assert told(found) == ([("more_than_ordered", "hold", "lines")] if over else [])
    if over:
        assert found.findings[0].text == "line 1 of order 12: 5 accepted and 6 before, where 10 are ordered"


def test_two_lines_of_one_order_line_count_together() -> None:
    found = check([came("6"), came("6", key="2")])
    assert told(found) == [("more_than_ordered", "hold", "lines")]
    assert len(found.lines) == 2


def test_taking_back() -> None:
    assert told(check([came("-3")], ordered(received="4"))) == []
    found = check([came("-5")], ordered(received="4"))
    assert told(found) == [("taken_back_too_much", "error", "lines")]


@pytest.mark.parametrize(
    ("item", "line", "findings"),
    [
        ("BOLT", {"lot": "L1"}, [("tracking_untold", "notice", "lines[0].lot")]),
        ("BOLT", {"serial": "S1"}, [("serial_quantity", "error", "lines[0].serial"),
                                    ("tracking_untold", "notice", "lines[0].serial")]),
        ("OIL", {"lot": "L1"}, [("tracked_item", "hold", "lines[0].lot")]),
        ("OIL", {}, [("tracked_item", "hold", "lines[0].lot")]),
        ("PUMP", {"serial": "S1"}, [("serial_quantity", "error", "lines[0].serial"),
                                    ("tracked_item", "hold", "lines[0].serial")]),
    ],
)  # fmt: skip
def test_lots_and_serial_numbers_are_recognised(item: str, line: dict[str, str], findings: list[Any]) -> None:
    assert told(check([came("2", **line)], ordered(item=item, unit=None))) == findings


def test_one_piece_with_its_serial_number() -> None:
    assert told(check([came("1", serial="S1")], ordered(item="PUMP"))) == [("tracked_item", "hold", "lines[0].serial")]
    assert "with serial number" in check([came("1", serial="S1")], ordered(item="PUMP")).findings[0].text


QUANTITIES = st.decimals(min_value=0, max_value=1000, places=2, allow_nan=False)


@given(st.lists(st.tuples(QUANTITIES, QUANTITIES, QUANTITIES), min_size=1, max_size=6))
def test_nothing_is_lost_and_only_too_much_is_held(rows: list[tuple[Decimal, Decimal, Decimal]]) -> None:
    """(ordered, received before, accepted now) per line."""
    wanted = [ordered(str(key), str(row[0]), received=str(row[1])) for key, row in enumerate(rows)]
    found = check([came(str(row[2]), str(key), str(key)) for key, row in enumerate(rows)], *wanted)
    assert found.total == sum(row[2] for row in rows)
    held = [finding.value for finding in found.findings if finding.code == "more_than_ordered"]
    assert held == [str(key) for key, row in enumerate(rows) if row[2] and row[1] + row[2] > row[0]]
    assert {finding.code for finding in found.findings} <= {"more_than_ordered", "nothing_to_post"}
    assert (not found.lines) == all(row[2] == 0 for row in rows)
