"""Halls with an open door, on a ledger of their own in the shared server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from integration.cafm_webhooks.bench import Halls, Told, told
from integration.webhooks.bench import Doorway
from isthmus.ledger.database import Database


@pytest.fixture
def halls(tmp_path: Path, database: Database) -> Iterator[Halls]:
    halls = Halls(tmp_path / "halls", database.uri)
    yield halls
    halls.stop()


@pytest.fixture
def doorway(halls: Halls) -> Iterator[Doorway]:
    """The place of the door, before anybody opens it; the project knows its address."""
    with Doorway() as doorway:
        halls.edit("isthmus.yaml", "http://127.0.0.1:1", doorway.url)
        yield doorway


@pytest.fixture
async def listening(halls: Halls, doorway: Doorway) -> AsyncIterator[Told]:
    """Everything open and shared once; calls are counted from there."""
    async with told(halls, doorway) as found:
        yield found
