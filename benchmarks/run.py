"""How much work a record costs before it leaves the machine: a file is read, its rows mapped, their states compared.

Prints one row per case: the median of several rounds. CPU per record is what tells one release from another; wall time
depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from isthmus.connectors.files.config import FilesConfig
from isthmus.connectors.files.connector import connect
from isthmus.contract.clock import SystemClock
from isthmus.contract.records import NativeRecord, ReadRequest
from isthmus.mapping.compiler import compile_lens
from isthmus.model.document import parse_document
from isthmus.model.state import encode_state

LENS = """
entity: work_order
native: work_orders
way: read
fields:
  number:       {at: Number}
  description:  {at: Text}
  category:     {at: Type}
  asset:        {at: Asset}
  status:       {value: completed}
  completed_on: {at: Finished, via: date}
  currency:     {value: USD}
  lines:
    each: self
    fields:
      key:    {value: cost}
      kind:   {value: other}
      source: {value: direct}
      amount: {at: Cost}
"""


def write_list(path: Path, rows: int) -> None:
    """A list of work orders as maintenance systems export it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Number", "Text", "Type", "Asset", "Finished", "Cost"])
        for number in range(rows):
            day = f"20{10 + number % 10}-{1 + number % 12:02}-{1 + number % 28:02}"
            amount = f"{number % 997}.{number % 100:02}"
            writer.writerow(
                [f"WO-{number:07}", "replace hydraulic hose", f"PM0{number % 6}", f"X{number % 50}", day, amount]
            )


async def read_all(folder: Path) -> list[NativeRecord]:
    """All rows through the connector, page by page, as a first synchronisation reads them."""

    async def nothing_known(families: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
        return {}

    settings = {"file": "list.csv", "entity": "work_order", "key": ["Number"], "settle_seconds": 0, "results": False}
    connector = connect(
        FilesConfig.model_validate({"folder": folder, "sets": {"work_orders": settings}}), SystemClock()
    )
    found: list[NativeRecord] = []
    cursor: str | None = None
    try:
        while True:
            page = await connector.read(ReadRequest(native="work_orders", cursor=cursor), nothing_known)
            found.extend(page.records)
            cursor = page.cursor
            if not page.more:
                return found
    finally:
        await connector.close()


def measure(work: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median CPU and wall seconds of some rounds."""
    cpu, wall = [], []
    for _ in range(rounds):
        started = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - started[0])
        wall.append(time.perf_counter() - started[1])
    return statistics.median(cpu), statistics.median(wall)


def main() -> None:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_list(folder / "list.csv", asked.records)
        rows = asyncio.run(read_all(folder))
        if len(rows) != asked.records:
            raise SystemExit(f"read {len(rows)} of {asked.records} rows")
        lens = compile_lens(parse_document(LENS, "benchmark.yaml"))
        states = [lens.read(row.data).state for row in rows]
        cases: dict[str, Callable[[], Any]] = {
            "read a CSV file": lambda: asyncio.run(read_all(folder)),
            "map rows to states": lambda: [lens.read(row.data) for row in rows],
            "encode states": lambda: [encode_state(state) for state in states],
        }
        print(f"{'':22}{'CPU µs/record':>14}{'records/s':>12}   ({asked.records:,} records)")
        for title, work in cases.items():
            cpu, wall = measure(work, asked.rounds)
            print(f"{title:22}{cpu / asked.records * 1e6:>14.1f}{asked.records / wall:>12,.0f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak memory {peak / (1024**2 if sys.platform == 'darwin' else 1024):.0f} MB")


if __name__ == "__main__":
    main()
