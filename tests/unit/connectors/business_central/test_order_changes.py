"""What has to be done to an order so that it is as wanted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from isthmus.connectors.dynamics._odata import Part
from isthmus.connectors.dynamics.business_central.purchasing.marks import mark_text
from isthmus.connectors.dynamics.business_central.purchasing.order_changes import (
    changes,
    has_receipts,
    moved_meanwhile,
    short_closed,
)
from isthmus.connectors.dynamics.business_central.purchasing.order_documents import OrderDocument, parse_order
from isthmus.connectors.dynamics.business_central.purchasing.orders import Order
from isthmus.contract.operations import Operation
from isthmus.errors import Reject

MARK = "IS-7Q2M4Z0V9K3XBT5C"
ID = "00000000-0000-4000-8000-0000000000{:02d}".format
ITEM, OTHER = ID(71), ID(72)
PATH = "companies(c)/purchaseOrders(o)"
COMMENT = {"lineType": "Comment", "sequence": 1, "description": mark_text(MARK, "PO-1"), "quantity": 0}


def line(sequence: int, **more: Any) -> dict[str, Any]:
    plain = {
        "@odata.etag": f"e{sequence}", "lineType": "Item", "itemId": ITEM, "lineObjectNumber": "PUMP",
        "description": "Pump", "quantity": Decimal(10), "directUnitCost": Decimal("4.5"), "receivedQuantity": 0,
        "invoicedQuantity": 0,
    }  # fmt: skip
    return {**plain, "sequence": sequence, **more}


def order(*lines: dict[str, Any], **header: Any) -> Order:
    numbered = [{"id": ID(index), **data} for index, data in enumerate((COMMENT, *lines), 1)]
    shown = {"@odata.etag": "e", "id": ID(0), "number": "106001", "status": "Draft", "orderDate": "2026-03-05"}
    return Order({**shown, **header, "purchaseOrderLines": numbered})


def wanted(*lines: dict[str, Any], **native: Any) -> OrderDocument:
    given = {**native, "purchaseOrderLines": list(lines)} if lines else native
    return parse_order(Operation(key="k", entity="purchase_order", action="update", mark=MARK, native=given))


def want(key: str, **more: Any) -> dict[str, Any]:
    return {"lineKey": key, "itemId": ITEM, "description": "Pump", "quantity": Decimal(10), **more}


def told(parts: list[Part]) -> list[tuple[str, str, Any]]:
    return [(part.method, part.path.removeprefix(PATH), part.body) for part in parts]


def test_an_order_as_wanted_needs_nothing() -> None:
    shown = order(line(10_000), line(20_000, itemId=OTHER))
    assert changes(shown, wanted(want("1"), want("2", itemId=OTHER), orderDate="2026-03-05"), PATH) == []


def test_only_what_differs_is_patched_on_condition_of_what_was_read() -> None:
    shown = order(line(10_000), line(20_000))
    document = wanted(want("1", quantity=Decimal(12)), want("2", directUnitCost=Decimal("4.5001")),
                      requestedReceiptDate="2026-04-01")  # fmt: skip
    parts = changes(shown, document, PATH)
    assert told(parts) == [
        ("PATCH", "", {"requestedReceiptDate": "2026-04-01"}),
        ("PATCH", f"/purchaseOrderLines({ID(2)})", {"quantity": Decimal(12)}),
        ("PATCH", f"/purchaseOrderLines({ID(3)})", {"directUnitCost": Decimal("4.5001")}),
    ]
    assert [part.etag for part in parts] == ["e", "e10000", "e20000"]


def test_repeated_items_are_told_apart_by_their_line() -> None:
    shown = order(line(10_000), line(20_000), line(30_000))
    parts = changes(shown, wanted(want("1"), want("2", quantity=Decimal(7)), want("3")), PATH)
    assert told(parts) == [("PATCH", f"/purchaseOrderLines({ID(3)})", {"quantity": Decimal(7)})]


def test_new_lines_come_behind_their_keys_and_lines_that_go_come_last() -> None:
    shown = order(line(10_000), line(20_000))
    parts = changes(shown, wanted(want("1"), want("3"), want("2147483655")), PATH)
    new = {"itemId": ITEM, "description": "Pump", "quantity": Decimal(10)}
    assert told(parts) == [
        ("POST", "/purchaseOrderLines",
         {"sequence": 2, "lineType": "Comment", "description": "ISTHMUS LINES 4=2147483655"}),
        ("POST", "/purchaseOrderLines", {**new, "sequence": 30_000}),
        ("POST", "/purchaseOrderLines", {**new, "sequence": 40_000}),
        ("DELETE", f"/purchaseOrderLines({ID(3)})", None),
    ]  # fmt: skip


def test_a_key_noted_by_an_interrupted_amendment_keeps_its_place() -> None:
    keys = {"lineType": "Comment", "sequence": 2, "description": "ISTHMUS LINES 2=2147483655", "quantity": 0}
    parts = changes(order(keys, line(10_000)), wanted(want("1"), want("2147483655")), PATH)
    assert [(method, body["sequence"]) for method, _, body in told(parts)] == [("POST", 20_000)]


def test_a_line_keeps_at_least_what_was_received() -> None:
    shown = order(line(10_000, receivedQuantity=Decimal(3)), line(20_000, quantity=-2, receivedQuantity=-1))
    with pytest.raises(Reject, match="less than the 3 received") as caught:
        changes(shown, wanted(want("1", quantity=Decimal("2.9999")), want("2", quantity=-2)), PATH)
    assert (caught.value.code, caught.value.field, caught.value.value) == (
        "below_received", "lines[0].quantity", "2.9999",
    )  # fmt: skip
    with pytest.raises(Reject, match="received"):
        changes(shown, wanted(want("1"), want("2", quantity=0)), PATH)
    parts = changes(shown, wanted(want("1", quantity=Decimal(3)), want("2", quantity=-1)), PATH)
    assert [body for _, _, body in told(parts)] == [{"quantity": Decimal(3)}, {"quantity": -1}]


def test_a_line_that_goes_after_goods_came_is_cut_down_to_them() -> None:
    shown = order(line(10_000, receivedQuantity=Decimal(3)), line(20_000), line(30_000, receivedQuantity=10))
    parts = changes(shown, wanted(want("2")), PATH)
    assert told(parts) == [("PATCH", f"/purchaseOrderLines({ID(2)})", {"quantity": Decimal(3)})]


def test_another_thing_is_another_line_in_the_same_place() -> None:
    parts = changes(order(line(10_000)), wanted(want("1", itemId=OTHER)), PATH)
    assert [(method, (body or {}).get("sequence")) for method, _, body in told(parts)] == [
        ("DELETE", None), ("POST", 10_000),
    ]  # fmt: skip
    with pytest.raises(Reject) as caught:
        changes(order(line(10_000, receivedQuantity=1)), wanted(want("1", itemId=OTHER)), PATH)
    assert (caught.value.code, caught.value.field) == ("line_changed", "lines[0].item")


def test_comments_and_lines_that_took_goods_back_stay() -> None:
    note = {"lineType": "Comment", "sequence": 15_000, "description": "Call before delivery", "quantity": 0}
    back = line(10_001, description=f"ISTHMUS {MARK} TAKES BACK 1", quantity=-2, receivedQuantity=-2)
    shown = order(line(10_000, receivedQuantity=5), note, back)
    assert changes(shown, wanted(want("1")), PATH) == []
    assert [(row["lineKey"], row["receivedQuantity"]) for row in shown.record()["purchaseOrderLines"]] == [("1", 3)]


def test_a_new_number_of_operations_goes_into_our_comment() -> None:
    parts = changes(order(line(10_000)), wanted(operationsNumber="PO-2"), PATH)
    assert told(parts) == [("PATCH", f"/purchaseOrderLines({ID(1)})", {"description": f"ISTHMUS {MARK} PO-2"})]
    assert changes(order(line(10_000)), wanted(operationsNumber="PO-1"), PATH) == []


def test_what_somebody_else_edited_meanwhile_is_seen() -> None:
    before, document = order(line(10_000), line(20_000)), wanted(want("1", quantity=Decimal(12)), want("2"))
    sent = changes(before, document, PATH)
    half = order(line(10_000, quantity=12), line(20_000))
    assert moved_meanwhile(before, before, document, sent, PATH) is None
    assert moved_meanwhile(before, half, document, sent, PATH) is None
    for after in (
        order(line(10_000, quantity=11), line(20_000)),
        order(line(10_000)),
        order(line(10_000), line(20_000), line(30_000)),
    ):
        stale = moved_meanwhile(before, after, document, sent, PATH)
        assert stale is not None
        assert stale.code == "changed_meanwhile"
    dated = wanted(want("1"), want("2"), orderDate="2026-03-06")
    other = order(line(10_000), line(20_000), orderDate="2026-03-09")
    assert moved_meanwhile(before, other, dated, changes(before, dated, PATH), PATH) is not None


def test_a_price_that_moved_with_our_own_change_is_nobodys_edit() -> None:
    before = order(line(10_000), line(20_000))
    price = {"directUnitCost": Decimal("4.5")}
    document = wanted(want("1", quantity=Decimal(12), **price), want("2", **price))
    sent = changes(before, document, PATH)
    ours = order(line(10_000, quantity=12, directUnitCost=30), line(20_000))
    assert moved_meanwhile(before, ours, document, sent, PATH) is None
    assert [part.body for part in changes(ours, document, PATH)] == [price]
    theirs = order(line(10_000, quantity=12), line(20_000, directUnitCost=30))
    assert moved_meanwhile(before, theirs, document, sent, PATH) is not None


def test_whether_goods_came_and_whether_more_is_expected() -> None:
    assert not has_receipts(order(line(10_000)))
    assert has_receipts(order(line(10_000), line(20_000, invoicedQuantity=1)))
    assert short_closed(order(line(10_000, quantity=3, receivedQuantity=3)))
    assert not short_closed(order(line(10_000, receivedQuantity=3)))


def test_the_version_tells_of_every_change_of_a_line() -> None:
    plain, dated = order(line(10_000)), order(line(10_000, expectedReceiptDate="2026-04-01"))
    assert plain.version == order(line(10_000)).version
    assert plain.version != dated.version
    assert plain.version != order(line(10_000), **{"@odata.etag": "f"}).version
