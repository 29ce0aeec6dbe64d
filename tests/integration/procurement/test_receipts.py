"""Goods receipts: booked once, against their order, in its units; what waits, what is held, what is corrected."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def accepted(document: dict[str, Any]) -> dict[str, str]:
    """Order line -> accepted, as finance was told."""
    return {line["order_line"]: str(line["accepted"]) for line in document["lines"]}


async def test_what_was_accepted_is_received_in_finance(bench: Any) -> None:
    bench.order(l1="10", l2="5")
    bench.receipt("R1", l1="4", l2="0")
    await bench.open(bench.pool)
    await bench.turns()
    (document,) = bench.finance.posted("receipt")
    assert (accepted(document), document["order"], str(document["received_on"])) == ({"1": "4"}, "12", "2026-03-10")
    message = await bench.message("R1")
    assert (message.state, message.amount, message.number) == ("done", Decimal(4), document["number"])
    [(order_id,)] = await ask(bench, "select id from record where entity = 'purchase_order'")
    assert message.anchor_id == order_id  # receipts and amendments of one order never overtake each other
    await bench.turns()
    assert len(bench.finance.posted("receipt")) == 1


async def test_boxes_are_booked_in_the_pieces_of_the_order(bench: Any) -> None:
    bench.order(l1="30")
    bench.receipt("R1", unit="BOX", l1="2")
    bench.receipt("R2", unit="CRATE", l1="1")
    await bench.open(bench.pool)
    await bench.turns()
    assert [accepted(document) for document in bench.finance.posted("receipt")] == [{"1": "20"}]
    dead = await bench.message("R2")
    assert (dead.state, dead.code) == ("dead", "factor_missing")
    assert "no factor above zero for CRATE of item BOLT" in dead.reason
    bench.finance.add("item_unit", "u2", key="BOLT/CRATE", item="BOLT", unit="CRATE", factor="6")
    await bench.turns(1)
    assert (await bench.act("retry", dead)).done
    await bench.turns(1)
    assert accepted(bench.finance.posted("receipt")[-1]) == {"1": "6"}


async def test_a_receipt_waits_for_its_order(bench: Any) -> None:
    bench.receipt("R1")
    await bench.open(bench.pool)
    await bench.turns()
    waiting = await bench.message("R1")
    assert (waiting.state, waiting.code, waiting.reason) == ("waiting", "order_missing", "order 12 is not known yet")
    bench.order(status="pending")
    await bench.turns()
    waiting = await bench.message("R1")
    assert (waiting.state, waiting.code, waiting.reason) == ("waiting", "order_pending", "order 12 is pending")
    assert bench.finance.posted("receipt") == []
    bench.yard.edit("purchase_order", "o12", status="approved")
    await bench.turns()
    assert (await bench.message("R1")).state == "done"
    assert len(bench.finance.posted("receipt")) == 1


async def test_goods_of_an_order_that_is_called_off_are_not_booked(bench: Any) -> None:
    bench.order(status="rejected")
    bench.receipt("R1")
    await bench.open(bench.pool)
    await bench.turns()
    skipped = await bench.message("R1")
    assert (skipped.state, skipped.code) == ("skipped", "order_called_off")
    assert skipped.reason == "goods came for order 12, which is rejected"
    bench.yard.edit("purchase_order", "o12", status="approved")
    await bench.turns(1)
    assert (await bench.act("retry", skipped)).done
    await bench.turns(1)
    assert len(bench.finance.posted("receipt")) == 1


async def test_more_than_was_ordered_is_held_and_goes_when_the_order_is_raised(bench: Any) -> None:
    """Three receipts come at once: what the first takes is known to the second before anything is booked."""
    bench.order(l1="10")
    bench.receipt("R1", l1="6")
    bench.receipt("R2", l1="6")
    bench.receipt("R3", l1="4")
    await bench.open(bench.pool)
    await bench.turns(1)
    assert [(m.subject, m.state, m.code) for m in await bench.messages()] == [
        ("R1", "done", ""), ("R2", "held", "more_than_ordered"), ("R3", "waiting", "behind"),
    ]  # fmt: skip
    held = await bench.message("R2")
    assert held.reason == "line 1 of order 12: 6 accepted and 6 before, where 10 are ordered"
    bench.yard.edit("purchase_order", "o12", lines=[{**bench.yard.rows["purchase_order"]["o12"]["lines"][0],
                                                     "quantity": "16", "received": "6"}])  # fmt: skip
    await bench.turns(1)
    assert (await bench.act("retry", held)).done
    await bench.turns(1)
    assert [accepted(document) for document in bench.finance.posted("receipt")] == [{"1": "6"}, {"1": "6"}, {"1": "4"}]


async def test_what_is_on_its_way_counts_before_finance_does(bench: Any) -> None:
    bench.order(l1="10")
    bench.receipt("R1", l1="6")
    await bench.open(bench.pool)
    bench.finance.lose = 99  # answers are lost: R1 stays uncertain
    await bench.turns(1)
    assert (await bench.message("R1")).state == "uncertain"
    bench.receipt("R2", l1="6")
    await bench.turns(1)
    assert (await bench.message("R2")).code == "more_than_ordered"


async def test_a_line_the_order_does_not_have_stops_the_whole_receipt(bench: Any) -> None:
    bench.order(l1="10")
    bench.receipt("R1", l1="2", l7="1")
    await bench.open(bench.pool)
    await bench.turns()
    dead = await bench.message("R1")
    assert (dead.state, dead.code, dead.document) == ("dead", "order_line_unknown", "")
    assert bench.finance.posted("receipt") == []


async def test_a_changed_receipt_is_held_and_corrected_by_what_differs(bench: Any) -> None:
    bench.order(l1="10", l2="5", l3="9")
    bench.receipt("R1", l1="4", l2="1", l3="2")
    await bench.open(bench.pool)
    await bench.turns()
    booked = await bench.message("R1")
    bench.receipt("R1", l1="3", l2="1", l3="5")
    await bench.turns(1)
    held = await bench.message("R1")
    assert (held.state, held.code) == ("held", "already_booked")
    assert held.reason == f"already booked as {booked.number}, change of line 1: 4 -> 3, line 3: 2 -> 5"
    assert (await bench.act("correct", held)).done
    await bench.turns(2)
    first, difference = bench.finance.posted("receipt")
    assert accepted(difference) == {"1": "-1", "2": "0", "3": "3"}
    assert difference["corrects"] == first["number"] != difference["number"]
    message = await bench.message("R1")
    assert (message.state, message.amount, message.anchor_id) == ("done", Decimal(2), booked.anchor_id)
    bench.receipt("R1", l1="3", l2="1", l3="5")
    await bench.turns(1)
    assert len(bench.finance.posted("receipt")) == 2  # the correction stands for the whole receipt now
    bench.receipt("R1", l1="3", l2="2", l3="5")
    await bench.turns(1)
    again = await bench.message("R1")
    assert again.reason.endswith(f"{message.number}, change of line 2: 1 -> 2")
    await bench.act("correct", again)
    await bench.turns(1)
    assert accepted(bench.finance.posted("receipt")[-1]) == {"1": "0", "2": "1", "3": "0"}
    assert bench.finance.posted("receipt")[-1]["corrects"] == message.number


async def test_a_correction_that_is_refused_is_tried_again_as_it_was(bench: Any) -> None:
    bench.order(l1="10")
    bench.receipt("R1", l1="4")
    await bench.open(bench.pool)
    await bench.turns()
    bench.receipt("R1", l1="3")
    await bench.turns(1)
    bench.finance.refuse = "the order is released"
    await bench.act("correct", await bench.message("R1"))
    await bench.turns(1)
    dead = await bench.message("R1")
    assert (dead.state, dead.reason) == ("dead", "the order is released")
    assert (await bench.act("retry", dead)).done
    await bench.turns(1)
    assert [accepted(document) for document in bench.finance.posted("receipt")] == [{"1": "4"}, {"1": "-1"}]
    assert (await bench.message("R1")).state == "done"


async def test_a_change_while_its_correction_is_refused_is_decided_anew(bench: Any) -> None:
    bench.order(l1="10")
    bench.receipt("R1", l1="4")
    await bench.open(bench.pool)
    await bench.turns()
    bench.receipt("R1", l1="3")
    await bench.turns(1)
    bench.finance.refuse = "the order is released"
    await bench.act("correct", await bench.message("R1"))
    await bench.turns(1)
    bench.receipt("R1", l1="6")
    await bench.turns(1)
    held = await bench.message("R1")
    assert (held.state, held.code) == ("held", "already_booked")
    assert held.reason.endswith("change of line 1: 4 -> 6")
    await bench.act("correct", held)
    await bench.turns(1)
    assert [accepted(document) for document in bench.finance.posted("receipt")] == [{"1": "4"}, {"1": "2"}]


async def test_a_receipt_that_is_of_another_order_now_is_taken_back_whole_and_booked_there(bench: Any) -> None:
    bench.order("12")
    bench.order("13")
    bench.receipt("R1", order="12", l1="4")
    await bench.open(bench.pool)
    await bench.turns()
    bench.receipt("R1", order="13", l1="4")
    await bench.turns(1)
    held = await bench.message("R1")
    assert held.reason.endswith("change of order 12 -> 13")
    await bench.act("correct", held)
    await bench.turns(2)
    told = [(document["order"], accepted(document)) for document in bench.finance.posted("receipt")]
    assert told == [("12", {"1": "4"}), ("12", {"1": "-4"}), ("13", {"1": "4"})]
    assert await ask(bench, "select count(distinct anchor_id) from message where state = 'done'") == [(2,)]


async def test_a_receipt_that_accepts_nothing_any_more_is_taken_back(bench: Any) -> None:
    bench.order()
    bench.receipt("R1", l1="4")
    bench.receipt("R2", l1="0")
    await bench.open(bench.pool)
    await bench.turns()
    assert [(m.subject, m.state, m.code) for m in await bench.messages()] == [
        ("R1", "done", ""), ("R2", "skipped", "nothing_to_post"),
    ]  # fmt: skip
    bench.receipt("R1", l1="0")
    await bench.turns(1)
    held = await bench.message("R1")
    assert (held.state, held.code) == ("held", "already_booked")
    assert held.reason.endswith("changed since: receipt R1 accepts nothing")
    await bench.act("correct", held)
    await bench.turns(1)
    assert [accepted(document) for document in bench.finance.posted("receipt")] == [{"1": "4"}, {"1": "-4"}]


async def test_a_closed_day_is_held_or_moved(bench: Any) -> None:
    bench.order()
    bench.receipt("R1", on="2026-02-27")
    await bench.open(bench.pool)
    await bench.turns()
    held = await bench.message("R1")
    assert (held.state, held.code) == ("held", "period_closed")
    bench.policy = "first_open"
    await bench.open(bench.pool)
    await bench.act("retry", held)
    await bench.turns(1)
    (document,) = bench.finance.posted("receipt")
    assert str(document["received_on"]) == "2026-03-01"
    bench.finance.edit("company", "c1", posting_from="2026-03-15")
    bench.receipt("R1", on="2026-02-27")  # the same once more, in books that are open later
    await bench.turns(2)
    assert [m.state for m in await bench.messages("R1")] == ["done"]


async def test_two_orders_of_one_number_are_not_guessed_between(bench: Any) -> None:
    bench.order()
    bench.yard.add("purchase_order", "again", number="12", status="approved", lines=[])
    bench.receipt("R1")
    await bench.open(bench.pool)
    await bench.turns()
    held = await bench.message("R1")
    assert (held.state, held.code, held.value) == ("held", "order_ambiguous", "12")


async def ask(bench: Any, query: str) -> list[tuple[Any, ...]]:
    async with bench.transaction() as db:
        cursor = await db.execute(query)
        return list(await cursor.fetchall())
