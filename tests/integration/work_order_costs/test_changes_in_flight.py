"""The list changes while a document is on its way and nobody knows whether it arrived."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integration.work_order_costs.bench import Mine
from isthmus.cli.opening import Session
from isthmus.sync.run import run_turn

ROW = "2025-02-03,A,BUCKET WON'T OPEN,PM01,{}"
OTHER = "2025-02-04,B,Alternator not charging,PM01,742.15"


async def turns(session: Session, *connections: str) -> None:
    for connection in connections:
        await run_turn(session.runtime.world, connection)


@pytest.fixture
async def lost(mine: Mine) -> Mine:
    """The answer to the posting was lost; it takes effect half a minute later."""
    mine.save(OTHER, ROW.format("183.05"))
    mine.box.fault("late_commit", seconds=30, match={"action": "post"}, times=1)
    async with mine.session() as session:
        await turns(session, "finance", "maintenance", "finance")
    assert {row.state for row in mine.messages()} == {"uncertain"}
    return mine


async def changed(mine: Mine, *costs: str) -> None:
    """The list says other costs, one after the other, while the outcome is unknown; then everything comes to rest."""
    async with mine.session() as session:
        for cost in costs:
            mine.save(OTHER, *([ROW.format(cost)] if cost else []))
            await session.clock.sleep(61)  # the next poll
            if cost == costs[0]:
                mine.box.fault("status", code=503, match={"entity": "generalLedgerEntries"})  # no look-up answers
            await turns(session, "maintenance")
        mine.box.clear_faults()
    await mine.run()


async def test_a_change_is_told_when_the_outcome_is_known(lost: Mine) -> None:
    await changed(lost, "210.00")
    assert lost.charged() == Decimal("925.20")
    held = lost.only("state = 'held'")
    assert held.reason.endswith("change of 183.05 -> 210.00")
    await lost.act("correct", held)
    assert lost.charged() == Decimal("952.15")
    assert set(lost.postings().values()) == {1}


async def test_only_the_last_of_several_changes_counts(lost: Mine) -> None:
    await changed(lost, "210.00", "220.00", "230.00")
    assert lost.only("state = 'held'").reason.endswith("change of 183.05 -> 230.00")


async def test_a_change_taken_back_meanwhile_is_none(lost: Mine) -> None:
    await changed(lost, "210.00", "183.05")
    assert lost.standing() == {"cancelled": 1, "done": 2}
    assert lost.charged() == Decimal("925.20")


async def test_a_row_taken_out_meanwhile_stays_booked(lost: Mine) -> None:
    await changed(lost, "210.00", "")
    assert lost.standing() == {"cancelled": 1, "done": 2}
    assert lost.charged() == Decimal("925.20")


async def test_what_never_arrived_is_booked_as_it_was_sent_and_the_change_is_told(mine: Mine) -> None:
    mine.save(OTHER, ROW.format("183.05"))
    mine.box.fault("lose_before", match={"action": "post"}, times=1)
    async with mine.session() as session:
        await turns(session, "finance", "maintenance", "finance")
    await changed(mine, "210.00")
    assert mine.charged() == Decimal("925.20")
    assert mine.only("state = 'held'").reason.endswith("change of 183.05 -> 210.00")
