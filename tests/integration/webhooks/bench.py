"""A running door without a server around it: turns are taken one by one, simulated time is moved by hand."""

from __future__ import annotations

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import aiohttp
import uvicorn

from integration.work_order_costs.bench import COMPANY, Mine
from isthmus.app.hooks import hooks_app, recipes, server_door
from isthmus.app.reports import status_report
from isthmus.app.upkeep import look_after_webhooks
from isthmus.cli.opening import Session
from isthmus.contract.webhooks import Wanted
from isthmus.sync.door import Door
from isthmus.sync.run import run_turn
from isthmus.sync.turn import TurnResult

FINANCE = "finance"
#: What the example reads of Business Central.
SETS = {"accounts", "currencyExchangeRates", "dimensionValues", "generalLedgerSetup"}


class Doorway:
    """A port on loopback that is ours whether somebody listens there or not."""

    def __enter__(self) -> Self:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()


class Listening:
    """The opened mine with its door."""

    def __init__(self, mine: Mine, session: Session, doorway: Doorway) -> None:
        self.mine, self.session = mine, session
        self.world = session.runtime.world
        self.door: Door = server_door(session.project)
        self.session.runtime.engine.door = self.door
        self._doorway = doorway
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def opened(cls, mine: Mine, doorway: Doorway) -> AsyncIterator[Listening]:
        mine.box.set(handshake_seconds=0.3)  # what a closed door costs in real time
        async with mine.session() as session:
            listening = cls(mine, session, doorway)
            await listening.open()
            try:
                yield listening
            finally:
                await listening.shut()

    async def open(self) -> None:
        """Let the door answer."""
        engine = self.session.runtime.engine
        app = hooks_app(self.world, engine, self.door, recipes(self.session.project, self.mine.environ))
        place = socket.socket(fileno=self._doorway.socket.dup().detach())
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        place.listen()
        self._serving = asyncio.create_task(self._server.serve(sockets=[place]))
        while not self._server.started:
            await asyncio.sleep(0.005)

    async def shut(self) -> None:
        """Nobody listens any more; the port stays ours."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._server = self._serving = None

    # what happens

    async def turn(self, name: str = FINANCE) -> list[TurnResult]:
        """Turns of a connection until it has nothing more to do just now."""
        results = [await run_turn(self.world, name, self.door)]
        while results[-1].more:
            results.append(await run_turn(self.world, name, self.door))
        assert not results[-1].halted, results[-1].halted
        return results

    async def wait(self, seconds: float) -> None:
        """Let simulated time pass; notifications that are due by then have come when this returns."""
        await self.session.clock.sleep(seconds)

    async def look_after(self) -> None:
        """What a server does each minute, and the turn it calls for."""
        if FINANCE in await look_after_webhooks(self.session.runtime):
            await self.turn()

    def change(self, *accounts: str, blocked: bool = True) -> None:
        """Somebody changes accounts in Business Central."""
        self.mine.box.set(company=COMPANY, accounts={number: {"blocked": blocked} for number in accounts})

    async def call(
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """One call to the door: status and text of the answer."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        data = io.BytesIO(text)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=data, headers=dict(headers or {})) as response,
        ):
            return response.status, await response.text()

    def wanted(self, native: str) -> Wanted:
        return next(one for one in self.door.wanted(self.world.actors[FINANCE]) if one.native == native)

    # what became of it

    def blocked(self) -> set[str]:
        """Numbers of the accounts that the hub knows as blocked."""
        rows = self.mine.ask("select number, data from record where entity = 'account' and deleted_at is null")
        return {number for number, data in rows if json.loads(data).get("blocked")}

    def subscribed(self) -> set[str]:
        """Sets Business Central has a subscription for."""
        found = self.mine.box.state()["webhooks"]["subscriptions"]
        return {one["set"] for one in found if one["notificationUrl"] == self.door.address(FINANCE)}

    def kept(self) -> dict[str, str]:
        """How the ledger says that subscriptions stand: set -> state."""
        return dict(self.mine.ask("select native, state from subscription"))

    def told(self) -> list[tuple[str, str]]:
        """Alerts of the audit: what, and of which set."""
        rows = self.mine.ask("select what, reason from audit where what like 'webhook%%' order by id")
        return [(what, reason.partition(" ")[0]) for what, reason in rows]

    async def status(self) -> dict[str, Any]:
        async with self.world.transaction() as db:
            return dict((await status_report(db))["webhooks"][FINANCE])

    def requests(self) -> dict[str, int]:
        """What was asked of Business Central since the last `reset_calls`, by method and set."""
        found: dict[str, int] = {}
        for name, count in self.mine.box.calls()["by_path"].items():
            method, _, path = name.partition(" ")
            short = f"{method} {path.rpartition('/')[2].partition('(')[0]}"
            found[short] = found.get(short, 0) + count
        return found
