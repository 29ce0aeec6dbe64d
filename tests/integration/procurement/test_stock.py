"""Movements of stock and requisitions through the ledger."""

from __future__ import annotations

from datetime import date
from typing import Any


def moved(bench: Any) -> list[tuple[str, str, str, str | None]]:
    return [
        (row["type"], str(row["quantity"]), row["location"], row.get("to_location"))
        for row in bench.finance.posted("inventory_transaction")
    ]


async def test_movements_are_booked_in_base_units(bench: Any) -> None:
    bench.movement("1", unit="BOX")
    bench.movement("2", type="transfer", to_location="YARD")
    bench.movement("3", type="count", quantity="7", counted_as="9")
    bench.movement("4", type="count", quantity="7", counted_as="7")
    bench.movement("5", type="transfer")
    await bench.open(bench.pool)
    await bench.turns()
    assert moved(bench) == [
        ("issue", "30", "MAIN", None), ("transfer", "3", "MAIN", "YARD"), ("adjustment", "-2", "MAIN", None),
    ]  # fmt: skip
    assert [(m.state, m.code) for m in await bench.messages("4")] == [("skipped", "nothing_to_post")]
    assert [(m.state, m.code) for m in await bench.messages("5")] == [("dead", "transfer_location")]


async def test_a_movement_waits_for_its_item(bench: Any) -> None:
    bench.movement("1", item="NUT")
    await bench.open(bench.pool)
    await bench.turns()
    assert [(m.state, m.reason) for m in await bench.messages()] == [("waiting", "finance has no item NUT yet")]
    bench.finance.add("item", "i2", number="NUT", base_unit="PCS")
    await bench.turns()
    assert moved(bench) == [("issue", "3", "MAIN", None)]


async def test_the_day_is_that_of_the_company_and_old_ones_stay_out(bench: Any) -> None:
    bench.cut_over = date(2026, 3, 5)
    bench.movement("1", happened_on=None, happened_at="2026-03-10T23:59:00Z")
    bench.movement("2", happened_on="2026-03-04")
    bench.movement("3", happened_on=None)
    await bench.open(bench.pool)
    await bench.turns()
    (row,) = bench.finance.posted("inventory_transaction")
    assert (str(row["happened_on"]), row.get("happened_at")) == ("2026-03-10", None)
    told = {m.subject: (m.state, m.code) for m in await bench.messages()}
    assert told == {"1": ("done", ""), "2": ("skipped", "before_cut_over"), "3": ("dead", "date_missing")}


async def test_a_changed_movement_is_taken_back_and_booked_anew(bench: Any) -> None:
    bench.movement("1")
    await bench.open(bench.pool)
    await bench.turns()
    bench.yard.edit("inventory_transaction", "t1", quantity="2", location="YARD")
    await bench.turns(1)
    held = await bench.message("1")
    assert held.reason.endswith("change of quantity 3 -> 2, location MAIN -> YARD")
    await bench.act("correct", held)
    await bench.turns(2)
    assert moved(bench) == [("issue", "3", "MAIN", None), ("return", "3", "MAIN", None), ("issue", "2", "YARD", None)]
    rows = bench.finance.posted("inventory_transaction")
    assert rows[1]["reason"] == f"Correction of {rows[0]['number']}"


async def test_a_requisition_becomes_one_draft_order(bench: Any) -> None:
    line = {"key": "1", "item": "BOLT", "quantity": "4", "unit_cost": "1.25"}
    asked = {"number": "PR-7", "status": "draft", "vendor": "V1", "currency": "USD", "lines": [line]}
    bench.yard.add("purchase_requisition", "p7", **asked)
    await bench.open(bench.pool)
    await bench.turns()
    assert [(m.state, m.reason) for m in await bench.messages()] == [("waiting", "requisition PR-7 is draft")]
    bench.yard.edit("purchase_requisition", "p7", status="submitted")
    await bench.turns()
    (order,) = bench.finance.posted("purchase_order")
    assert (order["number"], order["requisition"], order["status"]) == ("PR-7", "PR-7", "draft")
    assert [(one["key"], str(one["amount"])) for one in order["lines"]] == [("1", "5")]
    message = await bench.message("PR-7")
    assert (message.state, str(message.amount), message.currency) == ("done", "5", "USD")
    bench.yard.edit("purchase_requisition", "p7", lines=[{**line, "quantity": "5"}])
    await bench.turns(1)
    held = await bench.message("PR-7")
    assert (held.state, held.code) == ("held", "already_ordered")
    assert "line 1: quantity 4 -> 5" in held.reason
    assert not (await bench.act("correct", held)).done
