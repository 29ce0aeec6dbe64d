"""The budget of one connection: requests per sliding window, calls at once, and pauses the target asks for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from isthmus.contract.clock import Clock
from isthmus.contract.connector import Traffic
from isthmus.errors import Retry


class Budget:
    """Lets calls through as the target allows. All times by the clock given.

    `quota` requests per `window` in any sliding window, `concurrency` calls at once. Waiting is counted in
    `traffic.waited_seconds`.
    """

    def __init__(
        self,
        clock: Clock,
        traffic: Traffic,
        *,
        concurrency: int,
        quota: int | None = None,
        window: timedelta = timedelta(minutes=5),
    ) -> None:
        self._clock = clock
        self._traffic = traffic
        self._quota = quota
        self._window = window
        self._slots = asyncio.Semaphore(concurrency)
        self._spent: deque[tuple[datetime, int]] = deque()
        self._in_window = 0
        self._paused_until: datetime | None = None

    @asynccontextmanager
    async def slot(self, weight: int = 1, *, patience: float) -> AsyncIterator[None]:
        """Hold one of the places while calling. Raises Retry when the wait would be longer than `patience` seconds."""
        async with self._slots:
            while (wait := self.wait_for(weight)) > 0:
                if wait > patience:
                    raise Retry(
                        f"the request budget of this connection is used up for {wait:.0f} s more.",
                        code="budget",
                        after=wait,
                    )
                self._traffic.waited_seconds += wait
                await self._clock.sleep(wait)
            self._spend(weight)
            yield

    def pause(self, seconds: float) -> None:
        """No call leaves before `seconds` have passed: the target said so."""
        until = self._clock.now() + timedelta(seconds=max(0.0, seconds))
        if self._paused_until is None or until > self._paused_until:
            self._paused_until = until

    def wait_for(self, weight: int) -> float:
        """Seconds until `weight` requests may leave; 0 when they may now."""
        now = self._clock.now()
        paused = max(0.0, (self._paused_until - now).total_seconds()) if self._paused_until else 0.0
        return max(paused, self._window_wait(now, weight))

    def _window_wait(self, now: datetime, weight: int) -> float:
        if self._quota is None:
            return 0.0
        while self._spent and self._spent[0][0] + self._window <= now:
            self._in_window -= self._spent.popleft()[1]
        missing = self._in_window + min(weight, self._quota) - self._quota
        if missing <= 0:
            return 0.0
        for moment, count in self._spent:
            missing -= count
            if missing <= 0:
                return max(0.001, (moment + self._window - now).total_seconds())
        return self._window.total_seconds()

    def _spend(self, weight: int) -> None:
        if self._quota is not None:
            self._spent.append((self._clock.now(), weight))
            self._in_window += weight
