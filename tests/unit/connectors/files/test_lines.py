"""Records whose lines stand in another file: what they hold, which file changed, and when they are none."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isthmus.connectors.files.groups import MOST_ROWS
from isthmus.contract.operations import Operation
from isthmus.contract.records import ReadRequest
from isthmus.errors import ConfigurationError, Retry

HEAD = "no,vendor\n"
LINES = "no,line,item,qty\n"
THREE = "7,1,Hose,10\n7,2,Pump,1\n8,1,Filter,5\n"


@pytest.fixture
def orders(desk: Any) -> Any:
    desk.open(lines={"file": "lines.csv", "by": "no", "key": "line"})
    return desk


def write(desk: Any, heads: str, lines: str) -> None:
    desk.write(HEAD + heads)
    desk.write(LINES + lines, "lines.csv")


def told(desk: Any) -> dict[str, list[str]]:
    """Number -> what its lines are of, of the records that are whole."""
    whole = [record for record in desk.hub.records.values() if not record.problem]
    return {record.data["no"]: [part["item"] for part in record.data["lines"]] for record in whole}


def problems(desk: Any) -> dict[str, str]:
    """Place -> problem."""
    return {record.origin: record.problem for record in desk.hub.records.values() if record.problem}


async def test_a_record_and_its_lines(orders: Any) -> None:
    write(orders, "7,A\n8,B\n9,C\n", THREE)
    seven, eight, nine = await orders.run()
    assert seven.data == {
        "no": "7",
        "vendor": "A",
        "_row_id": seven.id,
        "lines": [
            {"no": "7", "line": "1", "item": "Hose", "qty": "10", "_line": "2"},
            {"no": "7", "line": "2", "item": "Pump", "qty": "1", "_line": "3"},
        ],
    }
    assert (seven.origin, eight.origin) == ("orders.csv line 2", "orders.csv line 3")
    assert [part["item"] for part in eight.data["lines"]] == ["Filter"]
    assert nine.data["lines"] == []  # an order nobody filled in yet is an order


async def test_lines_anywhere_in_their_file(orders: Any) -> None:
    write(orders, "7,A\n8,B\n", "8,1,Filter,5\n7,2,Pump,1\n8,2,Oil,3\n7,1,Hose,10\n")
    await orders.run(limit=1)
    assert told(orders) == {"7": ["Pump", "Hose"], "8": ["Filter", "Oil"]}
    orders.hub.forget()
    write(orders, "8,B\n7,A\n", "7,1,Hose,10\n7,2,Pump,1\n8,1,Filter,5\n8,2,Oil,3\n")
    await orders.run()
    assert orders.hub.counts == (0, 0, 0)  # sorting is no change


async def test_only_the_fields_asked_for_and_the_list_among_them(orders: Any) -> None:
    write(orders, "7,A\n", THREE.replace("8,1", "7,3"))
    (record,) = await orders.run(fields=("vendor", "lines"))
    assert set(record.data) == {"vendor", "lines"}
    assert len(record.data["lines"]) == 3


@pytest.mark.parametrize(
    "lines",
    [
        THREE.replace("Pump,1", "Pump,2"),
        THREE + "7,3,Crane,1\n",
        THREE.replace("7,2,Pump,1\n", ""),
        THREE.replace("7,2,", "7,4,"),
    ],
    ids=["edited", "added", "removed", "renumbered"],
)
async def test_a_change_in_the_lines_alone_is_a_change_of_their_record(orders: Any, lines: str) -> None:
    write(orders, "7,A\n8,B\n", THREE)
    seven, _ = await orders.run()
    orders.hub.forget()
    orders.write(LINES + lines, "lines.csv")
    await orders.run()
    assert (orders.hub.counts, orders.hub.changed) == ((0, 1, 0), [seven.id])


async def test_a_change_of_the_record_alone(orders: Any) -> None:
    write(orders, "7,A\n8,B\n", THREE)
    seven, _ = await orders.run()
    orders.hub.forget()
    orders.write(HEAD + "7,Z\n8,B\n")
    await orders.run()
    assert orders.hub.changed == [seven.id]
    assert told(orders)["7"] == ["Hose", "Pump"]


async def test_unchanged_files_cost_a_look_and_touched_ones_a_digest(orders: Any, monkeypatch: Any) -> None:
    write(orders, "7,A\n8,B\n", THREE)
    await orders.run()
    opened: list[str] = []
    real = Path.open

    def open_told(path: Path, *args: Any, **more: Any) -> Any:
        opened.append(path.name)
        return real(path, *args, **more)

    monkeypatch.setattr(Path, "open", open_told)
    orders.open()  # another process: nothing is in memory
    assert (await orders.page()).records == ()
    assert opened == []
    os.utime(orders.folder / "lines.csv", ns=(1, 1))
    assert (await orders.page()).records == ()
    assert sorted(opened) == ["lines.csv", "orders.csv"]
    assert (await orders.page()).records == ()
    assert len(opened) == 2


async def test_another_process_goes_on_in_mid_scan(orders: Any) -> None:
    write(orders, "".join(f"{no},A\n" for no in range(10)), "".join(f"{no % 10},{no},x,1\n" for no in range(30)))
    sizes = []
    for _ in range(4):
        page = await orders.page(limit=3)
        sizes.append([len(record.data["lines"]) for record in page.records])
        orders.open()
    assert sizes == [[3, 3, 3], [3, 3, 3], [3, 3, 3], [3]]
    assert orders.hub.counts == (10, 0, 0)


async def test_lines_that_change_between_two_pages_begin_the_scan_anew(orders: Any) -> None:
    write(orders, "7,A\n8,B\n", THREE)
    await orders.page(limit=1)
    orders.write(LINES + THREE.replace("Filter", "Belt"), "lines.csv")
    page = await orders.page(limit=1)
    assert [record.data["no"] for record in page.records] == ["7"]
    await orders.run()
    assert told(orders)["8"] == ["Belt"]


# what does not fit together


async def test_lines_without_a_record_are_told_with_their_place(orders: Any) -> None:
    write(orders, "8,B\n", "7,1,Hose,10\n8,1,Filter,5\n7,2,Pump,1\n")
    await orders.run()
    assert problems(orders) == {"lines.csv lines 2, 4": "lines.csv lines 2, 4: no 7 has no row in orders.csv."}
    (orphan,) = (record for record in orders.hub.records.values() if record.problem)
    assert orphan.mend == "Add the row to orders.csv, or take the lines out: lines.csv lines 2, 4."
    orders.hub.forget()
    orders.write(HEAD + "8,B\n7,A\n")
    await orders.run()
    assert (orders.hub.counts, orders.hub.changed) == ((0, 1, 0), [orphan.id])  # it is the record that was missing
    assert told(orders) == {"8": ["Filter"], "7": ["Hose", "Pump"]}


async def test_a_record_whose_row_goes_while_its_lines_stay_is_a_problem_and_not_gone(orders: Any) -> None:
    write(orders, "7,A\n8,B\n", THREE)
    seven, _ = await orders.run()
    orders.hub.forget()
    orders.write(HEAD + "8,B\n")
    await orders.run()
    assert (orders.hub.counts, orders.hub.changed) == ((0, 1, 0), [seven.id])
    orders.write(LINES + "8,1,Filter,5\n", "lines.csv")
    await orders.run()
    assert orders.hub.gone == [seven.id]


async def test_a_line_that_stands_twice(orders: Any) -> None:
    write(orders, "7,A\n8,B\n", "7,1,Hose,10\n8,1,Filter,5\n7,1,Hose,10\n")
    await orders.run()
    assert problems(orders) == {
        "orders.csv line 2": "orders.csv line 2: line 1 stands twice among its lines (lines.csv lines 2, 4)."
    }
    assert told(orders) == {"8": ["Filter"]}


async def test_a_record_that_stands_twice_is_not_ordered_twice(orders: Any) -> None:
    write(orders, "7,A\n8,B\n7,Z\n", THREE)
    await orders.run()
    assert problems(orders) == {
        place: f"{place}: no 7 stands in other rows of the file too."
        for place in ("orders.csv line 2", "orders.csv line 4")
    }
    orders.hub.forget()
    write(orders, "7,A\n8,B\n", THREE)
    await orders.run()
    assert (problems(orders), len(orders.hub.gone)) == ({}, 1)
    assert told(orders) == {"7": ["Hose", "Pump"], "8": ["Filter"]}


async def test_what_is_held_already_stays_when_its_row_stands_twice(orders: Any) -> None:
    write(orders, "7,A\n8,B\n", THREE)
    await orders.run()
    orders.hub.forget()
    write(orders, "7,Z\n7,A\n8,B\n", THREE)
    await orders.run()
    assert (orders.hub.counts, list(problems(orders))) == ((1, 0, 0), ["orders.csv line 2"])


@pytest.mark.parametrize("torn", ["7,2,Pump", "7,2,Pump,1,9", '7,"open,1,2'], ids=["few", "many", "open"])
async def test_a_torn_line_is_of_the_record_its_first_columns_name(orders: Any, torn: str) -> None:
    write(orders, "6,A\n7,A\n8,B\n", f"8,1,Filter,5\n7,1,Hose,10\n6,1,a,1\n{torn}\n8,2,Oil,1\n")
    await orders.run()
    ((place, said),) = problems(orders).items()
    assert place == "orders.csv line 3"
    assert said.startswith("orders.csv line 3: lines.csv line 5: ")
    assert told(orders).keys() == {"6", "8"}
    orders.hub.forget()
    write(orders, "6,A\n7,A\n8,B\n", "8,1,Filter,5\n7,1,Hose,10\n6,1,a,1\n7,2,Pump,1\n8,2,Oil,1\n")
    await orders.run()
    assert (orders.hub.counts, problems(orders)) == ((0, 1, 0), {})


@pytest.mark.parametrize("torn", [",2,Pump,1", '"7,2,Pump,1'], ids=["empty", "open"])
async def test_a_line_of_nobody_may_be_of_both_its_neighbours(orders: Any, torn: str) -> None:
    write(orders, "6,A\n7,A\n8,B\n9,B\n", f"6,1,a,1\n7,1,b,1\n{torn}\n8,1,c,1\n9,1,d,1\n")
    await orders.run()
    assert told(orders).keys() == {"6", "9"}
    assert all("lines.csv line 4 may be one of its lines" in said for said in problems(orders).values())
    orders.hub.forget()
    write(orders, "6,A\n7,A\n8,B\n9,B\n", "6,1,a,1\n7,1,b,1\n7,2,Pump,1\n8,1,c,1\n9,1,d,1\n")
    await orders.run()
    assert (orders.hub.counts, problems(orders)) == ((0, 2, 0), {})


async def test_a_line_of_nobody_among_scattered_ones_stops_the_reading(orders: Any) -> None:
    write(orders, "7,A\n8,B\n", "7,1,a,1\n8,1,b,1\n,2,Pump,1\n7,3,c,1\n")
    with pytest.raises(ConfigurationError) as caught:
        await orders.run()
    error = caught.value
    assert (error.code, error.file, error.line) == ("line_unassigned", "lines.csv", 4)
    assert "may be of any record" in str(error)
    assert "sort the file by no" in error.hint
    assert orders.hub.counts == (0, 0, 0)


async def test_nothing_but_lines_of_nobody(orders: Any) -> None:
    write(orders, "7,A\n", ",1,Hose,10\n,2,Pump,1\n")
    await orders.run()
    assert problems(orders) == {"lines.csv lines 2, 3": "lines.csv lines 2, 3: no value in no."}
    assert told(orders) == {"7": []}


async def test_a_torn_row_keeps_its_lines_from_being_strays(orders: Any) -> None:
    write(orders, "7,A,torn\n8,B\n", THREE)
    await orders.run()
    assert list(problems(orders)) == ["orders.csv line 2"]
    assert told(orders) == {"8": ["Filter"]}


async def test_too_many_lines(orders: Any) -> None:
    write(orders, "7,A\n", "".join(f"7,{no},a,1\n" for no in range(MOST_ROWS + 1)))
    (record,) = await orders.run()
    assert record.problem == "orders.csv line 2: 10,001 lines of lines.csv, more than 10,000."


# files that are not there, empty, or others


@pytest.mark.parametrize("name", ["orders.csv", "lines.csv"])
async def test_a_file_that_is_away_or_emptied_deletes_nothing(orders: Any, name: str) -> None:
    write(orders, "7,A\n8,B\n", THREE)
    await orders.run()
    orders.hub.forget()
    content = (orders.folder / name).read_text()
    (orders.folder / name).unlink()
    with pytest.raises(Retry) as caught:
        await orders.run()
    assert caught.value.code == "file_missing"
    for emptied in ("", content.partition("\n")[0] + "\n"):
        orders.write(emptied, name)
        with pytest.raises(Retry, match=f"{name} is empty") as caught:
            await orders.run()
        assert caught.value.code == "file_empty"
    orders.write(content, name)
    await orders.run()
    assert orders.hub.counts == (0, 0, 0)


async def test_columns_that_are_not_there(orders: Any) -> None:
    orders.write(HEAD + "7,A\n")
    orders.write("number,line,item\n7,1,Hose\n", "lines.csv")
    with pytest.raises(ConfigurationError) as caught:
        await orders.run()
    assert (caught.value.code, caught.value.file) == ("columns_missing", "lines.csv")
    assert "no column 'no'" in str(caught.value)
    assert [finding.code for finding in await orders.connector.check()] == ["columns_missing"]


async def test_check_and_describe(orders: Any) -> None:
    write(orders, "7,A\n7,B\n", "7,1,Hose,10\n7,2\n")
    findings = await orders.connector.check()
    assert [finding.code for finding in findings] == ["row_unreadable", "row_unreadable"]
    assert [finding.text for finding in findings] == [
        "orders.csv line 3: no 7 stands in other rows of the file too.",
        "lines.csv line 3: 2 cells where the header has 4, so too few.",
    ]
    described = {field.name: field for field in await orders.connector.describe("orders")}
    assert described.keys() == {"no", "vendor", "_row_id", "lines"}
    assert {field.name for field in described["lines"].fields} == {"no", "line", "item", "qty", "_line"}


async def test_single_records_with_their_lines(orders: Any) -> None:
    write(orders, "7,A\n8,B\n7,Z\n", THREE + "9,1,Stray,1\n")
    records = await orders.run()
    found = await orders.connector.fetch("orders", "", [record.id for record in records])
    assert {record.id: record for record in found} == {
        record.id: record for record in records if not record.problem.startswith("lines.csv")
    } | {record.id: record for record in found if record.deleted}
    asked = next(record.id for record in records if not record.problem)
    page = await orders.connector.read(ReadRequest(native="orders", equals={"_row_id": (asked,)}), orders.hub.known)
    assert [record.id for record in page.records] == [asked]
    assert [part["item"] for part in page.records[0].data["lines"]] == ["Filter"]


async def test_sheets_of_one_workbook(
    orders: Any, make_workbook: Callable[..., Path], make_rows: Callable[..., str]
) -> None:
    heads = make_rows(("no", "vendor"), ("7", "A"))
    lines = '<row><c t="inlineStr"><is><t>no</t></is></c><c t="inlineStr"><is><t>line</t></is></c></row>'
    lines += "<row><c><v>7</v></c><c><v>1.5</v></c></row><row><c><v>7</v></c><c t='b'><v>1</v></c></row>"
    make_workbook(orders.folder / "orders.xlsx", {"Orders": heads, "Lines": lines})
    orders.open(
        file="orders.xlsx", format="xlsx", sheet="Orders", lines={"sheet": "Lines", "by": ["no"], "key": ["line"]}
    )
    (record,) = await orders.run()
    first, second = record.data["lines"]
    assert (str(first["line"]), second["line"]) == ("1.5", True)  # numbers stay numbers
    assert (first["_line"], record.origin) == ("2", "orders.xlsx sheet Orders row 2")
    assert (await orders.page()).records == ()


async def test_two_sets_of_the_same_files(orders: Any) -> None:
    write(orders, "7,A\n8,B\n", THREE)
    both = {"file": "orders.csv", "key": ["no"], "lines": {"file": "lines.csv", "by": ["no"], "key": ["line"]}}
    orders.open(
        top={
            "sets": {
                "orders": {**both, "entity": "purchase_order"},
                "receipts": {**both, "entity": "receipt", "results": "receipts"},
            }
        }
    )
    records = {
        name: (await orders.connector.read(ReadRequest(native=name), orders.hub.known)).records
        for name in ("orders", "receipts")
    }
    assert {name: len(found) for name, found in records.items()} == {"orders": 2, "receipts": 2}
    assert not {r.id for r in records["orders"]} & {r.id for r in records["receipts"]}
    for name, entity in (("orders", "purchase_order"), ("receipts", "receipt")):
        note = {"id": records[name][0].id, "state": "booked", "place": records[name][0].origin}
        asked = Operation(key=name, entity=entity, action="note", native=note)
        assert [outcome.result async for outcome in orders.connector.write([asked])] == ["done"]
        with (orders.folder / f"{name}.results.csv").open(encoding="utf-8", newline="") as stream:
            assert [(row["line"], row["no"]) for row in csv.DictReader(stream)] == [("2", "7")]


async def test_a_place_without_room_for_the_index_waits(orders: Any, monkeypatch: Any) -> None:
    def full(*args: Any, **more: Any) -> Any:
        del args, more
        raise OSError(28, "No space left on device")

    write(orders, "7,A\n", THREE)
    monkeypatch.setattr("isthmus.connectors.files.copies._IN_MEMORY", 1)
    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(Retry) as caught:
        await orders.run()
    assert (caught.value.code, "TMPDIR" in caught.value.hint) == ("disk_full", True)
