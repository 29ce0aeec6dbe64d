"""Quarries on a ledger of their own in the shared server (tests/integration/conftest.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.cost_lines.bench import Quarries
from isthmus.ledger.database import Database


@pytest.fixture
def quarries(tmp_path: Path, database: Database) -> Iterator[Quarries]:
    quarries = Quarries(tmp_path / "quarries", database.uri)
    yield quarries
    quarries.stop()
