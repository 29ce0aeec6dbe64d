"""What a receipt means for the lines of its order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from isthmus.connectors.dynamics._odata import Row
from isthmus.connectors.dynamics.business_central.purchasing.marks import mark_text
from isthmus.connectors.dynamics.business_central.purchasing.orders import Order
from isthmus.connectors.dynamics.business_central.purchasing.posted_receipts import pick, receipt_record
from isthmus.connectors.dynamics.business_central.purchasing.receipt_documents import (
    ReceiptDocument,
    memo_of,
    parse_known,
    parse_receipt,
)
from isthmus.connectors.dynamics.business_central.purchasing.receipt_plan import (
    added,
    first_round,
    is_set,
    memo,
    plan,
    preparation,
    second_round,
    somebody_else,
    taken_back,
)
from isthmus.contract.operations import Operation
from isthmus.errors import Reject

MARK = "IS-7Q2M4Z0V9K3XBT5C"
ID = "00000000-0000-4000-8000-0000000000{:02d}".format
PATH = "companies(c)/purchaseOrders(o)"
COMMENTS = (
    {"lineType": "Comment", "sequence": 1, "description": mark_text("IS-1", "PO-1")},
    {"lineType": "Comment", "sequence": 2, "description": "ISTHMUS LINES 2=2147483655"},
)


def line(sequence: int, **more: Any) -> dict[str, Any]:
    """Ordered 10, as the service sets it: everything still open is to be received and invoiced."""
    quantity, received = more.get("quantity", 10), more.get("receivedQuantity", 0)
    plain = {
        "lineType": "Item", "itemId": ID(71), "lineObjectNumber": "PUMP", "description": "Pump", "quantity": quantity,
        "directUnitCost": Decimal("4.1250"), "unitOfMeasureCode": "PCS", "receivedQuantity": received,
        "receiveQuantity": quantity - received, "invoiceQuantity": quantity,
    }  # fmt: skip
    return {**plain, "sequence": sequence, **more}


def order(*lines: dict[str, Any], **header: Any) -> Order:
    numbered = [{"id": ID(index), **data} for index, data in enumerate((*COMMENTS, *lines), 1)]
    shown = {"@odata.etag": "e", "id": ID(0), "number": "106001", "postingDate": "2026-03-01"}
    return Order({**shown, **header, "purchaseOrderLines": numbered})


def operation(*accepted: tuple[str, str], **native: Any) -> Operation:
    lines = [{"lineKey": str(i), "orderLineKey": key, "quantity": Decimal(n)} for i, (key, n) in enumerate(accepted)]
    given = {"orderId": ID(0), "postingDate": "2026-03-05", "purchaseReceiptLines": lines, **native}
    return Operation(key="k", entity="receipt", action="post", mark=MARK, native=given)


def document(*accepted: tuple[str, str]) -> ReceiptDocument:
    return parse_receipt(operation(*accepted))


def test_lines_of_one_order_line_count_together_and_what_accepts_nothing_is_left_out() -> None:
    found = document(("1", "2"), ("2", "0"), ("1", "1.5"), ("3", "-1"), ("4", "2"), ("4", "-2"))
    assert [(item.key, item.quantity, item.place) for item in found.lines] == [
        ("1", Decimal("3.5"), "lines[0]"), ("3", Decimal(-1), "lines[3]"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"orderId": None}, "no_order", "order"),
        ({"postingDate": None}, "posting_date", "received_on"),
        ({"postingDate": "05.03.2026"}, "posting_date", "received_on"),
        ({"purchaseReceiptLines": []}, "nothing_accepted", "lines"),
        ({"purchaseReceiptLines": [{"quantity": 1}]}, "order_line_missing", "lines[0].order_line"),
        ({"purchaseReceiptLines": [{"orderLineKey": "1", "quantity": "x"}]}, "bad_number", "lines[0].accepted"),
        ({"orderId": "nonsense"}, "bad_id", "id"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_field(changed: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Reject) as caught:
        parse_receipt(operation(("1", "1"), **changed))
    assert (caught.value.code, caught.value.field) == (code, field)


def test_every_other_line_receives_nothing_and_no_line_is_invoiced() -> None:
    shown = order(line(10_000), line(20_000), line(30_000, receivedQuantity=10), line(40_000, receiveQuantity=4))
    receive = plan(document(("1", "3"), ("4", "4")), shown).receive
    assert receive == {10_000: 3, 40_000: 4}
    assert [(part.path[-38:-1], part.body) for part in first_round(shown, receive, PATH)] == [
        (f"({ID(3)}", {"receiveQuantity": 3}), (f"({ID(4)}", {"receiveQuantity": 0}),
    ]  # fmt: skip
    assert [part.body for part in second_round(shown, PATH)] == [{"invoiceQuantity": 0}] * 4
    assert not is_set(shown, receive)
    ready = order(
        line(10_000, receiveQuantity=3, invoiceQuantity=0), line(20_000, receiveQuantity=0, invoiceQuantity=0)
    )
    assert is_set(ready, {10_000: Decimal(3)})
    assert not is_set(ready, {10_000: Decimal(3), 20_000: Decimal(1)})
    assert first_round(ready, {10_000: Decimal(3)}, PATH) == second_round(ready, PATH) == []


def test_lines_are_found_by_the_keys_of_operations() -> None:
    shown = order(line(10_000), line(20_000))
    assert plan(document(("2147483655", "1")), shown).receive == {20_000: 1}
    with pytest.raises(Reject, match="no line 2\\.") as caught:
        plan(document(("2", "1")), shown)
    assert (caught.value.code, caught.value.field) == ("order_line_missing", "lines[0].order_line")


def test_goods_are_taken_back_by_a_line_of_ours_that_is_made_once() -> None:
    shown = order(line(10_000, receivedQuantity=5))
    found = plan(document(("1", "-2")), shown)
    assert found.receive == {}
    day, back = preparation(document(("1", "-2")), shown, found, PATH)
    assert day.body == {"postingDate": "2026-03-05"}
    assert back.body == {
        "itemId": ID(71), "description": f"ISTHMUS {MARK} TAKES BACK 1", "quantity": Decimal(-2), "sequence": 10_001,
        "directUnitCost": Decimal("4.1250"), "unitOfMeasureCode": "PCS",
    }  # fmt: skip
    there = order(
        line(10_000, receivedQuantity=5), {**line(10_001, quantity=-2), "description": back.body["description"]}
    )
    again = plan(document(("1", "-2")), there)
    assert (again.receive, again.missing) == ({10_001: -2}, ())
    assert len(preparation(document(("1", "-2")), there, again, PATH)) == 1


def test_no_more_is_taken_back_than_is_there() -> None:
    earlier = {**line(10_001, quantity=-4, receivedQuantity=-4), "description": "ISTHMUS IS-2 TAKES BACK 1"}
    shown = order(line(10_000, receivedQuantity=5), earlier)
    with pytest.raises(Reject, match="2 are to be taken back, only 1 are received") as caught:
        plan(document(("1", "-2")), shown)
    assert caught.value.code == "over_correction"


def test_the_day_is_left_alone_where_it_fits() -> None:
    shown = order(line(10_000), postingDate="2026-03-05")
    assert preparation(document(("1", "1")), shown, plan(document(("1", "1")), shown), PATH) == []


def test_what_is_remembered_of_an_order() -> None:
    shown = order(line(10_000, receivedQuantity=Decimal("3.50000")), line(20_000))
    told = memo(shown)
    assert told == {"received": {"10000": "3.50000"}, "order": "106001"}
    known = parse_known(told)
    assert (known.received, known.number) == ({10_000: Decimal("3.5")}, "106001")
    assert parse_known({}).received == {}
    assert memo_of({1: Decimal(0)}, "x") == {"received": {}, "order": "x"}
    assert added({1: Decimal(2)}, {1: Decimal(-2), 2: Decimal(1)}) == {2: 1}


def test_who_knows_what_is_told_line_by_line() -> None:
    shown = order(line(10_000, receivedQuantity=3), line(20_000))
    refusal = somebody_else(shown, {20_000: Decimal(4)})
    assert refusal.code == "somebody_else"
    assert "line 1: 3 received in Business Central, 0 known here" in refusal.message
    assert "line 2147483655: 0 received in Business Central, 4 known here" in refusal.message


def posted(number: str, *lines: dict[str, Any], at: str = "2026-03-05T10:00:00Z") -> Row:
    numbered = [{"id": ID(index), **data} for index, data in enumerate(lines, 1)]
    return Row({"id": ID(90), "number": number, "lastModifiedDateTime": at, "purchaseReceiptLines": numbered}, "e")


def test_the_posted_receipt_is_the_youngest_with_the_same_content() -> None:
    shown = order(line(10_000), line(20_000, lineObjectNumber="SEAL"))
    three = {"sequence": 10_000, "lineType": "Item", "lineObjectNumber": "PUMP", "quantity": 3}
    empty = {"sequence": 20_000, "lineType": "Item", "lineObjectNumber": "SEAL", "quantity": 0}
    receipts = [
        posted("R3", three, {**empty, "quantity": 1}, at="2026-03-05T13:00:00Z"),
        posted("R2", three, empty, at="2026-03-05T12:00:00Z"),
        posted("R1", three),
    ]
    found = pick(receipts, shown.every_line, {10_000: Decimal(3)})
    assert found is not None
    assert found.data["number"] == "R2"
    assert pick(receipts, shown.every_line, {10_000: Decimal(4)}) is None


def test_a_posted_receipt_tells_the_lines_of_its_order() -> None:
    comments = [{**comment, "lineType": "_x0020_"} for comment in COMMENTS]
    back = {"sequence": 20_001, "lineType": "Item", "quantity": -1, "description": f"ISTHMUS {MARK} TAKES BACK 2"}
    shown = receipt_record(
        posted("R1", *comments, {"sequence": 20_000, "lineType": "Item", "quantity": 2}, back), ID(0)
    )
    assert shown["orderId"] == ID(0)
    assert [(row["orderLineKey"], row["lineKey"], row["quantity"]) for row in shown["purchaseReceiptLines"]] == [
        ("2147483655", "2147483655", 2), ("2147483655", "2.0001", -1),
    ]  # fmt: skip


def test_goods_that_people_took_back_already_are_seen_on_the_lines_of_the_order() -> None:
    known = {10_000: Decimal(5), 20_000: Decimal(1)}
    back = document(("1", "-2"), ("2147483655", "3"))
    assert taken_back(back, order(line(10_000, receivedQuantity=3), line(20_000, receivedQuantity=4)), known)
    assert taken_back(document(("1", "-5")), order(line(10_000), line(20_000, receivedQuantity=1)), known)
    assert not taken_back(back, order(line(10_000, receivedQuantity=3), line(20_000, receivedQuantity=1)), known)
    assert not taken_back(back, order(line(10_000, receivedQuantity=3)), known)
    came = order(line(10_000, receivedQuantity=8), line(20_000, receivedQuantity=1))
    assert not taken_back(document(("1", "3")), came, known)
