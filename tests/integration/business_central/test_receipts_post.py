"""Goods receipts: exactly what was accepted is received, nothing is invoiced, and others are noticed (bc.md §15)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

if TYPE_CHECKING:
    from integration.business_central.purchasing import Purchasing


async def test_only_the_accepted_lines_are_received_and_nothing_is_invoiced(purchasing: Purchasing) -> None:
    order = await purchasing.made(1, *[await purchasing.line(key) for key in ("1", "2", "3")])
    [done] = await purchasing.received(purchasing.receipt(order, 1, ("1", "3"), ("3", "2.5")))
    assert (done.result, done.text) == ("done", "")
    assert done.memo == {"received": {"10000": "3", "30000": "2.5"}, "order": order.number}
    assert await purchasing.quantities(order) == {"1": (10, 3), "2": (10, 0), "3": (10, Decimal("2.5"))}
    assert {line["invoicedQuantity"] for line in (await purchasing.lines(order)).values()} == {0}
    [record] = (await purchasing.read(purchasing.ours, "purchaseReceipts")).records
    assert (record.id, record.version, record.data) == (done.native_id, done.version, done.native)
    assert (record.data["number"], record.data["postingDate"]) == (done.number, "2026-03-05")
    assert record.data["orderId"] == order.native_id
    assert await purchasing.receipts() == [{"1": 3, "3": Decimal("2.5")}]


async def test_receipts_of_one_order_follow_each_other(purchasing: Purchasing) -> None:
    order = await purchasing.made(1)
    memo: Any = None
    for serial, day in enumerate(("2026-03-05", "2026-03-05", "2026-03-06")):
        [done] = await purchasing.received(purchasing.receipt(order, serial, ("1", "3"), day=day, expected=memo))
        assert done.result == "done", done
        memo = done.memo
    assert memo["received"] == {"10000": "9"}
    assert await purchasing.quantities(order) == {"1": (10, 9)}
    page = await purchasing.read(purchasing.ours, "purchaseReceipts")
    assert sorted(record.data["postingDate"] for record in page.records) == ["2026-03-05", "2026-03-05", "2026-03-06"]
    assert await purchasing.receipts() == [{"1": 3}] * 3


async def test_repeated_items_are_told_apart_by_line_and_big_keys_lead_to_theirs(purchasing: Purchasing) -> None:
    keys = ("2147483655", "2147483656", "2147483657")
    order = await purchasing.made(1, *[await purchasing.line(key) for key in keys])
    [done] = await purchasing.received(purchasing.receipt(order, 1, (keys[1], "4")))
    assert (done.result, done.memo) == ("done", {"received": {"20000": "4"}, "order": order.number})
    assert await purchasing.quantities(order) == {keys[0]: (10, 0), keys[1]: (10, 4), keys[2]: (10, 0)}
    assert await purchasing.receipts() == [{keys[1]: 4}]


async def test_twenty_five_orders_are_received_phase_by_phase(purchasing: Purchasing) -> None:
    orders = [await purchasing.made(serial) for serial in range(25)]
    receipts = [purchasing.receipt(order, serial) for serial, order in enumerate(orders)]
    receipts[3] = purchasing.receipt(orders[3], 3, ("1", "11"))
    purchasing.box.reset_calls()
    outcomes = await purchasing.received(*receipts)
    assert [outcome.result for outcome in outcomes] == ["done"] * 3 + ["reject"] + ["done"] * 21
    calls = purchasing.box.calls()["by_path"]
    assert (calls["POST $batch"], calls["GET companies({id})/purchaseOrders"]) == (5, 8)
    assert [(await purchasing.quantities(order))["1"] for order in orders] == [(10, 3)] * 3 + [(10, 0)] + [(10, 3)] * 21


async def test_somebody_who_received_in_between_is_noticed_and_a_person_decides(purchasing: Purchasing) -> None:
    order = await purchasing.made(1)
    purchasing.person_receives(order, _1=3)
    receipt = purchasing.receipt(order, 1, ("1", "5"))
    [held] = await purchasing.received(receipt)
    assert (held.result, held.code, held.field, held.value) == ("reject", "somebody_else", "order", order.number)
    assert "line 1: 3 received in Business Central, 0 known here" in held.text
    assert held.memo == {"received": {"10000": "3"}, "order": order.number}
    assert (await purchasing.ours.look_up([receipt]))["receipt-1"].code == "somebody_else"
    assert await purchasing.quantities(order) == {"1": (10, 3)}
    [done] = await purchasing.received(structs.replace(receipt, expected=held.memo))
    assert (done.result, done.memo) == ("done", {"received": {"10000": "8"}, "order": order.number})


async def test_two_receipts_of_one_order_do_not_travel_together(purchasing: Purchasing) -> None:
    order = await purchasing.made(1)
    first, second = await purchasing.received(purchasing.receipt(order, 1), purchasing.receipt(order, 2))
    assert (first.result, second.result, second.code) == ("done", "retry", "not_sent")
    assert await purchasing.quantities(order) == {"1": (10, 3)}


async def test_goods_are_taken_back_by_a_negative_line_and_may_come_again(purchasing: Purchasing) -> None:
    order = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2", "SEAL"))
    [came] = await purchasing.received(purchasing.receipt(order, 1, ("1", "5")))
    purchasing.person_reopens(order)
    [back] = await purchasing.received(purchasing.receipt(order, 2, ("1", "-2"), ("2", "4"), expected=came.memo))
    assert (back.result, back.memo) == (
        "done",
        {"received": {"10000": "5", "10001": "-2", "20000": "4"}, "order": order.number},
    )
    assert await purchasing.quantities(order) == {"1": (10, 3), "2": (10, 4)}
    assert await purchasing.receipts() == [{"1": 5}, {"1": -2, "2": 4}]
    [more] = await purchasing.received(purchasing.receipt(order, 3, ("1", "-4"), expected=back.memo))
    assert (more.result, more.code) == ("reject", "over_correction")


async def test_a_released_order_takes_no_correction_until_a_person_acts(purchasing: Purchasing) -> None:
    order = await purchasing.made(1)
    [came] = await purchasing.received(purchasing.receipt(order, 1, ("1", "5")))
    [refused] = await purchasing.received(purchasing.receipt(order, 2, ("1", "-2"), expected=came.memo))
    assert (refused.result, refused.code, refused.value) == ("reject", "order_released", order.number)
    assert "Reopen order" in refused.mend
    assert "undo the receipt" in refused.mend
    raw = await purchasing.person("GET", f"purchaseOrders({order.native_id})/purchaseOrderLines")
    assert [line["sequence"] for line in raw["value"]] == [1, 10_000]
    [more] = await purchasing.received(purchasing.receipt(order, 3, ("1", "1"), expected=came.memo))
    assert more.result == "done"


@pytest.mark.parametrize(
    ("edit", "accepted", "day", "code", "field"),
    [
        ({"company": {"allow_posting_from": "2026-03-01"}}, "3", "2026-02-27", "period_closed", "posting_date"),
        ({"vendors": ("20000", {"blocked": "All"})}, "3", "2026-03-05", "vendor_blocked", "vendor"),
        ({"items": ("PUMP", {"blocked": True})}, "3", "2026-03-05", "item_blocked", "lines[0].item"),
        ({}, "10.5", "2026-03-05", "over_receipt", "lines[0].accepted"),
    ],
)
async def test_what_keeps_goods_from_being_received_is_told_and_others_go(
    purchasing: Purchasing, edit: dict[str, Any], accepted: str, day: str, code: str, field: str
) -> None:
    bad = await purchasing.made(1, who="20000")
    good = await purchasing.made(2, await purchasing.line("1", "SEAL"))
    for name, change in edit.items():
        purchasing.company(**change) if name == "company" else purchasing.box.edit(name, change[0], **change[1])
    refused, done = await purchasing.received(
        purchasing.receipt(bad, 1, ("1", accepted), day=day), purchasing.receipt(good, 2)
    )
    assert (refused.result, refused.code, refused.field) == ("reject", code, field)
    assert refused.text
    assert refused.mend
    assert done.result == "done"
    assert await purchasing.quantities(bad) == {"1": (10, 0)}


async def test_an_order_that_waits_for_approval_is_told(purchasing: Purchasing) -> None:
    purchasing.company(purchase_setup={"approval_workflow": True})
    order = await purchasing.made(1)
    purchasing.box.buy("request_approval", str(order.number))
    receipt = purchasing.receipt(order, 1)
    [refused] = await purchasing.received(receipt)
    assert (refused.result, refused.code, refused.value) == ("reject", "awaiting_approval", order.number)
    purchasing.box.buy("release", str(order.number))
    assert [outcome.result for outcome in await purchasing.received(receipt)] == ["done"]


@pytest.mark.parametrize(
    "setup", [{"default_qty_to_receive": "blank"}, {"validate_in_body_order": True}, {"expected_cost_posting": False}]
)
async def test_receipts_do_not_depend_on_how_the_company_is_set_up(
    purchasing: Purchasing, setup: dict[str, Any]
) -> None:
    purchasing.company(purchase_setup=setup)
    order = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2"))
    [first] = await purchasing.received(purchasing.receipt(order, 1, ("1", "10")))
    [second] = await purchasing.received(purchasing.receipt(order, 2, ("2", "1"), expected=first.memo))
    assert (first.result, second.result) == ("done", "done")
    assert await purchasing.receipts() == [{"1": 10}, {"2": 1}]
    assert purchasing.box.purchase(str(order.number))["invoices"] == []


@pytest.mark.parametrize("line", [{"thing": "LOTTED"}, {"location": "YARD"}])
async def test_what_the_api_cannot_tell_is_refused_with_where_to_go(
    purchasing: Purchasing, line: dict[str, str]
) -> None:
    more = {"locationId": await purchasing.id("locations", line["location"])} if "location" in line else {}
    order = await purchasing.made(1, await purchasing.line("1", line.get("thing", "PUMP"), **more))
    [refused] = await purchasing.received(purchasing.receipt(order, 1))
    assert refused.result == "reject"
    assert refused.code.startswith("Application_")
    assert "lot or serial numbers and locations with warehouse documents" in refused.mend
    assert await purchasing.quantities(order) == {"1": (10, 0)}


async def test_a_refused_correction_leaves_no_line_behind(purchasing: Purchasing) -> None:
    order = await purchasing.made(1)
    [came] = await purchasing.received(purchasing.receipt(order, 1))
    purchasing.person_reopens(order)
    purchasing.company(allow_posting_from="2026-03-01")
    [refused] = await purchasing.received(
        purchasing.receipt(order, 2, ("1", "-1"), day="2026-02-27", expected=came.memo)
    )
    assert (refused.result, refused.code) == ("reject", "period_closed")
    raw = await purchasing.person("GET", f"purchaseOrders({order.native_id})/purchaseOrderLines")
    assert [line["sequence"] for line in raw["value"]] == [1, 10_000]


@pytest.mark.parametrize(
    ("accepted", "code"), [((("7", "1"),), "order_line_missing"), ((("1", "0"),), "nothing_accepted")]
)
async def test_a_receipt_that_fits_no_order_is_refused_before_anything_is_set(
    purchasing: Purchasing, accepted: tuple[tuple[str, str], ...], code: str
) -> None:
    order = await purchasing.made(1)
    [refused] = await purchasing.received(purchasing.receipt(order, 1, *accepted))
    assert (refused.result, refused.code) == ("reject", code)
    assert (await purchasing.shown(order)).version == order.version


async def test_an_order_that_is_gone_is_told(purchasing: Purchasing) -> None:
    order = await purchasing.made(1)
    await purchasing.person("DELETE", f"purchaseOrders({order.native_id})")
    receipt = purchasing.receipt(order, 1)
    [refused] = await purchasing.received(receipt)
    assert (refused.result, refused.code) == ("reject", "gone")
    assert (await purchasing.ours.look_up([receipt]))["receipt-1"].code == "gone"


async def test_a_connection_that_leaves_posting_to_people_sets_the_order_and_sees_when_they_posted(
    purchasing: Purchasing,
) -> None:
    order = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2"))
    saving = purchasing.connector(posting="save")
    assert not saving.capabilities.entities["receipt"].booked
    receipt = purchasing.receipt(order, 1)
    [saved] = await purchasing.received(receipt, connector=saving)
    assert (saved.result, saved.code, saved.number) == ("saved", "left_on_order", order.number)
    assert str(order.number) in saved.mend
    found = await purchasing.lines(order)
    assert [(line["receiveQuantity"], line["invoiceQuantity"]) for line in found.values()] == [(3, 0), (0, 0)]
    assert await saving.look_up([receipt]) == {}
    await purchasing.person("POST", f"purchaseOrders({order.native_id})/Microsoft.NAV.receiveAndInvoice")
    closed = (await saving.look_up([receipt]))["receipt-1"]
    assert (closed.result, closed.memo) == ("done", {"received": {"10000": "3"}, "order": order.number})
    assert closed.number
