"""Which file is read, and whether it stands still: names that pass, sizes and times, digests."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from isthmus.contract.clock import Clock
from isthmus.errors import ConfigurationError, Retry

RESULTS_SUFFIX = ".results.csv"
_CHUNK = 1 << 20


class Stamp(Struct, frozen=True):
    """What a look at the folder tells of a file; equal stamps mean the file was not touched.

    `beside`: of the files that are read together with it.
    """

    size: int
    mtime_ns: int
    inode: int = 0
    beside: tuple[Stamp, ...] = ()

    def same(self, other: Stamp) -> bool:
        """Equal size and time. The inode is left out: network folders give a new one at every mount."""
        return (
            (self.size, self.mtime_ns) == (other.size, other.mtime_ns)
            and len(self.beside) == len(other.beside)
            and all(mine.same(theirs) for mine, theirs in zip(self.beside, other.beside, strict=True))
        )


def is_passing_name(name: str) -> bool:
    """Names of files that somebody is still writing or holds open: `~$x.xlsx`, `x.part`, `.x.tmp`, `.~lock.x#`."""
    lower = name.lower()
    return lower.startswith(("~$", ".")) or lower.endswith((".part", ".tmp", ".crdownload", ".filepart", "~"))


def stamp(path: Path) -> Stamp:
    """The file's stamp. Raises Retry when it is not there, ConfigurationError when it is no plain readable file."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise Retry(
            f"{path.name}: the file is not there.",
            code="file_missing",
            hint=f"Put it back into {path.parent}; rows are deleted only by a file that is there without them.",
        ) from None
    except PermissionError:
        raise _unreadable(path) from None
    if not stat.S_ISREG(found.st_mode):
        raise ConfigurationError("is no plain file", code="not_a_file", file=path.name)
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ino)


def open_file(path: Path) -> BinaryIO:
    """The file opened for reading bytes. Raises as `stamp` does."""
    stamp(path)  # a pipe would block on open
    try:
        return path.open("rb")
    except FileNotFoundError:
        stamp(path)
        raise
    except PermissionError:
        raise _unreadable(path) from None


def _unreadable(path: Path) -> ConfigurationError:
    return ConfigurationError(
        "may not be read by this user", code="file_unreadable", hint="Give it read permission.", file=path.name
    )


def digest(path: Path) -> tuple[str, Stamp]:
    """SHA-256 of the content (32 hex digits of it) and the stamp it belongs to.

    Raises Retry when the file changed while it was read.
    """
    before = stamp(path)
    state = hashlib.sha256()
    with open_file(path) as stream:
        while chunk := stream.read(_CHUNK):
            state.update(chunk)
    unchanged(path, before)
    return state.hexdigest()[:32], before


def unchanged(path: Path, before: Stamp) -> None:
    """Raises Retry when the file is not the one that was opened any more."""
    if stamp(path) != before:
        raise Retry(
            f"{path.name} changed while it was read.",
            code="file_changed",
            hint="It is read again from its beginning once it stands still.",
        )


async def settled(path: Path, seconds: float, clock: Clock) -> Stamp:
    """The stamp of a file nobody has touched for `seconds`. Waits that long at most; raises Retry if it goes on moving.

    A time of the file that lies in the future (skewed clocks) counts as just now.
    """
    before = stamp(path)
    age = (clock.now() - datetime.fromtimestamp(before.mtime_ns / 1e9, UTC)).total_seconds()
    if age >= seconds:
        return before
    await clock.sleep(seconds - max(0.0, age))
    if stamp(path) != before:
        raise Retry(f"{path.name} is still being written.", code="file_unsettled", after=max(1.0, seconds))
    return before


def drop_files(folder: Path, pattern: str) -> Iterator[Path]:
    """Files of a pattern in name order, without passing names, results files, empty files and folders.

    Raises Retry when the folder is not there.
    """
    if not folder.is_dir():
        raise Retry(f"the folder {folder} is not there.", code="folder_missing", hint="Is the share mounted?")
    for path in sorted(folder.glob(pattern), key=lambda path: path.relative_to(folder).as_posix()):
        if is_passing_name(path.name) or path.name.endswith(RESULTS_SUFFIX):
            continue
        try:
            found = path.stat()
        except OSError:
            continue  # taken away between the two looks
        if stat.S_ISREG(found.st_mode) and found.st_size:  # an empty file is one whose writer has not begun
            yield path


def writable(folder: Path) -> str:
    """Why no file can be made in the folder, or "". No write bit at all means read-only by intent, for root as well."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return f"{folder} is not there"
    if not stat.S_ISDIR(mode):
        return f"{folder} is no folder"
    if not mode & 0o222 or not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} is read-only"
    return ""
