"""Large files: memory stays bounded, as what is kept of a row does not grow with its text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from isthmus.connectors.files.config import FilesConfig
from isthmus.connectors.files.places import digest
from isthmus.connectors.files.scan import Scan
from isthmus.connectors.files.source import Source
from isthmus.contract.records import ReadRequest
from isthmus.errors import Retry

ROWS = 200_000
READ_ALL = """
import asyncio, json, resource, sys
from isthmus.connectors.files.config import FilesConfig
from isthmus.connectors.files.connector import connect
from isthmus.contract.clock import SystemClock
from isthmus.contract.records import ReadRequest

async def known(families):
    return {}

async def main():
    connector = connect(FilesConfig.model_validate(json.loads(sys.argv[1])), SystemClock())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cursor, rows, more = None, 0, True
    while more:
        page = await connector.read(ReadRequest(native="orders", limit=1000, cursor=cursor), known)
        cursor, more, rows = page.cursor, page.more, rows + len(page.records)
    print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

asyncio.run(main())
"""


def read_all(folder: Path, one: dict[str, Any]) -> tuple[int, int]:
    """Records of a set of the folder, and by how many KiB reading them made a process grow."""
    one = {"file": "orders.csv", "entity": "work_order", "key": ["no"], "settle_seconds": 0, **one}
    settings = json.dumps({"folder": str(folder), "sets": {"orders": one}})
    done = subprocess.run([sys.executable, "-c", READ_ALL, settings], check=True, capture_output=True, text=True)
    records, growth = map(int, done.stdout.split())
    return records, growth


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
def test_memory_of_many_lines_in_a_file_of_their_own(desk: Any) -> None:
    with (desk.folder / "orders.csv").open("w") as stream:
        stream.write("no,vendor\n" + "".join(f"{number},V{number}\n" for number in range(ROWS // 4)))
    with (desk.folder / "lines.csv").open("w") as stream:
        stream.write("no,line,text,cost\n")
        for number in range(ROWS):  # a record's lines are as far from each other as they can be
            stream.write(f"{number % (ROWS // 4)},{number},a text of some length that belongs to it,12.50\n")
    records, growth = read_all(desk.folder, {"lines": {"file": "lines.csv", "by": "no", "key": "line"}})
    assert records == ROWS // 4
    assert growth < 60 * 1024, f"{growth} KiB; the file of the lines has 12 MB, its rows as Python objects 80"


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
@pytest.mark.parametrize("grouped", [False, True])
def test_memory_of_a_large_file(desk: Any, grouped: bool) -> None:
    with (desk.folder / "orders.csv").open("w") as stream:
        stream.write("no,text,cost\n")
        for number in range(ROWS):
            key = number // 4 if grouped else number % (ROWS - 1000)
            stream.write(f"{key},a text of some length that belongs to row {number},12.50\n")
    records, growth = read_all(desk.folder, {"rows": "lines"} if grouped else {})
    assert records == (ROWS // 4 if grouped else ROWS)
    assert growth < 60 * 1024, f"{growth} KiB; the file itself has 13 MB, its rows as Python objects 80"


def test_a_scan_does_not_mix_two_versions(desk: Any) -> None:
    path = desk.write("no,text\n1,a\n2,b\n")
    config = FilesConfig.model_validate(
        {"folder": str(desk.folder), "sets": {"orders": {"file": "orders.csv", "entity": "work_order"}}}
    )
    source = Source("orders", config.sets["orders"], path, path.name)
    found, now = digest(path)
    scan = Scan(source, now, found)
    desk.write("no,text\n3,c\n4,d\n")
    with pytest.raises(Retry) as caught:
        scan.take(0, ReadRequest(native="orders"))
    assert caught.value.code == "file_changed"
