"""How much work a record costs before anything leaves the machine: a file is read, its rows mapped, states encoded."""

from __future__ import annotations

import asyncio
import csv
import statistics
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


def cases(records: int, rounds: int) -> list[dict[str, Any]]:
    """All cases: name, CPU microseconds per record, records per second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_list(folder / "list.csv", records)
        rows = asyncio.run(read_all(folder))
        if len(rows) != records:
            raise SystemExit(f"read {len(rows)} of {records} rows")
        lens = compile_lens(parse_document(LENS, "benchmark.yaml"))
        states = [lens.read(row.data).state for row in rows]
        work: dict[str, Callable[[], Any]] = {
            "read a CSV file": lambda: asyncio.run(read_all(folder)),
            "map rows to states": lambda: [lens.read(row.data) for row in rows],
            "encode states": lambda: [encode_state(state) for state in states],
        }
        found = []
        for title, one in work.items():
            cpu, wall = measure(one, rounds)
            per_record = round(cpu / records * 1e6, 1)
            found.append({"case": title, "cpu_us_per_record": per_record, "records_per_s": round(records / wall)})
    return found
