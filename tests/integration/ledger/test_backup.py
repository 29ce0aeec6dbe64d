"""Backup and restore: whole or not at all, and a restored ledger looks up before it sends."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from isthmus.contract.clock import DrivenClock
from isthmus.errors import ConfigurationError, HomeBusy, StorageFailed
from isthmus.ledger import backup as backing
from isthmus.ledger.backup import backup, backups, daily_backup, restore
from isthmus.ledger.binaries import find_binaries
from isthmus.ledger.database import Database, database_uri
from isthmus.ledger.epoch import Epoch, read_epoch
from isthmus.ledger.migrate import is_current
from isthmus.ledger.serving import serving

if TYPE_CHECKING:
    pass

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATES = (
    "ready",
    "sending",
    "uncertain",
    "retrying",
    "waiting",
    "held",
    "saved",
    "dead",
    "done",
    "skipped",
    "cancelled",
)
NAMES = "Grün & Söhne 日本 \\ \t 'quoted'"


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(query).fetchall()


def meta(database: Database) -> dict[str, str]:
    return dict(rows(database, "select name, value from meta"))


def dumped(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: rows(database, f"select * from {table} order by 1")
        for table in ("meta", "connection", "message", "procrastinate_jobs")
    }


def test_restored_messages_are_looked_up_before_anything_is_sent(
    ledger: Database, clock: DrivenClock, tmp_path: Path
) -> None:
    taken = backup(ledger, tmp_path / "one.dump")
    assert taken.taken_at == NOON
    with ledger.connect() as connection:
        connection.execute("delete from message")
    clock.advance(3600)
    done = restore(ledger, taken.path)

    now = NOON + timedelta(hours=1)
    found = {
        row[0]: row[1:]
        for row in rows(
            ledger, "select key, state, code, waits_for, next_at, sent_at, amount::text, subject from message"
        )
    }
    assert set(found) == set(STATES)
    again = {"ready", "sending", "uncertain", "retrying"}
    for key, (state, code, _waits_for, next_at, sent_at, amount, subject) in found.items():
        assert (amount, subject) == ("12345678901234.56789", NAMES)
        if key in again:
            assert (state, code, next_at, sent_at) == ("uncertain", "restored", None, now)
        else:
            assert (state, code) == (key, "")
    assert found["waiting"][2] == "message:1"  # its turn comes after what it waits for, and is looked up then
    assert found["saved"][3] == now  # read again at the target, never sent again
    assert done.uncertain == len(again)
    reasons = rows(ledger, "select distinct reason from message where code = 'restored'")
    assert reasons == [("restored from backup: looked up before anything is sent",)]


def test_a_restore_opens_a_new_epoch_of_the_same_ledger(ledger: Database, clock: DrivenClock, tmp_path: Path) -> None:
    before = meta(ledger)
    with ledger.connect() as connection:
        assert read_epoch(connection).restored_at is None
    taken = backup(ledger, tmp_path / "one.dump")
    assert restore(ledger, taken.path).epoch == 2
    clock.advance(60)
    assert restore(ledger, taken.path).epoch == 3  # beyond the epoch it replaces, though the backup says 1
    after = meta(ledger)
    assert (before["epoch"], after["epoch"]) == ("1", "3")
    assert after["ledger_id"] == before["ledger_id"]
    assert datetime.fromisoformat(after["restored_at"]) == NOON + timedelta(seconds=60)
    assert after["restored_from"] == "one.dump"


def test_a_restore_forgets_turns_and_jobs_and_raises_the_fence(ledger: Database, tmp_path: Path) -> None:
    taken = backup(ledger, tmp_path / "one.dump")
    restore(ledger, taken.path)
    assert rows(ledger, "select count(*) from procrastinate_jobs") == [(0,)]
    [(fence, holder, started, due)] = rows(ledger, "select fence, holder, turn_started_at, next_due from connection")
    assert fence > 1_000_000
    assert (holder, started, due) == ("", None, NOON)
    with ledger.connect() as connection:
        assert is_current(connection)


def test_a_backup_holds_no_job_rows_and_is_closed_to_others(ledger: Database, tmp_path: Path) -> None:
    taken = backup(ledger, tmp_path / "deep" / "one.dump")
    assert stat.S_IMODE(taken.path.stat().st_mode) == 0o600
    assert [path.name for path in taken.path.parent.iterdir()] == ["one.dump"]
    script = find_binaries().run("pg_restore", "--data-only", "--file=-", str(taken.path))
    assert "COPY isthmus.message" in script
    assert "COPY isthmus.procrastinate_jobs" not in script


def test_a_failed_backup_leaves_the_older_file(ledger: Database, tmp_path: Path) -> None:
    taken = backup(ledger, tmp_path / "one.dump")
    content = taken.path.read_bytes()
    gone = replace(ledger, uri=database_uri(ledger.uri, dbname="nowhere"))
    with pytest.raises(StorageFailed, match="does not exist"):
        backup(gone, taken.path)
    assert taken.path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [taken.path]


@pytest.mark.parametrize("damage", ["missing", "text", "short", "empty"])
def test_a_damaged_backup_is_refused_and_the_ledger_stays(ledger: Database, tmp_path: Path, damage: str) -> None:
    taken = backup(ledger, tmp_path / "one.dump")
    before = dumped(ledger)
    if damage == "missing":
        taken.path.unlink()
    else:
        content = taken.path.read_bytes()
        taken.path.write_bytes({"text": b"no backup", "short": content[: len(content) * 3 // 4], "empty": b""}[damage])
    with pytest.raises((ConfigurationError, StorageFailed)):
        restore(ledger, taken.path)
    assert dumped(ledger) == before


def test_the_backup_of_another_program_is_refused(empty_database: Database, ledger: Database, tmp_path: Path) -> None:
    with empty_database.connect() as connection:
        connection.execute("create table public.theirs (id int)")
    target = tmp_path / "theirs.dump"
    find_binaries().run("pg_dump", "--format=custom", f"--file={target}", f"--dbname={empty_database.uri}")
    with pytest.raises(ConfigurationError, match="not of a ledger"):
        restore(ledger, target)


def test_the_backup_of_a_newer_version_is_refused_and_the_ledger_stays(ledger: Database, tmp_path: Path) -> None:
    with ledger.connect() as connection:
        connection.execute("update alembic_version set version_num = '9999_future'")
    taken = backup(ledger, tmp_path / "one.dump")
    with ledger.connect() as connection:
        connection.execute("update alembic_version set version_num = '0002_engine'")
    before = dumped(ledger)
    with pytest.raises(ConfigurationError, match="newer version"):
        restore(ledger, taken.path)
    assert dumped(ledger) == before


def test_a_restore_killed_on_its_way_leaves_the_ledger_as_it_was(ledger: Database, tmp_path: Path) -> None:
    taken = backup(ledger, tmp_path / "one.dump")
    before = dumped(ledger)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, ledger.uri, str(taken.path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "all but the commit\n"
    process.kill()
    process.communicate()
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    with ledger.connect(autocommit=True) as connection:
        while connection.execute(others).fetchone() != (0,):
            connection.execute("select pg_sleep(0.02)")
    assert dumped(ledger) == before


KILLED = """
import sys, time
from pathlib import Path
from isthmus.contract.clock import SystemClock
from isthmus.ledger import dump
from isthmus.ledger.backup import restore
from isthmus.ledger.database import Database

class Slow:
    def __init__(self, sink):
        self.sink = sink
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.sink.close()
    def write(self, data):
        if b"COMMIT;" in data:
            self.sink.write(data.replace(b"COMMIT;", b""))
            self.sink.flush()
            print("all but the commit", flush=True)
            time.sleep(60)
        self.sink.write(data)

def slow(*arguments, real=dump._psql):
    process = real(*arguments)
    process.stdin = Slow(process.stdin)
    return process

dump._psql = slow
restore(Database(uri=sys.argv[1], clock=SystemClock()), Path(sys.argv[2]))
"""


def test_the_backup_of_an_older_version_is_migrated(ledger: Database, empty_database: Database, tmp_path: Path) -> None:
    with empty_database.connect() as connection:
        connection.execute("create schema isthmus")
        connection.execute(files("isthmus.ledger.migrations.versions").joinpath("core.sql").read_text())
        connection.execute("insert into meta values ('epoch', '4'), ('ledger_id', 'older')")
        connection.execute("create table alembic_version (version_num varchar(32) primary key)")
        connection.execute("insert into alembic_version values ('0001_core')")
    done = restore(ledger, backup(empty_database, tmp_path / "older.dump").path)
    assert done.epoch == 5
    with ledger.connect() as connection:
        assert is_current(connection)
        assert read_epoch(connection) == Epoch(ledger_id="older", number=5, restored_at=NOON)


def test_nothing_is_restored_under_a_worker(ledger: Database, tmp_path: Path) -> None:
    taken = backup(ledger, tmp_path / "one.dump")
    with serving(ledger), serving(ledger), pytest.raises(HomeBusy, match="worker is active"):
        restore(ledger, taken.path)
    with ledger.connect() as connection:
        connection.execute("insert into procrastinate_workers (last_heartbeat) values (now() - interval '5 s')")
    with pytest.raises(HomeBusy, match="worker is active"):
        restore(ledger, taken.path)
    with ledger.connect() as connection:
        connection.execute("update procrastinate_workers set last_heartbeat = now() - interval '1 h'")
    assert restore(ledger, taken.path).epoch == 2


def test_no_worker_starts_during_a_restore(ledger: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = backup(ledger, tmp_path / "one.dump")
    seen: list[str] = []

    def meanwhile(*arguments: object, **options: object) -> None:
        with pytest.raises(HomeBusy, match="being restored"), serving(ledger):
            seen.append("served")
        seen.append("refused")

    monkeypatch.setattr(backing.dump, "load", meanwhile)
    restore(ledger, taken.path)
    assert seen == ["refused"]


def test_daily_backups_are_made_once_a_day_and_seven_are_kept(
    ledger: Database, clock: DrivenClock, tmp_path: Path
) -> None:
    made = [daily_backup(ledger, tmp_path, clock)]
    assert daily_backup(ledger, tmp_path, clock) is None
    clock.advance(23 * 3600)
    assert daily_backup(ledger, tmp_path, clock) is None
    kept_apart = tmp_path / "backups" / "before-the-audit.dump"
    shutil.copy(backups(tmp_path)[0].path, kept_apart)
    for _ in range(8):
        clock.advance(24 * 3600)
        made.append(daily_backup(ledger, tmp_path, clock))
    assert None not in made
    assert backups(tmp_path) == list(reversed(made))[:7]
    newest = backups(tmp_path)[0]
    assert newest.path.name == "ledger-20260310-110000.dump"
    assert newest.age(clock.now()) == timedelta(0)
    assert kept_apart.exists()


def test_two_processes_make_one_daily_backup(ledger: Database, clock: DrivenClock, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        made = list(threads.map(lambda _: daily_backup(ledger, tmp_path, clock), range(3)))
    assert len([one for one in made if one is not None]) == 1
    assert len(backups(tmp_path)) == 1


def test_moving_from_the_embedded_server_to_another_database(
    ledger: Database, empty_database: Database, tmp_path: Path
) -> None:
    taken = backup(ledger, tmp_path / "one.dump")
    restore(empty_database, taken.path)
    assert meta(empty_database)["ledger_id"] == meta(ledger)["ledger_id"]
    assert rows(empty_database, "select count(*) from message") == [(len(STATES),)]
