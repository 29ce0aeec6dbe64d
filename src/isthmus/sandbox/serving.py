"""One running server: the homes it serves, each with a system and a port of its own, saving, idle exit. Used by the
process and by the thread of a test alike.
"""

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

from isthmus.sandbox import state, tls
from isthmus.sandbox.clock import Clock
from isthmus.sandbox.doors import Activity, ByPort, CuttableProtocol
from isthmus.sandbox.systems import open_system

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

    async def listen(self, listening: socket.socket) -> None:
        """Serve one more socket, as `startup` does those it was given."""

        def protocol() -> asyncio.Protocol:
            return CuttableProtocol(self.config, self.server_state, self.lifespan.state)

        loop = asyncio.get_running_loop()
        self.servers.append(await loop.create_server(protocol, sock=listening, ssl=self.config.ssl))


class HomeInUse(RuntimeError):
    """A live sandbox has this home already."""


class Hosted:
    """A home, held as long as it is served: its system, its socket, its certificate.

    One server has one certificate: `beside` is the home whose certificate this one takes over.
    """

    def __init__(
        self,
        home: Path,
        source: Mapping[str, Any] | str | Path | None,
        clock: Clock,
        *,
        port: int = 0,
        beside: Path | None = None,
    ) -> None:
        self.home = home
        self._lock = _hold(home)
        try:
            self.system = open_system(home, source, clock)
            clock.share(home)
            self.ca, self.certificate = tls.prepare(home) if beside is None else tls.take_over(home, beside)
            self.socket = _bind(port)
        except BaseException:
            self._lock.close()
            raise
        self.port = int(self.socket.getsockname()[1])
        self.url = f"https://127.0.0.1:{self.port}"
        # What a killed sandbox left says nothing of this one.
        (home / "sandbox.json").unlink(missing_ok=True)

    def announce(self) -> dict[str, Any]:
        """Say in the home that it is served, and where."""
        started = datetime.now(UTC).isoformat(timespec="seconds")
        found = {"pid": os.getpid(), "url": self.url, "ca": str(self.ca), "started": started}
        beside = self.home / "sandbox.json.new"
        beside.write_bytes(msgspec.json.encode(found))
        beside.replace(self.home / "sandbox.json")
        return found

    def save(self) -> None:
        state.write(self.home / "state", self.system.encode())

    async def close(self) -> None:
        """Save and leave the home to the next one."""
        await self.system.close()
        self.save()
        (self.home / "sandbox.json").unlink(missing_ok=True)
        self.socket.close()
        self._lock.close()


class Serving:
    """Holds homes, loads or seeds their systems, serves until told to stop, saves at the end. All systems live by one
    clock.
    """

    def __init__(
        self, home: Path, seed: Mapping[str, Any] | str | Path | None, port: int, idle_exit: float | None
    ) -> None:
        self.home = home
        self.activity = Activity()
        self.clock = Clock()
        self._idle_exit = idle_exit
        self._ports = ByPort()
        first = Hosted(home, seed, self.clock, port=port)
        self.url, self.hosted = first.url, [first]
        self._connect(first)
        self._writing: asyncio.Future[None] | None = None
        config = uvicorn.Config(
            self._ports,
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_certfile=first.certificate,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=75,
        )
        self.server = _Server(config)

    def _connect(self, hosted: Hosted) -> None:
        self._ports.applications[hosted.port] = hosted.system.application(self.activity, self.host)

    async def host(self, home: str, seed: str) -> dict[str, Any]:
        """Serve one more home from now on; answers what it announces. Raises HomeInUse, SeedError, StateError."""
        hosted = Hosted(Path(home), Path(seed), self.clock, beside=self.home)
        self._connect(hosted)
        await self.server.listen(hosted.socket)
        self.hosted.append(hosted)
        return hosted.announce()

    async def run(self) -> None:
        """Serve until `server.should_exit`."""
        beside = asyncio.create_task(self._look_after())
        try:
            await self.server.serve(sockets=[self.hosted[0].socket])
        finally:
            beside.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beside
            if self._writing is not None:
                await self._writing
            for hosted in self.hosted:
                await hosted.close()

    async def _look_after(self) -> None:
        """Run what is due, save what changed, leave when nobody calls."""
        while not self.server.started:
            await asyncio.sleep(0.005)
        self.hosted[0].announce()
        saved = called = time.monotonic()
        calls = self.activity.calls
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            for hosted in self.hosted:
                hosted.system.tick()
            now = time.monotonic()
            if self.activity.calls != calls:
                calls, called = self.activity.calls, now
            busy = any(hosted.system.running for hosted in self.hosted)
            if self._idle_exit is not None and now - called >= self._idle_exit and not busy:
                self.server.should_exit = True
            if now - saved >= _SAVE_SECONDS:
                saved = await self._save(saved)

    async def _save(self, saved: float) -> float:
        """Save the systems that changed; when that was done."""
        for hosted in [hosted for hosted in self.hosted if hosted.system.touched]:
            writing = asyncio.to_thread(state.write, hosted.home / "state", hosted.system.encode())
            self._writing = asyncio.ensure_future(writing)
            await asyncio.shield(self._writing)
            saved = time.monotonic()
        return saved


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
