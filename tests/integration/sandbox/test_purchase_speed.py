"""A run over thousands of orders must not wait for the simulator."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
import yaml

from integration.sandbox.conftest import FULL, Client
from integration.sandbox.purchasing import line, seed
from isthmus.sandbox.server import SandboxProcess, start_process

STAR = {"headers": {"If-Match": "*"}}


class Run:
    """Orders made, patched twice a line, read and received, 100 parts a batch; counts its requests."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.requests = 0

    async def parts(self, parts: Iterable[dict[str, Any]]) -> list[Any]:
        waiting, found = list(parts), []
        for start in range(0, len(waiting), 100):
            answer = await self.client.batch(*waiting[start : start + 100])
            responses = answer.body["responses"]
            assert all(one["status"] < 300 for one in responses), responses
            found += [one.get("body") for one in responses]
        self.requests += len(waiting)
        return found

    async def orders(self, number: int) -> int:
        """Make and receive so many orders with some 2.2 lines each; how many lines came."""
        part = self.client.part
        bodies = [
            {"vendorNumber": "10000", "purchaseOrderLines": [line(directUnitCost="2.3456")] * (3 if at % 5 == 0 else 2)}
            for at in range(number)
        ]
        made = [one["id"] for one in await self.parts(part("POST", "purchaseOrders", body) for body in bodies)]
        reads = [f"purchaseOrders({one})?$expand=purchaseOrderLines" for one in made]
        found = await self.parts(part("GET", path) for path in reads)
        lines = [one["id"] for order in found for one in order["purchaseOrderLines"]]
        for changes in ({"receiveQuantity": 6}, {"invoiceQuantity": 0}):
            await self.parts(part("PATCH", f"purchaseOrderLines({one})", changes, **STAR) for one in lines)
        checked = await self.parts(part("GET", path) for path in reads)
        assert all(one["invoiceQuantity"] == 0 for order in checked for one in order["purchaseOrderLines"])
        action = "Microsoft.NAV.receiveAndInvoice"
        await self.parts(part("POST", f"purchaseOrders({one})/{action}", {}) for one in made)
        return len(lines)


async def cpu_of(process: SandboxProcess, number: int) -> tuple[float, int]:
    """Seconds of CPU the sandbox took for a run over so many orders, and the requests of the run."""
    watched = psutil.Process(process.pid)
    context = ssl.create_default_context(cafile=str(process.ca))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        client = Client(session, process, FULL)  # type: ignore[arg-type] # a process answers to the same methods
        await client.sign_in()
        client.company = (await client.get("/companies")).value[0]["id"]
        before, run = watched.cpu_times(), Run(client)
        lines = await run.orders(number)
        after = watched.cpu_times()
        found = (await client.get("purchaseReceipts/$count")).body
        entries = (await client.get("itemLedgerEntries/$count")).body
    assert int(found) >= number
    assert int(entries) >= lines
    return after.user + after.system - before.user - before.system, run.requests


@pytest.fixture
def process(tmp_path: Path) -> Any:
    path = tmp_path / "seed.yaml"
    path.write_text(yaml.safe_dump(seed() | {"switches": {"requests_per_window": 1_000_000}}), "utf-8")
    process = start_process(tmp_path / "home", path)
    yield process
    process.stop()


def test_a_run_grows_as_its_orders_do(process: SandboxProcess) -> None:
    """Four times the orders on top take some four times as long: nothing looks through all there is."""
    small, _ = asyncio.run(cpu_of(process, 60))
    large, requests = asyncio.run(cpu_of(process, 240))
    assert large < 12 * max(small, 0.1), (small, large)
    assert large / requests < 0.005, (large, requests)


@pytest.mark.slow
def test_3700_orders_take_less_than_a_minute(process: SandboxProcess) -> None:
    seconds, requests = asyncio.run(cpu_of(process, 3_700))
    assert requests > 27_000
    assert seconds < 60, seconds


def test_one_order_may_be_long(process: SandboxProcess) -> None:
    async def make() -> float:
        watched = psutil.Process(process.pid)
        context = ssl.create_default_context(cafile=str(process.ca))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            client = Client(session, process, FULL)  # type: ignore[arg-type]
            await client.sign_in()
            client.company = (await client.get("/companies")).value[0]["id"]
            body = {"vendorNumber": "10000", "purchaseOrderLines": [line()] * 1_000}
            before = watched.cpu_times().user
            answer = await client.post("purchaseOrders?$expand=purchaseOrderLines", body)
            assert len(answer.body["purchaseOrderLines"]) == 1_000
            return watched.cpu_times().user - before

    assert asyncio.run(make()) < 15
