"""Amended and cancelled purchase orders: exactly what changed, never against what was received (semantics.md §5)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from integration.business_central.purchasing import Purchasing

DEC = Decimal


async def test_quantities_prices_days_and_lines_are_brought_to_what_is_wanted(purchasing: Purchasing) -> None:
    made = await purchasing.made(1, *[await purchasing.line(key) for key in ("1", "2", "3")])
    lines = [
        await purchasing.line("1", quantity="12"),
        await purchasing.line("3", price="4.1234", expectedReceiptDate="2026-04-07"),
        await purchasing.line("2147483655", "SEAL", "2"),
    ]
    purchasing.box.reset_calls()
    operation = purchasing.change(made, purchaseOrderLines=lines, requestedReceiptDate="2026-04-01")
    [changed] = await purchasing.received(operation)
    shown = await purchasing.shown(made)
    assert (changed.result, changed.native, changed.version) == ("done", shown.data, shown.version)
    found = await purchasing.lines(made)
    told = {key: (line["quantity"], line["directUnitCost"], line["lineObjectNumber"]) for key, line in found.items()}
    assert told == {
        "1": (12, DEC("4.5"), "PUMP"), "3": (10, DEC("4.1234"), "PUMP"), "2147483655": (2, DEC("4.5"), "SEAL"),
    }  # fmt: skip
    assert (shown.data["requestedReceiptDate"], found["3"]["expectedReceiptDate"]) == ("2026-04-01", "2026-04-07")
    assert (await purchasing.ours.look_up([operation]))["change-1"].result == "done"


async def test_an_order_that_is_as_wanted_is_not_touched(purchasing: Purchasing) -> None:
    made = await purchasing.made(1)
    purchasing.box.reset_calls()
    [same] = await purchasing.received(purchasing.change(made, purchaseOrderLines=[await purchasing.line("1")]))
    assert (same.result, same.version) == ("done", made.version)
    assert purchasing.box.calls()["by_path"] == {"GET companies({id})/purchaseOrders": 1}


async def test_many_orders_are_amended_in_few_requests_and_one_bad_one_stays_behind(purchasing: Purchasing) -> None:
    made = [await purchasing.made(serial) for serial in range(20)]
    lines = [await purchasing.line("1", quantity="11"), await purchasing.line("2")]
    operations = [purchasing.change(order, serial, purchaseOrderLines=lines) for serial, order in enumerate(made)]
    operations[7] = purchasing.change(
        made[7], 7, purchaseOrderLines=[await purchasing.line("1", "SEAL", unitOfMeasureCode="TON")]
    )
    purchasing.box.reset_calls()
    outcomes = await purchasing.received(*operations)
    assert [outcome.result for outcome in outcomes] == ["done"] * 7 + ["reject"] + ["done"] * 12
    assert (outcomes[7].code, outcomes[7].field) == ("unit_unknown", "lines[0].unit")
    assert purchasing.box.calls()["by_path"]["POST $batch"] == 1


async def test_what_people_changed_since_is_stale_and_stays(purchasing: Purchasing) -> None:
    made = await purchasing.made(1)
    await purchasing.person_edits_line(made, "1", expectedReceiptDate="2026-05-01")
    lines = [await purchasing.line("1", quantity="11")]
    [stale] = await purchasing.received(purchasing.change(made, purchaseOrderLines=lines))
    assert (stale.result, (await purchasing.quantities(made))["1"]) == ("stale", (10, 0))
    [forced] = await purchasing.received(purchasing.change(made, version=None, purchaseOrderLines=lines))
    assert forced.result == "done"
    line = (await purchasing.lines(made))["1"]
    assert (line["quantity"], line["expectedReceiptDate"]) == (11, "2026-05-01")


async def test_nothing_goes_below_what_was_received(purchasing: Purchasing) -> None:
    made = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2"))
    purchasing.person_receives(made, _1=4)
    wanted = [await purchasing.line("1", quantity="3.9"), await purchasing.line("2", quantity="5")]
    [below] = await purchasing.received(purchasing.change(made, version=None, purchaseOrderLines=wanted))
    assert (below.result, below.code, below.field, below.value) == (
        "reject", "below_received", "lines[0].quantity", "3.9",
    )  # fmt: skip
    assert await purchasing.quantities(made) == {"1": (10, 4), "2": (10, 0)}


@pytest.mark.parametrize("by", ["delete", "update"])
async def test_an_order_of_which_nothing_came_is_deleted_when_it_is_cancelled(purchasing: Purchasing, by: str) -> None:
    made = await purchasing.made(1)
    operation = purchasing.cancel(made) if by == "delete" else purchasing.change(made, purchaseOrderLines=[])
    [gone] = await purchasing.received(operation)
    assert (gone.result, gone.native) == ("done", None)
    assert (await purchasing.shown(made)).deleted
    assert (await purchasing.ours.look_up([operation]))[operation.key].result == "done"
    assert [outcome.result for outcome in await purchasing.received(operation)] == ["done"]


@pytest.mark.parametrize("what", ["amended", "cancelled"])
async def test_an_order_of_which_goods_came_is_released_and_must_be_reopened_by_a_person(
    purchasing: Purchasing, what: str
) -> None:
    made = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2"))
    purchasing.person_receives(made, _1=4)
    lines = [] if what == "cancelled" else [await purchasing.line("1", quantity="12"), await purchasing.line("2")]
    operation = purchasing.change(made, version=None, purchaseOrderLines=lines)
    [refused] = await purchasing.received(operation)
    assert (refused.result, refused.code, refused.value) == ("reject", "order_released", made.number)
    assert "Reopen order" in refused.mend
    assert await purchasing.quantities(made) == {"1": (10, 4), "2": (10, 0)}
    assert await purchasing.ours.look_up([operation]) == {}
    purchasing.person_reopens(made)
    [done] = await purchasing.received(operation)
    assert done.result == "done"
    shown = {"1": (4, 4)} if what == "cancelled" else {"1": (12, 4), "2": (10, 0)}
    assert await purchasing.quantities(made) == shown
    assert (await purchasing.ours.look_up([operation]))["change-1"].result == "done"


async def test_a_person_who_cancels_wins_over_an_amendment(purchasing: Purchasing) -> None:
    made = await purchasing.made(1)
    await purchasing.person("DELETE", f"purchaseOrders({made.native_id})")
    operation = purchasing.change(made, purchaseOrderLines=[await purchasing.line("1", quantity="11")])
    [gone] = await purchasing.received(operation)
    assert (gone.result, gone.code) == ("reject", "gone")
    assert gone.mend
    assert await purchasing.ours.look_up([operation]) == {}


@pytest.mark.parametrize("kind", ["lose_before", "lose_after", "late_commit", "cut_mid_batch", "lie_201", "lock_409"])
async def test_an_amendment_that_broke_off_anywhere_is_completed_by_the_next(purchasing: Purchasing, kind: str) -> None:
    made = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2"))
    lines = [await purchasing.line("1", quantity="12"), await purchasing.line("3"), await purchasing.line("77777777")]
    parameters = {"late_commit": {"seconds": 30}, "cut_mid_batch": {"after": 2}}.get(kind, {})
    match = {"entity": "purchaseOrderLines"} if kind in {"lie_201", "lock_409"} else {"entity": "$batch"}
    purchasing.box.fault(kind, match=match, times=1, **parameters)
    operation = purchasing.change(made, purchaseOrderLines=lines, requestedReceiptDate="2026-04-01")
    [first] = await purchasing.received(operation)
    assert any(rule["fired"] for rule in purchasing.box.faults()["rules"])
    purchasing.box.clear_faults()
    purchasing.box.advance(600)
    found = await purchasing.ours.look_up([operation])
    if "change-1" not in found:
        again = purchasing.change(made, version=(await purchasing.shown(made)).version, **operation.native)
        [found["change-1"]] = await purchasing.received(again)
    assert found["change-1"].result == "done", first
    assert await purchasing.quantities(made) == {"1": (12, 0), "3": (10, 0), "77777777": (10, 0)}
    assert (await purchasing.shown(made)).data["requestedReceiptDate"] == "2026-04-01"


async def test_orders_are_read_to_the_end_where_the_service_shows_them_one_by_one(purchasing: Purchasing) -> None:
    made = [await purchasing.made(serial) for serial in range(5)]
    purchasing.box.set(page_size=1)
    lines = [await purchasing.line("1", quantity="11")]
    outcomes = await purchasing.received(
        *[purchasing.change(order, serial, purchaseOrderLines=lines) for serial, order in enumerate(made)]
    )
    assert {outcome.result for outcome in outcomes} == {"done"}
    purchasing.box.set(page_size=20_000)
    assert [await purchasing.quantities(order) for order in made] == [{"1": (11, 0)}] * 5


async def test_a_price_that_the_service_looks_up_anew_is_brought_back(
    purchasing: Purchasing,
) -> None:
    """A changed unit or quantity makes it choose a price of its own, though ours was in the same order (bc.md §19)."""
    made = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2"))
    lines = [await purchasing.line("1", unitOfMeasureCode="BOX"), await purchasing.line("2", quantity="20")]
    [done] = await purchasing.received(purchasing.change(made, purchaseOrderLines=lines))
    assert done.result == "done", done
    found = await purchasing.lines(made)
    assert [(line["unitOfMeasureCode"], line["quantity"], line["directUnitCost"]) for line in found.values()] == [
        ("BOX", 10, DEC("4.5")), ("PCS", 20, DEC("4.5")),
    ]  # fmt: skip
