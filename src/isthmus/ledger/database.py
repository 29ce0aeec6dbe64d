"""The way to the ledger's database: the embedded server of a home, or the user's own by DATABASE_URL."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import psycopg
from psycopg import errors as sql
from psycopg.conninfo import conninfo_to_dict

from isthmus.errors import ConfigurationError, StorageFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg.rows import TupleRow
    from psycopg_pool import AsyncConnectionPool

    from isthmus.contract.clock import Clock
    from isthmus.ledger.embedded import Embedded

SCHEMA = "isthmus"
FROZEN_SECONDS = 20
"""A transaction of the pool that does nothing for so long is ended by the server; its process sees `StorageFailed`."""
OLDEST_MAJOR = 14
"""Older servers are out of support and refused."""

_SESSION = f"-c search_path={SCHEMA} -c timezone=UTC"


@dataclass(frozen=True, kw_only=True)
class Database:
    """Settings of one ledger database; opens nothing by itself.

    `uri` is complete: it carries the schema as search path, UTC as time zone, and the application's name, so psycopg,
    its pool and the task engine can all be given it as it is. It may hold a password: never log it, never pass it as
    an argument of a program; `shown` is the safe form.
    """

    uri: str
    clock: Clock
    embedded: Embedded | None = None

    @property
    def shown(self) -> str:
        """The address without password, for people."""
        if self.embedded is not None:
            return f"embedded PostgreSQL in {self.embedded.data}"
        parts = conninfo_to_dict(self.uri)
        host, port = parts.get("host", "localhost"), parts.get("port", 5432)
        return f"{parts.get('user', '')}@{host}:{port}/{parts.get('dbname', '')}"

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection[TupleRow]:
        """A plain connection, for commands and migrations.

        Raises:
            StorageFailed: The database cannot be reached.
        """
        with storage_errors():
            return psycopg.connect(self.uri, autocommit=autocommit, connect_timeout=10)

    async def pool(self, min_size: int = 1, max_size: int = 6) -> AsyncConnectionPool:
        """An open pool: transactions explicit (no autocommit), rows as tuples. The caller closes it.

        Raises:
            StorageFailed: No connection within 10 s.
        """
        from psycopg_pool import AsyncConnectionPool  # noqa: PLC0415 - commands without a loop do not need it

        pool = AsyncConnectionPool(
            self.uri,
            min_size=min_size,
            max_size=max_size,
            kwargs={"autocommit": False},
            configure=_let_go,
            open=False,
            timeout=10,
        )
        with storage_errors():
            try:
                await pool.open(wait=True, timeout=10)
            except BaseException:
                await pool.close()
                raise
        return pool

    def revive(self) -> None:
        """Start the embedded server again if it is gone (killed, or stopped by a full disk); else nothing happens.

        Call it after a `StorageFailed`, before trying again.

        Raises:
            StorageFailed: It does not start.
        """
        if self.embedded is not None:
            self.embedded.revive()

    def close(self) -> None:
        """Leave the embedded server, which stops with its last user. A server of your own is not touched."""
        if self.embedded is not None:
            self.embedded.stop()


def open_database(home: Path, url: str | None, *, clock: Clock) -> Database:
    """The ledger's database: the server `url` points at, or without one the embedded server of `home`, started.

    The schema is not touched: see `migrate.ensure_current`. Safe to call again, from any number of processes.

    Raises:
        ConfigurationError: `url` is no PostgreSQL address.
        StorageFailed: The embedded server does not start.
    """
    if url:
        return Database(uri=database_uri(url), clock=clock)
    from isthmus.ledger.embedded import Embedded  # noqa: PLC0415 - a server of one's own needs nothing of it

    embedded = Embedded.start(home)
    return Database(uri=database_uri(embedded.uri()), clock=clock, embedded=embedded)


def database_uri(url: str, *, dbname: str | None = None) -> str:
    """`url` with search path, time zone and application name added; `dbname` replaces the database.

    Takes libpq URIs and keyword strings, and the spellings `postgres://` and `postgresql+psycopg://`.

    Raises:
        ConfigurationError: It cannot be read. The text never repeats it, for it may hold a password.
    """
    scheme, separator, rest = url.partition("://")
    if separator and (scheme == "postgres" or scheme.startswith("postgresql+")):
        url = f"postgresql://{rest}"
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError:
        raise ConfigurationError(
            "DATABASE_URL is no PostgreSQL address.", hint="Write postgresql://user:password@host:5432/database."
        ) from None
    parts["options"] = f"{parts.get('options', '')} {_SESSION}".strip()
    parts.setdefault("application_name", "isthmus")
    if dbname is not None:
        parts["dbname"] = dbname
    user = quote(parts.pop("user", ""), safe="")
    password = quote(parts.pop("password", ""), safe="")
    who = f"{user}:{password}@" if password else f"{user}@" if user else ""
    name = quote(parts.pop("dbname", ""), safe="")
    return f"postgresql://{who}/{name}?{urlencode(parts, quote_via=quote)}"


async def _let_go(connection: psycopg.AsyncConnection[TupleRow]) -> None:
    """A process frozen within a transaction must not hold its locks for ever: its successor waits for them."""
    await connection.execute(f"set idle_in_transaction_session_timeout = '{FROZEN_SECONDS}s'")
    await connection.commit()


async def take_your_time(db: psycopg.AsyncConnection[TupleRow]) -> None:
    """This transaction may stand still: it waits for outside systems and is rolled back in the end."""
    await db.execute("set local idle_in_transaction_session_timeout = 0")


# Operational by class, yet about one transaction and not about the storage: the caller repeats it.
_OF_ONE_TRANSACTION = (sql.SerializationFailure, sql.DeadlockDetected, sql.LockNotAvailable, sql.QueryCanceled)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn a lost database or a full disk into `StorageFailed`. Deadlocks and lock timeouts pass unchanged."""
    try:
        yield
    except _OF_ONE_TRANSACTION:
        raise
    except sql.DiskFull as failure:
        raise StorageFailed(
            "The disk of the database is full.",
            hint="Free some space; what was committed is kept, and work goes on by itself.",
        ) from failure
    except (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        sql.ReadOnlySqlTransaction,
        sql.IdleInTransactionSessionTimeout,
    ) as failure:
        raise StorageFailed(
            f"The database does not answer: {_first_line(failure)}",
            hint="Is it running, reachable, writable? The worker tries again.",
        ) from failure


def _first_line(failure: Exception) -> str:
    """libpq's reason. It names host and user, never the password."""
    return (str(failure).strip().splitlines() or ["no reason given"])[0]
