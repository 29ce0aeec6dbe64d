"""The whole path: a list through `isthmus sync` into the simulated Business Central, beside a script without a ledger.

Both do the same job against a simulator of their own, over TLS: one posted journal entry per work order, with
dimensions. The case with faults cuts the answer to every fifth posting after it was carried out; what was booked is
counted in the simulator's own books.
"""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import naive
import psutil

from isthmus.ledger.embedded import Embedded
from isthmus.sandbox.server import SandboxProcess, start_process

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "real-data"
COMPANY = "PIT MINING"
EXPENSES = tuple(naive.ACCOUNTS.values())
_TEXTS = ("BUCKET WON'T OPEN", "L/H BUCKET CYL LEAKING.", "500 h service", "Replace hydraulic hose", "a/c not cooling")


def write_orders(path: Path, rows: int) -> tuple[int, Decimal]:
    """A list like that of the example. Returns how many of its orders cost something, and their sum."""
    draw = random.Random(20_040_701)  # the same list on every machine
    count, total = 0, Decimal(0)
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["BscStartDate", "Asset", "OriginalShorttext", "PMType", "Cost"])
        for _ in range(rows):
            day = date(2004, 7, 1) + timedelta(days=draw.randrange(3000))
            cents = 0 if draw.random() < 0.03 else draw.randrange(500, 900_000)
            cost = Decimal(cents) / 100
            text = f"{draw.choice(_TEXTS)} {draw.randrange(100)}"
            writer.writerow([day, draw.choice("ABCDE"), text, f"PM0{draw.choice((1, 2, 4, 5, 6))}", cost])
            count += cents != 0
            total += cost
    return count, total


class Cost:
    """CPU seconds of a process and of all it has started that still runs, from one moment to another."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._before = self._cpu()

    def seconds(self) -> float:
        return round(self._cpu() - self._before, 2)

    def _cpu(self) -> float:
        total = sum(self._process.cpu_times()[:4])
        for child in self._process.children(recursive=True):
            try:
                total += sum(child.cpu_times()[:2])
            except psutil.NoSuchProcess:  # ended meanwhile: its parent has its time by now
                continue
        return float(total)


@contextmanager
def simulator(home: Path, *, faulty: bool) -> Iterator[SandboxProcess]:
    """A fresh simulator with the example's books. It loses every fifth answer to a posting when `faulty`."""
    box = start_process(home, EXAMPLE / "sandbox.yaml")
    try:
        if faulty:
            box.fault("lose_after", match={"action": "post", "nth": list(range(5, 1000, 5))})
        yield box
    finally:
        box.stop()


def run_isthmus(folder: Path, orders: Path, *, faulty: bool) -> dict[str, Any]:
    """`isthmus sync` on a copy of the example. Ledger and simulator run already; their time is told apart."""
    project, home = folder / "project", folder / "home"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns(".isthmus", "*.results.csv"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ISTHMUS_", "PG"))}
    environment |= {"ISTHMUS_HOME": str(home)}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "isthmus.cli.main", "sync", "--json", "--set", f"data={orders.parents[1]}"]
    ledger = Embedded.start(home)
    try:
        with simulator(home / "sandbox" / "finance", faulty=faulty) as box:
            server = Cost(int((ledger.data / "postmaster.pid").read_text().split()[0]))
            shown = Cost(box_pid(box))
            told = program(command, project, environment)
            told |= {"ledger_cpu_s": server.seconds(), "simulator_cpu_s": shown.seconds()}
            return told | in_the_books(box)
    finally:
        ledger.stop()


def run_naive(folder: Path, orders: Path, *, faulty: bool) -> dict[str, Any]:
    """The same list by benchmarks/naive.py."""
    with simulator(folder / "naive", faulty=faulty) as box:
        shown = Cost(box_pid(box))
        command = [sys.executable, naive.__file__, str(orders), box.url, str(box.ca)]
        told = program(command, EXAMPLE, dict(os.environ)) | {"simulator_cpu_s": shown.seconds()}
        return told | in_the_books(box)


def program(command: Sequence[str], folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Run a program to its end: wall and CPU seconds, peak memory. Start-up is part of it."""
    measured = [sys.executable, str(Path(__file__).with_name("measured.py")), *command]
    done = subprocess.run(measured, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:4])} ended with {done.returncode}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def in_the_books(box: SandboxProcess) -> dict[str, Any]:
    """What the simulator counted and booked."""
    calls, books = box.calls(), box.books(COMPANY)
    booked = sum((Decimal(books["accounts"].get(account, "0")) for account in EXPENSES), Decimal(0))
    return {
        "requests": calls["requests"],
        "parts": calls["parts"],
        "lost_answers": calls["cut"],
        "simulated_minutes": round(box.clock()["offset"] / 60, 1),
        "documents": books["documents"],
        "doubled": books["entries"] // 2 - books["documents"],
        "booked": str(booked),
    }


def box_pid(box: SandboxProcess) -> int:
    """The simulator's process."""
    return int(json.loads((box.home / "sandbox.json").read_text("utf-8"))["pid"])


def cases(rows: int) -> list[dict[str, Any]]:
    """Every case: who, what fails, and all that was measured."""
    found = []
    for faulty in (False, True):
        for name, run in (("isthmus", run_isthmus), ("naive", run_naive)):
            with tempfile.TemporaryDirectory(prefix="isthmus-bench-", ignore_cleanup_errors=True) as place:
                folder = Path(place)
                orders = folder / "data" / "excavators" / "work_orders.csv"
                count, total = write_orders(orders, rows)
                case = {"case": name, "faults": "lost answers" if faulty else "none", "rows": rows, "expected": count}
                case |= run(folder, orders, faulty=faulty)
            case["records_per_s"] = round(rows / case["wall_s"])
            case["wrong_by"] = str(Decimal(case["booked"]) - total)
            found.append(case)
    return found
