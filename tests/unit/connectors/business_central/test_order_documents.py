"""A purchase order as the lens writes it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from isthmus.connectors.dynamics.business_central.entities import BLANK_GUID
from isthmus.connectors.dynamics.business_central.purchasing.order_documents import parse_order, same, to_create
from isthmus.contract.operations import Operation
from isthmus.errors import Reject

MARK = "IS-7Q2M4Z0V9K3XBT5C"
VENDOR = "11111111-1111-1111-1111-111111111111"
ITEM = "22222222-2222-2222-2222-222222222222"
LINE: dict[str, Any] = {"lineKey": "1", "itemId": ITEM, "quantity": Decimal(10), "directUnitCost": Decimal("4.1250")}


def operation(**native: Any) -> Operation:
    good = {"operationsNumber": "PO-1", "vendorId": VENDOR, "orderDate": "2026-03-05", "purchaseOrderLines": [LINE]}
    return Operation(key="k", entity="purchase_order", action="create", mark=MARK, native={**good, **native})


def body(**native: Any) -> dict[str, Any]:
    return to_create(parse_order(operation(**native)), MARK)


def test_an_order_is_its_mark_its_keys_and_its_lines() -> None:
    lines = [LINE, {**LINE, "lineKey": "2147483655"}]
    made = body(purchaseOrderLines=lines)
    assert made["vendorId"] == VENDOR
    assert made["purchaseOrderLines"] == [
        {"sequence": 1, "lineType": "Comment", "description": f"ISTHMUS {MARK} PO-1"},
        {"sequence": 2, "lineType": "Comment", "description": "ISTHMUS LINES 2=2147483655"},
        {"itemId": ITEM, "quantity": Decimal(10), "directUnitCost": Decimal("4.1250"), "sequence": 10_000},
        {"itemId": ITEM, "quantity": Decimal(10), "directUnitCost": Decimal("4.1250"), "sequence": 20_000},
    ]


def test_what_only_the_service_says_and_what_is_blank_is_not_sent() -> None:
    line = {**LINE, "accountId": BLANK_GUID, "locationId": BLANK_GUID, "receivedQuantity": Decimal(3), "id": "x"}
    made = body(number="106001", status="Open", currencyCode=None, requestedReceiptDate="0001-01-01",
                purchaseOrderLines=[{**line, "expectedReceiptDate": "0001-01-01"}])  # fmt: skip
    assert made.keys() == {"vendorId", "orderDate", "purchaseOrderLines"}
    assert made["purchaseOrderLines"][-1].keys() == {"itemId", "quantity", "directUnitCost", "sequence"}


@pytest.mark.parametrize(
    ("native", "code", "field"),
    [
        ({"vendorId": None}, "no_vendor", "vendor"),
        ({"purchaseOrderLines": []}, "no_lines", "lines"),
        ({"purchaseOrderLines": None}, "no_lines", "lines"),
        ({"purchaseOrderLines": "x"}, "no_lines", "lines"),
        ({"purchaseOrderLines": [{**LINE, "lineKey": ""}]}, "line_key", "lines[0].key"),
        ({"purchaseOrderLines": [LINE, LINE]}, "line_key", "lines[1].key"),
        ({"purchaseOrderLines": [{**LINE, "lineKey": "x" * 90}]}, "line_key", "lines.key"),
        ({"purchaseOrderLines": [{**LINE, "itemId": BLANK_GUID}]}, "nothing_bought", "lines[0].item"),
        ({"purchaseOrderLines": [{**LINE, "accountId": VENDOR}]}, "item_and_account", "lines[0].account"),
        ({"purchaseOrderLines": [{**LINE, "description": "x" * 101}]}, "too_long", "lines[0].description"),
        ({"purchaseOrderLines": [{**LINE, "unitOfMeasureCode": "x" * 11}]}, "too_long", "lines[0].unit"),
        ({"purchaseOrderLines": [{**LINE, "directUnitCost": "many"}]}, "bad_number", "lines[0].unit_cost"),
        ({"purchaseOrderLines": [{**LINE, "quantity": "NaN"}]}, "bad_number", "lines[0].quantity"),
        ({"operationsNumber": "x" * 90}, "too_long", "number"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_field(native: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Reject) as caught:
        body(**native)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert caught.value.hint
    assert len(caught.value.value) <= 60


def test_a_float_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="float"):
        parse_order(operation(purchaseOrderLines=[{**LINE, "quantity": 1.5}]))


@pytest.mark.parametrize(
    ("field", "one", "other", "equal"),
    [
        ("quantity", Decimal("10.000"), 10, True),
        ("directUnitCost", Decimal("4.1250"), "4.125", True),
        ("directUnitCost", Decimal("4.1250"), Decimal("4.1251"), False),
        ("quantity", "many", 1, False),
        ("itemId", ITEM.upper(), ITEM, True),
        ("unitOfMeasureCode", "pcs", "PCS", True),
        ("description", "Pump", "PUMP", False),
        ("locationId", None, BLANK_GUID, True),
        ("expectedReceiptDate", "0001-01-01", "", True),
        ("orderDate", date(2026, 3, 5), "2026-03-05", True),
        ("orderDate", "2026-03-05", None, False),
        ("pricesIncludeTax", True, True, True),
        ("pricesIncludeTax", True, False, False),
    ],
)
def test_what_means_the_same_is_no_change(field: str, one: Any, other: Any, equal: bool) -> None:
    assert same(field, one, other) is equal
    assert same(field, other, one) is equal
