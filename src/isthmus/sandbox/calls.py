"""What was called: counts for tests that ask how many requests a run needed."""

from __future__ import annotations

from collections import Counter
from typing import Any

from isthmus.sandbox.business_central.paths import template
from isthmus.sandbox.wire import Request

_WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})


class Calls:
    """Counts since the start or the last reset. A part of a batch is counted as a part, its batch as a request."""

    def __init__(self) -> None:
        self.running = 0
        self.reset()

    def reset(self) -> None:
        self.requests: Counter[str] = Counter()
        self.parts: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.tokens = 0
        self.cut = 0
        self.max_concurrent = 0
        self.busiest_window = 0

    def enter(self, request: Request, path: str) -> None:
        self.requests[f"{request.method} {template(path)}"] += 1
        self.running += 1
        self.max_concurrent = max(self.max_concurrent, self.running)

    def leave(self, status: int | None) -> None:
        """None: the connection was cut instead of an answer."""
        self.running -= 1
        if status is None:
            self.cut += 1
        else:
            self.statuses[str(status)] += 1

    def part(self, request: Request) -> None:
        self.parts[f"{request.method} {template(request.path)}"] += 1

    def report(self) -> dict[str, Any]:
        return {
            "requests": self.requests.total(),
            "reads": _sum(self.requests, writes=False),
            "writes": _sum(self.requests, writes=True),
            "by_path": dict(sorted(self.requests.items())),
            "parts": self.parts.total(),
            "part_reads": _sum(self.parts, writes=False),
            "part_writes": _sum(self.parts, writes=True),
            "parts_by_path": dict(sorted(self.parts.items())),
            "statuses": dict(sorted(self.statuses.items())),
            "cut": self.cut,
            "tokens": self.tokens,
            "max_concurrent": self.max_concurrent,
            "busiest_window": self.busiest_window,
        }


def _sum(counted: Counter[str], *, writes: bool) -> int:
    return sum(count for name, count in counted.items() if (name.split(" ", 1)[0] in _WRITES) is writes)
