"""Stock transactions as lines of an item journal that a person posts (semantics.md §5)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from integration.business_central.stockroom import Stockroom


async def post(stockroom: Stockroom, template: str = "ITEM") -> None:
    await asyncio.to_thread(stockroom.box.post_item_journal, batch="ISTHMUS", template=template, company="CRONUS")


async def test_an_issue_waits_in_the_journal_until_a_person_posts_it(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    issue = stockroom.move(1, shortcutDimension1Code="prod", description="For pump 7")
    saved = (await stockroom.write(connector, issue))["move-1"]
    assert (saved.result, saved.code, saved.number) == ("saved", "left_in_journal", "IS-MARK0001")
    line = (await stockroom.lines())[0]
    assert saved.native_id == "ITEM/ISTHMUS/10000"
    assert (line["Entry_Type"], line["Item_No"], line["Quantity"], line["Location_Code"]) == (
        "Negative Adjmt.",
        "1000",
        2,
        "EAST",
    )
    assert (line["External_Document_No"], line["Description"], line["Shortcut_Dimension_1_Code"]) == (
        "ST-1",
        "For pump 7",
        "PROD",
    )
    assert line["Posting_Date"] == "2026-03-05"
    assert (await connector.look_up([issue]))["move-1"].result == "saved"
    await post(stockroom)
    found = (await connector.look_up([issue]))["move-1"]
    assert (found.result, found.number, found.booked_at is not None) == ("done", "IS-MARK0001", True)
    assert stockroom.stock() == {"EAST": "-2"}


KINDS: list[tuple[str, str, dict[str, Any], str]] = [
    ("issue", "2", {}, "-2"),
    ("return", "2", {}, "2"),
    ("adjustment", "-3", {}, "-3"),
    ("adjustment", "3", {"unitCost": Decimal("2.75")}, "3"),
    ("count", "7", {"countedAs": Decimal(9)}, "-2"),
    ("issue", "2", {"unitOfMeasureCode": "BOX", "baseQuantity": Decimal(24)}, "-24"),
    ("return", "1.5", {"unitOfMeasureCode": "pcs"}, "1.5"),
]


async def test_every_kind_moves_what_it_says(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    stock = Decimal(0)
    for serial, (kind, quantity, native, moved) in enumerate(KINDS):
        move = stockroom.move(serial, kind, quantity, **native)
        assert (await stockroom.write(connector, move))[move.key].result == "saved"
        await post(stockroom)
        assert (await connector.look_up([move]))[move.key].result == "done"
        stock += Decimal(moved)
        assert Decimal(stockroom.stock().get("EAST", "0")) == stock, kind


async def test_a_transfer_goes_by_the_journal_of_transfers(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    transfer = stockroom.move(1, "transfer", "4", newLocationCode="west")
    saved = (await stockroom.write(connector, transfer))["move-1"]
    assert (saved.result, saved.native_id) == ("saved", "RECLASS/ISTHMUS/10000")
    assert await stockroom.lines() == []
    await post(stockroom, "RECLASS")
    assert (await connector.look_up([transfer]))["move-1"].result == "done"
    assert stockroom.stock() == {"EAST": "-4", "WEST": "4"}


async def test_a_count_that_found_what_was_expected_is_done_without_a_line(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    count = stockroom.move(1, "count", "9", countedAs=Decimal("9.0"))
    assert (await stockroom.write(connector, count))["move-1"].result == "done"
    assert (await connector.look_up([count]))["move-1"].result == "done"
    assert await stockroom.lines() == []


async def test_many_lines_are_numbered_one_after_the_other_even_at_once(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    groups = [[stockroom.move(serial) for serial in range(start, start + 10)] for start in (0, 10, 20)]
    outcomes = await asyncio.gather(*(stockroom.write(connector, *group) for group in groups))
    assert {outcome.result for group in outcomes for outcome in group.values()} == {"saved"}
    lines = await stockroom.lines()
    assert sorted(line["Line_No"] for line in lines) == [10_000 * place for place in range(1, 31)]
    assert len({line["Document_No"] for line in lines}) == 30


async def test_a_second_delivery_adds_no_second_line(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    moves = [stockroom.move(serial) for serial in range(3)]
    await stockroom.write(connector, *moves[:2])
    outcomes = await stockroom.write(connector, *moves)
    assert {outcome.result for outcome in outcomes.values()} == {"saved"}
    assert len(await stockroom.lines()) == 3
    await post(stockroom)
    assert {o.result for o in (await stockroom.write(connector, *moves)).values()} == {"done"}
    assert stockroom.stock() == {"EAST": "-6"}


@pytest.mark.parametrize(
    ("fault", "found"),
    [("lose_after", {"move-1"}), ("lose_before", set()), ("late_commit", set())],
)
async def test_a_lost_answer_is_looked_up(stockroom: Stockroom, fault: str, found: set[str]) -> None:
    connector = stockroom.connector()
    move = stockroom.move(1)
    more = {"seconds": 300} if fault == "late_commit" else {}
    stockroom.box.fault(fault, match={"method": "POST"}, times=1, **more)
    assert (await stockroom.write(connector, move))["move-1"].result == "uncertain"
    assert set(await connector.look_up([move])) == found
    await stockroom.clock.sleep(600)
    if await connector.look_up([move]) == {}:
        assert (await stockroom.write(connector, move))["move-1"].result == "saved"
    assert len(await stockroom.lines()) == 1


async def test_what_the_journal_did_not_keep_is_not_believed(stockroom: Stockroom) -> None:
    stockroom.box.fault("lie_201", match={"method": "POST"}, times=1)
    outcome = (await stockroom.write(stockroom.connector(), stockroom.move(1)))["move-1"]
    assert (outcome.result, outcome.code) == ("uncertain", "not_kept")


async def test_trouble_stops_the_rest_of_a_delivery(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    stockroom.box.fault("status", code=503, match={"method": "POST", "nth": 2}, times=1)
    outcomes = await stockroom.write(connector, *(stockroom.move(serial) for serial in range(4)))
    assert [(o.result, o.code) for o in (outcomes[f"move-{n}"] for n in range(4))] == [
        ("saved", "left_in_journal"),
        ("uncertain", "unavailable"),
        ("retry", "not_sent"),
        ("retry", "not_sent"),
    ]


async def test_a_line_somebody_changed_is_told_and_not_taken_for_ours(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    move = stockroom.move(1)
    await stockroom.write(connector, move)
    key = {"Journal_Template_Name": "ITEM", "Journal_Batch_Name": "ISTHMUS", "Line_No": 10000}
    published = connector._published  # type: ignore[attr-defined]
    await published.change("CRONUS", "item_journal", key, {"Quantity": Decimal(5)}, etag="*")
    changed = (await connector.look_up([move]))["move-1"]
    assert (changed.result, changed.code) == ("reject", "line_differs")
    assert "Quantity is 5, not 2" in changed.text
    await post(stockroom)
    booked = (await connector.look_up([move]))["move-1"]
    assert (booked.result, booked.code) == ("reject", "booked_otherwise")
    assert "-5 of 1000" in booked.text


REFUSED: list[tuple[tuple[str, str], dict[str, Any], str, str]] = [
    (("issue", "2"), {"itemNumber": "9999"}, "item_unknown", "item"),
    (("issue", "2"), {"itemNumber": "1002"}, "item_blocked", "item"),
    (("issue", "2"), {"itemNumber": "1003"}, "item_without_stock", "item"),
    (("issue", "2"), {"locationCode": "NOWHERE"}, "location_unknown", "location"),
    (("issue", "2"), {"unitOfMeasureCode": "BOX"}, "base_quantity_missing", "base_quantity"),
    (("issue", "-2"), {}, "stock_transaction", "quantity"),
    (("adjustment", "0"), {}, "stock_transaction", "quantity"),
    (("issue", "2"), {"baseQuantity": Decimal(-2)}, "stock_transaction", "base_quantity"),
    (("transfer", "2"), {"newLocationCode": "EAST"}, "stock_transaction", "to_location"),
    (("transfer", "2"), {}, "stock_transaction", "to_location"),
    (("count", "2"), {}, "stock_transaction", "counted_as"),
    (("scrap", "2"), {}, "stock_transaction", "type"),
    (("issue", "2"), {"postingDate": None}, "stock_transaction", "happened_on"),
]


async def test_what_cannot_be_moved_is_refused_before_it_is_sent(stockroom: Stockroom) -> None:
    moves = [stockroom.move(n, *given, **native) for n, (given, native, _, _) in enumerate(REFUSED)]
    outcomes = await stockroom.write(stockroom.connector(), *moves)
    told = [(o.result, o.code, o.field) for o in (outcomes[move.key] for move in moves)]
    assert told == [("reject", code, field) for _, _, code, field in REFUSED]
    assert all(outcome.mend for outcome in outcomes.values())
    assert await stockroom.lines() == []


async def test_a_location_of_the_warehouse_is_refused_where_the_connection_names_it(stockroom: Stockroom) -> None:
    connector = stockroom.connector(warehouse_locations=["west"])
    outcomes = await stockroom.write(
        connector, stockroom.move(1), stockroom.move(2, "transfer", newLocationCode="WEST")
    )
    assert (outcomes["move-1"].result, outcomes["move-2"].code, outcomes["move-2"].field) == (
        "saved",
        "warehouse_location",
        "to_location",
    )


async def test_a_lot_or_bin_nobody_asks_for_stays_in_operations(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    move = stockroom.move(1, lotNumber="L1", serialNumber="S1", binCode="B1")
    assert (await stockroom.write(connector, move))["move-1"].result == "saved"
    (line,) = await stockroom.lines()
    assert (line["Lot_No"], line["Serial_No"], line["Bin_Code"]) == ("", "", "")


async def test_a_batch_that_does_not_exist_is_named(stockroom: Stockroom) -> None:
    connector = stockroom.connector(item_journal="ITEM/NONE")
    outcome = (await stockroom.write(connector, stockroom.move(1)))["move-1"]
    assert (outcome.result, outcome.code) == ("reject", "Internal_InvalidTableRelation")
    assert outcome.mend == "Batch NONE of template ITEM must exist on page Item Journal in company CRONUS."


async def test_without_the_page_each_transaction_says_what_is_missing(stockroom: Stockroom) -> None:
    connector = stockroom.connector(services={"item_journal": "ItemJournal"})
    issue, transfer = stockroom.move(1), stockroom.move(2, "transfer", newLocationCode="WEST")
    outcomes = await stockroom.write(connector, issue, transfer)
    assert (outcomes["move-1"].result, outcomes["move-2"].code) == ("saved", "service_not_named")
    assert "page 393" in outcomes["move-2"].text
    assert set(await connector.look_up([issue, transfer])) == {"move-1"}
