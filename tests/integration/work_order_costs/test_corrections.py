"""What is booked is never patched: a change waits for a person, and a correction is a counter and a new document."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integration.work_order_costs.bench import Mine
from isthmus.ledger.types import MessageRow

ROW = "2025-02-03,A,BUCKET WON'T OPEN,PM01,{}"
OTHERS = ("2025-02-04,B,Alternator not charging,PM01,742.15", "2025-02-05,E,500 h service,PM02,1284.5")
REST = Decimal("2026.65")


@pytest.fixture
async def booked(mine: Mine) -> Mine:
    """Three orders in the books, one of them at 183.05."""
    mine.save(*OTHERS, ROW.format("183.05"))
    await mine.run()
    assert mine.charged() == REST + Decimal("183.05")
    return mine


async def costs(mine: Mine, cost: str) -> None:
    """The list says another cost now."""
    mine.save(*OTHERS, ROW.format(cost))
    await mine.run()


def held(mine: Mine) -> MessageRow:
    return mine.only("state = 'held'")


def first(mine: Mine) -> MessageRow:
    return mine.messages("state = 'done' and amount = 183.05")[0]


def check(mine: Mine, cost: str, documents: int) -> None:
    """The books show this cost for the order, by so many documents in all, each posted once."""
    assert mine.charged() == REST + Decimal(cost)
    assert mine.books()["documents"] == documents
    assert mine.books()["unposted_lines"] == 0
    assert set(mine.postings().values()) == {1}


async def test_a_changed_cost_is_held_and_says_from_what_to_what(booked: Mine) -> None:
    mine = booked
    mine.box.reset_calls()
    await costs(mine, "210.00")
    message, original = held(mine), first(mine)
    assert message.code == "already_booked"
    assert message.reason == f"already booked as {original.number}, change of 183.05 -> 210.00"
    assert message.follows == original.id
    assert message.mend
    assert mine.written() == 0
    check(mine, "183.05", 3)


async def test_a_correction_is_a_counter_and_a_new_document(booked: Mine) -> None:
    mine = booked
    await costs(mine, "210.00")
    message, original = held(mine), first(mine)
    assert [acted.done for acted in await mine.act("correct", message)] == [True]
    check(mine, "210.00", 5)
    made = mine.messages("follows = %s and state = 'done'", original.id)
    assert [row.amount for row in made] == [Decimal("-183.05"), Decimal("210.00")]
    assert all(f'"corrects":"{original.number}"' in row.document for row in made)
    assert mine.only("id = %s", message.id).state == "cancelled"
    assert mine.ask("select who from audit where what = 'message corrected'") == [("Kim",)]


async def test_a_correction_asked_for_twice_happens_once(booked: Mine) -> None:
    mine = booked
    await costs(mine, "210.00")
    message = held(mine)
    await mine.act("correct", message, go_on=False)
    again = mine.only("id = %s", message.id)
    assert [acted.done for acted in await mine.act("correct", again)] == [False]
    check(mine, "210.00", 5)


async def test_a_stale_correction_of_two_people_happens_once(booked: Mine) -> None:
    """Two people press the button on the same held change, each with the row as they saw it."""
    mine = booked
    await costs(mine, "210.00")
    message = held(mine)
    await mine.act("correct", message, message)
    check(mine, "210.00", 5)
    assert [acted.done for acted in await mine.act("correct", message)] == [False]
    check(mine, "210.00", 5)


async def test_corrections_follow_one_another(booked: Mine) -> None:
    mine = booked
    for number, cost in enumerate(("210.00", "55.5", "1200"), 1):
        await costs(mine, cost)
        await mine.act("correct", held(mine))
        check(mine, cost, 3 + 2 * number)
    await costs(mine, "183.05")  # back to what was booked first is a change of what is booked now
    assert held(mine).reason.endswith("change of 1200.00 -> 183.05")


async def test_a_change_taken_back_before_anybody_corrected_it_is_cancelled(booked: Mine) -> None:
    mine = booked
    await costs(mine, "210.00")
    message = held(mine)
    await costs(mine, "183.05")
    now = mine.only("id = %s", message.id)
    assert (now.state, now.code) == ("cancelled", "change_undone")
    assert not mine.messages("state = 'held'")
    await costs(mine, "99")
    assert held(mine).reason.endswith("change of 183.05 -> 99.00")
    check(mine, "183.05", 3)


async def test_a_held_change_follows_the_list(booked: Mine) -> None:
    mine = booked
    await costs(mine, "210.00")
    await costs(mine, "220.00")
    assert held(mine).reason.endswith("change of 183.05 -> 220.00")
    await mine.act("correct", held(mine))
    check(mine, "220.00", 5)


async def test_a_cost_set_to_nothing_is_countered_and_a_later_cost_is_booked(booked: Mine) -> None:
    mine = booked
    await costs(mine, "0")
    await mine.act("correct", held(mine))
    check(mine, "0", 4)
    await costs(mine, "0.00")
    check(mine, "0", 4)
    await costs(mine, "64.20")
    check(mine, "64.20", 5)
    await costs(mine, "0")
    await mine.act("correct", held(mine))
    check(mine, "0", 6)


async def test_the_cost_booked_first_can_come_back_after_a_counter(booked: Mine) -> None:
    """The same amount on the same day under a number of its own: not taken for the document that was countered."""
    mine = booked
    await costs(mine, "0")
    await mine.act("correct", held(mine))
    await costs(mine, "183.05")
    check(mine, "183.05", 5)


async def test_a_changed_asset_moves_the_cost(mine: Mine) -> None:
    """Not the amount but where it lands: the asset is part of the key here, so it is another order."""
    mine.edit("isthmus.yaml", "key: [BscStartDate, Asset, OriginalShorttext, PMType]", "key: [BscStartDate, PMType]")
    mine.save("2025-02-03,A,BUCKET WON'T OPEN,PM01,183.05")
    await mine.run()
    mine.save("2025-02-03,C,BUCKET WON'T OPEN,PM01,183.05")
    await mine.run()
    assert "ASSET A -> C" in held(mine).reason
    await mine.act("correct", held(mine))
    placed = {part["dimensions"].get("ASSET"): part["amount"] for part in mine.books()["by_dimensions"]}
    assert Decimal(placed["A"]) == 0
    assert Decimal(placed["C"]) == Decimal("183.05")


# the account is blocked while a correction is under way


async def blocked(mine: Mine, cost: str) -> MessageRow:
    """A counter that the target refuses."""
    await costs(mine, cost)
    message = held(mine)
    mine.block("8410")
    await mine.act("correct", message)
    return mine.only("state = 'dead'")


async def opened(mine: Mine, counter: MessageRow) -> None:
    """The account is open again, and somebody tries what was refused again."""
    mine.block("8410", blocked=False)
    await mine.run()
    dead = mine.messages("state = 'dead'")
    assert counter.id in {row.id for row in dead}
    await mine.act("retry", *dead)
    assert not mine.messages("state in ('dead', 'held', 'waiting')")


async def test_the_new_document_never_goes_before_its_counter(booked: Mine) -> None:
    counter = await blocked(booked, "210.00")
    assert counter.amount == Decimal("-183.05")
    assert booked.only("state = 'waiting'").amount == Decimal("210.00")
    check(booked, "183.05", 3)


async def test_a_refused_counter_tried_again_is_still_the_counter(booked: Mine) -> None:
    await opened(booked, await blocked(booked, "210.00"))
    check(booked, "210.00", 5)


async def test_a_further_change_joins_the_correction_under_way(booked: Mine) -> None:
    counter = await blocked(booked, "210.00")
    await costs(booked, "230.00")
    await opened(booked, counter)
    check(booked, "230.00", 5)


async def test_a_change_back_during_a_correction_is_booked_again(booked: Mine) -> None:
    counter = await blocked(booked, "210.00")
    await costs(booked, "183.05")
    await opened(booked, counter)
    check(booked, "183.05", 5)


async def test_a_cost_during_a_pure_counter_is_booked_after_it(booked: Mine) -> None:
    counter = await blocked(booked, "0")
    await costs(booked, "75")
    await opened(booked, counter)
    check(booked, "75", 5)


async def test_a_cost_taken_away_during_a_correction_is_not_booked(booked: Mine) -> None:
    counter = await blocked(booked, "210.00")
    await costs(booked, "0")
    await opened(booked, counter)
    check(booked, "0", 4)


async def test_a_counter_skipped_books_no_new_document_either(booked: Mine) -> None:
    counter = await blocked(booked, "210.00")
    await booked.act("skip", counter)
    mine = booked
    mine.block("8410", blocked=False)
    await mine.run()
    check(mine, "183.05", 3)


async def moved(mine: Mine) -> MessageRow:
    """A correction from 8410 to 8460, whose counter is booked and whose new document is refused."""
    mine.edit("isthmus.yaml", "key: [BscStartDate, Asset, OriginalShorttext, PMType]", "key: [BscStartDate, Asset]")
    mine.save(*OTHERS, ROW.format("183.05"))
    await mine.run()
    mine.save(*OTHERS, ROW.format("183.05").replace("PM01", "PM06"))
    await mine.run()
    assert held(mine).reason.endswith("change of account 8410 -> 8460")
    mine.block("8460")
    await mine.act("correct", held(mine))
    check(mine, "0", 4)
    return mine.only("state = 'dead'")


async def test_a_refused_new_document_tried_again_is_booked(mine: Mine) -> None:
    dead = await moved(mine)
    mine.block("8460", blocked=False)
    await mine.run()
    await mine.act("retry", dead)
    check(mine, "183.05", 5)


async def test_a_change_of_a_refused_new_document_is_booked_in_its_place(mine: Mine) -> None:
    dead = await moved(mine)
    mine.save(*OTHERS, ROW.format("190"))  # back on the account that is open
    await mine.run()
    check(mine, "190", 5)
    assert mine.only("id = %s", dead.id).state == "done"
