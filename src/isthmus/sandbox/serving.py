"""One running server on a home: sockets, saving, idle exit. Used by the process and by the thread of a test alike."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec
import uvicorn

from isthmus.sandbox import seed as seeds
from isthmus.sandbox import state, tls
from isthmus.sandbox.http import Activity, CuttableProtocol, application
from isthmus.sandbox.world import World

#: Real seconds between looks at whether there is something to save or something due.
_SAVE_SECONDS = 2.0
_TICK_SECONDS = 0.1


class _Server(uvicorn.Server):
    """Looks more often whether it shall end: every test that starts a sandbox waits for that."""

    async def main_loop(self) -> None:
        looks = 0
        while not await self.on_tick(looks // 10):
            looks += 1
            await asyncio.sleep(0.01)


class HomeInUse(RuntimeError):
    """A live sandbox has this home already."""


class Serving:
    """Holds a home, loads or seeds the world, serves until told to stop, saves at the end."""

    def __init__(
        self, home: Path, seed: Mapping[str, Any] | str | Path | None, port: int, idle_exit: float | None
    ) -> None:
        self.home = home
        self.url = ""
        self.world = World()
        self.activity = Activity()
        self._idle_exit = idle_exit
        self._lock = _hold(home)
        try:
            if not state.load(self.world, home / "state"):
                seeds.apply(self.world, seeds.read(seed))
            self.world.clock.share(home)
            self.ca, certificate = tls.prepare(home)
            self._socket = _bind(port)
        except BaseException:
            self._lock.close()
            raise
        # What a killed sandbox left says nothing of this one.
        (home / "sandbox.json").unlink(missing_ok=True)
        self._writing: asyncio.Future[None] | None = None
        self._saver = state.Saver(self.world)
        config = uvicorn.Config(
            application(self.world, self.activity),
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_certfile=certificate,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=75,
        )
        self.server = _Server(config)

    async def run(self) -> None:
        """Serve until `server.should_exit`."""
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}"
        beside = asyncio.create_task(self._look_after())
        try:
            await self.server.serve(sockets=[self._socket])
        finally:
            beside.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beside
            if self._writing is not None:
                await self._writing
            self._close()

    async def _look_after(self) -> None:
        """Run what is due, save what changed, leave when nobody calls."""
        while not self.server.started:
            await asyncio.sleep(0.005)
        self._announce()
        saved = called = time.monotonic()
        calls = self.activity.calls
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            self.world.tick()
            now = time.monotonic()
            if self.activity.calls != calls:
                calls, called = self.activity.calls, now
            if self._idle_exit is not None and now - called >= self._idle_exit and not self.world.calls.running:
                self.server.should_exit = True
            if self.world.touched and now - saved >= _SAVE_SECONDS:
                data = self._saver.encode()
                self._writing = asyncio.ensure_future(asyncio.to_thread(state.write, self.home / "state", data))
                await asyncio.shield(self._writing)
                saved = time.monotonic()

    def _announce(self) -> None:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        found = {"pid": os.getpid(), "url": self.url, "ca": str(self.ca), "started": started}
        beside = self.home / "sandbox.json.new"
        beside.write_bytes(msgspec.json.encode(found))
        beside.replace(self.home / "sandbox.json")

    def _close(self) -> None:
        """Save and leave the home to the next one."""
        state.write(self.home / "state", self._saver.encode())
        (self.home / "sandbox.json").unlink(missing_ok=True)
        self._socket.close()
        self._lock.close()


def _bind(port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's delay off on each connection; else every answer takes 40 ms.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(("127.0.0.1", port))
    except OSError:
        found.close()
        raise
    return found


def _hold(home: Path) -> IO[bytes]:
    """Lock the home. The lock dies with its holder, so a killed sandbox never blocks the next."""
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        about = home / "sandbox.json"
        who = about.read_text("utf-8") if about.exists() else "just starting"
        raise HomeInUse(f"a sandbox runs on {home} already: {who}") from None
    return lock
