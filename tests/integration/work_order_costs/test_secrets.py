"""Planted secrets are found nowhere: not in logs, the ledger, its dump, the audit, results or messages of errors."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from integration.work_order_costs.bench import ROOT, Mine
from isthmus.ledger.binaries import find_binaries

PLANTED = "pl4nted-client-s3cret-7f1c"
WRONG = "wr0ng-client-s3cret-9a2b"
TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|[Bb]earer\s+[A-Za-z0-9_.-]{16,}")
DRIVER = ROOT / "tests" / "crash" / "driver.py"


def loud(mine: Mine) -> bytes:
    """A run in a process of its own with every logger there is at its loudest."""
    start = (
        "import logging, runpy, sys; logging.basicConfig(level=logging.DEBUG, stream=sys.stdout);"
        f"sys.argv = ['driver.py', {str(mine.project)!r}];"
        f"runpy.run_path({str(DRIVER)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", start],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "src")} | mine.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=120,
    )
    return done.stdout


def dumped(mine: Mine, target: Path) -> bytes:
    """The whole database as SQL text, engine included."""
    url = str(mine.url).partition("&options=")[0]  # pg_dump sets a search path of its own
    find_binaries().run("pg_dump", "--format=plain", f"--file={target}", f"--dbname={url}")
    return target.read_bytes()


def written(mine: Mine) -> bytes:
    """Every file of the home and beside the list, apart from what belongs to the simulator."""
    simulator = mine.home / "sandbox"
    files = [*mine.home.rglob("*"), *mine.list.parent.rglob("*")]
    return b"".join(file.read_bytes() for file in files if file.is_file() and simulator not in file.parents)


def troubled(mine: Mine) -> None:
    """Whatever makes a connector talk about its calls: refusals of every kind, tokens that expire, cut answers."""
    mine.box.fault("expired_token", match={"method": "GET"}, times=1)
    mine.box.fault("status", code=401, match={"entity": "generalLedgerEntries", "nth": 2})
    mine.box.fault("status", code=500, match={"entity": "accounts"}, times=1)
    mine.box.fault("status", code=400, match={"entity": "$batch"}, times=1)
    mine.box.fault("lose_after", match={"action": "post"}, times=1)


def issued(mine: Mine) -> int:
    return int(mine.box.calls()["tokens"])


def test_the_pattern_knows_a_token() -> None:
    assert TOKEN.search(b"Authorization: Bearer abcdefghijklmnop.qrst")
    assert TOKEN.search(b"{'token': 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x'}")


async def test_a_run_in_trouble_tells_no_secret(mine: Mine, tmp_path: Path) -> None:
    mine.edit("sandbox.yaml", "only-for-the-simulator", PLANTED)
    mine.save()
    troubled(mine)
    told = {"log": loud(mine), "files": written(mine), "dump": dumped(mine, tmp_path / "dump.sql")}
    assert b"idle 0" in told["log"]
    assert mine.standing()["done"] == 53
    assert issued(mine) >= 2
    assert b"nothing_to_post" in told["dump"]
    assert mine.list.name.encode() in told["dump"]
    _silent(told)


async def test_a_refused_secret_is_not_repeated(mine: Mine, tmp_path: Path) -> None:
    mine.edit("sandbox.yaml", "only-for-the-simulator", PLANTED)
    mine.save()
    assert issued(mine) == 0
    mine.edit("sandbox.yaml", PLANTED, WRONG)  # what the connector is given now is not what the service knows
    told = {"log": loud(mine), "files": written(mine), "dump": dumped(mine, tmp_path / "dump.sql")}
    assert issued(mine) == 0
    (text,) = mine.ask("select halted_text from connection where id = 'finance'")[0]
    assert text
    _silent(told)


def _silent(told: dict[str, bytes]) -> None:
    for place, content in told.items():
        assert content, place
        for secret in (PLANTED, WRONG):
            assert secret.encode() not in content, place
        found = TOKEN.search(content)
        assert found is None, (place, content[max(0, found.start() - 200) : found.start()])
