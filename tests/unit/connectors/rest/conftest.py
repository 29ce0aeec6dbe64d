"""Small servers on loopback, and connectors made of a few lines of profile."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from isthmus.connectors.rest.config import RestConfig
from isthmus.connectors.rest.connector import RestConnector, connect
from isthmus.contract.clock import DrivenClock
from isthmus.contract.operations import Operation, Outcome

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]

#: A profile with one set; tests lay their parts over it.
BASE: Mapping[str, Any] = {
    "profile": "small",
    "format": 1,
    "version": "1",
    "title": "Small",
    "assumed": True,
    "auth": {"kind": "none"},
    "settle": "1m",
    "entities": {
        "vendor": {
            "native": "vendors",
            "number": "code",
            "calls": {"list": {"path": "/vendors"}, "get": {"path": "/vendors/{id}"}},
            "paging": {"style": "none"},
            "changes": {"how": "scan"},
            "id": {"wire": "number"},
        }
    },
}


def laid_over(base: Any, over: Any) -> Any:
    """Maps merged, everything else replaced."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {**base, **{name: laid_over(base.get(name), value) for name, value in over.items()}}
    return over


class Bench:
    """Makes servers and connectors, and closes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = DrivenClock(START)
        self._connectors: list[RestConnector] = []
        self._runners: list[web.AppRunner] = []
        self._made = 0

    async def serve(self, handler: Handler) -> str:
        """A server on a free port that answers everything by `handler`; its address."""

        async def call(request: web.Request) -> web.StreamResponse:
            return await handler(request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", call)
        runner = web.AppRunner(app)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    def profile(self, over: Mapping[str, Any] | None = None, vendor: Mapping[str, Any] | None = None) -> Path:
        """A file with the base profile and what a test lays over it, or over its one entity."""
        data = laid_over(BASE, over or {})
        if vendor is not None:
            data = laid_over(data, {"entities": {"vendor": vendor}})
        self._made += 1
        path = self.folder / f"small-{self._made}.yaml"
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
        return path

    def connector(
        self, url: str, over: Mapping[str, Any] | None = None, vendor: Mapping[str, Any] | None = None, **settings: Any
    ) -> RestConnector:
        config = RestConfig(profile=str(self.profile(over, vendor)), url=url, **settings)
        made = connect(config, self.clock)
        assert isinstance(made, RestConnector)
        self._connectors.append(made)
        return made

    async def close(self) -> None:
        for connector in self._connectors:
            await connector.close()
        for runner in self._runners:
            await runner.cleanup()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    await made.close()


def answer(body: Any, status: int = 200, **headers: str) -> web.Response:
    """A JSON answer. `headers` with underscores for dashes."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=status, text=json.dumps(body), content_type="application/json", headers=told)


def operation(action: str, native: Mapping[str, Any], **more: Any) -> Operation:
    return Operation(key=f"key-{native.get('code', '')}", entity="vendor", action=action, native=native, **more)  # type: ignore[arg-type]


async def write(connector: RestConnector, *operations: Operation) -> list[Outcome]:
    """Outcomes in the order of the operations."""
    found = {outcome.key: outcome async for outcome in connector.write(operations)}
    return [found[one.key] for one in operations]
