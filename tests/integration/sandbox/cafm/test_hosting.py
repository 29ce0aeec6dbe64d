"""A CAFM and a Business Central in one process, with one clock; state over restarts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from integration.sandbox.cafm.conftest import trusting
from integration.sandbox.cafm.facility import KEY, Client, seed
from isthmus.sandbox.server import Sandbox, SandboxError, find, start_process


@pytest.fixture
def seed_file(tmp_path: Path) -> Path:
    path = tmp_path / "cafm.yaml"
    path.write_text(yaml.safe_dump(seed()), "utf-8")
    return path


def test_a_process_takes_in_another_home(tmp_path: Path, seed_file: Path) -> None:
    finance = start_process(tmp_path / "finance")
    try:
        facilities = finance.host(tmp_path / "facilities", seed_file)
        assert facilities.url != finance.url
        assert facilities.pid == finance.pid
        assert facilities.ca.read_bytes() == finance.ca.read_bytes()
        found = find(tmp_path / "facilities")
        assert found is not None
        assert (found.url, found.state()["kind"]) == (facilities.url, "cafm")
        assert finance.books()["company"] == "CRONUS"
        facilities.advance(500)
        assert finance.clock()["offset"] == facilities.clock()["offset"] == 500
        facilities.act("POST", "/vendors", {"code": "N", "name": "Kept"})
        with pytest.raises(SandboxError, match=r"a sandbox runs on .*facilities already"):
            finance.host(tmp_path / "facilities", seed_file)
        wrong = tmp_path / "wrong.yaml"
        wrong.write_text("kind: cmms")
        with pytest.raises(SandboxError, match="there is no simulator of 'cmms'"):
            finance.host(tmp_path / "third", wrong)
        found.stop()
        assert find(tmp_path / "finance") is None  # one process
    finally:
        finance.stop()
    facilities = start_process(tmp_path / "facilities")  # alone, and without a seed
    try:
        assert facilities.records("vendors", name="N")[0]["name"] == "Kept"
        assert facilities.clock()["offset"] == 500
        finance = facilities.host(tmp_path / "finance", seed_file)
        assert finance.books()["company"] == "CRONUS"  # its state says what it is
    finally:
        facilities.stop()


async def test_what_is_due_in_one_is_due_in_all(tmp_path: Path, seed_file: Path) -> None:
    with Sandbox(home=tmp_path / "finance") as finance:
        facilities = finance.host(tmp_path / "facilities", seed_file)
        async with trusting(finance) as session:
            cafm = Client(session, facilities)
            facilities.fault("late_commit", seconds=60, match={"method": "POST"}, times=1)
            with pytest.raises(aiohttp.ClientError):
                await cafm.post("/vendors", {"code": "N", "name": "Late"})
            before = datetime.fromisoformat(finance.clock()["now"])
            finance.advance(61)
            late = await cafm.one("vendors", code="N")
            assert datetime.fromisoformat(late["createdAt"]) - before < timedelta(seconds=61)
            told = (await cafm.get("/system")).data["time"]
            assert datetime.fromisoformat(told) - before >= timedelta(seconds=61)


async def test_everything_is_kept_over_a_restart(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Sandbox(seed(), home=home) as box:
        box.act("POST", "/receipts", {"purchaseOrderId": "PO-1", "lines": [{"orderLineId": 10, "received": "3"}]})
        box.act("DELETE", "/items/code:1001")
        box.fault("status", code=503, match={"nth": 7})
        box.fault("hook_lose", match={"nth": 3})
        box.set(concurrent=3, keys={"reader": {"expired": True}})
        before = {entity: box.records(entity) for entity in box.state()["rows"]}
        faults, state, books = box.faults(), box.state(), box.books()
    with Sandbox(home=home) as box:
        assert {entity: box.records(entity) for entity in box.state()["rows"]} == before
        assert (box.faults(), box.state(), box.books()) == (faults, state, books)
        made: dict[str, Any] = box.act("POST", "/items", {"code": "1001", "description": "x", "baseUnit": "PCS"})
        assert made["body"]["data"]["id"] > max(row["id"] for row in before["items"])
        assert box.act("PATCH", "/items/code:1000", {"baseUnit": "BOX10"})["status"] == 409
        async with trusting(box) as session:
            assert (await Client(session, box, "reader-key").get("/units")).code == "key_expired"
            assert (await Client(session, box, KEY).get("/units")).status == 200
