"""Mines for workers that are killed: on a shared server, or with an embedded server of their own that outlives them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# the same servers and databases as the integration tests have
from integration.conftest import PREFIX, database, ledger_template, pg_server
from integration.work_order_costs.bench import Mine
from isthmus.ledger.database import Database
from isthmus.ledger.embedded import stop_abandoned

__all__ = ["database", "ledger_template", "pg_server"]


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
