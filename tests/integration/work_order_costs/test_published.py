"""The published list of five excavators, 5,485 rows of eleven years. One test, so that it is booked once."""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal

import pytest

from integration.work_order_costs.bench import CLEARING, PUBLISHED, Mine, split_in_books, split_of

LIST = PUBLISHED / "excavators" / "work_orders.csv"
TORN = 3454

pytestmark = [
    pytest.mark.skipif(not LIST.exists(), reason="the published list is not beside this checkout"),
    pytest.mark.xdist_group("published"),
]


async def test_the_published_list_lands_in_the_books_to_the_cent(mine: Mine) -> None:
    mine.lines = LIST.read_text("utf-8").splitlines()
    assert len(mine.lines) == 5486
    mine.save()
    await mine.run()
    _books_hold_the_list(mine)
    _every_row_has_its_message(mine)
    _repeats_are_all_there(mine)
    await _again_nothing_is_written(mine)


def _books_hold_the_list(mine: Mine) -> None:
    good = [row for at, row in enumerate(csv.reader(mine.lines), 1) if at not in {1, TORN}]
    costing = [row for row in good if Decimal(row[4])]
    books = mine.books()
    assert mine.charged() == sum(Decimal(row[4]) for row in good) == Decimal("17506068.13")
    assert split_in_books(books) == split_of(good)
    assert Decimal(books["accounts"][CLEARING]) == -mine.charged()
    assert Decimal(books["balance"]) == 0
    assert books["documents"] == len(costing) == 4196
    assert books["entries"] == 2 * len(costing)
    assert books["unposted_lines"] == 0


def _every_row_has_its_message(mine: Mine) -> None:
    assert mine.standing() == {"dead": 1, "done": 4196, "skipped": 1288}
    assert mine.ask("select count(*), count(distinct number) from message where state = 'done'") == [(4196, 4196)]
    assert mine.ask("select count(*) from message where state = 'done' and amount < 0") == [(6,)]
    assert mine.ask("select distinct code from message where state = 'skipped'") == [("nothing_to_post",)]
    dead = mine.only("state = 'dead'")
    assert dead.place == f"work_orders.csv line {TORN}"
    assert f"line {TORN}" in dead.reason
    assert (dead.field, dead.value) == ("Cost", "PM01")
    assert "183.05" in dead.reason  # shows what a cost looks like
    assert dead.mend


def _repeats_are_all_there(mine: Mine) -> None:
    """Rows equal in every cell are work done twice, not a row read twice."""
    first: set[str] = set()
    repeats = []
    for at, line in enumerate(mine.lines[1:], 2):
        if line in first:
            repeats.append(at)
        first.add(line)
    assert len(repeats) == 358
    costs = [Decimal(next(csv.reader([mine.lines[at - 1]]))[4]) for at in repeats]
    costing = [cost for cost in costs if cost]
    assert (len(costing), sum(costing)) == (267, Decimal("635888.25"))
    places = [f"work_orders.csv line {at}" for at in repeats]
    found = mine.ask("select state, amount from message where place = any(%s)", places)
    assert Counter(state for state, _ in found) == {"done": 267, "skipped": 91}
    assert sum(amount for state, amount in found if state == "done") == Decimal("635888.25")


async def _again_nothing_is_written(mine: Mine) -> None:
    books = mine.books()
    mine.box.reset_calls()
    mine.save()
    await mine.run()
    assert mine.written() == 0
    assert mine.books() == books
    assert mine.standing() == {"dead": 1, "done": 4196, "skipped": 1288}
