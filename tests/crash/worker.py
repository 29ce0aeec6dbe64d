"""A worker in a process of its own that can be killed at a moment, and the list it works on."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from integration.work_order_costs.bench import ROOT, Mine, split_in_books, split_of

DRIVER = Path(__file__).with_name("driver.py")
_DEADLINE = 120.0


class Worker:
    """The driver on a mine, in a session of its own; killed at the latest when its block ends."""

    def __init__(self, mine: Mine, *arguments: str, **environ: str) -> None:
        assert mine.box
        inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        self.process = subprocess.Popen(
            [sys.executable, str(DRIVER), str(mine.project), *arguments],
            env=inherited | {"PYTHONPATH": str(ROOT / "src")} | mine.environ | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def ends(self, within: float = _DEADLINE) -> int:
        """Wait for its end. Returns the code; negative is the signal that ended it."""
        self.output = self.process.communicate(timeout=within)[0]
        return self.process.returncode

    def until(self, reached: Callable[[], bool]) -> bool:
        """Wait until something is so; False when the worker ended before."""
        limit = time.monotonic() + _DEADLINE
        while not reached():
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < limit, "the worker neither got there nor ended"
            time.sleep(0.002)
        return True

    def send(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """SIGKILL to the whole process group, whether it lives or not."""
        if self.process.poll() is None:
            self.send(signal.SIGKILL)
            self.process.communicate()


def rows(number: int, seed: int) -> list[str]:
    """A list with the dirt lists have: repeats, credits, rows without cost."""
    draw = random.Random(seed)
    made: list[str] = []
    for at in range(number):
        if made and draw.random() < 0.05:
            made.append(draw.choice(made))
            continue
        cost = Decimal(draw.randint(-20_000 if draw.random() < 0.02 else 1, 900_000)) / 100
        cost = Decimal(0) if draw.random() < 0.2 else cost
        day = f"2025-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
        category = draw.choice(["PM01", "PM01", "PM02", "PM04", "PM06", "PM07"])
        made.append(f"{day},{draw.choice('ABCDE')},Job {at:04},{category},{cost}")
    return made


def end_state(mine: Mine) -> dict[str, Any]:
    """Everything that a run leaves behind at both ends, apart from times and running numbers."""
    with (mine.list.parent / "work_orders.results.csv").open(encoding="utf-8", newline="") as stream:
        told = [
            tuple(v for name, v in row.items() if name not in {"at", "booked_on"}) for row in csv.DictReader(stream)
        ]
    return {
        "books": mine.books(),
        "messages": mine.ask(
            "select key, state, code, reason, number, amount, document, event_on from message order by key"
        ),
        "told": sorted(told),
        "untold": mine.ask("select count(*) from note where written <> body"),
        "links": mine.ask("select connection, entity, company, base, place from link order by 1, 2, 3, 4, 5"),
    }


def journals(mine: Mine) -> int:
    """Journals that stand at the target, with lines or without."""
    return int(mine.box.state()["companies"][0]["rows"]["journals"])


def check(mine: Mine) -> None:
    """The books hold the list: every cost once, no cost twice, nothing else."""
    costing = [row for row in (line.split(",") for line in mine.lines[1:]) if Decimal(row[4])]
    stopped = [(row.id, row.state, row.code, row.reason) for row in mine.messages("state not in ('done', 'skipped')")]
    assert stopped == []
    assert mine.standing() == {"done": len(costing), "skipped": len(mine.lines) - 1 - len(costing)}
    books = mine.books()
    assert (books["documents"], books["entries"], books["unposted_lines"]) == (len(costing), 2 * len(costing), 0)
    assert split_in_books(books) == split_of(costing)
    assert mine.ask("select count(distinct number) from message where state = 'done'") == [(len(costing),)]
