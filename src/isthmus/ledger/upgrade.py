"""From one PostgreSQL major to the next: a newer server cannot read the data folder of an older one.

With the older programs at hand the ledger is dumped and loaded into a new cluster. Without them the way is the newest
backup. Either way the old folder stays, set aside, until a person deletes it.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

from isthmus.errors import StorageFailed
from isthmus.ledger import cluster
from isthmus.ledger.account import open_programs
from isthmus.ledger.binaries import MAJOR, find_binaries

if TYPE_CHECKING:
    from isthmus.ledger.account import Account
    from isthmus.ledger.binaries import Binaries

DATABASE = "isthmus"


def finish_upgrade(data: Path) -> None:
    """Complete an upgrade that was cut off between its two renames."""
    ready = _ready(data)
    if not data.exists() and cluster.major_of(ready) is not None:
        ready.rename(data)


def upgrade_cluster(data: Path, account: Account, major: int) -> Path:
    """Bring `data` from PostgreSQL `major` to ours and return where the old folder stays. Safe to repeat after a crash.

    Call with nobody using the server. Needs free space of about twice the ledger.

    Raises:
        StorageFailed: The programs of that major are not installed, or copying failed; `data` is as it was.
    """
    if major > MAJOR:
        raise StorageFailed(
            f"{data} was written by PostgreSQL {major}; this version of Isthmus has {MAJOR}.",
            hint="Install the newer version of Isthmus again.",
        )
    try:
        old = find_binaries(major)
    except StorageFailed:
        raise StorageFailed(
            f"{data} was written by PostgreSQL {major}; this version of Isthmus has {MAJOR} and cannot read it.",
            hint=_way_by_backup(data.parent),
        ) from None
    new = find_binaries()
    ready = _ready(data)
    fresh = data.with_name(f"{data.name}.copy")
    for leftover in (ready, fresh):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".upgrade-", dir=data.parent) as room:
        dump = Path(room) / "ledger.dump"
        open_programs(account, old.folder)
        with _Running(data, account, old) as uri:
            new.run("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={uri}")
        cluster.make_cluster(fresh, account, new)
        with _Running(fresh, account, new) as uri:
            options = ("--exit-on-error", "--no-owner", "--no-privileges")
            new.run("pg_restore", *options, f"--dbname={uri}", str(dump))
    fresh.rename(ready)
    aside = set_aside(data)
    ready.rename(data)
    return aside


def set_aside(data: Path) -> Path:
    """Rename a data folder, so that a new one can take its place. Nothing is deleted."""
    major = cluster.major_of(data)
    number = 1
    while (aside := data.with_name(f"{data.name}-{major}-old-{number}")).exists():
        number += 1
    data.rename(aside)
    return aside


class _Running:
    """A server on `data` with a socket of its own, for the length of a copy. Gives the URI of the ledger's database."""

    def __init__(self, data: Path, account: Account, binaries: Binaries) -> None:
        self._data, self._account, self._binaries = data, account, binaries
        self._folder = Path(tempfile.mkdtemp(prefix="isthmus-", dir="/tmp"))
        account.own(self._folder)

    def __enter__(self) -> str:
        cluster.launch(self._data, self._folder, self._account, self._binaries)
        base = f"postgresql://{cluster.SUPERUSER}@/{{}}?host={quote(str(self._folder), safe='')}&port={cluster.PORT}"
        with psycopg.connect(base.format("postgres"), autocommit=True) as connection:
            if connection.execute("select from pg_database where datname = %s", (DATABASE,)).rowcount == 0:
                connection.execute(f"create database {DATABASE}")
        return base.format(DATABASE)

    def __exit__(self, *_: object) -> None:
        postmaster = cluster.read_postmaster(self._data)
        if postmaster is not None:
            cluster.halt(postmaster, self._data)
        shutil.rmtree(self._folder, ignore_errors=True)


def _ready(data: Path) -> Path:
    return data.with_name(f"{data.name}.upgraded")


def _way_by_backup(home: Path) -> str:
    made = sorted((home / "backups").glob("ledger-*.dump"))
    if not made:
        return "Install the previous version of Isthmus, run `isthmus backup`, then restore that with this version."
    return (
        f"Run `isthmus restore {made[-1]} --new-cluster`: the old folder is set aside, and what was sent since that "
        "backup is looked up before anything is sent. For a newer backup run `isthmus backup` in the previous version."
    )
