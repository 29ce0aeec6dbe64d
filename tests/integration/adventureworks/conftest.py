"""The bicycle maker of the example on a ledger of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from integration.adventureworks.bench import EXAMPLE, PUBLISHED, Bikes
from integration.adventureworks.shop import Shop
from isthmus.ledger.database import Database


@pytest.fixture
async def bikes(database: Database, tmp_path: Path) -> AsyncIterator[Bikes]:
    """A copy of the sample."""
    pool = await database.pool(min_size=1, max_size=4)
    one = Bikes(tmp_path, EXAMPLE / "sample", own=True)
    await one.open(pool)
    yield one
    await pool.close()


@pytest.fixture
async def published(database: Database, tmp_path: Path) -> AsyncIterator[Bikes]:
    """The published files, where they are."""
    if not (PUBLISHED / "adventureworks").is_dir():
        pytest.skip("the published files are not here")
    pool = await database.pool(min_size=1, max_size=4)
    one = Bikes(tmp_path, PUBLISHED, own=False)
    await one.open(pool)
    yield one
    await pool.close()


@pytest.fixture
def shop(tmp_path: Path, database: Database) -> Iterator[Shop]:
    """A copy of the example with its simulator."""
    one = Shop(tmp_path / "shop", database.uri)
    yield one
    one.stop()
