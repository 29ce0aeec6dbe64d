"""The calls Business Central makes by itself: handshakes and notifications, and what their answers mean (bc.md
section 11).
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable, Coroutine
from urllib.parse import quote

import aiohttp

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.environment import Environment
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.webhooks.book import Post
from isthmus.sandbox.business_central.webhooks.mischief import spoil
from isthmus.sandbox.business_central.webhooks.noticing import at, reschedule, rewatch
from isthmus.sandbox.faults import Faults
from isthmus.sandbox.wire import to_json

#: An answer that asks for another try; none at all is one as well.
_AGAIN = frozenset({408, 429})


class Sender:
    """Sends what is ready, each POST as a task of its own on the server's loop. `tick` runs what the answers made due.

    Certificates of subscribers are not verified: theirs are no certificates of this machine's authorities.
    """

    def __init__(self, environment: Environment, faults: Faults, tick: Callable[[], None]) -> None:
        self._environment, self._faults, self._tick = environment, faults, tick
        self._http: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def shake_hands(self, url: str) -> Refusal | None:
        """Ask an address for the token it was just sent. The refusal when it does not; its text is assumed."""
        switches = self._environment.switches
        token = secrets.token_urlsafe(24)
        asked = f"{url}{'&' if '?' in url else '?'}validationToken={quote(token)}"
        try:
            async with self._open().request(
                switches.handshake_method, asked, allow_redirects=False, timeout=_timeout(switches.handshake_seconds)
            ) as response:
                said = await response.content.read(4096)
                if response.status == 200 and said.decode("utf-8", "replace") == token:
                    return None
                why = f"answered with status {response.status} and not with the validation token"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = f"did not answer within {switches.handshake_seconds} seconds ({type(error).__name__})"
        return errors.bad_request(f"The subscription can't be validated: '{url}' {why}.")

    def start(self) -> None:
        """Let everything that is ready leave."""
        book = self._environment.webhooks
        ready, book.ready = book.ready, []
        for post in ready:
            for one in spoil(self._environment, self._faults, post):
                self.later(self._deliver(one))

    def later(self, work: Coroutine[None, None, None]) -> None:
        """Do something beside; `settle` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Return when every POST that is due by now was answered or given up."""
        while self._tasks:
            await asyncio.wait(self._tasks)
            self._tick()

    async def close(self) -> None:
        """Cut what is under way; it is sent once more after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _deliver(self, post: Post) -> None:
        status = await self._send(post)
        book = self._environment.webhooks
        told = {"at": at(post.at), "notifications": len(post.notices), "attempt": post.attempt, "status": status}
        book.log.append({"url": post.url, **told})
        if status is None or status in _AGAIN or status >= 500:
            if reschedule(self._environment, post):
                return
        elif 200 <= status < 300:
            book.posts.pop(post.id, None)
            return
        book.posts.pop(post.id, None)
        if book.drop({notice.subscription for notice in post.notices}):
            rewatch(self._environment)

    async def _send(self, post: Post) -> int | None:
        """The status of the answer; None when there was none."""
        headers = {
            "content-type": "application/json",
            "clientRequestId": str(uuid.uuid4()),
            "x-ms-correlation-id": str(uuid.uuid4()),
        }
        body = to_json({"value": [notice.body for notice in post.notices]})
        wait = _timeout(self._environment.switches.notification_seconds)
        try:
            async with self._open().post(
                post.url, data=body, headers=headers, allow_redirects=False, timeout=wait
            ) as response:
                await response.read()
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    def _open(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False, force_close=True))
        return self._http


def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds)
