"""Several rows of a file that make one record: what it holds, who it is, and when it is none."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from isthmus.connectors.files.groups import MOST_ROWS
from isthmus.contract.operations import Operation
from isthmus.errors import ConfigurationError

HEAD = "no,day,item,cost\n"
TWO = "7,2026-01-05,Hose,10.00\n7,2026-01-05,Labour,20.00\n"


@pytest.fixture
def groups(desk: Any) -> Any:
    desk.open(rows="lines")
    return desk


def by_number(desk: Any) -> dict[str, Any]:
    return {record.data["no"]: record for record in desk.hub.records.values() if not record.problem}


def problems(desk: Any) -> list[Any]:
    return [record for record in desk.hub.records.values() if record.problem]


async def test_the_first_row_and_the_list_of_all(groups: Any) -> None:
    groups.write(HEAD + TWO + "8,2026-01-06,Filter,5\n")
    seven, eight = await groups.run()
    hose = {"no": "7", "day": "2026-01-05", "item": "Hose", "cost": "10.00"}
    assert seven.data == {
        **hose,
        "_row_id": seven.id,
        "lines": [
            {**hose, "_line": "2", "_ordinal": 1},
            {**hose, "item": "Labour", "cost": "20.00", "_line": "3", "_ordinal": 2},
        ],
    }
    assert (seven.origin, eight.origin) == ("orders.csv lines 2-3", "orders.csv line 4")
    assert seven.id == f"{seven.family}#1"
    assert [part["_line"] for part in eight.data["lines"]] == ["4"]


async def test_only_the_fields_asked_for_and_the_list_among_them(groups: Any) -> None:
    groups.write(HEAD + TWO)
    (record,) = await groups.run(fields=("no", "lines"))
    assert set(record.data) == {"no", "lines"}
    assert record.data["lines"][1]["item"] == "Labour"


async def test_rows_with_a_line_break_inside_end_where_they_end(groups: Any) -> None:
    groups.write(HEAD + '7,d,a,1\n7,d,"two\nlines",2\n8,d,b,3\n')
    seven, eight = await groups.run()
    assert (seven.origin, eight.origin) == ("orders.csv lines 2-4", "orders.csv line 5")
    assert [part["_line"] for part in seven.data["lines"]] == ["2", "3"]


@pytest.mark.parametrize(
    "changed",
    [
        "7,2026-01-05,Hose,10.00\n7,2026-01-05,Labour,21.00\n",
        TWO + "7,2026-01-05,Crane,30.00\n",
        "7,2026-01-05,Hose,10.00\n",
        "7,2026-01-05,Labour,20.00\n7,2026-01-05,Hose,10.00\n",
    ],
    ids=["edited", "added", "removed", "sorted"],
)
async def test_a_row_edited_added_removed_or_moved_is_a_change_of_its_record(groups: Any, changed: str) -> None:
    other = "8,2026-01-06,Filter,5\n"
    groups.write(HEAD + TWO + other)
    await groups.run()
    seven = by_number(groups)["7"].id
    groups.hub.forget()
    groups.write(HEAD + changed + other)
    await groups.run()
    assert (groups.hub.counts, groups.hub.changed) == ((0, 1, 0), [seven])


async def test_records_inserted_removed_and_moved_touch_no_other(groups: Any) -> None:
    groups.write(HEAD + TWO + "8,d,Filter,5\n8,d,Oil,6\n9,d,Belt,7\n")
    await groups.run()
    nine = by_number(groups)["9"].id
    groups.hub.forget()
    groups.write(HEAD + "5,d,New,1\n8,d,Filter,5\n8,d,Oil,6\n" + TWO)
    await groups.run()
    assert (groups.hub.counts, groups.hub.gone) == ((1, 0, 1), [nine])
    assert by_number(groups)["7"].origin == "orders.csv lines 5-6"


async def test_a_key_of_several_columns(groups: Any) -> None:
    groups.open(key=["no", "day"])
    groups.write(HEAD + "7,a,Hose,1\n7,a,Nut,2\n7,b,Hose,1\n")
    assert [len(record.data["lines"]) for record in await groups.run()] == [2, 1]


# a key that comes again


async def test_half_a_record_is_never_taken_for_the_whole(groups: Any) -> None:
    groups.write(HEAD + TWO + "8,d,Filter,5\n7,2026-01-05,Crane,30.00\n")
    records = await groups.run()
    assert [record.origin for record in records if record.problem] == ["orders.csv lines 2-3", "orders.csv line 5"]
    assert by_number(groups).keys() == {"8"}
    for record in problems(groups):
        assert record.problem.startswith(f"{record.origin}: no 7 stands in other rows of the file too")
        assert "Sort the file by no" in record.mend
        assert not record.data
    assert len({record.id for record in records}) == 3


async def test_sorting_the_file_mends_it(groups: Any) -> None:
    groups.write(HEAD + TWO + "8,d,Filter,5\n7,2026-01-05,Crane,30.00\n")
    first, _, last = await groups.run()
    groups.hub.forget()
    groups.write(HEAD + TWO + "7,2026-01-05,Crane,30.00\n8,d,Filter,5\n")
    await groups.run()
    assert (groups.hub.changed, groups.hub.gone) == ([first.id], [last.id])
    assert len(by_number(groups)["7"].data["lines"]) == 3


@pytest.mark.parametrize("late", [False, True])
async def test_what_is_held_already_stays_when_a_stray_row_of_it_appears(groups: Any, late: bool) -> None:
    groups.write(HEAD + TWO + "8,d,Filter,5\n")
    await groups.run()
    seven = by_number(groups)["7"]
    groups.hub.forget()
    stray = "7,2026-01-05,Crane,30.00\n"
    rest = TWO + "8,d,Filter,5\n" if late else "8,d,Filter,5\n" + TWO
    groups.write(HEAD + (rest + stray if late else stray + rest))
    await groups.run(limit=1)
    assert groups.hub.counts == (1, 0, 0)
    assert by_number(groups)["7"].version == seven.version
    (problem,) = problems(groups)
    assert problem.id.endswith(".apart#1")


async def test_a_stray_row_stays_the_same_problem(groups: Any) -> None:
    groups.write(HEAD + TWO + "8,d,Filter,5\n7,d,Crane,30\n9,d,x,1\n7,d,Dirt,1\n")
    await groups.run()
    before = {record.id for record in problems(groups)}
    assert len(before) == 3
    groups.hub.forget()
    groups.write(HEAD + "7,d,Dirt,1\n8,d,Filter,5\n" + TWO + "9,d,x,1\n6,d,x,1\n7,d,Crane,31\n")
    await groups.run()
    assert {record.id for record in problems(groups)} == before
    assert (len(groups.hub.new), groups.hub.gone) == (1, [])


async def test_the_last_row_left_is_the_record_again(groups: Any) -> None:
    groups.write(HEAD + TWO + "8,d,Filter,5\n7,d,Crane,30\n")
    await groups.run()
    groups.write(HEAD + "8,d,Filter,5\n7,d,Crane,30\n")
    await groups.run()
    assert problems(groups) == []
    assert by_number(groups)["7"].id.endswith("#1")
    assert "apart" not in by_number(groups)["7"].id


async def test_rows_apart_are_fetched_as_they_are_read(groups: Any) -> None:
    groups.write(HEAD + TWO + "8,d,Filter,5\n7,d,Crane,30\n9,d,x,1\n7,d,Dirt,1\n")
    records = await groups.run()
    found = await groups.connector.fetch("orders", "", [record.id for record in records])
    assert {record.id: record for record in found} == {record.id: record for record in records}
    groups.cursor = None
    asked = records[2].id
    page = await groups.connector.read(_narrow(asked), groups.hub.known)
    assert [record.id for record in page.records] == [asked]


def _narrow(native: str) -> Any:
    from isthmus.contract.records import ReadRequest

    return ReadRequest(native="orders", equals={"_row_id": (native,)})


# rows that cannot be read


async def test_a_torn_row_makes_its_record_a_problem_and_no_other(groups: Any) -> None:
    groups.write(HEAD + "6,d,a,1\n7,d,a,1\n7,d\n7,d,c,3\n8,d,a,1\n")
    await groups.run()
    (problem,) = problems(groups)
    assert problem.problem == "orders.csv lines 3-5: line 4: 2 cells where the header has 4, so too few."
    assert "orders.csv line 4" in problem.mend
    assert by_number(groups).keys() == {"6", "8"}
    groups.hub.forget()
    groups.write(HEAD + "6,d,a,1\n7,d,a,1\n7,d,b,2\n7,d,c,3\n8,d,a,1\n")
    await groups.run()
    assert (groups.hub.changed, groups.hub.counts) == ([problem.id], (0, 1, 0))


@pytest.mark.parametrize(
    "torn", ["7,d", "7,d,a,b,c", '7,"open,1,2', '"7",d,"x"y,2', "7,d,\0,1"], ids=["few", "many", "open", "quote", "nul"]
)
async def test_the_key_of_a_torn_row_is_read_where_it_leads_the_row(groups: Any, torn: str) -> None:
    for at in range(3):
        rows = ["7,d,a,1", "7,d,b,2"]
        rows.insert(at, torn)
        groups.write(HEAD + "6,d,a,1\n" + "".join(f"{row}\n" for row in rows) + "8,d,a,1\n")
        await groups.run()
        (problem,) = problems(groups)
        assert problem.origin == "orders.csv lines 3-5"
        assert f"line {3 + at}" in problem.problem
        assert by_number(groups).keys() == {"6", "8"}


@pytest.mark.parametrize(("torn", "said"), [('"7,d,a,1', "never closed"), (",d,a,1", "no value in no")])
async def test_a_row_whose_key_cannot_be_read_may_be_of_both_its_neighbours(groups: Any, torn: str, said: str) -> None:
    groups.write(HEAD + f"6,d,a,1\n7,d,a,1\n{torn}\n8,d,a,1\n9,d,a,1\n")
    await groups.run()
    assert by_number(groups).keys() == {"6", "9"}
    for problem in problems(groups):
        assert "line 4 may be one of them" in problem.problem
        assert said in problem.problem
    groups.hub.forget()
    groups.write(HEAD + "6,d,a,1\n7,d,a,1\n7,d,a,2\n8,d,a,1\n9,d,a,1\n")
    await groups.run()
    assert groups.hub.counts == (0, 2, 0)
    assert problems(groups) == []


async def test_a_row_without_readable_key_between_rows_of_one_record_is_of_that_one(groups: Any) -> None:
    groups.open(key=["item"])
    groups.write(HEAD + "1,d,a,1\n1,d,b,1\n1,d\n1,d,b,2\n1,d,c,1\n")
    await groups.run()
    (problem,) = problems(groups)
    assert (problem.origin, "line 4: 2 cells" in problem.problem) == ("orders.csv lines 3-5", True)


async def test_a_file_of_nothing_but_torn_rows_is_one_problem(groups: Any) -> None:
    groups.open(key=["item"])
    groups.write(HEAD + "1,d\n" * 5)
    (problem,) = await groups.run()
    assert problem.problem.endswith("; 2 rows more.")
    assert problem.origin == "orders.csv lines 2-6"
    groups.hub.forget()
    groups.write(HEAD + "\n" + "1,d\n" * 5)
    await groups.run()
    assert groups.hub.counts == (0, 0, 0)


async def test_rows_that_must_agree_and_do_not_make_a_problem(groups: Any) -> None:
    groups.write(HEAD + "6,d,a,1\n7,d,a,1\n7,d,b,2\n7,e,c,3\n8,e,a,1\n")
    await groups.run()
    seven = by_number(groups)["7"].id
    groups.hub.forget()
    groups.open(same=["day"])
    await groups.run()
    (problem,) = problems(groups)
    assert problem.problem == "orders.csv lines 3-5: line 5: day not as in line 3: 'e', there 'd'."
    assert problem.mend == "Make day equal in all rows of one record."
    assert (groups.hub.changed, groups.hub.counts) == ([seven], (0, 1, 0))
    groups.write(HEAD + "6,d,a,1\n7,d,a,1\n7,d,b,2\n7,d,c,3\n8,e,a,1\n")
    await groups.run()
    assert problems(groups) == []
    groups.open(same=["dai"])
    with pytest.raises(ConfigurationError, match="no column 'dai'"):
        await groups.run()


async def test_a_record_of_too_many_rows_is_a_problem(groups: Any) -> None:
    groups.write(HEAD + "7,d,a,1\n" * (MOST_ROWS + 1) + "8,d,a,1\n" * MOST_ROWS)
    many, enough = await groups.run()
    assert many.problem == "orders.csv lines 2-10002: 10,001 rows make one record, more than 10,000."
    assert len(enough.data["lines"]) == MOST_ROWS


async def test_pages_are_bounded_by_rows_as_well(groups: Any) -> None:
    groups.write(HEAD + "".join(f"{no},d,a,1\n" * 6000 for no in range(4)))
    pages = [await groups.page(limit=100) for _ in range(2)]
    assert [(len(page.records), page.more) for page in pages] == [(2, True), (2, False)]


# other ways to hold a list


async def test_a_workbook(groups: Any, make_workbook: Callable[..., Path], make_rows: Callable[..., str]) -> None:
    rows = make_rows(("no", "item"), ("7", "Hose"), ("7", "Nut"), ("8", "Oil"), ("7", "Pin"))
    groups.open(file="orders.xlsx", format="xlsx")
    make_workbook(groups.folder / "orders.xlsx", {"Costs": rows})
    records = await groups.run()
    assert [record.origin for record in records] == ["orders.xlsx rows 2-3", "orders.xlsx row 4", "orders.xlsx row 5"]
    assert [bool(record.problem) for record in records] == [True, False, True]
    groups.open(sheet="Costs")
    assert (await groups.run())[0].origin == "orders.xlsx sheet Costs rows 2-3"


async def test_in_a_drop_folder_each_file_is_grouped_by_itself(groups: Any) -> None:
    groups.open(mode="drop", file="orders-*.csv")
    groups.write(HEAD + TWO, "orders-1.csv")
    groups.write(HEAD + TWO, "orders-2.csv")
    records = await groups.run(limit=1)
    assert [record.origin for record in records] == ["orders-1.csv lines 2-3", "orders-2.csv lines 2-3"]
    assert len({record.id for record in records}) == 2


async def test_results_have_one_line_per_record(groups: Any) -> None:
    groups.write(HEAD + TWO + "8,d,Filter,5\n9,d,a,1\n8,d,b,2\n")
    records = await groups.run()
    notes = [
        Operation(
            key=record.id,
            entity="work_order",
            action="note",
            native={"id": record.id, "state": "booked", "place": record.origin if record.problem else ""},
        )
        for record in records
    ]
    outcomes = [outcome async for outcome in groups.connector.write(notes)]
    assert {outcome.result for outcome in outcomes} == {"done"}
    with (groups.folder / "orders.results.csv").open(encoding="utf-8", newline="") as stream:
        told = [(row["line"], row["no"]) for row in csv.DictReader(stream)]
    assert told == [("2", "7"), ("4", "8"), ("5", "9"), ("6", "8")]


async def test_check_and_describe(groups: Any) -> None:
    groups.write(HEAD + TWO + "8,d,Filter,5\n7,d,Crane,30\n9,d\n")
    findings = await groups.connector.check()
    assert [finding.code for finding in findings] == ["row_unreadable", "row_unreadable"]
    assert "no 7 stands in other rows" in findings[0].text
    described = {field.name: field for field in await groups.connector.describe("orders")}
    assert described["lines"].type == "list"
    assert {field.name for field in described["lines"].fields} == {"no", "day", "item", "cost", "_line", "_ordinal"}


@pytest.mark.parametrize("column", ["lines", "_line", "_ordinal"])
async def test_names_the_list_needs_are_taken(groups: Any, column: str) -> None:
    groups.write(f"no,{column}\n7,1\n")
    with pytest.raises(ConfigurationError, match=f"the name {column} is taken by"):
        await groups.run()


async def test_grouping_a_file_that_was_read_row_by_row(desk: Any) -> None:
    desk.write(HEAD + TWO)
    await desk.run()
    desk.hub.forget()
    desk.open(rows="lines")
    await desk.run()
    assert desk.hub.counts == (0, 1, 1)
