"""Who works on a ledger: workers hold a shared lock of the database while they do, a restore holds it alone."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg

from isthmus.errors import HomeBusy
from isthmus.ledger.database import SCHEMA, storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from isthmus.ledger.database import Database

_LOCK = 0x73657276696E67  # "serving"
_BEATING = 30
"""Seconds since its last heartbeat within which a worker of the engine counts as alive."""


class Serving:
    """One worker's hold on the ledger. The lock ends with its connection, so `renew` it when that may have broken."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: psycopg.Connection[Any] | None = None

    def renew(self) -> None:
        """Take the lock unless it is held. Not for two threads at once.

        Raises:
            HomeBusy: A restore is at work.
            StorageFailed: The database does not answer.
        """
        if self._connection is not None and _answers(self._connection):
            return
        self.release()
        connection = self._database.connect(autocommit=True)
        with storage_errors():
            held = is_true(connection, "select pg_try_advisory_lock_shared(%s)", _LOCK)
        if not held:
            connection.close()
            raise HomeBusy("This ledger is being restored.", hint="Start again when that is done.")
        self._connection = connection

    def release(self) -> None:
        """Let restores begin. Safe to repeat."""
        if self._connection is None:
            return
        # By name, as the server ends a closed session in its own time and a restore would still find it busy. A
        # connection that is broken has lost its locks already.
        with suppress(psycopg.Error):
            self._connection.execute("select pg_advisory_unlock_all()")
        self._connection.close()
        self._connection = None


@contextmanager
def serving(database: Database) -> Iterator[Serving]:
    """Held by every worker while it works: no restore begins meanwhile.

    Raises:
        HomeBusy: A restore is at work.
    """
    held = Serving(database)
    held.renew()
    try:
        yield held
    finally:
        held.release()


def refuse_if_served(connection: psycopg.Connection[Any]) -> None:
    """Take the lock that keeps workers out; it ends with the connection.

    Raises:
        HomeBusy: A worker is active.
    """
    busy = not is_true(connection, "select pg_try_advisory_lock(%s)", _LOCK)
    if not busy and is_true(connection, "select to_regclass(%s) is not null", f"{SCHEMA}.procrastinate_workers"):
        alive = f"""select exists (select from {SCHEMA}.procrastinate_workers
                                    where last_heartbeat > now() - make_interval(secs => %s))"""
        busy = is_true(connection, alive, _BEATING)
    if busy:
        raise HomeBusy(
            "A worker is active on this ledger.",
            hint=f"Stop it (`isthmus down`) and repeat; one that was killed counts as active for {_BEATING} s.",
        )


def is_true(connection: psycopg.Connection[Any], query: str, value: object) -> bool:
    """The answer to a question with one parameter."""
    row = connection.execute(query, (value,)).fetchone()
    return row is not None and bool(row[0])


def _answers(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("select 1")
    except psycopg.Error:
        return False
    return True
