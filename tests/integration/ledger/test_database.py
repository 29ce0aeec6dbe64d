"""The way to the database: its address, its session, its pool, and what a lost one is called."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors as sql
from psycopg.conninfo import conninfo_to_dict

from isthmus.contract.clock import SystemClock
from isthmus.errors import StorageFailed
from isthmus.ledger.database import Database, database_uri, open_database, storage_errors

if TYPE_CHECKING:
    from pathlib import Path

    from isthmus.ledger.embedded import Embedded


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://clerk:s%40cret@db.example:5433/books?sslmode=require",
        "postgres://clerk:s%40cret@db.example:5433/books?sslmode=require",
        "postgresql+psycopg://clerk:s%40cret@db.example:5433/books?sslmode=require",
        "host=db.example port=5433 user=clerk password=s@cret dbname=books sslmode=require",
    ],
)
def test_every_spelling_of_an_address_is_read(url: str, tmp_path: Path) -> None:
    database = open_database(tmp_path, url, clock=SystemClock())
    assert conninfo_to_dict(database.uri) == {
        "user": "clerk", "password": "s@cret", "host": "db.example", "port": "5433", "dbname": "books",
        "sslmode": "require", "application_name": "isthmus", "options": "-c search_path=isthmus -c timezone=UTC",
    }  # fmt: skip
    assert database.shown == "clerk@db.example:5433/books"
    assert list(tmp_path.iterdir()) == []  # a server of one's own: no embedded one is made


def test_options_of_the_user_are_kept() -> None:
    uri = database_uri("host=db options='-c work_mem=64MB' application_name=theirs")
    parts = conninfo_to_dict(uri)
    assert parts["options"] == "-c work_mem=64MB -c search_path=isthmus -c timezone=UTC"
    assert parts["application_name"] == "theirs"


async def test_the_pool_gives_transactions_in_our_schema_and_utc(database: Database) -> None:
    pool = await database.pool(min_size=1, max_size=2)
    try:
        async with pool.connection() as connection:
            assert connection.autocommit is False
            cursor = await connection.execute(
                "select current_schema(), current_setting('timezone'), current_setting('application_name')"
            )
            assert await cursor.fetchone() == ("isthmus", "UTC", "isthmus")
            await connection.execute("insert into meta values ('left', 'behind')")
            await connection.rollback()
        async with pool.connection() as connection:
            cursor = await connection.execute("select count(*) from meta where name = 'left'")
            assert await cursor.fetchone() == (0,)
    finally:
        await pool.close()


async def test_a_pool_without_a_server_fails_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg_pool

    class Impatient(psycopg_pool.AsyncConnectionPool):
        async def open(self, wait: bool = False, timeout: float = 10) -> None:
            await super().open(wait=wait, timeout=0.5)

    monkeypatch.setattr(psycopg_pool, "AsyncConnectionPool", Impatient)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    database = open_database(tmp_path, f"postgresql://x@127.0.0.1:{port}/y", clock=SystemClock())
    with pytest.raises(StorageFailed, match="does not answer"):
        await database.pool()


def test_a_cut_connection_is_a_storage_failure(database: Database, pg_server: Embedded) -> None:
    with database.connect() as connection, psycopg.connect(pg_server.uri("postgres"), autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(%s)", (connection.info.backend_pid,))
        with pytest.raises(StorageFailed, match="does not answer"), storage_errors():
            connection.execute("select 1")
        with pytest.raises(StorageFailed), storage_errors():
            connection.execute("select 1")


def test_what_concerns_one_transaction_only_passes_unchanged(database: Database) -> None:
    with database.connect() as first, database.connect() as second:
        first.execute("lock table meta")
        second.execute("set lock_timeout = '50ms'")
        with pytest.raises(sql.LockNotAvailable), storage_errors():
            second.execute("lock table meta")
        second.rollback()
        second.execute("set statement_timeout = '50ms'")
        with pytest.raises(sql.QueryCanceled), storage_errors():
            second.execute("select pg_sleep(5)")
    with pytest.raises(sql.UniqueViolation), storage_errors():
        raise sql.UniqueViolation


def test_each_test_has_a_ledger_of_its_own(database: Database) -> None:
    with database.connect() as connection:
        assert connection.execute("select count(*) from meta").fetchone() == (2,)
        connection.execute("insert into meta values ('mine', 'alone')")
