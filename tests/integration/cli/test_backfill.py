"""`isthmus backfill`: only the range, in batches, pausable, nothing overwritten, nothing posted before the cut-over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from isthmus.app import backfilling
from isthmus.cli.opening import open_session
from isthmus.cli.place import Place
from isthmus.ledger import backfills
from isthmus.sync.backfill import rehearse

from .conftest import FLOW, Mine, _as_a_program

JANUARY = ("--from", "2025-01-01", "--to", "2025-01-31")


@pytest.fixture
def cut_over(mine: Mine) -> Mine:
    """The flow books from April on; the sample begins in January."""
    mine.change("flows/work-order-costs.yaml", "cut_over: null", "cut_over: 2025-04-01")
    return mine


def status(mine: Mine) -> dict[str, Any]:
    report: dict[str, Any] = mine.run("status", "--json").one()
    return report


def test_only_the_range_moves_and_nothing_before_the_cut_over_is_posted(cut_over: Mine) -> None:
    done = cut_over.run("backfill", "start", FLOW, *JANUARY, "--batch", "5", "--json")
    row = done.one()
    assert (done.code, row["state"], row["batch"], row["post"]) == (0, "done", 5, False)
    assert row["seen"] == row["made"] == status(cut_over)["totals"]["work_order"]["count"]
    assert status(cut_over)["messages"]["skipped"] == row["made"]
    assert "journal_entry" not in status(cut_over)["totals"]
    days = {line["event_on"] for line in cut_over.run("messages", "--json", "--long").lines()}
    assert {day[:7] for day in days} == {"2025-01"}


def test_a_dry_run_counts_and_adds_up_and_writes_nothing(cut_over: Mine) -> None:
    cut_over.run("sync")
    before = status(cut_over)
    told = cut_over.run("backfill", "start", FLOW, *JANUARY, "--post", "--dry-run", "--json").one()
    assert told["dry_run"] is True
    assert told["messages"]["ready"] > 0
    [worth] = told["worth"]
    assert worth["currency"] == "USD"
    assert {part["amount"] for part in told["amounts"] if part["state"] == "ready"} == {worth["amount"]}
    assert status(cut_over) == before
    assert cut_over.run("backfill", "status", "--json").out == ""


def test_the_past_is_posted_once_when_asked_for(cut_over: Mine) -> None:
    cut_over.run("sync")
    booked = status(cut_over)["messages"]["done"]
    posted = cut_over.run("backfill", "start", FLOW, *JANUARY, "--post", "--json").one()
    now = status(cut_over)["messages"]["done"]
    assert booked < now < 53
    again = cut_over.run("backfill", "start", FLOW, *JANUARY, "--post", "--json").one()
    assert (again["seen"], again["made"], again["skipped"]) == (posted["seen"], 0, posted["seen"])
    assert status(cut_over)["messages"]["done"] == now
    cut_over.run("sync")
    assert status(cut_over)["messages"]["done"] == now
    assert cut_over.run("reconcile", "--json").one()["drift"] == []


def test_what_is_there_is_left_as_it_is(mine: Mine) -> None:
    mine.run("sync")
    mine.change("sample/excavators/work_orders.csv", "1284.5", "9999.99")
    before = mine.run("export", "records").out
    row = mine.run("backfill", "start", FLOW, *JANUARY, "--post", "--no-deliver", "--json").one()
    assert (row["made"], row["skipped"]) == (0, row["seen"])
    assert mine.run("export", "records").out == before


def test_paused_after_a_batch_it_goes_on_from_there(cut_over: Mine) -> None:
    async def until_paused() -> backfills.BackfillRow:
        async with open_session(Place(cut_over.folder, {}), jumps=True) as session:  # type: ignore[arg-type]
            runtime = session.runtime
            backfill_id = await backfilling.begin(runtime, FLOW, None, None, 10, False)
            pauses: list[asyncio.Task[bool]] = []

            async def pause() -> bool:
                async with runtime.world.transaction() as db:
                    return await backfills.set_state(db, backfill_id, "paused", runtime.clock.now())

            def after_a_batch(row: backfills.BackfillRow) -> None:
                if not pauses:
                    pauses.append(asyncio.ensure_future(pause()))

            await backfilling.work(runtime, backfill_id, after_a_batch)
            assert await pauses[0]
            async with runtime.world.transaction() as db:
                return await backfilling.require(db, backfill_id)

    with _as_a_program(cut_over.environ):
        row = asyncio.run(until_paused())
    assert row.state == "paused"
    assert 10 <= row.seen < 59
    assert cut_over.run("backfill", "start", FLOW).code == 1, "one open backfill per flow"
    done = cut_over.run("backfill", "resume", "--json").one()
    assert (done["state"], done["seen"], done["made"], done["skipped"]) == ("done", 59, 59, 0)
    assert cut_over.run("backfill", "resume", str(row.id)).code == 1


def test_a_rehearsal_is_what_happens_then(cut_over: Mine) -> None:
    async def both() -> tuple[Any, Any]:
        async with open_session(Place(cut_over.folder, {}), jumps=True) as session:  # type: ignore[arg-type]
            prepared = backfilling.prepare(session.runtime, FLOW, None, None, post=True)
            rehearsed = await rehearse(prepared, batch=7)
            backfill_id = await backfilling.begin(session.runtime, FLOW, None, None, 7, True)
            return rehearsed, await backfilling.work(session.runtime, backfill_id, lambda row: None)

    with _as_a_program(cut_over.environ):
        rehearsed, done = asyncio.run(both())
    assert rehearsed == done
    assert done.states["ready"] == 53


def test_pause_cancel_and_status_act_on_the_open_one(cut_over: Mine) -> None:
    assert cut_over.run("backfill", "pause").code == 1
    cut_over.run("backfill", "start", FLOW, *JANUARY)
    assert cut_over.run("backfill", "cancel").code == 1, "it is done already"
    assert [row["state"] for row in cut_over.run("backfill", "status", "--json").lines()] == ["done"]
    assert cut_over.run("backfill", "start", "nix").code == 1
    assert cut_over.run("backfill", "start", FLOW, "--from", "2025-02-01", "--to", "2025-01-01").code == 1
