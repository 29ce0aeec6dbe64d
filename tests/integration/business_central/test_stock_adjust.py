"""Stock transactions by writing an item's stock (bc.md §13): booked at once, and refused where that would be wrong."""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import structs

from isthmus.contract.operations import Operation

if TYPE_CHECKING:
    from integration.business_central.stockroom import Stockroom


def today(stockroom: Stockroom) -> str:
    return stockroom.clock.now().astimezone(UTC).date().isoformat()


def move(stockroom: Stockroom, serial: int, kind: str = "issue", quantity: str = "2", **native: Any) -> Operation:
    given = {"locationCode": None, "postingDate": today(stockroom)} | native
    return stockroom.move(serial, kind, quantity, **given)


async def test_an_issue_is_booked_at_once(stockroom: Stockroom) -> None:
    connector = stockroom.connector(stock="adjust")
    assert connector.capabilities.entities["inventory_transaction"].booked
    done = (await stockroom.write(connector, move(stockroom, 1)))["move-1"]
    assert (done.result, done.number, done.memo) == ("done", "1000", {"entry": 1})
    assert stockroom.stock() == {"": "-2"}
    again = (await stockroom.write(connector, move(stockroom, 2, "return", "5")))["move-2"]
    assert (again.result, again.memo) == ("done", {"entry": 2})
    assert stockroom.stock() == {"": "3"}


async def test_several_of_one_item_at_once_do_not_overtake_each_other(stockroom: Stockroom) -> None:
    connector = stockroom.connector(stock="adjust")
    outcomes = await asyncio.gather(
        *(stockroom.write(connector, move(stockroom, serial, quantity="1.5")) for serial in range(6))
    )
    assert {outcome.result for one in outcomes for outcome in one.values()} == {"done"}
    assert len({outcome.native_id for one in outcomes for outcome in one.values()}) == 6
    assert Decimal(stockroom.stock()[""]) == -9


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"locationCode": "EAST"}, "location"),
    ({"postingDate": "2026-03-05"}, "happened_on"),
    ({"shortcutDimension1Code": "PROD"}, "cost_centre"),
    ({"shortcutDimension2Code": "P100"}, "cost_centre"),
    ({"type": "transfer", "newLocationCode": "WEST"}, "type"),
]


async def test_it_is_refused_where_place_day_or_dimension_matter(stockroom: Stockroom) -> None:
    connector = stockroom.connector(stock="adjust")
    for serial, (native, field) in enumerate(REFUSED):
        outcome = (await stockroom.write(connector, move(stockroom, serial, **native)))[f"move-{serial}"]
        assert (outcome.result, outcome.code, outcome.field) == ("reject", "adjust_impossible", field)
        assert "journal_saved" in outcome.mend
    assert stockroom.stock() == {}


async def test_yesterday_is_not_today(stockroom: Stockroom) -> None:
    yesterday = (stockroom.clock.now() - timedelta(days=1)).date().isoformat()
    connector = stockroom.connector(stock="adjust")
    outcome = (await stockroom.write(connector, move(stockroom, 1, postingDate=yesterday)))["move-1"]
    assert outcome.code == "adjust_impossible"
    assert today(stockroom) in outcome.text


async def test_a_lost_answer_is_found_behind_the_last_known_entry(stockroom: Stockroom) -> None:
    connector = stockroom.connector(stock="adjust")
    first = (await stockroom.write(connector, move(stockroom, 1)))["move-1"]
    second = structs.replace(move(stockroom, 2), expected=first.memo or {})
    assert await connector.look_up([second]) == {}
    stockroom.box.fault("lose_after", match={"method": "PATCH"}, times=1)
    lost = (await stockroom.write(connector, second))["move-2"]
    assert (lost.result, lost.memo) == ("uncertain", {"entry": 1})
    found = (await connector.look_up([second]))["move-2"]
    assert (found.result, found.memo) == ("done", {"entry": 2})
    assert stockroom.stock() == {"": "-4"}


async def test_a_lost_answer_that_never_arrived_is_not_found(stockroom: Stockroom) -> None:
    connector = stockroom.connector(stock="adjust")
    issue = move(stockroom, 1)
    stockroom.box.fault("lose_before", match={"method": "PATCH"}, times=1)
    assert (await stockroom.write(connector, issue))["move-1"].result == "uncertain"
    assert await connector.look_up([issue]) == {}


async def test_without_knowing_what_stood_before_an_equal_entry_proves_nothing(stockroom: Stockroom) -> None:
    connector = stockroom.connector(stock="adjust")
    await stockroom.write(connector, move(stockroom, 1))
    told = (await connector.look_up([move(stockroom, 2)]))["move-2"]
    assert (told.result, told.code) == ("reject", "cannot_tell")
    assert "Item Ledger Entries" in told.mend
    assert await connector.look_up([move(stockroom, 3, quantity="7")]) == {}


async def test_a_count_sets_the_difference_it_found(stockroom: Stockroom) -> None:
    connector = stockroom.connector(stock="adjust")
    await stockroom.write(connector, move(stockroom, 1, "return", "10"))
    count = move(stockroom, 2, "count", "8", countedAs=Decimal(9))
    assert (await stockroom.write(connector, count))["move-2"].result == "done"
    assert stockroom.stock() == {"": "9"}


async def test_what_business_central_refuses_is_told_in_its_words(stockroom: Stockroom) -> None:
    stockroom.company(prevent_negative_inventory=True)
    connector = stockroom.connector(stock="adjust")
    short, lot = move(stockroom, 1), move(stockroom, 2, "return", itemNumber="1001")
    for operation, words in ((short, "insufficient quantity"), (lot, "assign a lot number")):
        outcome = (await stockroom.write(connector, operation))[operation.key]
        assert outcome.result == "reject"
        assert words in outcome.text


async def test_an_answer_that_tells_of_what_was_not_kept_is_not_believed(stockroom: Stockroom) -> None:
    connector = stockroom.connector(stock="adjust")
    stockroom.box.fault("lie_201", match={"method": "PATCH"}, times=1)
    outcome = (await stockroom.write(connector, move(stockroom, 1)))["move-1"]
    assert (outcome.result, outcome.code) == ("uncertain", "not_kept")
