"""Results files: one line per row, merged, safe to open in a spreadsheet, never half."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from isthmus.connectors.files.results import safe_cell
from isthmus.contract.operations import Operation, Outcome

HEAD = "no,text,cost\n"


def note(native: str, **content: Any) -> Operation:
    content = {"state": "booked", "document": "G-1", "amount": Decimal("183.05"), "currency": "USD", **content}
    return Operation(key=f"k-{native}", entity="work_order", action="note", native={"id": native, **content})


async def write(desk: Any, *operations: Operation) -> list[Outcome]:
    return [outcome async for outcome in desk.connector.write(operations)]


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
async def three(desk: Any) -> Any:
    desk.write(HEAD + "1,Öl,10\n1,b,20\n2,c,30\n")
    desk.ids = [record.id for record in await desk.run()]
    desk.results = desk.folder / "orders.results.csv"
    return desk


async def test_a_line_says_which_row_and_what_became_of_it(three: Any) -> None:
    place = "orders.csv line 3"
    first_note = note(three.ids[1], message="ok", booked_on="2026-11-21", place=place)
    outcomes = await write(three, first_note, note(three.ids[2]))
    assert [(o.key, o.result, o.native_id) for o in outcomes] == [(f"k-{i}", "done", i) for i in three.ids[1:]]
    header = three.results.read_text(encoding="utf-8").splitlines()[0]
    assert header == "line,no,id,state,document,booked_on,amount,currency,message,at"
    first, second = lines(three.results)
    assert first == {
        "line": "3",
        "no": "1",
        "id": three.ids[1],
        "state": "booked",
        "document": "G-1",
        "booked_on": "2026-11-21",
        "amount": "183.05",
        "currency": "USD",
        "message": "ok",
        "at": "2090-01-01T00:00:00Z",
    }
    assert (second["line"], second["no"]) == ("4", "2")


async def test_of_rows_equal_in_the_key_no_line_is_guessed(three: Any) -> None:
    await write(three, note(three.ids[0]))
    (line,) = lines(three.results)
    assert (line["line"], line["no"]) == ("", "1")


async def test_lines_keep_their_order_and_are_replaced_by_id(three: Any) -> None:
    for native in three.ids:
        await write(three, note(native, state="ready"))
    await write(three, note(three.ids[1], state="dead", message="account unknown"))
    assert [(line["id"], line["state"]) for line in lines(three.results)] == list(
        zip(three.ids, ["ready", "dead", "ready"], strict=True)
    )


async def test_the_same_note_again_writes_nothing(three: Any) -> None:
    await write(three, note(three.ids[0]))
    before = three.results.stat()
    three.clock.advance(60)
    (outcome,) = await write(three, note(three.ids[0]))
    assert outcome.result == "done"
    after = three.results.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_look_up_finds_what_stands_there_word_for_word(three: Any) -> None:
    await write(three, note(three.ids[0]))
    same, other, absent = note(three.ids[0]), note(three.ids[0], state="dead"), note(three.ids[1])
    assert set(await three.connector.look_up([same])) == {same.key}
    assert await three.connector.look_up([other]) == {}
    assert await three.connector.look_up([absent]) == {}
    assert await three.connector.look_up([]) == {}


async def test_nothing_is_left_lying_about_and_results_are_no_input(three: Any) -> None:
    await write(three, note(three.ids[0]))
    assert sorted(path.name for path in three.folder.iterdir()) == ["orders.csv", "orders.results.csv"]
    three.open(file="*.csv", mode="drop")
    three.cursor = None
    assert {record.origin.split()[0] for record in await three.run()} == {"orders.csv"}


async def test_drop_sets_have_one_results_file_with_the_input_file_named(desk: Any) -> None:
    desk.open(file="in-*.csv", mode="drop")
    desk.write(HEAD + "1,a,10\n", "in-1.csv")
    desk.write(HEAD + "1,a,10\n", "in-2.csv")
    ids = [record.id for record in await desk.run()]
    await write(desk, *(note(native) for native in ids))
    found = lines(desk.folder / "orders.results.csv")
    assert [(line["file"], line["line"], line["no"]) for line in found] == [
        ("in-1.csv", "2", "1"),
        ("in-2.csv", "2", "1"),
    ]


async def test_a_note_is_kept_when_the_input_is_gone(three: Any) -> None:
    (three.folder / "orders.csv").unlink()
    (outcome,) = await write(three, note(three.ids[0]))
    assert outcome.result == "done"
    assert lines(three.results)[0]["line"] == ""


async def test_key_columns_named_like_ours_are_kept_apart(desk: Any) -> None:
    desk.open(key=["id"])
    desk.write("id,cost\nA1,5\n")
    (record,) = await desk.run()
    await write(desk, note(record.id))
    (line,) = lines(desk.folder / "orders.results.csv")
    assert (line["id (key)"], line["id"]) == ("A1", record.id)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|x", "'+cmd|x"),
        ("-5", "-5"),
        ("-1.234,50", "-1.234,50"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        (Decimal("-5.10"), "-5.10"),
        (None, ""),
        (True, "true"),
        ("plain", "plain"),
    ],
)
def test_no_cell_becomes_a_formula(value: Any, cell: str) -> None:
    assert safe_cell(value) == cell


async def test_a_read_only_folder_rejects_or_gives_way_to_the_fallback(three: Any, tmp_path: Path) -> None:
    three.folder.chmod(0o555)  # counts for root as well
    try:
        (outcome,) = await write(three, note(three.ids[0]))
        assert (outcome.result, outcome.code) == ("reject", "read_only_folder")
        assert "read-only" in outcome.text
        (finding,) = await three.connector.check()
        assert (finding.code, finding.severity) == ("read_only_folder", "error")
        assert three.connector.results_place("orders").folder is None

        home = tmp_path / "home" / "results"
        three.open(top={"fallback_results": str(home)})
        (finding,) = await three.connector.check()
        assert (finding.code, finding.severity) == ("results_elsewhere", "notice")
        assert str(home / "orders.results.csv") in finding.text
        assert not home.exists()  # check writes nothing
        await write(three, note(three.ids[0]))
        assert len(lines(home / "orders.results.csv")) == 1
        assert set(await three.connector.look_up([note(three.ids[0])]))
        assert three.connector.results_place("orders").folder == home
    finally:
        three.folder.chmod(0o755)


async def test_another_folder_for_results(three: Any, tmp_path: Path) -> None:
    three.open(top={"results": str(tmp_path / "out")})
    await write(three, note(three.ids[0]))
    assert len(lines(tmp_path / "out" / "orders.results.csv")) == 1
    assert not three.results.exists()


async def test_a_file_that_is_not_ours_is_left_alone(three: Any) -> None:
    three.results.write_text("my;own;notes\n")
    (outcome,) = await write(three, note(three.ids[0]))
    assert (outcome.result, outcome.code) == ("reject", "results_foreign")
    assert three.results.read_text() == "my;own;notes\n"


async def test_what_cannot_be_done_is_refused(three: Any) -> None:
    update = Operation(key="u", entity="work_order", action="update")
    nobody = Operation(key="n", entity="work_order", action="note", native={"state": "booked"})
    outcomes = {outcome.key: outcome.code for outcome in await write(three, update, nobody)}
    assert outcomes == {"u": "unsupported", "n": "note_without_id"}
    three.open(results=False)
    assert three.connector.capabilities.entities["work_order"].actions == frozenset()
    assert [o.code for o in await write(three, note(three.ids[0]))] == ["unsupported"]


FULL_DISK = """
import asyncio, json, resource, sys
from isthmus.connectors.files.config import FilesConfig
from isthmus.connectors.files.connector import connect
from isthmus.contract.clock import SystemClock
from isthmus.contract.operations import Operation

async def main():
    config = FilesConfig.model_validate(json.loads(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    notes = [Operation(key=str(n), entity="work_order", action="note", native={"id": f"ab#{n}", "message": "x" * 100})
             for n in range(1000)]
    print([o.code async for o in connect(config, SystemClock()).write(notes)].count("disk_full"))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
async def test_a_full_disk_loses_nothing(three: Any) -> None:
    await write(three, note(three.ids[0]))
    before = three.results.read_bytes()
    settings = '{"folder": "%s", "sets": {"orders": {"file": "orders.csv", "entity": "work_order", "key": ["no"]}}}'
    command = [sys.executable, "-c", FULL_DISK, settings % three.folder]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "1000"
    assert three.results.read_bytes() == before
    assert sorted(path.name for path in three.folder.iterdir()) == ["orders.csv", "orders.results.csv"]


async def test_many_notes_are_written_in_batches(desk: Any, new_desk: Callable[[], Any]) -> None:
    desk.write(HEAD + "".join(f"{n},a,1\n" for n in range(2500)))
    ids = [record.id for record in await desk.run()]
    outcomes = await write(desk, *(note(native) for native in ids))
    assert {outcome.result for outcome in outcomes} == {"done"}
    assert [line["id"] for line in lines(desk.folder / "orders.results.csv")] == ids


async def test_a_line_given_by_the_flow_counts(three: Any) -> None:
    await write(three, note(three.ids[0], line=77))
    assert lines(three.results)[0]["line"] == "77"


async def test_a_file_that_is_not_ours_holds_no_note(three: Any) -> None:
    three.results.write_text("a,b\n1,2\n")
    assert await three.connector.look_up([note(three.ids[0])]) == {}


async def test_left_overs_of_a_killed_write_are_cleared(three: Any) -> None:
    import os

    left = three.folder / ".orders.results.csv.abc.tmp"
    fresh = three.folder / ".orders.results.csv.def.tmp"
    left.write_text("half")
    fresh.write_text("somebody is at it")
    os.utime(left, (1_000_000_000, 1_000_000_000))
    await write(three, note(three.ids[0]))
    assert (left.exists(), fresh.exists()) == (False, True)
