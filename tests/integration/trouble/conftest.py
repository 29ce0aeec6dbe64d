"""A site on a ledger of its own in the shared server (tests/integration/conftest.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.trouble.bench import ROWS, Site
from isthmus.ledger.database import Database


@pytest.fixture
def site(tmp_path: Path, database: Database) -> Iterator[Site]:
    site = Site(tmp_path / "mine", database.uri)
    site.save(*ROWS)
    yield site
    site.stop()
