"""What is sent: lists as a system wants them changed, and a status brought step by step to where it shall be."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from isthmus.contract.operations import Operation
from unit.connectors.rest.conftest import Bench, answer, operation, write

LINES = {"kind": "list", "patch": {"id": "id", "remove": {"delete": True}}, "fields": {"id": "id", "quantity": "int"}}
VENDOR: dict[str, Any] = {
    "actions": ["create", "update"],
    "calls": {
        "list": {"path": "/vendors"},
        "get": {"path": "/vendors/{id}"},
        "create": {"method": "POST", "path": "/vendors", "body": "{document}"},
        "update": {"method": "PATCH", "path": "/vendors/{id}", "body": "{document}"},
    },
    "key": {"fields": ["code"]},
    "filters": {"code": {"parameter": "code"}},
    "status": {
        "at": "status",
        "call": {"method": "POST", "path": "/vendors/{id}/status", "body": {"to": "{status}"}},
        "moves": {"draft": ["pending"], "pending": ["approved", "draft"], "approved": ["pending"]},
        "at_creation": ["draft"],
    },
    "fields": {"lines": LINES},
}


class Desk:
    """One record, and every writing call it got."""

    def __init__(self) -> None:
        self.row: dict[str, Any] = {"id": 1, "code": "A", "status": "draft", "lines": [{"id": 7, "quantity": 1}]}
        self.wrote: list[tuple[str, Any]] = []
        self.refuses = ""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return answer(self.row if request.path.endswith("/1") else [self.row])
        content = await request.json()
        self.wrote.append((request.path, content))
        if content.get("to") == self.refuses and self.refuses:
            return answer({}, 422)
        if "to" in content:
            self.row["status"] = content["to"]
        else:
            self.row |= {name: value for name, value in content.items() if name != "lines"}
        return answer(self.row)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_changed_list_is_told_as_additions_changes_and_removals(bench: Bench, desk: Desk) -> None:
    connector = bench.connector(await bench.serve(desk), vendor=VENDOR)
    desk.row["lines"] = [{"id": 7, "quantity": 1}, {"id": 8, "quantity": 2}]
    lines = [{"id": "7", "quantity": 5}, {"id": "10000", "quantity": 9}]  # the second one is not known there
    (outcome,) = await write(connector, operation("update", {"lines": lines}, native_id="1"))
    assert outcome.result == "done"
    assert desk.wrote == [
        ("/vendors/1", {"lines": [{"id": 7, "quantity": 5}, {"quantity": 9}, {"id": 8, "delete": True}]})
    ]


async def test_lines_of_a_new_record_have_no_ids_yet(bench: Bench, desk: Desk) -> None:
    connector = bench.connector(await bench.serve(desk), vendor=VENDOR)
    await write(connector, operation("create", {"code": "A", "status": "draft", "lines": [{"id": "1", "quantity": 2}]}))
    assert desk.wrote == [("/vendors", {"code": "A", "status": "draft", "lines": [{"quantity": 2}]})]


async def test_a_status_is_brought_there_by_the_shortest_way(bench: Bench, desk: Desk) -> None:
    connector = bench.connector(await bench.serve(desk), vendor=VENDOR)
    changed = operation("update", {"name": "x", "status": "approved"}, native_id="1")
    (outcome,) = await write(connector, changed)
    assert [path for path, _ in desk.wrote] == ["/vendors/1", "/vendors/1/status", "/vendors/1/status"]
    assert [content.get("to") for _, content in desk.wrote] == [None, "pending", "approved"]
    assert outcome.native is not None
    assert outcome.native["status"] == "approved"
    desk.wrote.clear()
    (again,) = await write(connector, operation("update", {"status": "approved"}, native_id="1"))
    assert (again.result, desk.wrote) == ("done", [])


async def test_a_new_record_is_made_and_then_called_to_its_status(bench: Bench, desk: Desk) -> None:
    connector = bench.connector(await bench.serve(desk), vendor=VENDOR)
    (outcome,) = await write(connector, operation("create", {"code": "A", "status": "approved"}))
    assert outcome.result == "done"
    assert [content for _, content in desk.wrote] == [{"code": "A"}, {"to": "pending"}, {"to": "approved"}]


async def test_a_status_that_is_refused_after_the_record_was_made_says_so(bench: Bench, desk: Desk) -> None:
    connector = bench.connector(await bench.serve(desk), vendor=VENDOR)
    desk.refuses = "approved"
    made = operation("create", {"code": "A", "status": "approved"})
    (outcome,) = await write(connector, made)
    assert outcome.result == "reject"
    assert outcome.text.startswith("made as A, but:")
    assert await connector.look_up([made]) == {}  # it is there, and not as it was meant
    desk.refuses = ""
    again = Operation(key=made.key, entity="vendor", action="create", native=made.native, earlier=("first",))
    desk.wrote.clear()
    (done,) = await write(connector, again)
    assert (done.result, [content for _, content in desk.wrote]) == ("done", [{"to": "approved"}])


async def test_a_status_without_a_way_is_refused_with_the_ways_there_are(bench: Bench, desk: Desk) -> None:
    connector = bench.connector(await bench.serve(desk), vendor=VENDOR)
    (outcome,) = await write(connector, operation("update", {"status": "closed"}, native_id="1"))
    assert (outcome.result, outcome.code, outcome.field) == ("reject", "status_unreachable", "status")
    assert "pending" in outcome.mend
    assert desk.wrote == []
