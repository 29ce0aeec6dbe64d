"""Sites for drills: on a ledger in the shared server, or with an embedded server in a home of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conftest import PREFIX
from integration.drills.bench import Drill
from integration.drills.own_server import OwnServer
from isthmus.ledger.database import Database
from isthmus.ledger.embedded import stop_abandoned


@pytest.fixture
def drill(tmp_path: Path, database: Database) -> Iterator[Drill]:
    """On a database of the shared server."""
    drill = Drill(tmp_path / "mine", database.uri)
    drill.first_rows()
    yield drill
    drill.stop()


@pytest.fixture
def own_drill() -> Iterator[Drill]:
    """With an embedded server of its own (tests/integration/conftest.py says why not under tmp_path)."""
    place = Path(tempfile.mkdtemp(prefix=PREFIX))
    drill = Drill(place / "mine")
    drill.first_rows()
    yield drill
    drill.stop()
    stop_abandoned(drill.home)
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def own_server() -> Iterator[OwnServer]:
    """A PostgreSQL of one's own, reached by TCP on loopback with a password. An older major where there is one."""
    place = Path(tempfile.mkdtemp(prefix=PREFIX))
    server = OwnServer(place)
    yield server
    server.stop()
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def served_drill(tmp_path: Path, own_server: OwnServer) -> Iterator[Drill]:
    """On a fresh database of that server, as a user would set it up by DATABASE_URL."""
    drill = Drill(tmp_path / "mine", own_server.database())
    drill.first_rows()
    yield drill
    drill.stop()
