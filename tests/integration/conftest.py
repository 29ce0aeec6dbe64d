"""A real PostgreSQL for every test that asks: one embedded server per test process, one fresh database per test.

`pg_server` is the server, `database` a migrated ledger of the test's own (copied from a template in some 50 ms).
The homes lie in a short folder of their own and not under pytest's, which takes away every other user's way through
whenever a session starts, so that a server started by root could not reach its data.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from isthmus.contract.clock import SystemClock
from isthmus.ledger.database import Database, database_uri
from isthmus.ledger.embedded import Embedded, stop_abandoned
from isthmus.ledger.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "isthmus-test-"
TEMPLATE = "template_ledger"
_numbers = itertools.count(1)


def _reap() -> None:
    """Stop and remove what a killed test run left behind."""
    for home in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        if stop_abandoned(home):
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def pg_server() -> Iterator[Embedded]:
    """The embedded server of this test process. Forgets what a power cut would lose, which makes it faster."""
    _reap()
    home = Path(tempfile.mkdtemp(prefix=PREFIX))
    server = Embedded.start(home)
    with psycopg.connect(server.uri("postgres"), autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")
    yield server
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def ledger_template(pg_server: Embedded) -> str:
    """Name of a migrated, empty database to copy."""
    with psycopg.connect(pg_server.uri("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {TEMPLATE}")
    migrate(Database(uri=database_uri(pg_server.uri(TEMPLATE)), clock=SystemClock()))
    return TEMPLATE


@pytest.fixture
def database(pg_server: Embedded, ledger_template: str) -> Iterator[Database]:
    """An empty, migrated ledger. Closing it leaves the server alone: `embedded` is None."""
    name = f"ledger_{next(_numbers)}"
    with psycopg.connect(pg_server.uri("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {ledger_template}")
        yield Database(uri=database_uri(pg_server.uri(name)), clock=SystemClock())
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def empty_database(pg_server: Embedded) -> Iterator[Database]:
    """A database without any schema of ours."""
    name = f"empty_{next(_numbers)}"
    with psycopg.connect(pg_server.uri("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name}")
        yield Database(uri=database_uri(pg_server.uri(name)), clock=SystemClock())
        connection.execute(f"drop database {name} with (force)")
