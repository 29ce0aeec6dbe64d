"""Where a read goes on, as the opaque text the hub stores with each page."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Struct

from isthmus.connectors.files.places import Stamp


class Seen(Struct, frozen=True, omit_defaults=True):
    """A version of a file. `told` is the digest of a later version that was refused (drop mode).

    `beside`: sizes and times of the files that are read together with it.
    """

    digest: str
    size: int
    mtime_ns: int
    told: str = ""
    beside: tuple[tuple[int, int], ...] = ()

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.size, self.mtime_ns, beside=tuple(Stamp(size, time) for size, time in self.beside))

    @classmethod
    def at(cls, digest: str, now: Stamp, told: str = "") -> Seen:
        """The content of that digest as it stands now."""
        beside = tuple((other.size, other.mtime_ns) for other in now.beside)
        return cls(digest, now.size, now.mtime_ns, told, beside)


class Position(Struct, frozen=True):
    """In the middle of a file: the next row's number, from 0."""

    file: str
    seen: Seen
    row: int


class SnapshotCursor(Struct, frozen=True, omit_defaults=True):
    """`meaning`: digest of the settings; `scans`: scans begun, so that each has a name of its own.

    `rows`: records of the last version that was read to its end; `lines`: lines of its other file.
    """

    meaning: str = ""
    done: Seen | None = None
    at: Position | None = None
    scans: int = 0
    rows: int = 0
    lines: int = 0


class DropCursor(Struct, frozen=True, omit_defaults=True):
    """`files`: all files read so far, by path inside the folder."""

    meaning: str = ""
    files: dict[str, Seen] = {}
    at: Position | None = None


C = TypeVar("C", SnapshotCursor, DropCursor)


def decode(text: str | None, kind: type[C]) -> C:
    """The cursor in a text; a text that is none starts from the beginning, which is safe as identities are aligned."""
    if text is None:
        return kind()
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:
        return kind()


def encode(cursor: SnapshotCursor | DropCursor) -> str:
    return msgspec.json.encode(cursor).decode()
