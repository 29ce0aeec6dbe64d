"""`$batch`: independent parts, snapshot and its lie, limits and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.sandbox.server import Sandbox

SNAPSHOT = {"Isolation": "snapshot"}


def journal(bc: Any, code: str, **more: Any) -> dict[str, Any]:
    return dict(bc.part("POST", "journals", {"code": code}, **more))


async def codes(bc: Any) -> list[str]:
    return [row["code"] for row in (await bc.get("journals?$filter=startswith(code,'N')")).value]


async def test_parts_are_independent(bc: Any) -> None:
    answer = await bc.batch(journal(bc, "N1"), journal(bc, "N1"), journal(bc, "N2"))
    assert answer.status == 200
    assert [part["status"] for part in answer.body["responses"]] == [201, 400, 201]
    assert [part["id"] for part in answer.body["responses"]] == ["0", "1", "2"]
    assert answer.body["responses"][0]["body"]["code"] == "N1"
    assert answer.body["responses"][1]["body"]["error"]["code"] == "Internal_EntityWithSameKeyExists"
    assert await codes(bc) == ["N1", "N2"]


async def test_a_snapshot_takes_back_everything_and_says_201(bc: Any) -> None:
    answer = await bc.batch(journal(bc, "N1"), journal(bc, "N2"), journal(bc, "N1"), journal(bc, "N3"), **SNAPSHOT)
    parts = answer.body["responses"]
    assert answer.status == 200
    assert [part["status"] for part in parts] == [201, 201, 400]
    assert parts[0]["body"]["id"] != parts[1]["body"]["id"]
    assert (await bc.get(f"journals({parts[0]['body']['id']})")).status == 404
    assert await codes(bc) == []


async def test_a_snapshot_whose_first_part_fails_answers_with_it_alone(bc: Any) -> None:
    answer = await bc.batch(journal(bc, "TOO LONG A CODE"), journal(bc, "N1"), **SNAPSHOT)
    assert [part["status"] for part in answer.body["responses"]] == [400]
    assert await codes(bc) == []


async def test_a_good_snapshot_stays(bc: Any) -> None:
    answer = await bc.batch(journal(bc, "N1"), journal(bc, "N2"), **SNAPSHOT)
    assert [part["status"] for part in answer.body["responses"]] == [201, 201]
    assert await codes(bc) == ["N1", "N2"]


async def test_posting_commits_even_inside_a_snapshot(bc: Any) -> None:
    batch = await bc.journal()
    await bc.document(batch)
    post = bc.part("POST", f"journals({batch})/Microsoft.NAV.post", {})
    answer = await bc.batch(journal(bc, "N1"), post, journal(bc, "N2"), journal(bc, "N1"), **SNAPSHOT)
    assert [part["status"] for part in answer.body["responses"]] == [201, 204, 201, 400]
    assert await codes(bc) == ["N1"]  # before the post: committed with it; after it: taken back
    assert bc.box.books("CRONUS")["entries"] == 2


async def test_a_failed_dependency_fails_its_dependents(bc: Any) -> None:
    answer = await bc.batch(
        journal(bc, "N1"),
        journal(bc, "N1"),
        journal(bc, "N2", dependsOn=["1"]),
        journal(bc, "N3", dependsOn=["0"]),
        journal(bc, "N4", dependsOn=["2"]),
    )
    assert [part["status"] for part in answer.body["responses"]] == [201, 400, 424, 201, 424]
    assert await codes(bc) == ["N1", "N3"]


async def test_headers_of_a_part(bc: Any) -> None:
    made = (await bc.batch(journal(bc, "N1"))).body["responses"][0]["body"]
    path = f"journals({made['id']})"
    answer = await bc.batch(
        bc.part("PATCH", path, {"displayName": "x"}),
        bc.part("PATCH", path, {"displayName": "x"}, headers={"If-Match": made["@odata.etag"]}),
        bc.part("PATCH", path, {"displayName": "y"}, headers={"If-Match": made["@odata.etag"]}),
        {"method": "GET", "url": "journals?$filter=code eq 'N1'", "headers": {"Company": "CRONUS"}},
        {"method": "GET", "url": bc.path("accounts") + "?$top=1"},
        {"method": "GET", "url": "/companies"},
    )
    parts = answer.body["responses"]
    assert [part["status"] for part in parts] == [400, 200, 409, 200, 200, 200]
    assert parts[0]["body"]["error"]["code"] == "BadRequest_InvalidToken"
    assert parts[3]["body"]["value"][0]["displayName"] == "x"


async def test_at_most_a_hundred_parts(standing: Any) -> None:
    parts = [standing.part("GET", "accounts?$top=1") for _ in range(101)]
    answer = await standing.batch(*parts)
    assert answer.status == 500
    assert answer.text.startswith("A maximum number of '100' query operations and change sets are allowed")
    assert len((await standing.batch(*parts[:100])).body["responses"]) == 100


async def test_a_change_set_holds_one_request(bc: Any) -> None:
    answer = await bc.batch(journal(bc, "N1", atomicityGroup="g"), journal(bc, "N2", atomicityGroup="g"))
    assert answer.status == 500
    assert "Multiple requests within the same change set are not supported" in answer.text
    assert await codes(bc) == []


@pytest.mark.parametrize("body", [{}, {"requests": [{"method": "GET"}]}, [], {"requests": "x"}])
async def test_a_body_that_is_no_batch(standing: Any, body: Any) -> None:
    answer = await standing.post("/$batch", body)
    assert (answer.status, answer.text) == (400, "Invalid Request Body")


async def test_a_duplicate_line_number_kills_the_batch(box: Sandbox, bc: Any) -> None:
    batch = await bc.journal()
    path = f"journals({batch})/journalLines"
    parts = [bc.part("POST", path, {"lineNumber": number}) for number in (1, 1, 2)]
    answer = await bc.batch(*parts)
    assert (answer.status, answer.code) == (400, "Internal_EntityWithSameKeyExists")
    box.set(duplicate_line_kills_batch=False)
    answer = await bc.batch(*parts[1:])
    assert [part["status"] for part in answer.body["responses"]] == [400, 201]


async def test_a_whole_document_in_one_batch(bc: Any) -> None:
    """Journal and lines first, then dimensions and post: what a delivery does."""
    lines = [
        {"accountNumber": "8430", "amount": 12.34, "documentNumber": "WO-1", "postingDate": "2026-03-01"},
        {"accountNumber": "2920", "amount": -12.34, "documentNumber": "WO-1", "postingDate": "2026-03-01"},
    ]
    made = await bc.batch(
        bc.part("POST", "journals?$expand=journalLines", {"code": "N1", "journalLines": lines}), **SNAPSHOT
    )
    body = made.body["responses"][0]["body"]
    line = body["journalLines"][0]["id"]
    answer = await bc.batch(
        bc.part("POST", f"journalLines({line})/dimensionSetLines", {"code": "DEPARTMENT", "valueCode": "PROD"}),
        bc.part("POST", f"journals({body['id']})/Microsoft.NAV.post", {}),
        **SNAPSHOT,
    )
    assert [part["status"] for part in answer.body["responses"]] == [201, 204]
    found = bc.box.document("WO-1", "CRONUS")
    assert (found["postings"], len(found["entries"]), found["unposted"]) == (1, 2, [])
    assert found["entries"][0]["dimensions"] == {"DEPARTMENT": "PROD"}
