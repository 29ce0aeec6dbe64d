"""A yard and its finance system on a real ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from integration.procurement.bench import Bench
from isthmus.ledger.database import Database


@pytest.fixture
async def bench(database: Database) -> AsyncIterator[Bench]:
    """Fill the systems, then `await bench.open(bench.pool)`."""
    pool = await database.pool(min_size=1, max_size=4)
    one = Bench()
    one.pool = pool  # type: ignore[attr-defined]
    yield one
    await pool.close()
