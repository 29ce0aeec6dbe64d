"""Lists and single records: pages, filters, what changed, what was deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.sandbox.cafm.facility import Client


async def test_a_page_is_small_unless_asked_otherwise(crowded: Client) -> None:
    answer = await crowded.get("/vendors")
    assert len(answer.data) == 25
    paging = answer.body["paging"]
    assert (paging["total"], paging["limit"], paging["offset"]) == (703, 25, 0)
    assert paging["next"] == crowded.url("/vendors?limit=25&offset=25")
    assert (await crowded.get("/vendors?limit=200&offset=600")).body["paging"]["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=201", "limit"),
        ("limit=0", "limit"),
        ("offset=-1", "offset"),
        ("updated_since=2026-01-01T00:00:00", "updated_since"),
        ("updated_since=yesterday", "updated_since"),
        ("ids=1,x", "ids"),
        ("sort=name", "sort"),
        ("include_deleted=maybe", "include_deleted"),
        ("approvalStatus=unheard", "approvalStatus"),
        ("active=yes", "active"),
        ("limit=5&limit=6", "limit"),
        ("ids=" + ",".join(map(str, range(101))), "ids"),
    ],
)
async def test_wrong_parameters_are_told(crowded: Client, query: str, field: str) -> None:
    assert (await crowded.get(f"/vendors?{query}")).refusal == (400, "invalid_parameter", field)


async def test_unknown_parameters_are_refused(crowded: Client) -> None:
    assert (await crowded.get("/vendors?name=Pump")).refusal == (400, "unknown_parameter", "name")
    assert (await crowded.get("/vendors/2147483640?fields=id")).refusal == (400, "unknown_parameter", "fields")


async def test_records_are_found_by_what_names_them(crowded: Client) -> None:
    some = [await crowded.id("vendors", code) for code in ("M0003", "V1", "M0001")]
    asked = ",".join(map(str, [*some, 1]))
    assert [row["id"] for row in (await crowded.get(f"/vendors?ids={asked}")).data] == sorted(some)
    codes = (await crowded.get("/vendors?code=m0003&code=M0005&code=none")).data
    assert [row["code"] for row in codes] == ["M0003", "M0005"]
    both = (await crowded.get("/vendors?externalId=X7&limit=200")).data
    assert [row["code"] for row in both] == ["M0007", "M0307", "M0607"]
    assert (await crowded.get("/vendors?externalId=X7&code=M0307")).body["paging"]["total"] == 1
    assert (await crowded.get("/vendors?taxNumber=T3&approvalStatus=draft,approved")).body["paging"]["total"] == 100
    assert (await crowded.get("/vendors?approvalStatus=approved")).body["paging"]["total"] == 2


async def test_codes_and_numbers_are_found_in_any_case(crowded: Client) -> None:
    for path in (
        "/workOrders?number=wo-1",
        "/dimensionValues?dimensionCode=site",
        "/itemUnits?unitCode=box10",
        "/items?code=s1&code=S1",
    ):
        assert (await crowded.get(path)).body["paging"]["total"] == 1, path
    assert (await crowded.get("/vendors?externalId=x7")).data == []


async def test_ids_are_larger_than_32_bits(crowded: Client) -> None:
    ids = [row["id"] for row in await crowded.all("/vendors?limit=200")]
    assert min(ids) < 2**31 < max(ids)
    assert (await crowded.id("workOrders", "WO-1")) > 2**51


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(20, 200), since=st.sampled_from(["", "&updated_since=2020-01-01T00:00:00Z"]), down=st.booleans()
)
async def test_pages_are_the_whole_list_once(crowded: Client, limit: int, since: str, down: bool) -> None:
    sort = "&sort=-id" if down else ""
    rows = await crowded.all(f"/vendors?limit={limit}{since}{sort}")
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids) == 703
    assert ids == sorted(ids, reverse=down)


async def test_what_changed_since_a_time_comes_in_order_of_change(cafm: Client) -> None:
    first, second = await cafm.id("vendors", "V1"), await cafm.id("vendors", "V2")
    changed = (await cafm.patch(f"/vendors/{second}", {"name": "Two"})).data
    cafm.box.advance(5)
    again = (await cafm.patch(f"/vendors/{first}", {"name": "One"})).data
    since = changed["updatedAt"]
    rows = (await cafm.get(f"/vendors?updated_since={since}")).data
    assert [row["id"] for row in rows] == [second, first]  # inclusive
    later = (datetime.fromisoformat(since) + timedelta(milliseconds=1)).isoformat().replace("+", "%2B")
    assert [row["id"] for row in (await cafm.get(f"/vendors?updated_since={later}")).data] == [first]
    tokyo = datetime.fromisoformat(again["updatedAt"]).astimezone().isoformat()
    assert [row["id"] for row in (await cafm.get(f"/vendors?updated_since={tokyo}")).data] == [first]


async def test_a_list_is_read_anew_for_each_page(cafm: Client) -> None:
    """What changes between two pages moves others across the boundary: the trap of reading by offset."""
    start = "/vendors?updated_since=2020-01-01T00:00:00Z&limit=1"
    page = await cafm.get(start)
    cafm.box.advance(1)
    await cafm.patch(f"/vendors/{page.data[0]['id']}", {"name": "Touched"})
    rest: list[dict[str, Any]] = await cafm.all(page.body["paging"]["next"])
    assert [row["code"] for row in page.data] == ["V1"]
    assert [row["code"] for row in rest] == ["V3", "V1"]  # V2 was missed, V1 came twice


async def test_deleted_records_are_shown_to_those_who_ask(cafm: Client) -> None:
    gone = (await cafm.post("/vendors", {"code": "GONE", "name": "Gone"})).data
    cafm.box.advance(1)
    assert (await cafm.delete(f"/vendors/{gone['id']}")).status == 204
    since = gone["createdAt"]
    assert (await cafm.get(f"/vendors?updated_since={since}")).data == []
    assert (await cafm.get("/vendors?code=GONE")).data == []
    rows = (await cafm.get(f"/vendors?updated_since={since}&include_deleted=true")).data
    assert [(row["code"], row["deletedAt"] > since) for row in rows] == [("GONE", True)]
    assert [row["id"] for row in (await cafm.get("/vendors?code=GONE&include_deleted=true")).data] == [gone["id"]]
    assert (await cafm.get(f"/vendors/{gone['id']}")).refusal == (410, "deleted", None)
    assert (await cafm.get(f"/vendors/{gone['id']}?include_deleted=true")).data["deletedAt"] is not None


async def test_what_is_not_there(cafm: Client) -> None:
    assert (await cafm.get("/vendors/17")).refusal == (404, "not_found", None)
    assert (await cafm.get("/vendors/V1")).status == 404  # codes in paths are for people, not for keys
    assert (await cafm.get("/suppliers")).status == 404
    assert (await cafm.get("/vendors/17/things")).status == 404
    answer = await cafm.call("PUT", "/vendors", {})
    assert (answer.refusal, answer.headers["allow"]) == ((405, "method_not_allowed", None), "GET, POST")


async def test_the_system_says_who_it_is(cafm: Client, reader: Client) -> None:
    told = (await cafm.get("/system")).data
    assert (told["id"], told["apiVersion"], told["baseCurrency"]) == ("facilities-test", "1", "EUR")
    assert (await reader.get("/system")).data["key"]["permissions"] == ["*:read", "items:write"]
    assert abs(datetime.fromisoformat(told["time"]) - datetime.fromisoformat(cafm.box.clock()["now"])) < timedelta(
        seconds=5
    )
