"""The sign of life of one worker of the engine, from a thread and a connection of its own (semantics.md §3).

A page of a poll may keep the event loop busy for a second, a crowded machine for more: that must not look like death.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import psycopg

_EVERY = 1.0
_CONNECT_SECONDS = 3


class Heartbeat:
    """Beats once a second for the worker that `worker` names (None: nothing to beat for) while the context is open.

    A database that does not answer is asked again with the next beat; the worker's own calls tell of it.
    """

    def __init__(self, uri: str, worker: Callable[[], int | None]) -> None:
        self._uri = uri
        self._worker = worker
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(_EVERY)

    def _run(self) -> None:
        while not self._ended.wait(_EVERY):
            worker = self._worker()
            if worker is None:
                continue
            try:
                self._beat(worker)
            except psycopg.Error:
                self._close()
        self._close()

    def _beat(self, worker: int) -> None:
        if self._connection is None:
            self._connection = psycopg.connect(self._uri, autocommit=True, connect_timeout=_CONNECT_SECONDS)
        self._connection.execute("update procrastinate_workers set last_heartbeat = now() where id = %s", (worker,))

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
