"""A subscriber on a loopback port: answers handshakes, keeps what it is told, and can be told how to answer."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from typing import Any, Self

from aiohttp import web

from isthmus.sandbox.server import Sandbox

SET = "currencies"


class Receiver:
    """`async with Receiver() as receiver`: everything sent to `receiver.url` is kept in the order of arrival.

    statuses   answers of the next notifications, then 200; None hangs until the caller has gone
    answer     what a handshake is answered with: "token" as it should be, "other" text, "hang", or a status
    """

    def __init__(self) -> None:
        self.statuses: deque[int | None] = deque()
        self.answer: str | int = "token"
        self.handshakes: list[str] = []
        self.posts: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self._came = asyncio.Condition()

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", self._take)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/told"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        token = request.query.get("validationToken")
        if token is not None:
            self.handshakes.append(request.method)
            if self.answer == "hang":
                await asyncio.Event().wait()
            if isinstance(self.answer, int):
                return web.Response(status=self.answer, text=token)
            return web.Response(text=token if self.answer == "token" else "something else")
        body = await request.json()
        self.posts.append(body)
        self.headers.append(dict(request.headers))
        async with self._came:
            self._came.notify_all()
        status = self.statuses.popleft() if self.statuses else 200
        if status is None:
            await asyncio.Event().wait()
        return web.Response(status=status or 200)

    @property
    def notices(self) -> list[dict[str, Any]]:
        """All notifications so far, over all POSTs."""
        return [notice for post in self.posts for notice in post["value"]]

    def kinds(self) -> list[tuple[str, str]]:
        """(changeType, what follows the company in the resource) of each."""
        return [(one["changeType"], one["resource"].partition(")/")[2]) for one in self.notices]

    async def came(self, posts: int, within: float = 20.0) -> None:
        """Wait until so many POSTs have come."""
        async with self._came:
            await asyncio.wait_for(self._came.wait_for(lambda: len(self.posts) >= posts), within)


async def wait(box: Sandbox, seconds: float) -> None:
    """Let sandbox time pass; what is sent meanwhile is answered by this very loop."""
    await asyncio.to_thread(box.advance, seconds)


async def subscribe(bc: Any, url: str, set_name: str = SET, **more: Any) -> Any:
    body = {"notificationUrl": url, "resource": f"/api/v2.0/companies({bc.company})/{set_name}", **more}
    return await bc.post("/subscriptions", body)


async def currency(bc: Any, code: str) -> str:
    answer = await bc.post(SET, {"code": code})
    assert answer.status == 201, answer.body
    return str(answer.body["id"])


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
