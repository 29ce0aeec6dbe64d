"""Brings the schema of a ledger to what this code expects.

The everyday case, nothing to do, costs one query; Alembic and SQLAlchemy are imported only when a version is pending.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.errors import ConfigurationError
from isthmus.ledger.database import OLDEST_MAJOR, SCHEMA, storage_errors

if TYPE_CHECKING:
    import psycopg

    from isthmus.ledger.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
VERSIONS: tuple[str, ...] = tuple(sorted(file.stem for file in (MIGRATIONS / "versions").glob("[0-9]*.py")))
"""Names of all versions this code knows, oldest first."""

_MIGRATING = 0x697374686D7573  # "isthmus": the advisory lock two starters contend for


def schema_version(connection: psycopg.Connection[Any]) -> str | None:
    """The version the ledger is at; None before the first migration."""
    with storage_errors():
        there = connection.execute("select to_regclass(%s)", (f"{SCHEMA}.alembic_version",)).fetchone()
        if there is None or there[0] is None:
            return None
        row = connection.execute(f"select version_num from {SCHEMA}.alembic_version").fetchone()
    return None if row is None else str(row[0])


def is_current(connection: psycopg.Connection[Any]) -> bool:
    """Whether nothing is pending.

    Raises:
        ConfigurationError: A newer release wrote this ledger.
    """
    version = schema_version(connection)
    if version is not None and version not in VERSIONS:
        raise ConfigurationError(
            f"This ledger was written by a newer version of Isthmus (schema {version}; this one knows {VERSIONS[-1]}).",
            hint="Install that version again, or restore a backup made by this one.",
        )
    return version == VERSIONS[-1]


def ensure_current(database: Database) -> bool:
    """What every start calls: migrate if something is pending. True when it was. Safe to repeat and to race.

    Raises:
        ConfigurationError: A newer release wrote this ledger, or the server is too old.
        StorageFailed: The database cannot be reached.
    """
    with database.connect(autocommit=True) as connection:
        if is_current(connection):
            return False
        _check_server(connection)
        with storage_errors():
            # Waits for another starter; the lock is the session's and ends with it.
            connection.execute("select pg_advisory_lock(%s)", (_MIGRATING,))
        if is_current(connection):
            return False
        _upgrade(database)
    return True


def migrate(database: Database) -> str:
    """Bring the schema to the newest version, and return its name. Safe to repeat. Raises like `ensure_current`."""
    ensure_current(database)
    return VERSIONS[-1]


def _check_server(connection: psycopg.Connection[Any]) -> None:
    major = connection.info.server_version // 10000
    if major < OLDEST_MAJOR:
        raise ConfigurationError(f"The server runs PostgreSQL {major}; Isthmus needs {OLDEST_MAJOR} or newer.")


def _upgrade(database: Database) -> None:
    from alembic import command  # noqa: PLC0415 - 0.3 s that a start without pending versions must not pay
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = create_engine("postgresql+psycopg://", creator=database.connect, poolclass=NullPool)
    with storage_errors(), engine.begin() as connection:
        connection.exec_driver_sql(f"create schema if not exists {SCHEMA}")
        config.attributes["connection"] = connection
        config.attributes["schema"] = SCHEMA
        command.upgrade(config, "head")
