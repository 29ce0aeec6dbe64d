"""A mine with an open door, on a ledger of its own in the shared server (tests/integration/conftest.py)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from integration.webhooks.bench import Doorway, Listening
from integration.work_order_costs.bench import Mine
from isthmus.ledger.database import Database


@pytest.fixture
def mine(tmp_path: Path, database: Database) -> Iterator[Mine]:
    """Polled once in thirty days only: what comes sooner was called for. Its door has a public address."""
    mine = Mine(tmp_path / "mine", database.uri)
    mine.edit("isthmus.yaml", "role: finance\n", "role: finance\n    poll: 30d\n")
    mine.edit("isthmus.yaml", "poll: 60s", "poll: 30d")
    mine.save()
    yield mine
    mine.stop()


@pytest.fixture
def doorway(mine: Mine) -> Iterator[Doorway]:
    """The place of the door, before anybody opens it; the project knows its address."""
    with Doorway() as doorway:
        mine.edit("isthmus.yaml", "connections:\n", f'hooks: {{url: "{doorway.url}"}}\n\nconnections:\n')
        yield doorway


@pytest.fixture
async def listening(mine: Mine, doorway: Doorway) -> AsyncIterator[Listening]:
    """Everything open; the finance connection has been read once, its subscriptions are made."""
    async with Listening.opened(mine, doorway) as listening:
        await listening.turn()
        yield listening
