"""One PostgreSQL data folder: making it, its settings, launching its server, finding and stopping the one that runs."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.errors import StorageFailed
from isthmus.ledger.binaries import ProgramFailed, failed

if TYPE_CHECKING:
    from isthmus.ledger.account import Account
    from isthmus.ledger.binaries import Binaries

SUPERUSER = "isthmus"
PORT = 5432
"""Names the socket only; nothing listens on TCP."""

START_SECONDS = 600
"""How long a launch may take: recovery after a crash reads the write-ahead log, usually in well under a second."""

# A socket's path must fit sockaddr_un: 108 bytes with its final NUL on Linux, 104 on macOS and the BSDs.
_SOCKET_PATH_BYTES = 107 if os.uname().sysname == "Linux" else 103

_SETTINGS = """\
# Written by Isthmus at every start; changes are lost. Settings of your own go into postgresql.conf above the include.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_folder}'
unix_socket_permissions = 0700
max_connections = 100
fsync = on
synchronous_commit = on
full_page_writes = on
jit = off
max_parallel_workers_per_gather = 0  # our queries are short; parallel ones need more /dev/shm than containers have
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
logging_collector = on
log_directory = 'log'
log_filename = 'postgres-%a.log'
log_rotation_age = 1d
log_truncate_on_rotation = on
log_checkpoints = off
# Statements and failing rows may hold documents: the log names the error, never the values.
log_error_verbosity = terse
log_min_error_statement = panic
"""


@dataclass(frozen=True)
class Postmaster:
    """What postmaster.pid says of the server that was last started on a data folder."""

    pid: int
    socket_folder: Path


def major_of(data: Path) -> int | None:
    """The PostgreSQL major that wrote `data`; None when there is no cluster yet."""
    try:
        return int((data / "PG_VERSION").read_text().strip())
    except FileNotFoundError:
        return None


def make_cluster(data: Path, account: Account, binaries: Binaries) -> None:
    """Create an empty cluster at `data`: complete, or not at all. Safe to repeat after a crash in the middle.

    Its locale is PostgreSQL's own C.UTF-8, so that sorting and error texts are the same on every machine.
    """
    unfinished = data.with_name(data.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    account.own(unfinished)
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "-U", SUPERUSER, "--no-instructions"]
    if binaries.major >= 17:  # the built-in provider is new in 17
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        binaries.run("initdb", *options, "-D", str(unfinished), account=account)
    except ProgramFailed:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    with (unfinished / "postgresql.conf").open("a") as conf:
        conf.write("\ninclude = 'isthmus.conf'\n")
    unfinished.rename(data)


def launch(data: Path, socket_folder: Path, account: Account, binaries: Binaries) -> None:
    """Start the server of `data` and return when it takes connections.

    Raises:
        StorageFailed: It does not start; the text gives PostgreSQL's reason.
    """
    settings = data / "isthmus.conf"
    settings.write_text(_SETTINGS.format(port=PORT, socket_folder=str(socket_folder).replace("'", "''")))
    account.own(settings)
    log = data / "start.log"
    log.unlink(missing_ok=True)
    try:
        arguments = ("-D", str(data), "-l", str(log), "-w", "-t", str(START_SECONDS), "start")
        binaries.run("pg_ctl", *arguments, account=account, timeout=START_SECONDS + 30)
    except ProgramFailed as failure:
        raise failed("postgres", failure.output + _tail(log) + _tail(_newest(data / "log"))) from failure


def read_postmaster(data: Path) -> Postmaster | None:
    """Who was last started on `data`; None after a clean stop. A half-written file reads as None."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return Postmaster(pid=int(lines[0]), socket_folder=Path(lines[4]))
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None


def is_alive(postmaster: Postmaster, data: Path) -> bool:
    """True when the process of that id is a postgres on this data folder, and not a stranger who got the id since."""
    import psutil  # noqa: PLC0415 - 20 ms, needed only after a crash and at the stop

    try:
        process = psutil.Process(postmaster.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.name().startswith("postgres") and str(data) in process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def remove_stale_pid(data: Path) -> None:
    """Drop what a postmaster whose process is gone left (kill -9, power loss): postmaster.pid and the lock of its
    socket. PostgreSQL itself would refuse to start when that process id belongs to another program of the same user by
    now, which in a container it often does, or to a dead child that nobody has waited for yet."""
    postmaster = read_postmaster(data)
    if postmaster is not None:
        lock = postmaster.socket_folder / f".s.PGSQL.{PORT}.lock"
        with suppress(FileNotFoundError, NotADirectoryError):
            if lock.read_text().split("\n", 1)[0] == str(postmaster.pid):
                lock.unlink()
    (data / "postmaster.pid").unlink(missing_ok=True)


def halt(postmaster: Postmaster, data: Path, seconds: float = 60) -> None:
    """Stop the server: sessions are cut, what they committed is kept. Returns when it is gone.

    Raises:
        StorageFailed: It is still there after `seconds`.
    """
    if not is_alive(postmaster, data):
        return
    os.kill(postmaster.pid, signal.SIGINT)  # "fast shutdown"
    deadline = time.monotonic() + seconds
    while is_alive(postmaster, data):
        if time.monotonic() > deadline:
            raise StorageFailed(f"PostgreSQL (process {postmaster.pid}) did not stop within {seconds:.0f} s.")
        time.sleep(0.02)


def choose_socket_folder(home: Path, data: Path, account: Account) -> Path:
    """A folder of mode 0700 in which the server can put its socket: `<home>/socket`, or a short one in the temporary
    folder where the home's path is too long or its file system has no sockets.

    The short one is recorded in the data folder, so that a server started again answers where it was known.
    """
    folder = home / "socket"
    if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > _SOCKET_PATH_BYTES or not _takes_sockets(folder):
        record = data / "socket_folder"
        known = Path(record.read_text()) if record.exists() else None
        if known is not None and _is_ours(known, account):
            return known
        folder = Path(tempfile.mkdtemp(prefix="isthmus-", dir="/tmp"))  # fresh, 0700, unguessable
        record.write_text(str(folder))
        account.own(record)
    folder.chmod(stat.S_IRWXU)
    account.own(folder)
    return folder


def _is_ours(folder: Path, account: Account) -> bool:
    """Not somebody else's folder of that name in the shared temporary folder, nor a link to elsewhere."""
    try:
        seen = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(seen.st_mode) and seen.st_uid == account.uid and stat.S_IMODE(seen.st_mode) == stat.S_IRWXU


def _takes_sockets(folder: Path) -> bool:
    import socket  # noqa: PLC0415 - needed only when a server is launched

    folder.mkdir(mode=0o700, exist_ok=True)
    trial = folder / ".trial"
    trial.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.bind(str(trial))
        except OSError:
            return False
    trial.unlink(missing_ok=True)
    return True


def _newest(folder: Path) -> Path | None:
    logs = sorted(folder.glob("*.log"), key=lambda log: log.stat().st_mtime)
    return logs[-1] if logs else None


def _tail(log: Path | None, size: int = 4000) -> str:
    if log is None or not log.exists():
        return ""
    return "\n" + log.read_bytes()[-size:].decode("utf-8", "replace")
