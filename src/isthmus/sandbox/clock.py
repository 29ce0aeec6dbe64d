"""Sandbox time and the things that are due at a time of it."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Payload = dict[str, Any]


class Clock:
    """Real time plus an offset in seconds. Every expiry, window and late commit of the sandbox reads this clock."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset
        self._pinned: float | None = None

    def seconds(self) -> float:
        """Seconds since 1970 by sandbox time."""
        return time.time() + self.offset if self._pinned is None else self._pinned

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
