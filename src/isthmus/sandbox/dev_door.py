"""What the dev API of every simulated system has: the way to its methods, health, and the clock."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec

from isthmus.sandbox.clock import Clock, stamp
from isthmus.sandbox.wire import Response

_JSON = {"content-type": "application/json"}


class DevError(ValueError):
    """A wrong question to the dev API; answered 400 with its text."""


class Simulated(Protocol):
    """What the door must know of a system."""

    clock: Clock
    touched: bool


class DevDoor:
    """Each method is one path: `get_clock` answers GET /_sandbox/clock. Arguments are the query and the JSON body.

    `refusals`: what is answered 400 with its text.
    """

    refusals: tuple[type[Exception], ...] = (ValueError, msgspec.MsgspecError)

    def __init__(self, simulated: Simulated) -> None:
        self._simulated = simulated

    def answer(self, method: str, name: str, query: Mapping[str, str], body: Any) -> Response:
        found: Callable[[Mapping[str, str], Any], Any] | None = getattr(self, f"{method.lower()}_{name}", None)
        if found is None:
            return Response(404, {"error": f"no {method} /_sandbox/{name}"}, _JSON)
        try:
            return Response(200, found(query, body), _JSON)
        except self.refusals as error:
            return Response(400, {"error": str(error)}, _JSON)

    def get_health(self, query: Mapping[str, str], body: Any) -> Any:
        return {"status": "ok", "pid": os.getpid(), "now": stamp(self._simulated.clock.now())}

    def get_clock(self, query: Mapping[str, str], body: Any) -> Any:
        return {"now": stamp(self._simulated.clock.now()), "offset": self._simulated.clock.offset}

    def post_clock(self, query: Mapping[str, str], body: Any) -> Any:
        """`{"advance": seconds}` or `{"set": "2026-02-01T00:00:00Z"}`; time only goes forward, for every system of the
        process.
        """
        if not isinstance(body, dict) or set(body) not in ({"advance"}, {"set"}):
            raise DevError('clock takes {"advance": seconds} or {"set": "an ISO time with offset"}')
        seconds = float(body["advance"]) if "advance" in body else self._until(str(body["set"]))
        if seconds < 0:
            raise DevError("time only goes forward: what was written at a later time would remain")
        self._simulated.clock.advance(seconds)
        self._simulated.touched = True
        return self.get_clock(query, body)

    def _until(self, text: str) -> float:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise DevError(f"set {text!r}: a time needs its offset, e.g. Z")
        return moment.timestamp() - self._simulated.clock.seconds()
