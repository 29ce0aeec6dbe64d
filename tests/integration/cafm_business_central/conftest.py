"""A site on a ledger of its own in the shared server (tests/integration/conftest.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.cafm_business_central.bench import Site
from isthmus.ledger.database import Database


@pytest.fixture
def make_site(tmp_path: Path, database: Database) -> Iterator[Callable[..., Site]]:
    """`make_site("vendors")`: a site with these flows; without names, with all."""
    made: list[Site] = []

    def make(*flows: str) -> Site:
        made.append(Site(tmp_path / "site", database.uri, flows))
        return made[-1]

    yield make
    for site in made:
        site.stop()
