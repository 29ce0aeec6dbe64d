"""What people do to a list after it was booked: insert, sort, append, delete, mend."""

from __future__ import annotations

import random
from decimal import Decimal

from integration.work_order_costs.bench import HEADER, Mine

TORN = "2025-03-20,C,grease pump won,t start,PM01"
MENDED = '2025-03-20,C,"grease pump won,t start",PM01,318.4'


async def booked(mine: Mine) -> None:
    mine.save()
    await mine.run()


async def grows_by(mine: Mine, number: int, amount: str) -> None:
    """Run, and see the books grow by so many documents of so much."""
    before, charged = mine.books(), mine.charged()
    await mine.run()
    after = mine.books()
    assert after["documents"] - before["documents"] == number
    assert after["entries"] - before["entries"] == 2 * number
    assert mine.charged() - charged == Decimal(amount)
    assert set(mine.postings().values()) == {1}


async def test_a_row_inserted_in_the_middle_is_one_posting(mine: Mine) -> None:
    await booked(mine)
    mine.lines.insert(25, "2025-03-04,B,Replace bucket teeth,PM01,96.75")
    mine.save()
    await grows_by(mine, 1, "96.75")


async def test_a_twin_of_a_booked_row_is_one_posting(mine: Mine) -> None:
    await booked(mine)
    mine.lines.insert(3, mine.lines[40])
    mine.save()
    await grows_by(mine, 1, mine.lines[3].rsplit(",", 1)[1])


async def test_a_shuffled_list_is_no_news(mine: Mine) -> None:
    await booked(mine)
    rows = mine.lines[1:]
    random.Random(7).shuffle(rows)
    assert rows != mine.lines[1:]
    mine.save(*rows)
    mine.box.reset_calls()
    await grows_by(mine, 0, "0")
    assert mine.written() == 0
    dead, place = mine.of_row(TORN), f"work_orders.csv line {mine.lines.index(TORN) + 1}"
    assert dead.state == "dead"  # people still find what they have to mend
    assert dead.reason.startswith(f"{place}: ")
    assert "line 30" not in dead.reason + dead.mend
    for line in (row for row in rows if row.endswith(("1284.5", "212.35", "3140", "96.8"))):
        assert mine.of_row(line).amount == Decimal(line.rsplit(",", 1)[1])


async def test_ten_rows_appended_are_ten_postings(mine: Mine) -> None:
    await booked(mine)
    mine.lines += [f"2025-07-{day:02},A,Grease round {day},PM02,{day}.10" for day in range(1, 11)]
    mine.save()
    await grows_by(mine, 10, "56.00")


async def test_a_booked_row_taken_out_stays_booked_and_its_return_is_no_news(mine: Mine) -> None:
    await booked(mine)
    line = "2025-01-13,B,New door seal for cab,PM01,96.8"
    mine.replace(line, None)
    await grows_by(mine, 0, "0")
    assert mine.ask("select count(*) from audit where what = 'record gone'") == [(1,)]
    mine.lines.append(line)
    mine.save()
    await grows_by(mine, 0, "0")
    assert mine.ask("select count(*) from audit where what = 'record returned'") == [(1,)]
    assert mine.standing() == {"dead": 1, "done": 53, "skipped": 6}


async def test_a_dead_row_taken_out_is_cancelled(mine: Mine) -> None:
    await booked(mine)
    dead = mine.only("state = 'dead'")
    mine.replace(TORN, None)
    await grows_by(mine, 0, "0")
    now = mine.only("id = %s", dead.id)
    assert (now.state, now.code) == ("cancelled", "source_gone")
    assert "no longer in the source" in now.reason


async def test_a_mended_row_is_booked(mine: Mine) -> None:
    await booked(mine)
    mine.replace(TORN, MENDED)
    await grows_by(mine, 1, "318.40")
    assert mine.only("state = 'done' and place = 'work_orders.csv line 30'").amount == Decimal("318.40")
    assert not mine.messages("state = 'dead'")


async def test_a_list_that_lost_most_of_its_rows_is_not_believed(mine: Mine) -> None:
    """A truncated copy of the list: nothing counts as deleted, and somebody is told."""
    await booked(mine)
    whole = list(mine.lines)
    mine.save(*whole[1:20])
    await grows_by(mine, 0, "0")
    assert not mine.ask("select 1 from audit where what = 'record gone'")
    assert mine.ask("select 1 from audit where what = 'mass deletion refused'")
    assert whole[0] == HEADER
    mine.save(*whole[1:])
    await grows_by(mine, 0, "0")
    assert mine.standing() == {"dead": 1, "done": 53, "skipped": 6}
