"""Drop folders: each file once, in name order, never a deletion."""

from __future__ import annotations

import os
from typing import Any

import pytest

from isthmus.errors import Retry

HEAD = "no,cost\n"


@pytest.fixture
def drops(desk: Any) -> Any:
    desk.open(file="orders-*.csv", mode="drop")
    return desk


async def test_each_file_once_in_name_order(drops: Any) -> None:
    drops.write(HEAD + "1,5\n2,6\n", "orders-2.csv")
    drops.write(HEAD + "1,5\n", "orders-1.csv")
    drops.write(HEAD + "1,5\n", "other.csv")
    records = await drops.run(limit=1)
    assert [r.origin for r in records] == ["orders-1.csv line 2", "orders-2.csv line 2", "orders-2.csv line 3"]
    assert len({r.id for r in records}) == 3  # equal rows of two files are two events
    assert await drops.run() == []
    drops.write(HEAD + "3,7\n", "orders-3.csv")
    assert [r.data["no"] for r in await drops.run()] == ["3"]


async def test_pages_are_no_scans_and_files_taken_away_delete_nothing(drops: Any) -> None:
    path = drops.write(HEAD + "1,5\n", "orders-1.csv")
    page = await drops.page()
    assert (page.scan, page.scan_done) == ("", False)
    path.unlink()
    assert await drops.run() == []
    (record,) = drops.hub.records.values()
    assert list(await drops.connector.fetch("orders", "", [record.id])) == []


async def test_passing_names_results_and_empty_files_are_not_read(drops: Any) -> None:
    drops.open(file="*")
    for name in ("~$a.csv", "a.csv.part", "a.tmp", ".hidden", "a.results.csv", ".~lock.a.csv#"):
        drops.write(HEAD + "1,5\n", name)
    drops.write("", "a.csv")
    assert await drops.run() == []
    drops.write(HEAD + "1,5\n", "a.csv")
    assert len(await drops.run()) == 1


async def test_a_file_changed_after_it_was_read_is_told_once(drops: Any) -> None:
    content = HEAD + "1,5\n"
    drops.write(content, "orders-1.csv")
    await drops.run()
    drops.write(HEAD + "1,5\n2,6\n", "orders-1.csv")
    drops.write(HEAD + "9,9\n", "orders-2.csv")
    told, read = await drops.run()
    assert "already read" in told.problem
    assert "Drop a new file" in told.mend
    assert read.data["no"] == "9"
    assert await drops.run() == []
    drops.open()
    assert await drops.run() == []
    drops.write(content, "orders-1.csv")
    (mended,) = await drops.run()
    assert (mended.id, mended.deleted) == (told.id, True)


async def test_a_touched_file_is_not_read_again(drops: Any) -> None:
    path = drops.write(HEAD + "1,5\n", "orders-1.csv")
    await drops.run()
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert await drops.run() == []


async def test_a_file_goes_on_after_a_restart(drops: Any) -> None:
    drops.write(HEAD + "1,5\n1,6\n1,7\n", "orders-1.csv")
    await drops.page(limit=2)
    drops.open()
    page = await drops.page(limit=2)
    assert ([r.data["cost"] for r in page.records], page.more) == (["7"], False)
    assert drops.hub.counts == (3, 0, 0)


async def test_a_file_taken_away_in_the_middle_waits(drops: Any) -> None:
    path = drops.write(HEAD + "1,5\n1,6\n", "orders-1.csv")
    await drops.page(limit=1)
    path.unlink()
    with pytest.raises(Retry, match=r"orders-1\.csv: the file is not there"):
        await drops.page(limit=1)


async def test_a_folder_that_is_away_waits(drops: Any) -> None:
    drops.folder.rmdir()
    with pytest.raises(Retry) as caught:
        await drops.page()
    assert caught.value.code == "folder_missing"


async def test_files_in_folders_of_the_folder(drops: Any) -> None:
    drops.open(file="*/*.csv")
    (drops.folder / "a").mkdir()
    drops.write(HEAD + "1,5\n", "b.csv").rename(drops.folder / "a" / "b.csv")
    (record,) = await drops.run()
    assert record.origin == "a/b.csv line 2"
    assert await drops.run() == []


async def test_a_file_without_rows_is_passed_over(drops: Any) -> None:
    drops.write(HEAD, "orders-1.csv")
    drops.write(HEAD + "1,5\n", "orders-2.csv")
    page = await drops.page()
    assert ([r.origin for r in page.records], page.more) == (["orders-2.csv line 2"], False)


async def test_a_narrow_read_looks_into_all_files(drops: Any) -> None:
    for number in (1, 2, 3):
        drops.write(HEAD + f"1,{number}\n2,{number}\n", f"orders-{number}.csv")
    await drops.run()
    drops.cursor = None
    page = await drops.page(equals={"no": ("1",)})
    assert ([r.data["cost"] for r in page.records], page.more) == (["1", "2", "3"], False)
    assert drops.hub.counts == (6, 0, 0)
