"""What one API key may do: so many operations in a fixed window, so many calls at a time (docs/cafm-api.md, Limits)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from isthmus.sandbox.cafm.problems import rate_limited

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World


class Limiter:
    """The state of one key, by the sandbox clock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._window = -1.0
        self._used = 0
        self._running = 0
        self.busiest = 0

    @contextmanager
    def slot(self, weight: int) -> Iterator[None]:
        """Count so many operations and hold a place meanwhile. Raises Problem 429."""
        self._turn()
        allowed = self._world.switches.requests_per_window
        if self._used + weight > allowed:
            raise rate_limited(max(1, self._left()))
        if self._running >= self._world.switches.concurrent:
            raise rate_limited(1)
        self._used += weight
        self.busiest = max(self.busiest, self._used)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def headers(self) -> dict[str, str]:
        """What every answer says of the limit."""
        self._turn()
        allowed = self._world.switches.requests_per_window
        return {
            "x-ratelimit-limit": str(allowed),
            "x-ratelimit-remaining": str(max(0, allowed - self._used)),
            "x-ratelimit-reset": str(self._left()),
        }

    def _turn(self) -> None:
        """Begin a new window when its time has come."""
        length = self._world.switches.window_seconds
        begun = self._world.clock.seconds() // length * length
        if begun != self._window:
            self._window, self._used = begun, 0

    def _left(self) -> int:
        return math.ceil(self._window + self._world.switches.window_seconds - self._world.clock.seconds())
