"""Opening a ledger for commands that only read it: no simulators, no connectors, no engine."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psycopg
from msgspec import Struct

from isthmus.app.project.project import Project
from isthmus.contract.clock import SystemClock
from isthmus.errors import ConfigurationError
from isthmus.ledger.database import Database, open_database, storage_errors
from isthmus.ledger.migrate import ensure_current, schema_version
from isthmus.ledger.types import Db

if TYPE_CHECKING:
    from isthmus.cli.place import Place

NOTHING_YET = "Nothing was synchronised yet: run `isthmus sync`."


class Reading(Struct, frozen=True):
    """A project with its ledger, None where there is none yet."""

    project: Project
    database: Database | None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Db]:
        """One transaction on a connection of its own. Raises ConfigurationError when there is no ledger."""
        if self.database is None:
            raise ConfigurationError(NOTHING_YET, code="no_ledger")
        with storage_errors():
            opened = await psycopg.AsyncConnection.connect(self.database.uri, connect_timeout=10)
            async with opened as db, db.transaction():
                yield db


@asynccontextmanager
async def open_reading(place: Place, *, create: bool = False) -> AsyncIterator[Reading]:
    """The ledger of a place. A home without one stays as it is, unless `create` says to make it."""
    project = place.load()
    url = os.environ.get("DATABASE_URL") or None
    if not create and url is None and not (project.home / "postgres" / "PG_VERSION").exists():
        yield Reading(project, None)
        return
    database = open_database(project.home, url, clock=SystemClock())
    try:
        yield Reading(project, database if _has_ledger(database, create) else None)
    finally:
        database.close()


def _has_ledger(database: Database, create: bool) -> bool:
    with database.connect(autocommit=True) as connection:
        if schema_version(connection) is None and not create:
            return False
    ensure_current(database)
    return True
