"""Sites for drills: on a ledger in the shared server, or with an embedded server in a home of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conftest import PREFIX
from integration.drills.bench import Drill
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
