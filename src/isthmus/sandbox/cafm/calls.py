"""What was called, and who changed what: counts for tests that ask how much a run wrote."""

from __future__ import annotations

from collections import Counter
from typing import Any

_WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})


def template(path: str) -> str:
    """A path with ids as `{id}`, without query, for counting."""
    parts = path.partition("?")[0].strip("/").split("/")
    return "/" + "/".join("{id}" if part.isdecimal() or ":" in part else part for part in parts)


class Calls:
    """Counts since the start or the last reset. A part of a batch is counted as a part, its batch as a request."""

    def __init__(self) -> None:
        self.running = 0
        self.reset()

    def reset(self) -> None:
        self.requests: Counter[str] = Counter()
        self.parts: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.changes: dict[str, dict[str, Counter[str]]] = {}
        self.by_key: Counter[str] = Counter()
        self.cut = 0
        self.max_concurrent = 0

    def enter(self, method: str, path: str) -> None:
        self.requests[f"{method} {template(path)}"] += 1
        self.running += 1
        self.max_concurrent = max(self.max_concurrent, self.running)

    def leave(self, status: int | None) -> None:
        """None: the connection was cut instead of an answer."""
        self.running -= 1
        if status is None:
            self.cut += 1
        else:
            self.statuses[str(status)] += 1

    def operation(self, key: str, method: str, path: str, *, part: bool) -> None:
        """One operation of a key, whatever becomes of it."""
        if part:
            self.parts[f"{method} {template(path)}"] += 1
        self.by_key[key] += method in _WRITES

    def changed(self, actor: str, entity: str, event: str) -> None:
        """A record was really changed."""
        self.changes.setdefault(actor, {}).setdefault(entity, Counter())[event] += 1

    def report(self) -> dict[str, Any]:
        """Everything counted."""
        return {
            "requests": self.requests.total(),
            "reads": _sum(self.requests, writes=False),
            "writes": _sum(self.requests, writes=True),
            "by_path": dict(sorted(self.requests.items())),
            "parts": self.parts.total(),
            "part_reads": _sum(self.parts, writes=False),
            "part_writes": _sum(self.parts, writes=True),
            "parts_by_path": dict(sorted(self.parts.items())),
            "writes_by_key": dict(sorted(self.by_key.items())),
            "changes": {
                actor: {name: dict(sorted(events.items())) for name, events in sorted(entities.items())}
                for actor, entities in sorted(self.changes.items())
            },
            "statuses": dict(sorted(self.statuses.items())),
            "cut": self.cut,
            "max_concurrent": self.max_concurrent,
        }


def _sum(counted: Counter[str], *, writes: bool) -> int:
    return sum(count for name, count in counted.items() if (name.split(" ", 1)[0] in _WRITES) is writes)
