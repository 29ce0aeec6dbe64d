"""Writing over HTTP: what becomes of each operation, alone and in a batch, and what is looked up afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from isthmus.connectors.rest.connector import RestConnector
from isthmus.contract.operations import Operation
from unit.connectors.rest.conftest import Bench, answer, operation, write

VENDOR: Mapping[str, Any] = {
    "actions": ["create", "update", "delete", "note"],
    "calls": {
        "list": {"path": "/vendors"},
        "get": {"path": "/vendors/{id}"},
        "create": {"method": "POST", "path": "/vendors", "body": "{document}"},
        "update": {
            "method": "PATCH", "path": "/vendors/{id}", "body": "{document}", "headers": {"If-Match": "{version}"},
        },
        "delete": {"method": "DELETE", "path": "/vendors/{id}", "answer": "nothing"},
        "note": {
            "method": "POST", "path": "/vendors/{id}/note",
            "body": {"state": "{state}", "text": "{text}", "no": "{number}"},
            "states": {"done": "booked", "held": "waits"}, "longest": 20,
        },
    },
    "version": {"guard": "sent"},
    "key": {"fields": ["code"], "unique": True, "ignore_case": True},
    "filters": {"code": {"parameter": "code", "most": 2}},
    "fields": {"limit": {"kind": "decimal", "places": 2}, "phone": {"kind": "text", "personal": True}},
}  # fmt: skip
BATCH: Mapping[str, Any] = {
    "path": "/batch",
    "body": {"ops": "{operations}"},
    "operation": {
        "n": "{position}", "verb": "{method}", "to": "{path}", "doc": "{document}", "match": "{version|number}",
    },
    "most": 3,
    "results": "done",
    "position": "n",
}  # fmt: skip
ERRORS = {
    "code": "error.code",
    "message": "error.message",
    "field": "error.field",
    "existing": "error.id",
    "rules": [
        {"status": [409], "code": ["taken"], "means": "exists"},
        {"status": [409], "code": ["version"], "means": "stale"},
        {"status": [503], "batch": True, "means": "retry"},
    ],
}


class Store:
    """Vendors by id. `fails` answers in place of the next calls of a path, None lets one through."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self.calls: list[tuple[str, str, Any]] = []
        self.fails: dict[str, list[tuple[int, Any] | str | None]] = {}

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        content = await request.json() if request.can_read_body else None
        self.calls.append((request.method, request.path_qs, content))
        waiting = self.fails.get(f"{request.method} {request.path}", [])
        failure = waiting.pop(0) if waiting else None
        if isinstance(failure, str):  # "after": done, then cut
            self._one(request.method, request.path, content, None)
            assert request.transport is not None
            request.transport.abort()
            return answer({})
        if failure is not None:
            return answer(failure[1], failure[0])
        if request.path == "/batch":
            return answer({"done": [self._part(part) for part in content["ops"]]})
        if request.method == "GET" and "code" in request.query:
            wanted = {code.casefold() for code in request.query.getall("code")}
            return answer([row for row in self.rows.values() if row["code"].casefold() in wanted])
        status, body = self._one(request.method, request.path, content, request.headers.get("If-Match"))
        return answer(body, status)

    def _part(self, part: Mapping[str, Any]) -> dict[str, Any]:
        waiting = self.fails.get(f"part {(part.get('doc') or {}).get('code')}", [])
        if waiting and (failure := waiting.pop(0)) is not None:
            assert not isinstance(failure, str)
            return {"n": part["n"], "status": failure[0], "body": failure[1]}
        version = part.get("match")
        status, body = self._one(part["verb"], part["to"], part.get("doc"), None if version is None else str(version))
        return {"n": part["n"], "status": status, "body": body}

    def _one(self, method: str, path: str, content: Any, version: str | None) -> tuple[int, Any]:
        number = path.removeprefix("/vendors").strip("/")
        if method == "POST" and not number:
            same = next((i for i, row in self.rows.items() if row["code"].casefold() == content["code"].casefold()), 0)
            if same:
                return 409, {"error": {"code": "taken", "message": "there is one", "field": "code", "id": same}}
            made = len(self.rows) + 1
            self.rows[made] = {"id": made, "version": 1, **content}
            return 201, self.rows[made]
        if number.endswith("/note"):
            return 200, {}
        row = self.rows.get(int(number))
        if row is None:
            return 404, {"error": {"code": "missing", "message": "no such vendor"}}
        if method == "DELETE":
            del self.rows[int(number)]
            return 204, None
        if method == "PATCH":
            if version is not None and version != str(row["version"]):
                return 409, {"error": {"code": "version", "message": "changed meanwhile"}}
            row |= {**content, "version": row["version"] + 1}
        return 200, row


@pytest.fixture
def store() -> Store:
    return Store()


async def connector_to(bench: Bench, store: Store, *, batch: bool = True, **vendor: Any) -> RestConnector:
    over = {"errors": ERRORS, **({"batch": BATCH} if batch else {})}
    return bench.connector(await bench.serve(store), over, {**VENDOR, **vendor})


def vendors(*codes: str, **more: Any) -> list[Operation]:
    return [operation("create", {"code": code, "name": f"Vendor {code}"}, **more) for code in codes]


async def test_a_batch_gives_each_operation_its_own_outcome(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store)
    store.rows[1] = {"id": 1, "version": 1, "code": "B", "name": "another"}
    refused = (422, {"error": {"code": "too_long", "message": "name: too long", "field": "name"}})
    store.fails |= {"part X": [refused], "part C": [(503, {})]}
    outcomes = await write(connector, *vendors("A", "X", "b", "C", "D"))
    assert [(one.result, one.code) for one in outcomes] == [
        ("done", ""), ("reject", "too_long"), ("reject", "taken"), ("retry", "http_503"), ("done", ""),
    ]  # fmt: skip
    assert (outcomes[0].version, outcomes[0].number) == ("1", "A")
    assert outcomes[0].native_id in {"2", "3"}
    assert outcomes[0].native is not None
    assert outcomes[0].native["name"] == "Vendor A"
    assert (outcomes[1].field, outcomes[1].value, bool(outcomes[1].mend)) == ("name", "Vendor X", True)
    assert outcomes[2].native_id == "1"
    assert [path for _, path, _ in store.calls if path == "/batch"] == ["/batch", "/batch"]


async def test_what_a_batch_says_nothing_of_is_uncertain(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store)
    made = {"n": "0", "status": 201, "body": {"id": 5, "version": 1, "code": "A"}}
    store.fails["POST /batch"] = [(200, {"done": [made, {"n": "1"}]})]
    outcomes = await write(connector, *vendors("A", "B", "C"))
    assert [(one.result, one.code) for one in outcomes] == [
        ("done", ""), ("uncertain", "part_unanswered"), ("uncertain", "part_unanswered"),
    ]  # fmt: skip


async def test_a_batch_refused_as_a_whole_is_halved_until_the_bad_one_stands_alone(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store)
    store.fails["POST /batch"] = [(413, {}), (400, {})]
    store.fails["POST /vendors"] = [None, (400, {"error": {"code": "bad", "message": "no"}}), None]
    outcomes = await write(connector, *vendors("A", "B", "C"))
    assert [one.result for one in outcomes] == ["done", "reject", "done"]


async def test_a_batch_whose_answer_is_lost_is_uncertain_and_looked_up(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store)
    store.fails["POST /batch"] = [(503, {})]
    operations = vendors("A", "B", "C")
    assert [one.result for one in await write(connector, *operations)] == ["uncertain"] * 3
    store.rows[7] = {"id": 7, "version": 1, "code": "b", "name": "Vendor B"}
    found = await connector.look_up(operations)
    assert {key: one.native_id for key, one in found.items()} == {"key-B": "7"}
    asked = [path for method, path, _ in store.calls if method == "GET"]
    assert set(asked) == {"/vendors?code=A&code=B", "/vendors?code=C"}


STATUSES = {
    500: "uncertain", 502: "uncertain", 418: "uncertain", 400: "reject", 405: "reject", 423: "retry", 302: "halt",
    403: "halt",
}  # fmt: skip


@pytest.mark.parametrize(("status", "result"), STATUSES.items())
async def test_an_answer_means_what_http_says_unless_a_rule_comes_first(
    bench: Bench, store: Store, status: int, result: str
) -> None:
    connector = await connector_to(bench, store, batch=False)
    store.fails["POST /vendors"] = [(status, {"error": {"message": "Vendor A with secret text"}})]
    (outcome,) = await write(connector, *vendors("A"))
    assert (outcome.result, outcome.code) == (result, f"http_{status}")
    assert "Vendor A" not in outcome.text


async def test_a_cut_connection_is_uncertain_and_nothing_is_sent_twice(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store, batch=False)
    store.fails["POST /vendors"] = ["after"]
    (outcome,) = await write(connector, *vendors("A"))
    assert outcome.result == "uncertain"
    assert len(store.rows) == 1
    (again,) = await write(connector, *vendors("A", earlier=("first",)))
    assert (again.result, again.native_id, len(store.rows)) == ("done", "1", 1)


async def test_a_taken_key_counts_as_done_when_the_record_is_the_one_meant(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store, batch=False)
    store.rows[1] = {"id": 1, "version": 3, "code": "a", "name": "Vendor A"}
    (same,) = await write(connector, *vendors("A"))
    assert same.result == "reject"  # the code differs in case, so somebody else made it
    store.rows[1]["code"] = "A"
    (same,) = await write(connector, *vendors("A"))
    assert (same.result, same.native_id, same.version) == ("done", "1", "3")


async def test_an_update_carries_its_version_and_an_outdated_one_is_stale(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store)
    store.rows |= {
        number: {"id": number, "version": 4, "code": f"V{number}", "name": "x", "limit": 1} for number in (1, 2)
    }
    good = operation("update", {"limit": Decimal("12.5")}, native_id="1", version="4")
    late = Operation(key="late", entity="vendor", action="update", native={"name": "y"}, native_id="2", version="3")
    gone = Operation(key="gone", entity="vendor", action="update", native={"name": "y"}, native_id="9", version="1")
    odd = Operation(key="odd", entity="vendor", action="update", native={"name": "y"}, native_id="V-9", version="1")
    outcomes = await write(connector, good, late, gone, odd)
    assert [(one.result, one.code) for one in outcomes] == [
        ("done", ""), ("stale", "version"), ("reject", "gone"), ("reject", "gone"),
    ]  # fmt: skip
    assert outcomes[0].native is not None
    assert outcomes[0].native["limit"] == Decimal("12.50")
    assert store.rows[2]["name"] == "x"


async def test_where_the_system_checks_no_version_isthmus_reads_before_it_writes(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store, version={"guard": "read"})
    store.rows[1] = {"id": 1, "version": 4, "code": "V1", "name": "x"}
    (late,) = await write(connector, operation("update", {"name": "y"}, native_id="1", version="3"))
    (good,) = await write(connector, operation("update", {"name": "y"}, native_id="1", version="4"))
    assert (late.result, good.result, good.version) == ("stale", "done", "5")
    assert connector.capabilities.entities["vendor"].versions


async def test_a_lost_update_is_done_when_the_record_shows_what_was_sent(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store)
    store.rows[1] = {"id": 1, "version": 4, "code": "V1", "name": "x", "limit": 7.5, "phone": ""}
    shown = Operation(
        key="shown", entity="vendor", action="update", native={"limit": Decimal("7.50"), "phone": None}, native_id="1"
    )
    not_yet = Operation(key="not_yet", entity="vendor", action="update", native={"name": "y"}, native_id="1")
    gone = Operation(key="gone", entity="vendor", action="update", native={"name": "y"}, native_id="8")
    deleted = Operation(key="deleted", entity="vendor", action="delete", native_id="8")
    found = await connector.look_up([shown, not_yet, gone, deleted])
    assert {key: (one.result, one.code) for key, one in found.items()} == {
        "shown": ("done", ""), "gone": ("reject", "gone"), "deleted": ("done", ""),
    }  # fmt: skip


async def test_what_is_gone_already_is_deleted(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store)
    store.rows[1] = {"id": 1, "version": 1, "code": "A"}
    there, gone = (Operation(key=one, entity="vendor", action="delete", native_id=one) for one in ("1", "2"))
    assert [one.result for one in await write(connector, there, gone)] == ["done", "done"]
    assert store.rows == {}


async def test_notes_are_told_in_the_words_of_the_system(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store)
    notes = [
        Operation(
            key=state, entity="vendor", action="note", native_id="1",
            native={"id": "1", "state": state, "message": "because of something long", "document": "IS-7"},
        )
        for state in ("done", "held", "skipped")
    ]  # fmt: skip
    assert [one.result for one in await write(connector, *notes)] == ["done"] * 3
    (batch,) = [content for _, path, content in store.calls if path == "/batch"]
    assert [part["doc"] for part in batch["ops"]] == [
        {"state": "booked", "text": "because of somethin…", "no": "IS-7"},
        {"state": "waits", "text": "because of somethin…", "no": "IS-7"},
    ]


async def test_an_answer_that_tells_the_id_alone_is_read_again_where_the_profile_says_so(
    bench: Bench, store: Store
) -> None:
    create = {"method": "POST", "path": "/vendors", "body": "{document}", "answer": "id", "id": "id"}
    calls = {**VENDOR["calls"], "create": create}
    (short,) = await write(await connector_to(bench, store, batch=False, calls=calls), *vendors("A"))
    assert (short.native_id, short.native, short.number) == ("1", None, "A")
    calls["create"] = {**create, "reread": True}
    (whole,) = await write(await connector_to(bench, store, batch=False, calls=calls), *vendors("B"))
    assert whole.native is not None
    assert whole.native["name"] == "Vendor B"


async def test_what_the_wire_cannot_say_is_refused_before_anything_is_sent(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store)
    bad = operation("create", {"code": "A", "limit": Decimal("1.234"), "phone": "+49 30 99"})
    (outcome,) = await write(connector, bad)
    assert (outcome.result, outcome.code, outcome.field, outcome.value) == ("reject", "wire_form", "limit", "1.234")
    assert store.calls == []


async def test_an_action_the_profile_does_not_have_is_refused(bench: Bench, store: Store) -> None:
    connector = await connector_to(bench, store, actions=["create"])
    (outcome,) = await write(connector, operation("update", {"name": "x"}, native_id="1"))
    assert (outcome.result, outcome.code) == ("reject", "unsupported")


async def test_a_record_without_a_number_of_its_own_is_found_again_by_a_mark(bench: Bench, store: Store) -> None:
    key = {"fields": ["code"], "mark": "code"}
    connector = await connector_to(bench, store, batch=False, key=key)
    made = Operation(key="event", entity="vendor", action="create", native={"name": "x"}, mark="IS-ABC")
    store.fails["POST /vendors"] = ["after"]
    (lost,) = await write(connector, made)
    assert lost.result == "uncertain"
    assert store.rows[1]["code"] == "IS-ABC"
    assert (await connector.look_up([made]))["event"].native_id == "1"
    assert connector.capabilities.entities["vendor"].idempotency == "natural_key"
