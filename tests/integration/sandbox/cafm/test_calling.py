"""Keys, permissions, limits, batches and faults of calls."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from integration.sandbox.cafm.facility import KEY, Client
from isthmus.sandbox.server import SandboxError


async def test_keys_are_checked(cafm: Client, reader: Client) -> None:
    for key, code in (("", "key_missing"), ("nobody", "key_unknown")):
        answer = await Client(cafm.session, cafm.box, key).get("/vendors")
        assert (answer.refusal, answer.headers["www-authenticate"]) == ((401, code, None), "Bearer")
        assert "x-ratelimit-limit" not in answer.headers
    assert (await cafm.get("/vendors", Authorization=f"Basic {KEY}")).code == "key_missing"
    assert (await reader.get("/vendors")).status == 200
    refused = await reader.post("/vendors", {"code": "N", "name": "N"})
    assert (refused.refusal, refused.error["permission"]) == ((403, "forbidden", None), "vendors:write")
    item = await cafm.id("items", "1000")
    assert (await reader.patch(f"/items/{item}", {"category": "PUMP"})).status == 200
    vendor = await cafm.id("vendors", "V1")
    assert (await reader.post(f"/vendors/{vendor}/integration", {"state": "posted"})).status == 403


async def test_a_key_ends(cafm: Client) -> None:
    soon = datetime.fromisoformat(cafm.box.clock()["now"]) + timedelta(seconds=100)
    cafm.box.set(keys={"isthmus": {"expires_at": soon.isoformat()}})
    assert (await cafm.get("/system")).data["key"]["expiresAt"] == soon.isoformat()
    cafm.box.advance(101)
    assert (await cafm.get("/vendors")).refusal == (401, "key_expired", None)
    cafm.box.set(keys={"isthmus": {"key": "renewed", "expires_at": ""}})
    assert (await cafm.get("/vendors")).code == "key_unknown"
    assert (await Client(cafm.session, cafm.box, "renewed").get("/vendors")).status == 200


async def test_the_window_is_told_and_kept(cafm: Client, reader: Client) -> None:
    cafm.box.set(requests_per_window=3)
    now = datetime.fromisoformat(cafm.box.clock()["now"])
    cafm.box.advance(60 - now.timestamp() % 60 + 1)  # a window of its own, just begun
    left = [(await cafm.get("/units")).headers["x-ratelimit-remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = await cafm.get("/units")
    assert refused.refusal == (429, "rate_limited", None)
    wait = int(refused.headers["retry-after"])
    assert 0 < wait <= 59
    assert refused.headers["x-ratelimit-reset"] == str(wait)
    assert (await reader.get("/units")).status == 200  # another key
    cafm.box.advance(wait)
    assert (await cafm.get("/units")).headers["x-ratelimit-remaining"] == "2"
    parts = [{"method": "GET", "path": "/units"}] * 3
    refused = await cafm.post("/batch", {"operations": parts})
    assert refused.status == 429  # three of two
    assert (await cafm.post("/batch", {"operations": parts[:2]})).status == 200


async def test_so_many_at_a_time(cafm: Client) -> None:
    cafm.box.set(concurrent=2, work_seconds=0.3)
    answers = await asyncio.gather(*(cafm.get("/units") for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 200, 429, 429]
    assert {answer.headers.get("retry-after") for answer in answers} == {None, "1"}


async def test_each_operation_of_a_batch_is_for_itself(cafm: Client) -> None:
    item = await cafm.one("items", code="1000")
    operations: list[dict[str, Any]] = [
        {"id": "a", "method": "POST", "path": "/units", "body": {"code": "M"}},
        {"id": "b", "method": "POST", "path": "/items", "body": {"code": "P", "description": "Pipe", "baseUnit": "M"}},
        {"id": "c", "method": "PATCH", "path": f"/items/{item['id']}", "ifMatch": 7, "body": {"category": "X"}},
        {"id": "d", "method": "PATCH", "path": f"/items/{item['id']}", "ifMatch": 1, "body": {"category": "X"}},
        {"id": "e", "method": "GET", "path": "/items?code=P&limit=1"},
        {"id": "f", "method": "DELETE", "path": "/items/17"},
        {"id": "g", "method": "POST", "path": "/batch", "body": {"operations": []}},
        {"id": "h", "method": "POST", "path": "/webhooks", "body": {}},
        {"method": "GET", "path": "/system"},
    ]
    results = (await cafm.post("/batch", {"operations": operations})).data["results"]
    assert [(one["id"], one["status"]) for one in results] == [
        ("a", 201), ("b", 201), ("c", 409), ("d", 200), ("e", 200), ("f", 404), ("g", 400), ("h", 400), ("", 200),
    ]  # fmt: skip
    assert results[4]["body"]["data"][0]["id"] == results[1]["body"]["data"]["id"]
    assert results[2]["body"]["error"]["currentVersion"] == 1
    calls = cafm.box.calls()
    assert (calls["parts"], calls["part_writes"]) == (7, 5)
    changes = calls["changes"]["key:isthmus"]
    assert changes == {"items": {"created": 1, "updated": 1}, "units": {"created": 1}}
    assert calls["writes_by_key"]["isthmus"] == 5


async def test_batches_that_are_none(cafm: Client) -> None:
    for body in ({}, {"operations": []}, {"operations": [1]}, {"operations": [{"path": "/units"}]}):
        assert (await cafm.post("/batch", body)).code == "invalid_parameter"
    many = [{"method": "GET", "path": "/units"}] * 101
    assert (await cafm.post("/batch", {"operations": many})).refusal == (400, "invalid_parameter", "operations")
    odd = [{"method": "GET", "path": "/units", "headers": {}}]
    assert (await cafm.post("/batch", {"operations": odd})).code == "unknown_field"


async def test_answers_are_lost_before_and_after(cafm: Client) -> None:
    body = {"code": "N", "name": "N"}
    cafm.box.fault("lose_before", match={"method": "POST"}, times=1)
    with pytest.raises(aiohttp.ClientError):
        await cafm.post("/vendors", body)
    assert (await cafm.get("/vendors?code=N")).data == []
    cafm.box.fault("lose_after", match={"entity": "vendors", "method": "POST"}, times=1)
    with pytest.raises(aiohttp.ClientError):
        await cafm.post("/vendors", body)
    assert (await cafm.one("vendors", code="N"))["createdBy"] == "key:isthmus"
    assert cafm.box.calls()["cut"] == 2


async def test_a_lost_call_may_land_late(cafm: Client) -> None:
    order = await cafm.id("purchaseOrders", "PO-1")
    match = {"entity": "purchaseOrders", "action": "integration"}
    cafm.box.fault("late_commit", seconds=120, match=match, times=1)
    with pytest.raises(aiohttp.ClientError):
        await cafm.post(f"/purchaseOrders/{order}/integration", {"state": "accepted", "number": "1"})
    cafm.box.advance(119)
    assert (await cafm.get(f"/purchaseOrders/{order}")).data["externalNumber"] is None
    before = datetime.fromisoformat(cafm.box.clock()["now"])
    cafm.box.advance(30)
    landed = (await cafm.get(f"/purchaseOrders/{order}")).data
    assert (landed["externalNumber"], landed["updatedBy"]) == ("1", "key:isthmus")
    assert datetime.fromisoformat(landed["updatedAt"]) < before + timedelta(seconds=5)  # when it was due


async def test_statuses_on_request(cafm: Client) -> None:
    cafm.box.fault("status", code=503, retry_after=7, times=1)
    answer = await cafm.get("/units")
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (503, "Service Unavailable", "7")
    cafm.box.fault("status", code=429, retry_after=9, times=1)
    answer = await cafm.get("/units")
    assert (answer.refusal, answer.headers["retry-after"]) == ((429, "rate_limited", None), "9")
    cafm.box.fault("status", code=504, done=True, match={"method": "POST"}, times=1)
    assert (await cafm.post("/units", {"code": "M"})).status == 504
    assert (await cafm.one("units", code="M"))["version"] == 1
    cafm.box.fault("entity_changed_409", match={"method": "PATCH"}, times=1)
    item = await cafm.id("items", "1000")
    assert (await cafm.patch(f"/items/{item}", {"category": "X"})).code == "stale_version"
    cafm.box.fault("status", code=500, times=1)
    assert (await cafm.get("/units")).refusal == (500, "internal_error", None)
    cafm.box.fault("expired_token", times=1)
    assert (await cafm.get("/units")).code == "key_expired"
    cafm.box.clear_faults()
    assert (await cafm.get("/units")).code == "key_expired"  # from now on
    with pytest.raises(SandboxError, match="posted_but_400"):
        cafm.box.fault("posted_but_400")


async def test_batches_break(cafm: Client) -> None:
    operations = [{"method": "POST", "path": "/units", "body": {"code": f"U{at}"}} for at in range(4)]
    cafm.box.fault("cut_mid_batch", after=2, match={"entity": "batch"}, times=1)
    with pytest.raises(aiohttp.ClientError):
        await cafm.post("/batch", {"operations": operations})
    assert (await cafm.get("/units?code=U0&code=U1&code=U2&code=U3")).body["paging"]["total"] == 2
    cafm.box.fault("status", code=503, match={"entity": "units", "nth": 3})
    results = (await cafm.post("/batch", {"operations": operations})).data["results"]
    assert [one["status"] for one in results] == [409, 409, 503, 201]
    assert results[2]["body"] == "Service Unavailable"


async def test_users_need_no_key_and_meet_no_fault(cafm: Client) -> None:
    cafm.box.fault("status", code=503)
    cafm.box.set(requests_per_window=1)
    made = cafm.box.act("POST", "/vendors", {"code": "HAND", "name": "Typed in"}, user="ben")
    assert (made["status"], made["body"]["data"]["createdBy"]) == (201, "user:ben")
    refused = cafm.box.act("POST", "/vendors", {"code": "HAND", "name": "Again"})
    assert (refused["status"], refused["body"]["error"]["code"]) == (409, "duplicate")
    moved = cafm.box.act("POST", "/vendors/code:HAND/status", {"status": "pending"})
    assert moved["body"]["data"]["approvalStatus"] == "pending"
    body = {"type": "issue", "itemId": "1000", "quantity": "2", "locationId": "STORE", "workOrderId": "WO-1"}
    assert cafm.box.act("POST", "/stockTransactions", body)["status"] == 201
    assert cafm.box.act("DELETE", "/items/code:1001")["status"] == 204
    assert cafm.box.act("GET", "/vendors/code:NONE")["status"] == 404
    calls = cafm.box.calls()
    assert calls["requests"] == 0
    assert calls["changes"]["user:ben"] == {"vendors": {"created": 1}}
    books = cafm.box.books()
    assert books["stock"] == [{"item": "1000", "location": "STORE", "quantity": "38.00000", "value": "171.00"}]
    assert books["work_order_costs"]["parts"] == "9.00"
    assert books["statuses"]["vendors"] == {"approved": 2, "draft": 1, "pending": 1}
    assert [row["code"] for row in cafm.box.records("items", name="1001") or cafm.box.records("items")][-1] == "S1"
