"""What people do to a list of cost lines after it was booked, and lists that cannot be read as whole orders."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from integration.cost_lines.bench import WEST, Quarries, company_split, order_split
from isthmus.ledger.types import MessageRow

LINE = "4711,Bearing of conveyor seized,2026-01-14T15:20:00-07:00,DEN,CV-02,CORR,{},{},USD"
CLEANING = LINE.format("labour", "0.5,HOUR,,,35.00")
SPLICE = LINE.format("contractor", "1,PCS,BELT SPLICE,V-1042,640.00")


@pytest.fixture
async def booked(quarries: Quarries) -> Quarries:
    """The order of five lines and the two after it, in the books of one company."""
    head, *rows = quarries.lines
    quarries.lines = [head, *(row for row in rows if row.startswith(("4711,", "4712,", "4713,")))]
    quarries.save()
    await quarries.run()
    check(quarries, 3)
    return quarries


def check(quarries: Quarries, documents: int) -> None:
    """The books hold what the list says, by so many documents in all, each posted once."""
    assert quarries.split(WEST) == company_split(quarries.rows(), WEST)
    assert quarries.books(WEST)["documents"] == documents
    assert quarries.posted_once()


def held(quarries: Quarries) -> MessageRow:
    return quarries.only("state = 'held'")


def insert(quarries: Quarries, line: str, *, after: str) -> None:
    quarries.lines.insert(quarries.lines.index(after) + 1, line)
    quarries.save()


async def test_a_line_added_to_a_booked_order_is_held_and_corrected(booked: Quarries) -> None:
    before = booked.split(WEST)
    number = booked.number_of("4711")
    booked.box.reset_calls()
    insert(booked, CLEANING, after=SPLICE)
    await booked.run()
    message = held(booked)
    assert message.code == "already_booked"
    assert message.reason == f"already booked as {number}, change of 1038.30 -> 1073.30"
    assert message.place == "cost_lines.csv lines 2-7"
    assert booked.written() == 0
    assert booked.split(WEST) == before

    assert [acted.done for acted in await booked.act("correct", message)] == [True]
    check(booked, 5)
    made = booked.messages("follows = %s and state = 'done'", booked.only("number = %s and state = 'done'", number).id)
    assert [row.amount for row in made] == [Decimal("-1038.30"), Decimal("1073.30")]
    counter, new = (defaultdict(Decimal), defaultdict(Decimal))
    for row, found in zip(made, (counter, new), strict=True):
        for entry in booked.box.document(row.number, WEST)["entries"]:
            found[entry["account"], tuple(sorted(entry["dimensions"].items()))] += Decimal(entry["amount"])
    assert dict(new) == order_split(booked.order("4711"), WEST)
    assert {place: -amount for place, amount in counter.items()} == {
        place: new[place] - (35 if place[0] == "6220" else -35 if place[0] == "6290" else 0) for place in new
    }


async def test_a_line_taken_out_or_moved_within_its_order(booked: Quarries) -> None:
    grease = LINE.format("part", "3,PCS,GREASE-400,,27.90")
    booked.replace(grease, None)
    await booked.run()
    assert held(booked).reason.endswith("change of 1038.30 -> 1010.40")
    insert(booked, grease, after=SPLICE)  # the same costs in another order are no change of what is booked
    await booked.run()
    assert booked.only("code = 'change_undone'").state == "cancelled"
    check(booked, 3)


async def test_a_torn_line_of_a_booked_order_touches_nothing_else(booked: Quarries) -> None:
    torn = SPLICE.replace("BELT SPLICE", "BELT, SPLICE")
    booked.replace(SPLICE, torn)
    await booked.run()
    message = held(booked)
    assert "changed since: cost_lines.csv lines 2-6: line 6: 14 cells where the header has 13" in message.reason
    insert(
        booked, "4710,Belt,2026-01-13T08:00:00-07:00,DEN,CV-02,CORR,labour,1,HOUR,,,65.00,USD", after=booked.lines[0]
    )
    await booked.run()
    message = held(booked)
    assert (message.place, "line 7: 14 cells" in message.reason) == ("cost_lines.csv lines 3-7", True)
    booked.replace(torn, SPLICE)
    await booked.run()
    assert not booked.messages("state = 'held'")
    check(booked, 4)


async def test_a_torn_line_of_a_new_order_is_mended_and_booked_whole(quarries: Quarries) -> None:
    torn = SPLICE.replace("BELT SPLICE", "BELT, SPLICE")
    quarries.lines[quarries.lines.index(SPLICE)] = torn
    quarries.save()
    await quarries.run()
    dead = quarries.only("state = 'dead'")
    assert dead.code == "unreadable"
    assert dead.reason == ("cost_lines.csv lines 2-6: line 6: 14 cells where the header has 13, so too many.")
    assert dead.mend.endswith("cost_lines.csv line 6.")
    assert quarries.books(WEST)["documents"] == 6
    quarries.replace(torn, SPLICE)
    await quarries.run()
    check(quarries, 7)


async def test_an_order_in_two_places_is_not_booked_by_halves(quarries: Quarries) -> None:
    quarries.lines.remove(SPLICE)
    quarries.lines.append(SPLICE)
    quarries.save()
    await quarries.run()
    dead = quarries.messages("state = 'dead'")
    assert {row.place for row in dead} == {"cost_lines.csv lines 2-5", "cost_lines.csv line 31"}
    assert all("OrderNo 4711 stands in other rows of the file too" in row.reason for row in dead)
    assert all("Sort the file by OrderNo" in row.mend for row in dead)
    assert not quarries.messages("subject = '4711'")
    quarries.lines = [quarries.lines[0], *sorted(quarries.lines[1:], key=lambda line: line.partition(",")[0])]
    quarries.save()
    await quarries.run()
    check(quarries, 7)
    assert quarries.standing() == {"cancelled": 1, "done": 11, "skipped": 1}


async def test_a_stray_line_of_a_booked_order_leaves_it_alone(booked: Quarries) -> None:
    booked.lines.append(CLEANING)
    booked.save()
    await booked.run()
    assert booked.standing() == {"dead": 1, "done": 3}
    assert booked.only("state = 'dead'").place == f"cost_lines.csv line {len(booked.lines)}"
    booked.lines.insert(1, booked.lines.pop())  # with the others, though at the top
    booked.save()
    await booked.run()
    assert held(booked).reason.endswith("change of 1038.30 -> 1073.30")
    assert not booked.messages("state = 'dead'")


async def test_lines_in_two_currencies_are_no_order(quarries: Quarries) -> None:
    quarries.lines[quarries.lines.index(SPLICE)] = SPLICE.replace("USD", "EUR")
    quarries.save()
    await quarries.run()
    dead = quarries.only("state = 'dead'")
    assert dead.reason == "cost_lines.csv lines 2-6: line 6: Currency not as in line 2: 'EUR', there 'USD'."


async def test_a_kind_nobody_knows_stops_the_whole_order(quarries: Quarries) -> None:
    """Half an order is never booked."""
    quarries.lines[quarries.lines.index(SPLICE)] = SPLICE.replace("contractor", "rental")
    quarries.save()
    await quarries.run()
    dead = quarries.only("state = 'dead'")
    assert "rental" in dead.reason
    assert dead.place == "cost_lines.csv lines 2-6"
    assert quarries.books(WEST)["documents"] == 6
