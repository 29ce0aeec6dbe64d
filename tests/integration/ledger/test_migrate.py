"""The schema: fresh equals migrated, twice is nothing, two at once are one, a newer one is refused."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from isthmus.errors import ConfigurationError
from isthmus.ledger import migrate as migrations
from isthmus.ledger.migrate import VERSIONS, ensure_current, is_current, migrate, schema_version

if TYPE_CHECKING:
    from isthmus.ledger.database import Database

CATALOGUE = {
    "columns": "select table_name, column_name, data_type, is_nullable, column_default, is_identity "
    "from information_schema.columns where table_schema = 'isthmus' order by 1, 2",
    "indexes": "select indexdef from pg_indexes where schemaname = 'isthmus' order by 1",
    "constraints": "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint "
    "where connamespace = 'isthmus'::regnamespace order by 1, 2",
    "functions": "select proname, pg_get_functiondef(oid) from pg_proc "
    "where pronamespace = 'isthmus'::regnamespace order by 1, 2",
    "triggers": "select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal order by 1",
    "types": "select t.typname, e.enumlabel from pg_type t left join pg_enum e on e.enumtypid = t.oid "
    "where typnamespace = 'isthmus'::regnamespace order by 1, 2",
}


def catalogue(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.connect() as connection:
        return {what: connection.execute(query).fetchall() for what, query in CATALOGUE.items()}


def test_migrated_ledger_equals_one_made_from_the_scripts(database: Database, empty_database: Database) -> None:
    from procrastinate.schema import SchemaManager

    with empty_database.connect() as connection:
        connection.execute("create schema isthmus")
        connection.execute(files("isthmus.ledger.migrations.versions").joinpath("core.sql").read_text())
        connection.execute(SchemaManager.get_schema())
        connection.execute(
            "create index procrastinate_jobs_lock_open on procrastinate_jobs (lock) where status in ('todo', 'doing')"
        )
        connection.execute("set search_path = isthmus")
        for version in VERSIONS[2:]:
            script = files("isthmus.ledger.migrations.versions").joinpath(f"{version.partition('_')[2]}.sql")
            connection.execute(script.read_text())
        connection.execute("create table alembic_version (version_num varchar(32) primary key)")
        connection.execute("alter table alembic_version rename constraint alembic_version_pkey to alembic_version_pkc")
    assert catalogue(database) == catalogue(empty_database)


def test_the_engine_tables_are_those_of_the_installed_engine() -> None:
    """When this fails after an update of procrastinate, its migrations need a version file of ours."""
    from procrastinate.schema import SchemaManager

    ours = files("isthmus.ledger.migrations.versions").joinpath("engine.sql").read_text()
    assert ours.split("\n", 2)[2] == SchemaManager.get_schema()


def test_copied_ledger_equals_a_freshly_migrated_one(database: Database, empty_database: Database) -> None:
    migrate(empty_database)
    assert catalogue(database) == catalogue(empty_database)


def test_migrating_twice_changes_nothing(database: Database) -> None:
    before = catalogue(database)
    with database.connect() as connection:
        meta = connection.execute("select * from meta order by name").fetchall()
    assert ensure_current(database) is False
    assert migrate(database) == VERSIONS[-1]
    assert catalogue(database) == before
    with database.connect() as connection:
        assert connection.execute("select * from meta order by name").fetchall() == meta


def test_two_starters_migrate_once(empty_database: Database) -> None:
    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(lambda _: ensure_current(empty_database), range(4)))
    assert sorted(outcomes) == [False, False, False, True]


def test_a_new_ledger_has_an_identity_and_epoch_one(database: Database) -> None:
    with database.connect() as connection:
        meta = dict(connection.execute("select name, value from meta").fetchall())
    assert meta["epoch"] == "1"
    assert UUID(meta["ledger_id"]).version == 4


def test_all_tables_lie_in_our_schema(database: Database) -> None:
    with database.connect() as connection:
        rows = connection.execute(
            "select distinct table_schema from information_schema.tables "
            "where table_schema not in ('pg_catalog', 'information_schema')"
        ).fetchall()
    assert rows == [("isthmus",)]


def test_ledger_of_a_newer_version_is_refused(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("update alembic_version set version_num = '9999_future'")
    with pytest.raises(ConfigurationError, match=r"written by a newer version.*9999_future"):
        ensure_current(database)


def test_version_is_none_before_the_first_migration(empty_database: Database) -> None:
    with empty_database.connect() as connection:
        assert schema_version(connection) is None
        assert is_current(connection) is False


def test_a_failing_version_leaves_nothing_behind(empty_database: Database) -> None:
    with empty_database.connect() as connection:
        connection.execute("create schema isthmus")
        connection.execute("create table isthmus.procrastinate_jobs (id int)")  # 0002 will stumble over it
    with pytest.raises(Exception, match="procrastinate_jobs"):
        migrate(empty_database)
    with empty_database.connect() as connection:
        assert schema_version(connection) is None
        assert connection.execute("select to_regclass('isthmus.message')").fetchone() == (None,)


def test_a_start_without_pending_versions_imports_neither_alembic_nor_sqlalchemy(database: Database) -> None:
    program = (
        "import sys\n"
        "from isthmus.contract.clock import SystemClock\n"
        "from isthmus.ledger.database import Database\n"
        "from isthmus.ledger.migrate import ensure_current\n"
        "assert ensure_current(Database(uri=sys.argv[1], clock=SystemClock())) is False\n"
        "print(sorted({'alembic', 'sqlalchemy', 'procrastinate', 'psutil'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, database.uri], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_versions_are_one_chain_and_each_says_when_it_may_run() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(migrations.MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    assert tuple(reversed([revision.revision for revision in script.walk_revisions()])) == VERSIONS
    for version in VERSIONS:
        module = import_module(f"isthmus.ledger.migrations.versions.{version}")
        assert module.deploy in ("pre", "post")
