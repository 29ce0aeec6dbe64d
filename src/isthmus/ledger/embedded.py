"""The embedded PostgreSQL of a home: started by the first process that needs it, stopped by the last that leaves.

Who is there is counted by the kernel: every process holds a shared lock on `<home>/postgres.holders` while it uses the
server, and a lock ends with its process, however that ends. A postmaster whose last holder was killed lives on alone
and is adopted at the next start. POSIX only; elsewhere set DATABASE_URL.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

from isthmus.errors import StorageFailed
from isthmus.ledger import cluster
from isthmus.ledger.account import choose_account, open_programs
from isthmus.ledger.binaries import MAJOR, find_binaries
from isthmus.ledger.upgrade import DATABASE, finish_upgrade, upgrade_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from isthmus.ledger.account import Account


class Embedded:
    """A share in the running server of one home. Give it back with `stop`, or let the process end."""

    def __init__(self, home: Path, account: Account) -> None:
        self.home = home
        self.data = home / "postgres"
        self.socket_folder = home / "socket"
        self._account = account
        self._holder: int | None = None
        self._process = os.getpid()

    @classmethod
    def start(cls, home: Path) -> Embedded:
        """Adopt the server of `home`, or start it, making home and data folder as needed (first time about 1 s).

        Any number of processes, and parts of one process, may do so at the same time.

        Raises:
            StorageFailed: Disk full, read-only or foreign home, data of another PostgreSQL major, a broken cluster.
        """
        home = home.expanduser().resolve()
        with _disk_words(home):
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            embedded = cls(home, choose_account(home, home / "postgres"))
            with embedded._starting():
                embedded._bring_up()
                embedded._hold()
        atexit.register(embedded.stop)
        return embedded

    def uri(self, database: str = DATABASE) -> str:
        """Connection URI of one database of this server."""
        host = quote(str(self.socket_folder), safe="")
        return f"postgresql://{cluster.SUPERUSER}@/{quote(database, safe='')}?host={host}&port={cluster.PORT}"

    def revive(self) -> None:
        """Start the server again if it is gone (killed, or stopped by a full disk). Otherwise nothing happens.

        Raises:
            StorageFailed: It does not start.
        """
        with _disk_words(self.home), self._starting():
            self._bring_up()

    def stop(self) -> None:
        """Give back this share; the last one stops the server. Safe to repeat; does nothing in a forked child."""
        atexit.unregister(self.stop)
        if self._holder is None or self._process != os.getpid():
            return
        with self._starting():
            os.close(self._holder)
            self._holder = None
            _stop_if_alone(self)

    # -- starting ------------------------------------------------------------------------------------------------

    def _bring_up(self) -> None:
        """Have a server that answers. Called under the start lock only."""
        finish_upgrade(self.data)
        major = cluster.major_of(self.data)
        if major is None:
            self._make()
        elif major != MAJOR:
            self._upgrade(major)
        if not self._adopt():
            binaries = find_binaries()
            open_programs(self._account, binaries.folder)
            self._account.open_way(self.data)
            self.socket_folder = cluster.choose_socket_folder(self.home, self.data, self._account)
            cluster.launch(self.data, self.socket_folder, self._account, binaries)
        self._have_database()

    def _make(self) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            raise StorageFailed(
                f"{self.data} holds files, but no PostgreSQL cluster (PG_VERSION is missing).",
                hint="Move that folder aside and restore the newest backup: see docs/operating.md.",
            )
        if self.data.exists():
            self.data.rmdir()
        binaries = find_binaries()
        open_programs(self._account, binaries.folder)
        self._account.open_way(self.data)
        cluster.make_cluster(self.data, self._account, binaries)

    def _upgrade(self, major: int) -> None:
        postmaster = cluster.read_postmaster(self.data)
        if postmaster is not None and cluster.is_alive(postmaster, self.data):
            if not _stop_if_alone(self):
                raise StorageFailed(
                    f"{self.home} is in use by an older version of Isthmus (PostgreSQL {major}).",
                    hint="Stop that one first.",
                )
        else:
            cluster.remove_stale_pid(self.data)
        upgrade_cluster(self.data, self._account, major)

    def _adopt(self) -> bool:
        """Join the server that runs already. False when there is none; what a dead one left is then cleared away."""
        deadline = time.monotonic() + cluster.START_SECONDS
        unreachable_since: float | None = None
        while (postmaster := cluster.read_postmaster(self.data)) is not None:
            for folder in dict.fromkeys((postmaster.socket_folder, self.home / "socket")):
                if self._answers(folder):
                    self.socket_folder = folder
                    return True
            if not cluster.is_alive(postmaster, self.data):
                cluster.remove_stale_pid(self.data)
                return False
            unreachable_since = unreachable_since or time.monotonic()
            # It is starting, recovering or stopping. Without its socket (a cleaned temporary folder) it never answers.
            lost = not (postmaster.socket_folder / f".s.PGSQL.{cluster.PORT}").exists()
            if (lost and time.monotonic() > unreachable_since + 5) or time.monotonic() > deadline:
                cluster.halt(postmaster, self.data)
                return False
            time.sleep(0.05)
        cluster.remove_stale_pid(self.data)  # a half-written file; read_postmaster took it for none
        return False

    def _answers(self, folder: Path) -> bool:
        """Whether the socket in `folder` leads to a server on our data. A process id proves nothing across containers,
        which may also see one home under two paths; a socket inside the home is the home's own."""
        try:
            with psycopg.connect(
                host=str(folder), port=cluster.PORT, user=cluster.SUPERUSER, dbname="postgres",
                connect_timeout=5,
            ) as connection:  # fmt: skip
                row = connection.execute("show data_directory").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and (folder.parent == self.home or row[0] == str(self.data))

    def _have_database(self) -> None:
        with psycopg.connect(self.uri("postgres"), autocommit=True, connect_timeout=10) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone() is None:
                connection.execute(f"create database {DATABASE}")

    # -- holders -------------------------------------------------------------------------------------------------

    def _hold(self) -> None:
        self._holder = _open_lock(self.home / "postgres.holders", self._account)
        fcntl.flock(self._holder, fcntl.LOCK_SH)

    @contextmanager
    def _starting(self, seconds: float = cluster.START_SECONDS) -> Iterator[None]:
        """One process at a time starts, adopts or stops the server of a home."""
        lock = _open_lock(self.home / "postgres.lock", self._account)
        try:
            deadline = time.monotonic() + seconds
            while not _locked(lock):
                if time.monotonic() > deadline:
                    raise StorageFailed(f"Another process keeps starting or stopping the server of {self.home}.")
                time.sleep(0.02)
            yield
        finally:
            os.close(lock)


def stop_abandoned(home: Path) -> bool:
    """Stop a server of `home` that lives on without any holder (after a kill -9). True when there was one."""
    home = home.expanduser().resolve()
    if cluster.read_postmaster(home / "postgres") is None:
        return False
    embedded = Embedded(home, choose_account(home, home / "postgres"))
    with embedded._starting():
        return _stop_if_alone(embedded)


def _stop_if_alone(embedded: Embedded) -> bool:
    probe = _open_lock(embedded.home / "postgres.holders", embedded._account)
    try:
        postmaster = cluster.read_postmaster(embedded.data)
        if postmaster is None or not _locked(probe):
            return False
        if not cluster.is_alive(postmaster, embedded.data):
            return False
        cluster.halt(postmaster, embedded.data)
    finally:
        os.close(probe)
    if postmaster.socket_folder.parent != embedded.home:
        with suppress(OSError):
            postmaster.socket_folder.rmdir()  # the short one, made for this run
    return True


def _open_lock(path: Path, account: Account) -> int:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if account.switched and os.fstat(lock).st_uid != account.uid:
        os.fchown(lock, account.uid, account.gid)
    return lock


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _disk_words(home: Path) -> Iterator[None]:
    """Operating system errors on the home in words a person can act on."""
    try:
        yield
    except OSError as failure:
        place = f" ({failure.filename})" if failure.filename else ""
        raise StorageFailed(
            f"The home {home} cannot be used: {failure.strerror}{place}.",
            hint="It needs a writable folder on a local disk with free space; see docs/operating.md.",
        ) from failure
