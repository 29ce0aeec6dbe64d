"""What Business Central allows one principal: a sliding window of requests, five at once, a queue (bc.md section
10).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.environment import Switches
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.clock import Clock


class Limiter:
    """The state of one principal. Time is sandbox time; waiting in the queue is real."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._window: deque[float] = deque()
        self._running = 0
        self._queue: deque[tuple[float, asyncio.Future[None]]] = deque()
        self.busiest_window = 0

    @asynccontextmanager
    async def slot(self, switches: Switches, weight: int) -> AsyncIterator[None]:
        """Hold one of the concurrent slots, waiting for it in the queue. Raises Refusal 429, or 503 after too long
        a wait.
        """
        self._admit(switches, weight)
        if self._running >= switches.concurrent:
            await self._wait(switches)
        else:
            self._running += 1
        try:
            yield
        finally:
            self._release()

    def _admit(self, switches: Switches, weight: int) -> None:
        now = self._clock.seconds()
        self._forget(now - switches.window_seconds)
        if len(self._window) + weight > switches.requests_per_window:
            needed = len(self._window) + weight - switches.requests_per_window
            freed = self._window[min(needed, len(self._window)) - 1] if self._window else now
            wait = max(1, int(freed + switches.window_seconds - now) + 1)
            shown = wait if switches.retry_after == "header" else None
            raise errors.too_many(len(self._window) + weight, switches.requests_per_window, shown)
        allowed = switches.concurrent + switches.queued
        in_flight = self._running + len(self._queue) + 1
        if in_flight > allowed:
            raise errors.too_many(in_flight, allowed, 1 if switches.retry_after == "header" else None)
        self._window.extend([now] * weight)
        self.busiest_window = max(self.busiest_window, len(self._window))

    def _forget(self, before: float) -> None:
        while self._window and self._window[0] <= before:
            self._window.popleft()

    async def _wait(self, switches: Switches) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((self._clock.seconds(), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._release()
            raise

    def _release(self) -> None:
        """Hand the slot to the next in the queue, or give it back."""
        while self._queue:
            _, turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._running -= 1

    def expire(self, switches: Switches) -> None:
        """Give up requests that waited too long by the sandbox clock (bc.md section 10: 503)."""
        oldest = self._clock.seconds() - switches.queue_seconds
        while self._queue and self._queue[0][0] <= oldest:
            _, turn = self._queue.popleft()
            if not turn.done():
                text = "The request waited too long in the queue. Please try again later."
                turn.set_exception(Refusal(503, "Internal_ServerError", text, headers={"retry-after": "5"}))
