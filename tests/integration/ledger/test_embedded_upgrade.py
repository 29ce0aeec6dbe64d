"""A data folder of an older PostgreSQL: copied where its programs are there, else a clear way by the newest backup."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from isthmus.errors import HomeBusy, StorageFailed
from isthmus.ledger import cluster, upgrade
from isthmus.ledger.account import choose_account, open_programs
from isthmus.ledger.backup import backup, daily_backup, restore, restore_into_new_cluster
from isthmus.ledger.binaries import MAJOR, find_binaries
from isthmus.ledger.database import Database, database_uri, open_database
from isthmus.ledger.embedded import Embedded

if TYPE_CHECKING:
    from pathlib import Path

    from isthmus.contract.clock import DrivenClock


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def older_home(ledger: Database, own_home: Path, clock: DrivenClock, tmp_path: Path) -> Path:
    """A home whose ledger was written by PostgreSQL 16."""
    try:
        older = find_binaries(16)
    except StorageFailed:
        pytest.skip("the installed wheel has no older PostgreSQL")
    taken = backup(ledger, tmp_path / "one.dump")
    data = own_home / "postgres"
    account = choose_account(own_home, data)
    open_programs(account, older.folder)
    account.open_way(data)
    cluster.make_cluster(data, account, older)
    with upgrade._Running(data, account, older) as uri:
        restore(Database(uri=database_uri(uri), clock=clock), taken.path)
    return own_home


@pytest.fixture
def unreadable_home(own_home: Path) -> Path:
    """A home of a PostgreSQL whose programs nobody has."""
    data = own_home / "postgres"
    data.mkdir(mode=0o700)
    (data / "PG_VERSION").write_text("9\n")
    return own_home


def test_an_older_cluster_is_copied_into_a_new_one(older_home: Path, clock: DrivenClock) -> None:
    database = open_database(older_home, None, clock=clock)
    try:
        assert database.embedded is not None
        assert cluster.major_of(database.embedded.data) == MAJOR
        assert rows(database, "select count(*) from message") == [(11,)]
        assert rows(database, "select value from meta where name = 'epoch'") == [("2",)]  # nothing was lost: no new one
        assert cluster.major_of(older_home / "postgres-16-old-1") == 16
    finally:
        database.close()


def test_a_failing_copy_leaves_the_older_cluster_and_is_repeated(
    older_home: Path, clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageFailed("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(upgrade.cluster, "make_cluster", full)
        with pytest.raises(StorageFailed, match="disk is full"):
            open_database(older_home, None, clock=clock)
    assert cluster.major_of(older_home / "postgres") == 16
    database = open_database(older_home, None, clock=clock)
    assert rows(database, "select count(*) from message") == [(11,)]
    database.close()


def test_a_copy_cut_off_between_its_renames_is_completed(own_home: Path) -> None:
    Embedded.start(own_home).stop()
    (own_home / "postgres").rename(own_home / "postgres.upgraded")
    begun = own_home / "postgres.upgraded" / "pg_control_marker"
    begun.touch()
    Embedded.start(own_home).stop()
    assert (own_home / "postgres" / "pg_control_marker").exists()


def test_without_the_older_programs_the_newest_backup_is_named(
    unreadable_home: Path, ledger: Database, clock: DrivenClock
) -> None:
    with pytest.raises(StorageFailed, match="written by PostgreSQL 9") as refused:
        open_database(unreadable_home, None, clock=clock)
    assert "previous version" in str(refused.value)
    daily_backup(ledger, unreadable_home, clock)
    clock.advance(timedelta(days=2).total_seconds())
    newest = daily_backup(ledger, unreadable_home, clock)
    assert newest is not None
    with pytest.raises(StorageFailed) as refused:
        open_database(unreadable_home, None, clock=clock)
    assert f"isthmus restore {newest.path} --new-cluster" in str(refused.value)


def test_a_backup_is_restored_into_a_new_cluster_and_the_old_folder_stays(
    unreadable_home: Path, ledger: Database, clock: DrivenClock
) -> None:
    newest = daily_backup(ledger, unreadable_home, clock)
    assert newest is not None
    done = restore_into_new_cluster(unreadable_home, newest.path, clock)
    assert (done.epoch, done.uncertain) == (2, 4)
    database = open_database(unreadable_home, None, clock=clock)
    assert rows(database, "select count(*) from message") == [(11,)]
    database.close()
    assert cluster.major_of(unreadable_home / "postgres-9-old-1") == 9


def test_when_that_fails_the_old_folder_is_back(
    unreadable_home: Path, ledger: Database, clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = daily_backup(ledger, unreadable_home, clock)
    assert newest is not None

    def full(*_: object, **__: object) -> None:
        raise StorageFailed("The disk is full.")

    monkeypatch.setattr("isthmus.ledger.backup.dump.load", full)
    with pytest.raises(StorageFailed, match="disk is full"):
        restore_into_new_cluster(unreadable_home, newest.path, clock)
    assert cluster.major_of(unreadable_home / "postgres") == 9
    assert not (unreadable_home / "postgres-9-old-1").exists()


def test_a_cluster_in_use_is_not_set_aside(own_home: Path, ledger: Database, clock: DrivenClock) -> None:
    newest = daily_backup(ledger, own_home, clock)
    assert newest is not None
    server = Embedded.start(own_home)
    with pytest.raises(HomeBusy, match="is in use"):
        restore_into_new_cluster(own_home, newest.path, clock)
    server.stop()
