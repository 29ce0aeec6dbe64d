"""Beside a worker the command line leaves delivery to it; a backfill that is killed goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from isthmus.ledger.database import Database
from isthmus.ledger.overview import is_served
from isthmus.ledger.serving import serving
from isthmus.sync import points

from .conftest import FLOW, Mine


@pytest.fixture
def armed() -> Iterator[None]:
    yield
    points.disarm()


async def test_a_ledger_is_served_while_somebody_holds_it(database: Database) -> None:
    async with await psycopg.AsyncConnection.connect(database.uri) as db:
        assert not await is_served(db)
        with serving(database):
            assert await is_served(db)
        assert not await is_served(db)


@pytest.mark.usefixtures("armed")
@pytest.mark.parametrize("point", ["before_page", "after_page"])
def test_a_killed_backfill_goes_on_from_its_checkpoint(mine: Mine, point: str) -> None:
    mine.change("flows/work-order-costs.yaml", "cut_over: null", "cut_over: 2025-04-01")
    passed = 0

    def dies_at_the_third() -> None:
        nonlocal passed
        passed += 1
        if passed == 3:
            raise MemoryError(point)

    assert mine.run("backfill", "start", FLOW, "--to", "2024-12-31").code == 0  # reads what the flow must know
    points.arm(point, dies_at_the_third)
    died = mine.run("backfill", "start", FLOW, "--batch", "10", "--json")
    assert died.code == 1
    assert "MemoryError" in died.err
    [_, row] = mine.run("backfill", "status", "--json").lines()
    assert (row["state"], row["seen"]) == ("running", 20 if point == "before_page" else 29)
    points.disarm()
    done = mine.run("backfill", "resume", "--json").one()
    assert (done["state"], done["seen"], done["made"], done["skipped"]) == ("done", 59, 59, 0)
