"""Misbehaviour on request: what happened on the other side, and what the caller saw of it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from isthmus.sandbox.server import Sandbox

POST = {"method": "POST", "entity": "journals"}
CUT = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


async def codes(bc: Any) -> list[str]:
    return [row["code"] for row in (await bc.get("journals?$filter=startswith(code,'N')")).value]


async def test_lose_before_does_nothing(box: Sandbox, bc: Any) -> None:
    box.fault("lose_before", match=POST, times=1)
    with pytest.raises(CUT):
        await bc.post("journals", {"code": "N1"})
    assert await codes(bc) == []
    assert box.calls()["cut"] == 1
    assert (await bc.post("journals", {"code": "N1"})).status == 201


async def test_lose_after_has_done_it(box: Sandbox, bc: Any) -> None:
    box.fault("lose_after", match=POST, times=1)
    with pytest.raises(CUT):
        await bc.post("journals", {"code": "N1"})
    assert await codes(bc) == ["N1"]
    assert (await bc.post("journals", {"code": "N1"})).code == "Internal_EntityWithSameKeyExists"


async def test_a_cut_looks_the_same_on_a_fresh_connection(box: Sandbox, bc: Any) -> None:
    """What a cut is on the wire: the server goes away without a byte of an answer, and without a farewell of TLS."""
    box.fault("lose_before")
    host, port = box.url.removeprefix("https://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=bc.session.connector._ssl)
    request = f"GET /v2.0/Sandbox/api/v2.0/companies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bc.token}\r\n\r\n"
    writer.write(request.encode())
    try:
        assert await reader.read() == b""
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


async def test_a_late_commit_happens_in_its_time(box: Sandbox, bc: Any) -> None:
    box.fault("late_commit", seconds=120, match=POST, times=1)
    started = time.monotonic()
    with pytest.raises(CUT):
        await bc.post("journals", {"code": "N1"})
    assert time.monotonic() - started < 5  # the caller hears of the cut at once
    assert await codes(bc) == []
    box.advance(100)
    assert await codes(bc) == []
    box.advance(25)
    assert await codes(bc) == ["N1"]


async def test_a_late_commit_meets_the_state_of_its_time(box: Sandbox, bc: Any) -> None:
    """The trap that a settle time exists for: sent again too early, the document is booked twice."""
    journal = await bc.journal()
    await bc.document(journal, "ONCE")
    box.fault("late_commit", seconds=300, match={"action": "post"}, times=1)
    with pytest.raises(CUT):
        await bc.post_journal(journal)
    assert box.document("ONCE", "CRONUS")["postings"] == 0
    assert (await bc.post_journal(journal)).status == 204  # too early
    await bc.document(journal, "ONCE")
    box.advance(301)
    assert box.document("ONCE", "CRONUS")["postings"] == 2


async def test_late_commits_happen_in_order_and_at_their_moment(box: Sandbox, bc: Any) -> None:
    box.fault("late_commit", seconds=200, match={"method": "POST", "nth": 1})
    with pytest.raises(CUT):
        await bc.post("journals", {"code": "N1"})
    box.clear_faults()
    box.fault("late_commit", seconds=100, match=POST)
    with pytest.raises(CUT):
        await bc.post("journals", {"code": "N2"})
    box.clear_faults()
    box.advance(1000)
    rows = (await bc.get("journals?$filter=startswith(code,'N')&$orderby=lastModifiedDateTime")).value
    assert [row["code"] for row in rows] == ["N2", "N1"]
    assert rows[1]["lastModifiedDateTime"] < box.clock()["now"]


async def test_a_late_batch(box: Sandbox, bc: Any) -> None:
    box.fault("late_commit", seconds=60, match=POST, times=1)  # one of its parts is meant
    with pytest.raises(CUT):
        await bc.batch(bc.part("POST", "journals", {"code": "N1"}), bc.part("POST", "journals", {"code": "N2"}))
    assert await codes(bc) == []
    box.advance(60)
    assert await codes(bc) == ["N1", "N2"]


@pytest.mark.parametrize(("headers", "done"), [({}, ["N0", "N1"]), ({"Isolation": "snapshot"}, [])])
async def test_a_cut_in_the_middle_of_a_batch(box: Sandbox, bc: Any, headers: dict[str, str], done: list[str]) -> None:
    box.fault("cut_mid_batch", after=2, match={"entity": "$batch"}, times=1)
    parts = [bc.part("POST", "journals", {"code": f"N{at}"}) for at in range(4)]
    with pytest.raises(CUT):
        await bc.batch(*parts, **headers)
    assert await codes(bc) == done


async def test_a_lie(box: Sandbox, bc: Any) -> None:
    box.fault("lie_201", match=POST, times=1)
    answer = await bc.post("journals", {"code": "N1"})
    assert (answer.status, answer.body["code"]) == (201, "N1")
    assert (await bc.get(f"journals({answer.body['id']})")).status == 404
    assert await codes(bc) == []


async def test_posted_and_refused_all_the_same(box: Sandbox, bc: Any) -> None:
    journal = await bc.journal()
    await bc.document(journal)
    box.fault("posted_but_400", match={"action": "post"}, times=1)
    answer = await bc.post_journal(journal)
    assert (answer.status, answer.code) == (400, "Internal_DataNotFoundFilter")
    assert box.books("CRONUS")["entries"] == 2


async def test_an_expired_token_stays_expired(box: Sandbox, bc: Any) -> None:
    box.fault("expired_token", times=1)
    for _ in range(2):
        assert (await bc.get("/companies")).code == "Authentication_InvalidCredentials"
    await bc.sign_in()
    assert (await bc.get("/companies")).status == 200


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("lock_409", 409, "Internal_ServerError"), ("entity_changed_409", 409, "Request_EntityChanged")],
)
async def test_both_kinds_of_409(box: Sandbox, bc: Any, kind: str, status: int, code: str) -> None:
    box.fault(kind, match=POST, times=1)
    answer = await bc.post("journals", {"code": "N1"})
    assert (answer.status, answer.code) == (status, code)
    assert await codes(bc) == []


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
async def test_statuses_with_and_without_retry_after(box: Sandbox, bc: Any, code: int) -> None:
    box.fault("status", code=code, retry_after=7, times=1)
    box.fault("status", code=code, times=1)
    answer = await bc.post("journals", {"code": "N1"})
    assert (answer.status, answer.headers["retry-after"]) == (code, "7")
    answer = await bc.post("journals", {"code": "N1"})
    assert (answer.status, answer.headers.get("retry-after")) == (code, None)
    assert isinstance(answer.body, dict) is (code in {408, 429, 500})  # a gateway does not speak JSON
    assert await codes(bc) == []


async def test_a_gateway_that_lost_patience_tells_nothing_of_what_was_done(box: Sandbox, bc: Any) -> None:
    box.fault("status", code=504, done=True, match=POST, times=2)
    assert (await bc.post("journals", {"code": "N1"})).status == 504
    answer = await bc.batch(bc.part("POST", "journals", {"code": "N2"}), bc.part("GET", "journals?$top=1"))
    assert [part["status"] for part in answer.body["responses"]] == [504, 200]
    assert await codes(bc) == ["N1", "N2"]


async def test_a_fault_of_one_part_leaves_the_others(box: Sandbox, bc: Any) -> None:
    box.fault("lock_409", match={"entity": "journals", "nth": 2})
    answer = await bc.batch(*(bc.part("POST", "journals", {"code": f"N{at}"}) for at in range(3)))
    assert [part["status"] for part in answer.body["responses"]] == [201, 409, 201]
    assert await codes(bc) == ["N0", "N2"]


async def test_latency(box: Sandbox, bc: Any) -> None:
    box.fault("latency", seconds=0.2, times=1)
    started = time.monotonic()
    await bc.get("/companies")
    assert time.monotonic() - started >= 0.2


async def test_chance_is_drawn_from_a_seed(box: Sandbox, bc: Any) -> None:
    async def run(seed: int) -> list[int]:
        box.clear_faults()
        box.fault("status", code=503, match={"probability": 0.5, "seed": seed})
        return [(await bc.get("/companies")).status for _ in range(20)]

    first = await run(1)
    assert {200, 503} == set(first)
    assert await run(1) == first
    assert await run(2) != first


async def test_matching(box: Sandbox, bc: Any) -> None:
    box.fault("status", code=503, match={"path": r"accounts\(.*\)$"})
    account = (await bc.get("accounts?$top=1")).value[0]["id"]
    assert (await bc.get(f"accounts({account})")).status == 503
    box.clear_faults()
    box.fault("status", code=503, match={"method": "GET", "entity": "accounts", "nth": [2, 3]})
    statuses = [(await bc.get("accounts?$top=1")).status for _ in range(4)]
    assert statuses == [200, 503, 503, 200]
    rule = box.faults()["rules"][0]
    assert (rule["seen"], rule["fired"]) == (4, 2)


async def test_drifted_metadata(box: Sandbox, bc: Any) -> None:
    journal = await bc.journal()
    await bc.document(journal)
    await bc.post_journal(journal)
    box.fault("drift", set="generalLedgerEntries", field="documentNumber", to="documentNo")
    row = (await bc.get("generalLedgerEntries?$filter=documentNo eq 'D1'&$select=documentNo")).value[0]
    assert row["documentNo"] == "D1"
    assert "documentNumber" not in row
    assert (await bc.get("generalLedgerEntries?$filter=documentNumber eq 'D1'")).status == 400
    metadata = (await bc.get("/$metadata")).body
    assert '<Property Name="documentNo"' in metadata
    box.fault("drift", set="journals", field="displayName", to="name")
    assert (await bc.post("journals", {"code": "N1", "name": "x"})).body["name"] == "x"
    assert (await bc.post("journals", {"code": "N2", "displayName": "x"})).status == 400
    box.clear_faults()
    assert (await bc.get("journals?$filter=displayName eq 'x'")).value[0]["code"] == "N1"


async def test_the_token_endpoint_misbehaves_too(box: Sandbox, bc: Any) -> None:
    box.fault("status", code=503, times=1)
    box.fault("status", code=429, retry_after=3, match={"entity": "token"}, times=1)
    assert (await bc.get("/companies")).status == 503  # the first rule does not name the token endpoint
    async with bc.session.post(f"{box.url}/contoso.example/oauth2/v2.0/token", data={}) as response:
        assert (response.status, response.headers["retry-after"]) == (429, "3")
    assert (await bc.sign_in()).status == 200


async def test_wrong_rules_are_refused_by_name(standing_box: Sandbox) -> None:
    for wrong in ({"kind": "explode"}, {"kind": "status", "kode": 3}):
        with pytest.raises(RuntimeError, match=r"kind|kode"):
            standing_box.fault(**wrong)
    with pytest.raises(RuntimeError, match="nonsense"):
        standing_box.fault("drift", set="journals", field="nonsense", to="x")
