"""What a live system does differently than its profile says, and what it confirms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aiohttp import web

from isthmus.connectors.rest.connector import RestConnector
from isthmus.errors import Retry, SignInFailed
from unit.connectors.rest.conftest import Bench, answer

VENDOR: Mapping[str, Any] = {
    "calls": {"list": {"path": "/v", "query": {"page": "{page}", "size": "{limit}", "since": "{since}"}}},
    "paging": {"style": "page", "items": "items", "pages": "pages", "total": "total", "most": 50},
    "changes": {"how": "filter", "at": "changed", "sorted": True},
    "version": {"at": "rev"},
    "filters": {"code": {"parameter": "code"}},
    "fields": {
        "code": {"kind": "text", "length": 10}, "limit": "money", "changed": "time", "active": "flag",
        "state": {"kind": "choice", "values": ["open", "closed"]},
        "contact": {"kind": "object", "fields": {"phone": "text"}},
    },
}  # fmt: skip
ROWS: list[dict[str, Any]] = [
    {
        "id": number, "rev": 1, "code": f"V{number}", "limit": 1.5, "changed": f"2026-01-0{number}T08:00:00Z",
        "active": True, "state": "open", "contact": {"phone": "1"},
    }
    for number in range(1, 4)
]  # fmt: skip


class System:
    """Does as the profile says, but for what a test changes: rows, and the answer to a call."""

    def __init__(self) -> None:
        self.rows = [dict(row) for row in ROWS]
        self.list: Callable[[list[dict[str, Any]], web.Request], Any] = lambda rows, request: {
            "items": rows, "pages": 1, "total": len(rows),
        }  # fmt: skip
        self.one: Callable[[dict[str, Any] | None], web.Response] = lambda row: (
            answer(row) if row is not None else answer({}, 404)
        )
        self.ignores: set[str] = set()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        number = request.path.removeprefix("/vendors").strip("/")
        if request.path.startswith("/vendors"):
            return self.one(next((row for row in self.rows if str(row.get("id")) == number), None))
        rows = self.rows
        if "code" in request.query and "code" not in self.ignores:
            rows = [row for row in rows if row["code"] == request.query["code"]]
        if "since" in request.query and "since" not in self.ignores:
            rows = [
                row for row in rows if row["changed"].removesuffix("Z") >= request.query["since"].removesuffix(".000Z")
            ]
        return answer(self.list(rows, request))


async def differences(bench: Bench, system: System, **over: Any) -> dict[str, str]:
    connector = bench.connector(await bench.serve(system), over or None, VENDOR)
    return {seen.part: seen.finding.code for seen in await all_of(connector) if seen.finding is not None}


async def all_of(connector: RestConnector) -> list[Any]:
    return [seen async for seen in connector.compare()]


async def test_a_system_that_does_as_its_profile_says_confirms_what_was_assumed(bench: Bench) -> None:
    system = System()
    assert await differences(bench, system) == {}
    connector = bench.connector(await bench.serve(system), None, VENDOR)
    confirmed = {seen.part for seen in await all_of(connector) if seen.assumed and seen.finding is None}
    assert {"call `list`", "call `get`", "paging", "change detection", "id", "version", "filter `code`"} <= confirmed
    assert {"field `limit`", "field `contact.phone`"} <= confirmed
    assert connector.traffic.writes == 0


def change(name: str, value: Any) -> Callable[[System], None]:
    def apply(system: System) -> None:
        for row in system.rows:
            row[name] = value

    return apply


def without(name: str) -> Callable[[System], None]:
    def apply(system: System) -> None:
        for row in system.rows:
            del row[name]

    return apply


def ignoring(name: str) -> Callable[[System], None]:
    return lambda system: system.ignores.add(name)


def listing(make: Callable[[list[dict[str, Any]], web.Request], Any]) -> Callable[[System], None]:
    def apply(system: System) -> None:
        system.list = make

    return apply


def singly(make: Callable[[dict[str, Any] | None], web.Response]) -> Callable[[System], None]:
    def apply(system: System) -> None:
        system.one = make

    return apply


CASES: Mapping[str, tuple[Callable[[System], None], dict[str, str]]] = {
    "a field is gone": (without("limit"), {"field `limit`": "profile_field_missing"}),
    "a field is new": (change("fax", "1"), {"fields": "profile_field_new"}),
    "an amount is text": (change("limit", "1.50"), {"field `limit`": "profile_field_type"}),
    "a flag is a number": (change("active", 1), {"field `active`": "profile_field_type"}),
    "a text is longer": (change("code", "V" * 11), {"field `code`": "profile_field_type"}),
    "a word is new": (change("state", "paused"), {"field `state`": "profile_choice"}),
    "a field inside an object is gone": (
        change("contact", {"fax": "1"}),
        {"field `contact.phone`": "profile_field_missing", "fields": "profile_field_new"},
    ),
    "the version is gone": (without("rev"), {"version": "profile_field_missing"}),
    "the list stands elsewhere": (listing(lambda rows, request: {"rows": rows}), {"call `list`": "no_list"}),
    "no total": (listing(lambda rows, request: {"items": rows, "pages": 1}), {"paging": "profile_paging"}),
    "the filter does nothing": (ignoring("code"), {"filter `code`": "profile_filter"}),
    "the time does nothing": (ignoring("since"), {"change detection": "profile_changes"}),
    "the single record is another": (
        singly(lambda row: answer({**(row or ROWS[0]), "rev": 9})),
        {"call `get`": "profile_version"},
    ),
    "nobody is found": (singly(lambda row: answer(row or ROWS[0])), {"call `get`": "profile_status"}),
    "nothing is there": (lambda system: system.rows.clear(), {"fields": "profile_untested"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_what_differs_is_told(bench: Bench, case: str) -> None:
    apply, expected = CASES[case]
    system = System()
    apply(system)
    assert await differences(bench, system) == expected


async def test_changes_that_come_in_another_order_are_told_where_the_profile_counts_on_it(bench: Bench) -> None:
    system = System()
    for row in system.rows[1:]:
        row["changed"] = "2026-01-05T08:00:00Z"
    system.rows[2]["changed"] = "2026-01-05T08:00:00.500Z"
    system.list = lambda rows, request: {"items": rows[::-1], "pages": 1, "total": len(rows)}
    system.ignores.add("since")
    system.rows = [row for row in system.rows if row["id"] != 1]
    told = await differences(bench, system)
    assert told["change detection"] == "profile_changes"


async def test_a_system_that_is_away_or_refuses_the_key_is_an_error_of_its_own(bench: Bench) -> None:
    async def closed(request: web.Request) -> web.StreamResponse:
        return answer({}, 401)

    with pytest.raises(SignInFailed):
        await all_of(bench.connector(await bench.serve(closed), None, VENDOR))
    with pytest.raises(Retry):
        await all_of(bench.connector("http://127.0.0.1:9", None, VENDOR))


async def test_check_tells_rights_that_are_missing_and_a_key_that_ends_soon(bench: Bench) -> None:
    system = System()

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path == "/me":
            return answer({"id": "x", "rights": ["vendors:read"], "ends": "2026-11-25T00:00:00Z"})
        return await system(request)

    over = {
        "system": {
            "call": {"path": "/me"}, "identity": {"id": "id"}, "rights": "rights", "read": "{set}:read",
            "write": "{set}:write", "every": "*", "expires": "ends",
        }
    }  # fmt: skip
    update = {"update": {"method": "PATCH", "path": "/vendors/{id}", "body": "{document}"}}
    vendor = {**VENDOR, "actions": ["update"], "calls": {**VENDOR["calls"], **update}}
    connector = bench.connector(await bench.serve(serve), over, vendor)
    findings = {finding.code: finding for finding in await connector.check()}
    assert set(findings) == {"right_missing", "key_ends"}
    assert findings["right_missing"].value == "vendors:write"
    assert "2026-11-25" in findings["key_ends"].text
    assert await connector.fingerprint() == {"id": "x"}


async def test_calls_pause_when_the_system_says_that_none_is_left(bench: Bench) -> None:
    left = ["1", "0", "5"]

    async def counting(request: web.Request) -> web.StreamResponse:
        return answer([{"id": 1}], X_Left=left.pop(0), X_Reset="30")

    over = {"limits": {"remaining": "X-Left", "reset": "X-Reset"}}
    connector = bench.connector(await bench.serve(counting), over)
    for _ in range(3):
        await connector.describe("vendors")
    assert connector.traffic.waited_seconds == pytest.approx(30, abs=1)
