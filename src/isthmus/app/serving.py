"""One `up` per home: the lock that says so, and where it answers."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from isthmus.errors import HomeBusy, StorageFailed


@contextmanager
def hold_home(home: Path) -> Iterator[IO[str]]:
    """Hold the home for the life of a server; the file tells who holds it.

    Raises HomeBusy naming the process that does, StorageFailed when the home cannot be written. The lock goes with the
    process, however it ends.
    """
    with _lock_file(home) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            about = _read(file)
            raise HomeBusy(
                f"{home} is served already by process {about.get('pid', '?')} ({about.get('url', 'starting')}).",
                hint="Use that one, stop it with `isthmus down`, or give another home (ISTHMUS_HOME).",
            ) from None
        yield file


def _lock_file(home: Path) -> IO[str]:
    try:
        home.mkdir(parents=True, exist_ok=True)
        return (home / "up.lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise StorageFailed(
            f"{home} cannot be written: {error.strerror}.",
            hint="Make it writable, or give another home (ISTHMUS_HOME).",
        ) from None


def announce(file: IO[str], url: str) -> None:
    """Say where the server of this home answers."""
    file.seek(0)
    file.truncate()
    json.dump({"pid": os.getpid(), "url": url}, file)
    file.flush()


def server_of(home: Path) -> dict[str, Any] | None:
    """The live server of a home ({"pid", "url"}), None when none runs."""
    path = home / "up.lock"
    if not path.exists():
        return None
    with path.open("r", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _read(file)
    return None


def stop_server(home: Path) -> int | None:
    """Ask the server of a home to drain and end. Returns its process id, None when none runs."""
    about = server_of(home)
    if about is None or "pid" not in about:
        return None
    os.kill(int(about["pid"]), signal.SIGTERM)
    return int(about["pid"])


def _read(file: IO[str]) -> dict[str, Any]:
    file.seek(0)
    try:
        found = json.loads(file.read() or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
