"""A mine on a ledger of its own in the shared server (tests/integration/conftest.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.work_order_costs.bench import Mine
from isthmus.ledger.database import Database


@pytest.fixture
def mine(tmp_path: Path, database: Database) -> Iterator[Mine]:
    mine = Mine(tmp_path / "mine", database.uri)
    yield mine
    mine.stop()
