"""Somebody who listens to webhooks on a loopback port, and answers as told."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any, Self

from aiohttp import web


class Listener:
    """`async with Listener() as listener`: every POST to `listener.url` is kept, in the order of arrival.

    `statuses`: answers of the next ones, then 204; None hangs until the caller has gone.
    """

    def __init__(self) -> None:
        self.statuses: deque[int | None] = deque()
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self._came = asyncio.Condition()

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_post("/{tail:.*}", self._take)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        async with self._came:
            self._came.notify_all()
        status = self.statuses.popleft() if self.statuses else 204
        if status is None:
            await asyncio.Event().wait()
        return web.Response(status=status or 204)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def told(self) -> list[tuple[str, str, int]]:
        """Entity, event and id of each."""
        return [(one["entity"], one["event"], one["id"]) for one in self.events]

    async def came(self, count: int, within: float = 20.0) -> None:
        """Wait until so many have come."""
        async with self._came:
            await asyncio.wait_for(self._came.wait_for(lambda: len(self.bodies) >= count), within)
