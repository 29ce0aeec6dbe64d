"""Sandbox time and the things that are due at a time of it."""

from __future__ import annotations

import heapq
import itertools
import mmap
import os
import struct
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Payload = dict[str, Any]

_DOUBLE = struct.Struct("@d")  # native: written and read as one word, never half


class SharedOffset:
    """The offset of a running sandbox's clock, as a file in its home: whoever simulates time with it sees each jump at
    once and without a call, as two processes of one machine see one time.
    """

    def __init__(self, home: Path, *, write: bool = False) -> None:
        handle = os.open(home / "offset", (os.O_RDWR | os.O_CREAT) if write else os.O_RDONLY, 0o600)
        try:
            if write:
                os.ftruncate(handle, _DOUBLE.size)
            self._map = mmap.mmap(handle, _DOUBLE.size, access=mmap.ACCESS_WRITE if write else mmap.ACCESS_READ)
        finally:
            os.close(handle)

    def read(self) -> float:
        """Seconds that sandbox time is ahead of real time."""
        return float(_DOUBLE.unpack_from(self._map)[0])

    def write(self, seconds: float) -> None:
        _DOUBLE.pack_into(self._map, 0, seconds)


class Clock:
    """Real time plus an offset in seconds. Every expiry, window and late commit of the sandbox reads this clock."""

    def __init__(self, offset: float = 0.0) -> None:
        self._offset = offset
        self._pinned: float | None = None
        self._shared: list[SharedOffset] = []
        self._followers: list[Callable[[], None]] = []

    @property
    def offset(self) -> float:
        return self._offset

    @offset.setter
    def offset(self, seconds: float) -> None:
        self._offset = seconds
        for shared in self._shared:
            shared.write(seconds)

    def share(self, home: Path) -> None:
        """From now on show the offset in a file of the home too."""
        shared = SharedOffset(home, write=True)
        shared.write(self._offset)
        self._shared.append(shared)

    def follow(self, run_due: Callable[[], None]) -> None:
        """Call this whenever time is moved: every system of the sandbox lives by one clock."""
        self._followers.append(run_due)

    def advance(self, seconds: float) -> None:
        """Move time forward; what is due by then, in any system, has run when this returns."""
        self.offset += seconds
        for run_due in self._followers:
            run_due()

    def seconds(self) -> float:
        """Seconds since 1970 by sandbox time."""
        return time.time() + self._offset if self._pinned is None else self._pinned

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), UTC)

    def pin(self, at: float | None) -> None:
        """Hold time at `at` while a due task runs, so that it sees the moment it was due; None lets it go on."""
        self._pinned = at


def stamp(moment: datetime) -> str:
    """A moment as Business Central writes it: UTC with milliseconds (bc.md section 19, point 9)."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class Agenda:
    """Tasks due at a sandbox time, kept as data (kind and payload) so that they survive a restart."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.handlers: dict[str, Callable[[Payload], None]] = {}
        self._heap: list[tuple[float, int, str, Payload]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, seconds: float, kind: str, payload: Payload) -> None:
        """Run `kind` that many sandbox seconds from now."""
        self._push(self.clock.seconds() + seconds, kind, payload)

    def _push(self, at: float, kind: str, payload: Payload) -> None:
        heapq.heappush(self._heap, (at, next(self._order), kind, payload))

    def run_due(self) -> int:
        """Run everything due by now, in order of its time and with the clock held at that time. Returns how many
        ran.
        """
        ran = 0
        while self._heap and self._heap[0][0] <= self.clock.seconds():
            at, _, kind, payload = heapq.heappop(self._heap)
            self.clock.pin(at)
            try:
                self.handlers[kind](payload)
            finally:
                self.clock.pin(None)
            ran += 1
        return ran

    def dump(self) -> list[Payload]:
        return [{"at": at, "kind": kind, "payload": payload} for at, _, kind, payload in sorted(self._heap)]

    def load(self, entries: list[Mapping[str, Any]]) -> None:
        for entry in entries:
            self._push(float(entry["at"]), str(entry["kind"]), dict(entry["payload"]))
