"""A CAFM with a small facility in it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from integration.sandbox.cafm.facility import READER, Client, seed
from isthmus.sandbox.server import Sandbox


def trusting(box: Sandbox) -> aiohttp.ClientSession:
    context = ssl.create_default_context(cafile=str(box.ca))
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=100))


@pytest.fixture
async def cafm_box(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(seed(), home=tmp_path / "cafm") as box:
        yield box


@pytest.fixture
async def cafm(cafm_box: Sandbox) -> AsyncIterator[Client]:
    """Calls with a key that may do everything."""
    async with trusting(cafm_box) as session:
        yield Client(session, cafm_box)


@pytest.fixture
async def reader(cafm: Client) -> Client:
    """Calls with a key that may read everything and write items."""
    return Client(cafm.session, cafm.box, READER)


@pytest.fixture(scope="session")
def crowded_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One CAFM with many records for all tests that only read, and no limit of calls."""
    given = seed() | {"switches": {"requests_per_window": 1_000_000, "concurrent": 100}}
    given["vendors"] = given["vendors"] + [
        {"code": f"M{at:04d}", "name": f"Vendor {at}", "taxNumber": f"T{at % 7}", "externalId": f"X{at % 300}"}
        for at in range(700)
    ]
    with Sandbox(given, home=tmp_path_factory.mktemp("crowded")) as box:
        yield box


@pytest.fixture
async def crowded(crowded_box: Sandbox) -> AsyncIterator[Client]:
    async with trusting(crowded_box) as session:
        yield Client(session, crowded_box)


@pytest.fixture(scope="session")
def law_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One CAFM for laws that make their own records in it."""
    with Sandbox(seed(), home=tmp_path_factory.mktemp("laws")) as box:
        yield box
