"""The list is not there, not whole, not what it was: nothing is lost, nothing doubled, and everybody is told."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable

import pytest

from integration.trouble.bench import HEADER, ROWS, Site
from isthmus.sync.points import arm, disarm

LATE = "2025-02-01,A,Bucket tooth lost,PM01,158.60"


def put(site: Site, content: bytes) -> None:
    """Replace the list; it counts as settled."""
    site.list.write_bytes(content)
    long_ago = time.time() - 5
    os.utime(site.list, (long_ago, long_ago))


def mixed(text: str) -> bytes:
    return text.replace("Bucket tooth lost", "Zähne ölen").encode("latin-1")


TROUBLES: dict[str, tuple[Callable[[str], bytes], int, str]] = {
    "empty": (lambda _: b"", 3, "work_orders.csv is empty: it has not even a header."),
    "header only": (lambda text: text.splitlines()[0].encode(), 3, "work_orders.csv is empty: it had 4 rows"),
    "key renamed": (
        lambda text: text.replace("OriginalShorttext", "Shorttext").encode(),
        1,
        "no column 'OriginalShorttext' (closest is 'Shorttext')",
    ),
    "column renamed": (lambda text: text.replace(",Cost", ",Costs").encode(), 1, "(closest is 'Costs')"),
    "wrong encoding": (
        lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
        1,
        "begins with the mark of utf-16, but encoding says utf-8-sig",
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_list_that_cannot_be_read(site: Site, trouble: str) -> None:
    spoil, code, words = TROUBLES[trouble]
    site.finish()
    before = site.books()
    site.save(*ROWS, LATE)
    whole = site.list.read_text("utf-8")
    put(site, spoil(whole))
    told = site.sync("--limit", "1")
    assert told.code == code, told
    assert words in told.err
    assert site.books() == before
    assert site.standing() == {"done": 3, "skipped": 1}

    put(site, whole.encode())
    site.finish()
    assert site.standing() == {"done": 4, "skipped": 1}


def test_check_tells_of_the_list_what_sync_would(site: Site) -> None:
    site.edit("isthmus.yaml", "mode: snapshot ", "mode: snapshot\n        columns: [Cost]  #")
    whole = site.list.read_text("utf-8")
    for spoil, code, words in TROUBLES.values():
        put(site, spoil(whole))
        told = site.check()
        if words.endswith("4 rows"):
            assert told.code == 0  # a list without rows may be the beginning; only sync knows that it had some
            continue
        assert told.code == code, told
        assert words in told.out
        assert "isthmus.yaml" not in told.err


def test_a_list_that_is_not_there(site: Site) -> None:
    site.finish()
    before = site.books()
    site.list.unlink()
    check = site.check()
    assert check.code == 3
    assert "work_orders.csv: the file is not there. Put it back into " in check.out
    told = site.sync("--limit", "1")
    assert told.code == 3
    assert "maintenance: work_orders.csv: the file is not there." in told.err
    assert site.books() == before

    shutil.rmtree(site.list.parent)
    check = site.check()
    assert check.code == 3
    assert f"the folder {site.list.parent} is not there" in check.out
    site.list.parent.mkdir()
    site.save(*ROWS, LATE)
    site.finish()
    assert site.standing() == {"done": 4, "skipped": 1}


def test_bytes_of_another_encoding_cost_their_own_row_only(site: Site) -> None:
    put(site, mixed("\n".join([HEADER, *ROWS, LATE]) + "\n"))
    told = site.sync()
    assert told.code == 2
    stopped = site.only("state = 'dead'")
    assert stopped.code == "unreadable"
    assert "work_orders.csv line 6: column OriginalShorttext holds bytes that are not utf-8-sig" in stopped.reason
    assert "set encoding to what it is written in" in stopped.mend
    assert site.standing() == {"dead": 1, "done": 3, "skipped": 1}

    site.edit("isthmus.yaml", "mode: snapshot ", "mode: snapshot\n        encoding: latin-1  #")
    site.finish()
    assert site.standing()["done"] == 4


@pytest.mark.slow
def test_a_list_half_written_is_not_read_until_it_stands_still(site: Site) -> None:
    """On the machine's own clock, as in real life: simulated time would jump over the pause."""
    site.connect_for_real()
    site.finish()
    growing = threading.Event()

    def write() -> None:
        with site.list.open("a", encoding="utf-8") as stream:
            for part in (LATE[:20], LATE[20:] + "\n", "2025-02-02,B,", "Door seal,PM01,96", ".80\n"):
                stream.write(part)
                stream.flush()
                growing.set()
                time.sleep(0.4)

    writer = threading.Thread(target=write)
    writer.start()
    assert growing.wait(10)
    told = site.sync()
    writer.join()
    assert told.code == 0, told
    assert site.standing() == {"done": 5, "skipped": 1}
    assert site.booked_once()


def test_a_list_replaced_while_it_is_read(site: Site) -> None:
    """Two versions are never mixed: what the first one showed and the second one does not is not booked twice."""
    free = [f"2024-01-{day:02},{asset},Look at it {turn},PM05,0" for day in range(1, 29) for asset in "AB"
            for turn in range(10)]  # fmt: skip
    first = [HEADER, *ROWS[:2], *free, ROWS[2]]
    second = [HEADER, LATE, *free, *ROWS[:3]]
    put(site, ("\n".join(first) + "\n").encode())
    replaced = threading.Event()

    def replace() -> None:
        if not replaced.is_set() and site.ask("select 1 from record where entity = 'work_order' limit 1"):
            replaced.set()
            put(site, ("\n".join(second) + "\n").encode())

    arm("after_page", replace)
    try:
        told = site.sync()
    finally:
        disarm()
    assert replaced.is_set()
    assert told.code == 0, told
    assert site.standing()["done"] == 4
    assert site.booked_once()


def test_many_rows_gone_at_once_are_not_believed(site: Site) -> None:
    """Most of the list is missing: rather a broken export than that much work undone."""
    many = [f"2025-03-{day:02},{asset},Job {day},PM99,0" for day in range(1, 21) for asset in "AB"]
    open_ones = [f"2025-04-{day:02},X,Unknown {day},PM01,10" for day in range(1, 4)]
    site.save(*ROWS, *many, *open_ones)
    assert site.sync().code == 2
    assert site.standing() == {"dead": 3, "done": 3, "skipped": 41}

    site.save(*ROWS)
    for _ in range(2):  # it stays told while the list stays as it is
        told = site.sync()
        assert told.code == 3, told
        assert "43 records of work_orders are missing at once: not believed, nothing was taken as deleted." in told.err
        assert site.standing() == {"dead": 3, "done": 3, "skipped": 41}
    assert "43 records" in site.command("status").text
    assert site.ask("select count(*) from audit where what = 'mass deletion refused'") == [(1,)]

    site.save(*ROWS, *many, *open_ones[:1])  # the list is whole again, and two rows are really gone
    assert site.sync().code == 2
    assert site.standing()["cancelled"] == 2
    assert site.booked_once()


def test_two_projects_on_one_home(site: Site) -> None:
    """A ledger belongs to its books: another project's list must not be taken for a change of the first one's."""
    site.finish()
    before = site.messages()
    other = site.list.parents[1].parent / "other"
    shutil.copytree(site.list.parents[1], other)
    told = site.command("sync", "--set", f"data={other}")
    assert told.code == 1
    assert "connection 'maintenance' leads to other books than before: folder changed" in told.err
    assert "isthmus check --accept maintenance" in told.err
    assert site.messages() == before

    check = site.command("check", "--set", f"data={other}")
    assert check.code == 1
    assert "folder changed" in check.out
    site.finish()
