"""Changes found by time in every form systems write it, by search, and by reading everything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web

from isthmus.contract.records import ReadRequest
from isthmus.testing.ways import nothing_known, read_stream
from unit.connectors.rest.conftest import START, Bench, answer

ISO = "%Y-%m-%dT%H:%M:%S.%fZ"
FORMS: dict[str, tuple[Callable[[datetime], Any], Callable[[str], datetime]]] = {
    "iso": (lambda at: at.strftime(ISO), datetime.fromisoformat),
    "unix_seconds": (lambda at: int(at.timestamp()), lambda text: datetime.fromtimestamp(int(text), UTC)),
    "unix_millis": (lambda at: int(at.timestamp() * 1000), lambda text: datetime.fromtimestamp(int(text) / 1000, UTC)),
    "%m/%d/%Y": (
        lambda at: at.strftime("%m/%d/%Y"),
        lambda text: datetime.strptime(text, "%m/%d/%Y").replace(tzinfo=UTC),
    ),
}


class Journal:
    """Records with the time of their last change, served in order of id or of change, in one form of time."""

    def __init__(self, form: str = "iso", *, inclusive: bool = True, ordered: bool = False) -> None:
        self._write, self._read = FORMS[form]
        self._inclusive = inclusive
        self._ordered = ordered
        self.rows: dict[int, tuple[datetime, str]] = {}
        self.asked: list[dict[str, str]] = []
        self.now = START + timedelta(hours=1)
        self.before: Callable[[int], None] = lambda call: None

    def put(self, number: int, at: datetime, name: str = "x") -> None:
        self.rows[number] = (at, name)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        if request.method == "POST":
            told = await request.json()
            query = {"offset": str(told["offset"]), "limit": str(told["limit"])}
            for part in told["filters"]:
                query["since"] = str(part["value"])
        self.asked.append(query)
        self.before(len(self.asked))
        since = self._read(query["since"]) if "since" in query else None
        rows = [item for item in self.rows.items() if since is None or self._behind(item[1][0], since)]
        rows.sort(key=lambda item: (item[1][0], item[0]) if self._ordered else (START, item[0]))
        start, size = int(query.get("offset", "0")), int(query.get("limit", "1000"))
        shown = [
            {"id": number, "name": name, "changed": self._write(at)}
            for number, (at, name) in rows[start : start + size]
        ]
        return answer({"items": shown, "total": len(rows)}, Date=format_datetime(self.now, usegmt=True))

    def _behind(self, at: datetime, since: datetime) -> bool:
        shown = self._read(str(self._write(at)))  # what the system compares is no finer than what it shows
        return shown >= since if self._inclusive else shown > since


def vendor(form: str = "iso", **changes: Any) -> dict[str, Any]:
    return {
        "calls": {"list": {"path": "/v", "query": {"offset": "{offset}", "limit": "{limit}", "since": "{since}"}}},
        "paging": {"style": "offset", "items": "items", "total": "total", "most": 50},
        "changes": {"how": "filter", "at": "changed", "format": form, **changes},
    }


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("form", FORMS)
async def test_only_what_changed_comes_again(bench: Bench, form: str, inclusive: bool, ordered: bool) -> None:
    journal = Journal(form, inclusive=inclusive, ordered=ordered)
    day = timedelta(days=1) if "%d" in form else timedelta(seconds=10)
    for number in range(1, 30):
        journal.put(number, START + number // 3 * day)  # some at the same time
    journal.now = START + 40 * day
    made = vendor(form, inclusive=inclusive, sorted=ordered)
    connector = bench.connector(await bench.serve(journal), vendor=made)
    first = await read_stream(connector, "vendors", "", limit=4)
    assert sorted(first.ids, key=int) == [str(number) for number in range(1, 30)]
    again = await read_stream(connector, "vendors", "", cursor=first.cursor, limit=4)
    assert again.ids == []
    journal.put(7, START + 50 * day, "new name")
    journal.put(99, START + 50 * day)
    journal.now = START + 51 * day
    third = await read_stream(connector, "vendors", "", cursor=again.cursor, limit=4)
    assert sorted(third.ids, key=int) == ["7", "99"]


async def test_a_change_that_is_shown_late_is_found_within_the_overlap(bench: Bench) -> None:
    journal = Journal()
    journal.put(1, START)
    journal.put(2, START + timedelta(seconds=10))
    journal.now = START + timedelta(seconds=11)
    connector = bench.connector(await bench.serve(journal), vendor=vendor(overlap="5s"))
    first = await read_stream(connector, "vendors", "")
    journal.put(3, START + timedelta(seconds=7))  # stamped before what was read, committed after
    again = await read_stream(connector, "vendors", "", cursor=first.cursor)
    assert again.ids == ["3"]


async def test_long_after_the_last_change_nothing_is_asked_for_twice(bench: Bench) -> None:
    journal = Journal()
    for number in range(1, 3001):  # more at one time than marks are kept of
        journal.put(number, START)
    journal.now = START + timedelta(seconds=5)
    connector = bench.connector(await bench.serve(journal), vendor=vendor(sorted=True))
    first = await read_stream(connector, "vendors", "", limit=500)
    assert len(set(first.ids)) == 3000
    journal.now = START + timedelta(minutes=10)
    second = await read_stream(connector, "vendors", "", cursor=first.cursor, limit=500)
    assert set(second.ids) <= set(first.ids)  # once more, then the time is surely over
    before = len(journal.asked)
    third = await read_stream(connector, "vendors", "", cursor=second.cursor, limit=500)
    assert (third.ids, len(journal.asked) - before) == ([], 1)


async def test_records_that_change_while_they_are_read_in_order_of_change_hide_no_other(bench: Bench) -> None:
    journal = Journal(ordered=True)
    for number in range(1, 41):
        journal.put(number, START + timedelta(seconds=number))

    def edit(call: int) -> None:
        if call in {2, 3, 4}:  # the first ones move to the end while the next page is asked for
            journal.put(call, START + timedelta(minutes=2, seconds=call), "edited")

    journal.before = edit
    connector = bench.connector(await bench.serve(journal), vendor=vendor(sorted=True))
    stream = await read_stream(connector, "vendors", "", limit=6)
    assert {int(one) for one in stream.ids} == set(range(1, 41))
    shown = {record.id: record.data["name"] for record in stream.records}
    assert [shown[str(number)] for number in (2, 3, 4)] == ["edited"] * 3


async def test_changes_are_asked_for_in_the_body_of_a_search(bench: Bench) -> None:
    journal = Journal()
    journal.put(1, START)
    journal.put(2, START + timedelta(minutes=5))
    search = {
        "method": "POST",
        "path": "/search",
        "body": {
            "offset": "{offset}",
            "limit": "{limit}",
            "filters": [{"$if": "since", "field": "changed", "operation": "ge", "value": "{since}"}],
        },
    }
    connector = bench.connector(await bench.serve(journal), vendor=vendor() | {"calls": {"list": search}})
    first = await read_stream(connector, "vendors", "")
    assert first.ids == ["1", "2"]
    assert "since" not in journal.asked[0]
    again = await read_stream(connector, "vendors", "", cursor=first.cursor)
    assert again.ids == []
    assert journal.asked[-1]["since"].startswith("2026-11-21T08:0")


async def test_deleted_records_are_told_where_the_system_still_shows_them(bench: Bench) -> None:
    async def marked(request: web.Request) -> web.StreamResponse:
        rows = [
            {"id": 1, "changed": START.isoformat(), "gone": None},
            {"id": 2, "changed": START.isoformat(), "gone": START.isoformat()},
        ]
        return answer({"items": rows, "total": 2})

    connector = bench.connector(await bench.serve(marked), vendor=vendor() | {"deleted": {"at": "gone"}})
    stream = await read_stream(connector, "vendors", "")
    assert [(record.id, record.deleted) for record in stream.records] == [("1", False), ("2", True)]
    assert connector.capabilities.entities["vendor"].sees_deletes


async def test_without_a_way_to_ask_everything_is_read_and_compared_by_content(bench: Bench) -> None:
    rows = [{"id": number, "name": "x", "tags": [1, {"a": None}]} for number in range(1, 6)]

    async def whole(request: web.Request) -> web.StreamResponse:
        return answer(rows)

    connector = bench.connector(await bench.serve(whole))
    first = await read_stream(connector, "vendors", "", limit=2)
    rows[1]["name"] = "y"
    del rows[4]
    again = await read_stream(connector, "vendors", "", cursor=first.cursor, limit=2)
    versions = {record.id: record.version for record in first.records}
    assert again.ids == ["1", "2", "3", "4"]
    assert [record.id for record in again.records if record.version != versions[record.id]] == ["2"]
    assert again.pages[0].scan != first.pages[0].scan
    assert again.pages[-1].scan_done


async def test_a_scan_whose_list_shrinks_between_numbered_pages_is_read_once_more(bench: Bench) -> None:
    rows = [{"id": number} for number in range(1, 11)]
    calls: list[str] = []

    async def pages(request: web.Request) -> web.StreamResponse:
        calls.append(request.query["page"])
        if len(calls) == 2:
            rows.pop(0)  # the fourth record moves to the page that was read already
        start = (int(request.query["page"]) - 1) * 3
        return answer({"items": rows[start : start + 3], "total": len(rows)})

    made = {
        "calls": {"list": {"path": "/v", "query": {"page": "{page}", "size": "{limit}"}}},
        "paging": {"style": "page", "items": "items", "total": "total", "most": 3},
    }
    connector = bench.connector(await bench.serve(pages), vendor=made)
    stream = await read_stream(connector, "vendors", "")
    assert {int(one) for one in stream.ids} >= set(range(2, 11))
    assert [page.scan_done for page in stream.pages].count(True) == 1


async def test_days_of_a_range_are_asked_for_and_held_to(bench: Bench) -> None:
    journal = Journal()
    for number in range(1, 6):
        journal.put(number, START + timedelta(days=number))
    made = vendor() | {"ranges": {"changed": {"since": "from_day"}}, "fields": {"changed": "time"}}
    connector = bench.connector(await bench.serve(journal), vendor=made)
    days = {"since": (START + timedelta(days=2)).date(), "until": (START + timedelta(days=3)).date()}
    page = await connector.read(ReadRequest(native="vendors", date_field="changed", **days), nothing_known)
    assert [record.id for record in page.records] == ["2", "3"]
    assert journal.asked[0]["from_day"] == "2026-11-23"
