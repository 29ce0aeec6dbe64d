"""The example's own list, from file to books, and once more."""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal

from integration.work_order_costs.bench import CLEARING, Mine, split_in_books, split_of


async def test_the_sample_lands_in_the_books_to_the_cent(mine: Mine) -> None:
    mine.save()
    await mine.run()

    torn = next(line for line in mine.lines if "won,t start" in line)
    good = list(csv.reader(line for line in mine.lines[1:] if line != torn))
    books = mine.books()
    assert split_in_books(books) == split_of(good)
    assert mine.charged() == sum(Decimal(row[4]) for row in good) == Decimal("90186.99")
    assert Decimal(books["accounts"][CLEARING]) == -mine.charged()
    assert Decimal(books["balance"]) == 0
    assert books["unposted_lines"] == 0
    assert mine.standing() == {"dead": 1, "done": 53, "skipped": 6}
    assert set(mine.postings().values()) == {1}
    assert {row.code for row in mine.messages("state = 'skipped'")} == {"nothing_to_post"}
    assert sum(row.amount < 0 for row in mine.messages("state = 'done'") if row.amount is not None) == 1

    dead = mine.of_row(torn)
    assert (dead.code, dead.field, dead.value) == ("bad_value", "Cost", "PM01")
    assert "work_orders.csv line 30" in dead.reason
    assert dead.mend


async def test_rows_that_repeat_each_other_are_booked_each(mine: Mine) -> None:
    mine.save()
    await mine.run()
    counted = Counter(mine.lines[1:])
    repeated = [line for line, times in counted.items() if times > 1]
    assert len(repeated) == 2
    for line in repeated:
        places = [f"work_orders.csv line {at + 1}" for at, other in enumerate(mine.lines) if other == line]
        booked = mine.messages("place = any(%s)", places)
        assert [row.state for row in booked] == ["done"] * len(places)
        assert len({row.number for row in booked}) == len(places)


async def test_the_list_read_again_writes_nothing(mine: Mine) -> None:
    mine.save()
    await mine.run()
    books, messages = mine.books(), mine.messages()
    mine.box.reset_calls()
    await mine.run()
    mine.save()  # the same content under a new time of change
    await mine.run()
    assert mine.written() == 0
    assert mine.books() == books
    assert mine.messages() == messages


async def test_people_find_what_became_of_each_row_beside_the_list(mine: Mine) -> None:
    mine.save()
    await mine.run()
    with (mine.list.parent / "work_orders.results.csv").open(encoding="utf-8", newline="") as stream:
        told = list(csv.DictReader(stream))
    booked = {row["document"]: row for row in told if row["document"]}
    assert booked.keys() == mine.postings().keys()
    by_line = {row["line"]: row for row in told if row["line"]}
    assert by_line["30"]["state"] == "dead"
    assert "Cost" in by_line["30"]["message"]
    assert len(told) == 60


async def test_where_an_assumed_order_came_from_is_kept(mine: Mine) -> None:
    """Every document says in the books which work it pays for."""
    mine.save()
    await mine.run()
    message = mine.of_row("2025-01-08,C,Track shoe bolts loose L/H side,PM01,212.35")
    document = mine.box.document(message.number, "PIT MINING")
    assert {entry["date"] for entry in document["entries"]} == {"2025-01-08"}
    assert {entry["account"]: Decimal(entry["amount"]) for entry in document["entries"]} == {
        "8410": Decimal("212.35"),
        CLEARING: Decimal("-212.35"),
    }
    charge = next(entry for entry in document["entries"] if entry["account"] == "8410")
    assert charge["dimensions"] == {"ASSET": "C", "COSTCENTRE": "PIT-SOUTH"}
    assert "Track shoe bolts loose" in charge["description"]
