"""A way to a database that can be cut: a proxy on a free port of loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Cut:
    """The proxy. `url` leads through it while it is open."""

    def __init__(self, url: str) -> None:
        self._parts = conninfo_to_dict(url)
        self._path = f"{self._parts['host']}/.s.PGSQL.{self._parts['port']}"
        self._server: asyncio.Server | None = None
        self._port = 0
        self._pumps: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cut", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return make_conninfo("", **{**self._parts, "host": "127.0.0.1", "port": str(self._port)})

    def open(self) -> None:
        """Let through, on the same port every time."""
        self._do(self._open())

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        self._do(self._cut())

    def end(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pump = self._loop.create_task(self._pass(reader, writer))
        self._pumps.add(pump)
        pump.add_done_callback(self._pumps.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_unix_connection(self._path)
        try:
            await asyncio.gather(_copy(reader, to_there), _copy(there, writer))
        finally:
            writer.close()
            to_there.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
