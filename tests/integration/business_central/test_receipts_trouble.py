"""Receipts under trouble: whatever is lost, at whatever step, goods are received once (design.md §1, bc.md §15)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from isthmus.contract.operations import Operation, Outcome

if TYPE_CHECKING:
    from integration.business_central.purchasing import Purchasing

POST = {"action": "receiveAndInvoice"}


async def brought_home(purchasing: Purchasing, receipt: Operation) -> tuple[Outcome, Outcome]:
    """First outcome and last, delivered as the core does: look-up after the settle time, discard, again."""
    [first] = await purchasing.received(receipt)
    assert any(rule["fired"] for rule in purchasing.box.faults()["rules"]), "the fault did not strike"
    purchasing.box.clear_faults()
    outcome = first
    for attempt in range(3):
        if outcome.result in {"done", "reject"}:
            break
        if outcome.result == "uncertain":
            purchasing.box.advance(1200)
            receipt = structs.replace(
                receipt, earlier=(*receipt.earlier, receipt.delivery), delivery=f"again-{attempt}"
            )
            if (found := (await purchasing.ours.look_up([receipt])).get(receipt.key)) is not None:
                outcome = found
                continue
            await purchasing.ours.discard([receipt])
        [outcome] = await purchasing.received(receipt)
    return first, outcome


@pytest.mark.parametrize("kind", ["lose_before", "lose_after", "late_commit", "status"])
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
async def test_whichever_phase_is_lost_the_goods_are_received_once(purchasing: Purchasing, kind: str, nth: int) -> None:
    """The day of posting, quantities to receive, nothing to invoice, the posting."""
    order = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2"))
    parameters: dict[str, Any] = {"late_commit": {"seconds": 30}, "status": {"code": 504, "done": True}}.get(kind, {})
    purchasing.box.fault(kind, match={"method": "POST", "entity": "$batch", "nth": nth}, times=1, **parameters)
    _, last = await brought_home(purchasing, purchasing.receipt(order, 1))
    assert (last.result, last.memo) == ("done", {"received": {"10000": "3"}, "order": order.number})
    assert await purchasing.quantities(order) == {"1": (10, 3), "2": (10, 0)}
    assert await purchasing.receipts() == [{"1": 3}]


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
async def test_whichever_look_fails_the_goods_are_received_once(purchasing: Purchasing, nth: int) -> None:
    """Before anything, between the rounds, before the posting, behind it, at the posted receipts."""
    order = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2"))
    match = {"method": "GET", "path": "purchase(Orders|Receipts)", "nth": nth}
    purchasing.box.fault("status", code=503, match=match, times=1)
    first, last = await brought_home(purchasing, purchasing.receipt(order, 1))
    assert first.result == ("retry" if nth <= 3 else "uncertain")
    assert (last.result, last.memo) == ("done", {"received": {"10000": "3"}, "order": order.number})
    assert await purchasing.receipts() == [{"1": 3}]


@pytest.mark.parametrize("kind", ["lie_201", "lock_409", "status"])
@pytest.mark.parametrize(
    "match",
    [
        {"method": "PATCH", "entity": "purchaseOrders"},
        {"method": "PATCH", "entity": "purchaseOrderLines", "nth": 1},
        {"method": "PATCH", "entity": "purchaseOrderLines", "nth": 3},
        POST,
    ],
)
async def test_whichever_answer_is_wrong_the_goods_are_received_once(
    purchasing: Purchasing, kind: str, match: dict[str, Any]
) -> None:
    order = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2"))
    parameters: dict[str, Any] = {"code": 503, "retry_after": 1} if kind == "status" else {}
    purchasing.box.fault(kind, match=match, times=1, **parameters)
    _, last = await brought_home(purchasing, purchasing.receipt(order, 1))
    assert (last.result, last.memo) == ("done", {"received": {"10000": "3"}, "order": order.number})
    assert await purchasing.quantities(order) == {"1": (10, 3), "2": (10, 0)}
    assert await purchasing.receipts() == [{"1": 3}]


async def test_a_posting_that_commits_after_its_answer_was_cut_is_not_repeated(
    purchasing: Purchasing,
) -> None:
    order = await purchasing.made(1)
    purchasing.box.fault("late_commit", seconds=30, match=POST, times=1)
    receipt = purchasing.receipt(order, 1)
    [lost] = await purchasing.received(receipt)
    assert lost.result == "uncertain"
    assert await purchasing.ours.look_up([receipt]) == {}
    purchasing.box.advance(31)
    found = (await purchasing.ours.look_up([receipt]))["receipt-1"]
    assert (found.result, found.memo) == ("done", {"received": {"10000": "3"}, "order": order.number})
    [record] = (await purchasing.read(purchasing.ours, "purchaseReceipts")).records
    assert (found.native_id, found.number, found.native) == (record.id, record.data["number"], record.data)


async def test_before_version_24_a_posted_receipt_is_answered_with_400_and_done(purchasing: Purchasing) -> None:
    order = await purchasing.made(1)
    purchasing.company(purchase_setup={"receive_only_answers_400": True})
    [done] = await purchasing.received(purchasing.receipt(order, 1))
    assert (done.result, done.memo) == ("done", {"received": {"10000": "3"}, "order": order.number})
    assert await purchasing.receipts() == [{"1": 3}]


async def test_a_batch_of_postings_that_is_cut_leaves_doubt_only_about_its_own(purchasing: Purchasing) -> None:
    orders = [await purchasing.made(serial) for serial in range(24)]
    receipts = [purchasing.receipt(order, serial) for serial, order in enumerate(orders)]
    purchasing.box.fault("cut_mid_batch", after=2, match=POST, times=1)
    outcomes = await purchasing.received(*receipts)
    assert [outcome.result for outcome in outcomes] == ["uncertain"] * 20 + ["done"] * 4
    purchasing.box.advance(1200)
    found = await purchasing.ours.look_up(receipts)
    assert sorted(found) == sorted(f"receipt-{serial}" for serial in (0, 1, 20, 21, 22, 23))
    assert {outcome.result for outcome in found.values()} == {"done"}
    again = await purchasing.received(*[r for r in receipts if r.key not in found])
    assert {outcome.result for outcome in again} == {"done"}
    assert await purchasing.receipts() == [{"1": 3}] * 24


async def test_a_batch_of_quantities_that_is_cut_books_nothing(purchasing: Purchasing) -> None:
    orders = [await purchasing.made(serial) for serial in range(4)]
    receipts = [purchasing.receipt(order, serial) for serial, order in enumerate(orders)]
    purchasing.box.fault("cut_mid_batch", after=3, match={"entity": "purchaseOrderLines"}, times=1)
    outcomes = await purchasing.received(*receipts)
    assert {outcome.result for outcome in outcomes} == {"uncertain"}
    assert await purchasing.ours.look_up(receipts) == {}
    assert {outcome.result for outcome in await purchasing.received(*receipts)} == {"done"}
    assert await purchasing.receipts() == [{"1": 3}] * 4


async def test_what_somebody_set_before_the_posting_is_not_posted_in_our_name(purchasing: Purchasing) -> None:
    order = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2"))
    # The posting is answered as if somebody had changed the order since it was looked at.
    purchasing.box.fault("entity_changed_409", match=POST, times=1)
    [again] = await purchasing.received(purchasing.receipt(order, 1))
    assert (again.result, again.code) == ("retry", "changed_meanwhile")
    assert await purchasing.receipts() == []


@pytest.mark.parametrize(
    "match",
    [
        {"method": "GET", "entity": "purchaseOrders", "nth": 2},
        {"method": "GET", "entity": "purchaseOrders", "nth": 3},
        POST,
    ],
)
async def test_somebody_who_receives_between_our_looks_and_the_posting_is_noticed(
    purchasing: Purchasing, match: dict[str, Any]
) -> None:
    """Also where they received just as much as we were about to."""
    order = await purchasing.made(1)
    purchasing.box.fault("latency", seconds=0.5, match=match, times=1)
    ours = asyncio.create_task(purchasing.received(purchasing.receipt(order, 1)))
    while not purchasing.box.faults()["rules"][0]["fired"]:
        await asyncio.sleep(0.01)
    purchasing.person_receives(order, _1=3)
    [outcome] = await ours
    assert (outcome.result, outcome.code) == ("reject", "somebody_else")
    assert outcome.memo == {"received": {"10000": "3"}, "order": order.number}
    assert await purchasing.receipts() == [{"1": 3}]
    assert await purchasing.quantities(order) == {"1": (10, 3)}


@pytest.mark.parametrize("lines", [{"20000": 4}, {"10000": 3}])
async def test_somebody_who_receives_while_our_answer_is_lost_is_a_matter_for_people(
    purchasing: Purchasing, lines: dict[str, int]
) -> None:
    order = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2"))
    purchasing.box.fault("lose_after", match=POST, times=1)
    receipt = purchasing.receipt(order, 1)
    [lost] = await purchasing.received(receipt)
    assert lost.result == "uncertain"
    purchasing.box.buy("receive", str(order.number), lines=lines)
    held = (await purchasing.ours.look_up([receipt]))["receipt-1"]
    assert (held.result, held.code) == ("reject", "somebody_else")
    now = {"10000": "3", "20000": "4"} if "20000" in lines else {"10000": "6"}
    assert held.memo == {"received": now, "order": order.number}
    assert f"posted receipts of order {order.number}" in held.mend


@pytest.mark.parametrize("kind", ["lose_before", "lose_after", "late_commit"])
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
async def test_goods_are_taken_back_once_whatever_is_lost(purchasing: Purchasing, kind: str, nth: int) -> None:
    order = await purchasing.made(1)
    [came] = await purchasing.received(purchasing.receipt(order, 1, ("1", "5")))
    purchasing.person_reopens(order)
    parameters = {"seconds": 30} if kind == "late_commit" else {}
    purchasing.box.fault(kind, match={"method": "POST", "entity": "$batch", "nth": nth}, times=1, **parameters)
    _, last = await brought_home(purchasing, purchasing.receipt(order, 2, ("1", "-2"), expected=came.memo))
    assert (last.result, last.memo) == ("done", {"received": {"10000": "5", "10001": "-2"}, "order": order.number})
    assert await purchasing.receipts() == [{"1": 5}, {"1": -2}]
    assert await purchasing.quantities(order) == {"1": (10, 3)}


async def test_an_interrupted_correction_that_is_given_up_leaves_no_line_behind(purchasing: Purchasing) -> None:
    order = await purchasing.made(1)
    [came] = await purchasing.received(purchasing.receipt(order, 1, ("1", "5")))
    purchasing.person_reopens(order)
    receipt = purchasing.receipt(order, 2, ("1", "-2"), expected=came.memo)
    purchasing.box.fault("lose_after", match={"entity": "purchaseOrderLines"}, times=1)
    [lost] = await purchasing.received(receipt)
    assert lost.result == "uncertain"
    purchasing.box.clear_faults()
    await purchasing.ours.discard([receipt])
    await purchasing.ours.discard([receipt])
    raw = await purchasing.person("GET", f"purchaseOrders({order.native_id})/purchaseOrderLines")
    assert [line["sequence"] for line in raw["value"]] == [1, 10_000]


async def test_a_receipt_of_an_order_invoiced_to_the_end_is_found_among_the_posted(
    purchasing: Purchasing,
) -> None:
    order = await purchasing.made(1)
    purchasing.box.fault("lose_after", match=POST, times=1)
    receipt = purchasing.receipt(order, 1, ("1", "10"), expected=order.memo)
    [lost] = await purchasing.received(receipt)
    assert lost.result == "uncertain"
    await purchasing.person_edits_line(order, "1", invoiceQuantity=10)
    await purchasing.person("POST", f"purchaseOrders({order.native_id})/Microsoft.NAV.receiveAndInvoice")
    assert (await purchasing.shown(order)).deleted
    found = (await purchasing.ours.look_up([receipt]))["receipt-1"]
    assert (found.result, found.memo) == ("done", {"received": {"10000": "10"}, "order": order.number})
    assert found.number
