"""What the settle time is for: a call whose answer was lost may still take effect, long after it looked lost."""

from __future__ import annotations

from decimal import Decimal

from crash.worker import check, journals, rows
from integration.work_order_costs.bench import Mine, split_in_books, split_of

#: The first two postings are cut off and happen all the same, half a minute later.
LATE = {"kind": "late_commit", "seconds": 30, "match": {"action": "post", "nth": [1, 2]}}


async def booked_late(mine: Mine) -> None:
    mine.edit("isthmus.yaml", "    environment: sandbox\n", "    environment: sandbox\n    documents_per_journal: 10\n")
    mine.save(*rows(40, seed=2))
    mine.box.fault(**LATE)
    await mine.run()
    mine.box.advance(3600)  # whatever was still to come has come


async def test_late_postings_are_waited_for(mine: Mine) -> None:
    await booked_late(mine)
    check(mine)


async def test_without_the_settle_time_late_postings_are_doubles(mine: Mine) -> None:
    """The proof that the faults above are real ones: one look that finds nothing is believed at once."""
    mine.more_environ["ISTHMUS_SETTLE"] = "off"
    await booked_late(mine)
    doubled = [number for number, times in mine.postings().items() if times > 1]
    assert len(doubled) >= 10  # a whole journal at the least
    costing = [line.split(",") for line in mine.lines[1:] if Decimal(line.rsplit(",", 1)[1])]
    books = mine.books()
    assert books["entries"] == 2 * (len(costing) + len(doubled))
    assert split_in_books(books) != split_of(costing)
    assert mine.standing()["done"] == len(costing)  # the hub itself sees nothing of it


async def test_late_lines_are_not_posted_with_the_next_attempt(mine: Mine) -> None:
    """Not the posting but the lines come late, into a journal that was given up."""
    mine.edit("isthmus.yaml", "    environment: sandbox\n", "    environment: sandbox\n    documents_per_journal: 10\n")
    mine.save(*rows(40, seed=3))
    mine.box.fault("late_commit", seconds=30, match={"entity": "$batch", "nth": [1, 2, 4]})
    mine.box.fault("late_commit", seconds=30, match={"method": "POST", "path": "/journals$", "nth": 3})
    await mine.run()
    mine.box.advance(3600)
    check(mine)
    assert journals(mine) == 0
