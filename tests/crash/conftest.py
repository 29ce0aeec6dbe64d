"""Mines and buyers for workers that are killed: on a shared server, or an embedded one that outlives them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crash.bought import check, end_state
from crash.buyer import Buyer

# the same servers and databases as the integration tests have
from integration.conftest import PREFIX, database, empty_database, ledger_template, pg_server
from integration.work_order_costs.bench import Mine
from isthmus.ledger.database import Database
from isthmus.ledger.embedded import stop_abandoned

__all__ = ["database", "empty_database", "ledger_template", "pg_server"]


@pytest.fixture
def mine(tmp_path: Path, database: Database) -> Iterator[Mine]:
    mine = Mine(tmp_path / "mine", database.uri)
    yield mine
    mine.stop()


@pytest.fixture
def own_mine() -> Iterator[Mine]:
    """With an embedded PostgreSQL in its own home (tests/integration/conftest.py says why not under tmp_path)."""
    place = Path(tempfile.mkdtemp(prefix=PREFIX))
    mine = Mine(place / "mine")
    yield mine
    mine.stop()
    stop_abandoned(mine.home)
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def buyer(tmp_path: Path, database: Database) -> Iterator[Buyer]:
    buyer = Buyer(tmp_path / "buyer", database.uri)
    yield buyer
    buyer.stop()


Untroubled = Callable[[int, int], Awaitable[dict[str, Any]]]
_untroubled: dict[tuple[int, int], dict[str, Any]] = {}


@pytest.fixture
def untroubled(tmp_path: Path, empty_database: Database) -> Untroubled:
    """How so many orders of a seed end when nothing goes wrong. Run once for all tests that ask."""

    async def end(number: int, seed: int) -> dict[str, Any]:
        if (number, seed) not in _untroubled:
            buyer = Buyer(tmp_path / "untroubled", empty_database.uri)
            try:
                buyer.order_goods(number, seed)
                await buyer.run()
                check(buyer)
                _untroubled[number, seed] = end_state(buyer)
            finally:
                buyer.stop()
        return _untroubled[number, seed]

    return end
