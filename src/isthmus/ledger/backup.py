"""Backup and restore of a ledger.

A restored ledger is older than the world: what was sent after the backup was taken, it does not know. So a restore
opens a new epoch in the same transaction (semantics.md §3): what has no confirmed outcome is looked up before anything
is sent, and `meta.restored_at` makes delivery do the same with every event seen again.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from isthmus.errors import ConfigurationError, HomeBusy, StorageFailed
from isthmus.ledger import cluster, dump
from isthmus.ledger.binaries import ProgramFailed
from isthmus.ledger.database import SCHEMA, open_database, storage_errors
from isthmus.ledger.embedded import stop_abandoned
from isthmus.ledger.migrate import VERSIONS, ensure_current
from isthmus.ledger.serving import is_true, refuse_if_served
from isthmus.ledger.upgrade import set_aside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

    from isthmus.contract.clock import Clock
    from isthmus.ledger.database import Database

KEPT = 7
_EVERY = timedelta(days=1)
_NAME = re.compile(r"ledger-(\d{8}-\d{6})\.dump")
_STAMP = "%Y%m%d-%H%M%S"
_NEWER = "written by a newer version"


@dataclass(frozen=True, kw_only=True)
class BackupInfo:
    """A backup file. `taken_at` is aware UTC."""

    path: Path
    taken_at: datetime
    size_bytes: int

    def age(self, now: datetime) -> timedelta:
        """How much would be looked up again."""
        return now - self.taken_at


@dataclass(frozen=True, kw_only=True)
class RestoreInfo:
    """What a restore did. `uncertain`: messages that are looked up before anything is sent. `kept`: the ledger that was
    replaced, None when nothing was in it or nobody asked for it."""

    epoch: int
    uncertain: int
    kept: BackupInfo | None = None


def backup(database: Database, target: Path) -> BackupInfo:
    """Write the ledger to the file `target` (mode 0600): whole, or not at all. Work may go on meanwhile.

    Raises:
        StorageFailed: Disk full, or the database does not answer. An older file of that name is then untouched.
    """
    taken_at = database.clock.now()
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    with _file_words(target):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            dump.dump(database.uri, unfinished)  # pg_dump writes it through to the disk
            dump.check(unfinished)
            os.replace(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)
        _write_through(target.parent)
        return BackupInfo(path=target, taken_at=taken_at, size_bytes=target.stat().st_size)


def daily_backup(database: Database, home: Path, clock: Clock) -> BackupInfo | None:
    """Back up into `<home>/backups` unless the newest there is younger than a day; keep the newest seven.

    Safe to call every minute, and by several processes: None when nothing was due or another one is at it.

    Raises:
        StorageFailed: The backup failed; older ones are kept.
    """
    folder = home / "backups"
    with _file_words(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            known = backups(home)
            if known and known[0].age(clock.now()) < _EVERY:
                return None
            made = backup(database, folder / f"ledger-{clock.now().astimezone(UTC).strftime(_STAMP)}.dump")
            for old in backups(home)[KEPT:]:
                old.path.unlink(missing_ok=True)
        except BlockingIOError:
            return None
        finally:
            os.close(lock)
    return made


def backups(home: Path) -> list[BackupInfo]:
    """The backups in `<home>/backups`, newest first."""
    found = []
    for path in (home / "backups").glob("ledger-*.dump"):
        name = _NAME.fullmatch(path.name)
        if name is not None:
            taken_at = datetime.strptime(name[1], _STAMP).replace(tzinfo=UTC)
            found.append(BackupInfo(path=path, taken_at=taken_at, size_bytes=path.stat().st_size))
    return sorted(found, key=lambda info: info.taken_at, reverse=True)


def replaced(home: Path, now: datetime) -> Path:
    """Where a restore keeps the ledger that it replaces. Not among the daily backups, which come and go."""
    return home / "backups" / f"replaced-{now.astimezone(UTC).strftime(_STAMP)}.dump"


def restore(database: Database, source: Path, *, keep: Path | None = None) -> RestoreInfo:
    """Replace the ledger by the backup `source`, in one go or not at all, and open a new epoch.

    Messages without a confirmed outcome become `uncertain`; waiting ones wait on and are looked up when what they wait
    for is there; held and dead ones stay with the person who decides, and are looked up when released; saved ones are
    read again at the target, and sources are told everything once more. Job rows of the engine are gone, fences are
    raised beyond any that a lost turn may hold. A backup of an older version is migrated. Safe to repeat.

    `keep`: file to which the ledger that is replaced is written first, if anything is in it.

    Raises:
        HomeBusy: A worker is active on this ledger: stop it first.
        ConfigurationError: `source` is no backup, or of a newer version.
        StorageFailed: The database failed, or what is replaced cannot be kept; the ledger is as it was.
    """
    dump.check(source)
    with database.connect(autocommit=True) as connection, storage_errors():
        refuse_if_served(connection)
        kept = _keep(database, connection, keep) if keep is not None else None
        number = _epoch(connection)
        now = database.clock.now()
        try:
            dump.load(
                source,
                database.uri,
                server_version=connection.info.server_version,
                before=f"SET LOCAL lock_timeout = '20s';\nDROP SCHEMA IF EXISTS {SCHEMA} CASCADE;",
                after=_new_epoch(number, now, source.name),
            )
        except ProgramFailed as failure:
            raise _restore_words(failure, source) from failure
        ensure_current(database)
        uncertain = connection.execute(f"select count(*) from {SCHEMA}.message where code = 'restored'").fetchone()
        return RestoreInfo(epoch=_epoch(connection), uncertain=uncertain[0] if uncertain else 0, kept=kept)


def _keep(database: Database, connection: psycopg.Connection[Any], target: Path) -> BackupInfo | None:
    """Write the ledger that is about to be replaced to `target`; None when there is nothing in it."""
    if not is_true(connection, "select to_regclass(%s) is not null", f"{SCHEMA}.message"):
        return None
    filled = f"select exists (select from {SCHEMA}.message) or exists (select from {SCHEMA}.record)"
    if not connection.execute(filled).fetchall()[0][0]:
        return None
    try:
        return backup(database, target)
    except StorageFailed as failure:
        raise StorageFailed(
            f"The ledger that would be replaced cannot be kept, so nothing was restored: {failure.message}",
            hint="Mend that, or give it up with `isthmus restore --discard`.",
        ) from failure


def restore_into_new_cluster(home: Path, source: Path, clock: Clock) -> RestoreInfo:
    """Restore the embedded ledger of `home` from `source` when its data folder cannot be read: by another PostgreSQL
    major without its programs, or damaged. The old folder is set aside, and put back if anything fails.

    Raises:
        HomeBusy: Somebody uses the old one.
        ConfigurationError: `source` is no backup.
        StorageFailed: It did not work; everything is as it was.
    """
    dump.check(source)
    home = home.expanduser().resolve()
    data = home / "postgres"
    stop_abandoned(home)
    postmaster = cluster.read_postmaster(data)
    if postmaster is not None and cluster.is_alive(postmaster, data):
        raise HomeBusy(f"{home} is in use.", hint="Stop Isthmus (`isthmus down`) and repeat.")
    aside = set_aside(data) if data.exists() else None
    try:
        database = open_database(home, None, clock=clock)
        try:
            return restore(database, source)
        finally:
            database.close()
    except BaseException:
        if aside is not None:
            shutil.rmtree(data, ignore_errors=True)
            aside.rename(data)
        raise


def _epoch(connection: psycopg.Connection[Any]) -> int:
    """The ledger's epoch, 0 where there is no ledger yet."""
    if not is_true(connection, "select to_regclass(%s) is not null", f"{SCHEMA}.meta"):
        return 0
    row = connection.execute(f"select value from {SCHEMA}.meta where name = 'epoch'").fetchone()
    return int(row[0]) if row else 0


def _new_epoch(replaced: int, now: datetime, name: str) -> str:
    """What makes the restored rows safe. The epoch is beyond the backup's and the replaced ledger's."""
    at = f"'{now.astimezone(UTC).isoformat()}'"
    source = "'" + name.replace("'", "''") + "'"
    known = ", ".join(f"'{version}'" for version in VERSIONS)
    why = "'restored from backup: looked up before anything is sent'"
    return f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM {SCHEMA}.alembic_version WHERE version_num IN ({known})) THEN
        RAISE EXCEPTION '{_NEWER}';
    END IF;
END $$;
UPDATE {SCHEMA}.meta SET value = (greatest(value::int, {replaced}) + 1)::text WHERE name = 'epoch';
INSERT INTO {SCHEMA}.meta (name, value) VALUES ('restored_at', {at}), ('restored_from', {source})
    ON CONFLICT (name) DO UPDATE SET value = excluded.value;
UPDATE {SCHEMA}.message
   SET state = 'uncertain', code = 'restored', reason = {why}, field = '', value = '', mend = '',
       next_at = NULL, sent_at = {at}, settled_at = NULL, changed_at = {at}
 WHERE state IN ('ready', 'sending', 'retrying', 'uncertain');
UPDATE {SCHEMA}.message SET next_at = {at} WHERE state = 'saved';
UPDATE {SCHEMA}.note SET written = '', next_at = {at}, trouble = '', attempts = 0;
UPDATE {SCHEMA}.connection SET fence = fence + 1000000, holder = '', turn_started_at = NULL, next_due = {at};
DO $$ BEGIN
    IF to_regclass('{SCHEMA}.procrastinate_jobs') IS NOT NULL THEN
        TRUNCATE {SCHEMA}.procrastinate_jobs, {SCHEMA}.procrastinate_workers, {SCHEMA}.procrastinate_events,
                 {SCHEMA}.procrastinate_periodic_defers;
    END IF;
END $$;
"""


def _restore_words(failure: ProgramFailed, source: Path) -> StorageFailed | ConfigurationError:
    if _NEWER in failure.output:
        return ConfigurationError(f"{source.name} was {_NEWER} of Isthmus.", hint="Install that version to restore it.")
    if "lock timeout" in failure.output:
        return StorageFailed("Somebody is using the ledger; it is as it was.", hint="Stop Isthmus, and repeat.")
    return StorageFailed(f"Not restored, the ledger is as it was. {failure.message}", hint=failure.hint)


def _write_through(folder: Path) -> None:
    """A renamed file survives a power cut only when its folder is written too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _file_words(path: Path) -> Iterator[None]:
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as failure:
        raise StorageFailed(
            f"{path} cannot be written: {failure.strerror}.", hint="Is the disk full or read-only?"
        ) from failure
