"""The dev API: clock, books, calls, seed and switches."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from isthmus.sandbox.server import Sandbox, SandboxError


async def test_the_clock_goes_forward_only(box: Sandbox, bc: Any) -> None:
    before = dt.datetime.fromisoformat(box.clock()["now"])
    found = box.advance(3600)
    assert found["offset"] == 3600
    assert dt.timedelta(seconds=3600) <= dt.datetime.fromisoformat(found["now"]) - before < dt.timedelta(seconds=3630)
    with pytest.raises(SandboxError, match="forward"):
        box.advance(-1)
    async with bc.session.post(f"{box.url}/_sandbox/clock", json={"set": "2100-01-01T00:00:00Z"}) as response:
        assert (await response.json())["now"].startswith("2100-01-01T00:00:00")
    async with bc.session.post(f"{box.url}/_sandbox/clock", json={"set": "2100-01-01T00:00:00"}) as response:
        assert response.status == 400
    await bc.sign_in()
    assert (await bc.post("journals", {"code": "X"})).body["lastModifiedDateTime"].startswith("2100-01-01T")


async def test_books_are_the_sandbox_s_own(bc: Any) -> None:
    journal = await bc.journal()
    line = (await bc.line(journal, "8430", 5, "A")).body["id"]
    await bc.post(f"journalLines({line})/dimensionSetLines", {"code": "DEPARTMENT", "valueCode": "ADM"})
    await bc.line(journal, "2920", -5, "A")
    await bc.document(journal, "B", 2.5)
    await bc.post_journal(journal)
    await bc.line(journal, "8450", 1, "C")
    books = bc.box.books("CRONUS")
    assert books["accounts"] == {"2920": "-7.50", "8430": "5.00", "8450": "2.50"}
    assert (books["entries"], books["documents"], books["unposted_lines"], books["balance"]) == (4, 2, 1, "0.00")
    assert {"account": "8430", "dimensions": {"DEPARTMENT": "ADM"}, "amount": "5.00", "entries": 1} in (
        books["by_dimensions"]
    )
    found = bc.box.document("C", "CRONUS")
    assert found["entries"] == []
    assert found["unposted"] == [
        {"journal": "T1", "line": 10000, "account": "8450", "amount": "1.00", "dimensions": {}}
    ]
    assert bc.box.books("Zweite Gesellschaft")["entries"] == 0
    with pytest.raises(SandboxError, match="CRONUS"):
        bc.box.books("NONE")


async def test_calls_are_counted(box: Sandbox, bc: Any) -> None:
    box.reset_calls()
    journal = await bc.journal()
    await bc.batch(
        bc.part("POST", f"journals({journal})/journalLines", {}),
        bc.part("POST", f"journals({journal})/journalLines", {}),
        bc.part("GET", f"journals({journal})"),
    )
    await bc.get("nonsense")
    await bc.sign_in()
    calls = box.calls()
    assert (calls["requests"], calls["writes"], calls["reads"], calls["tokens"]) == (3, 2, 1, 1)
    assert calls["by_path"]["POST companies({id})/journals"] == 1
    assert (calls["parts"], calls["part_writes"], calls["part_reads"]) == (3, 2, 1)
    assert calls["parts_by_path"]["POST companies({id})/journals({id})/journalLines"] == 2
    assert calls["statuses"] == {"200": 1, "201": 1, "404": 1}
    assert calls["max_concurrent"] == 1
    box.reset_calls()
    assert box.calls()["requests"] == 0


async def test_more_seed_adds_and_mends(box: Sandbox, bc: Any) -> None:
    before = {row["number"]: row["id"] for row in (await bc.get("accounts")).value}
    box.seed(
        {
            "companies": [
                {"name": "CRONUS", "accounts": [{"number": 8450, "name": "Renamed"}, {"number": "9000"}]},
                {"name": "Third", "currency": "USD"},
            ]
        }
    )
    accounts = {row["number"]: row for row in (await bc.get("accounts")).value}
    assert (accounts["8450"]["displayName"], accounts["8450"]["id"]) == ("Renamed", before["8450"])
    assert "9000" in accounts
    assert len((await bc.get("/companies")).value) == 3
    assert (await bc.get("generalLedgerSetup")).value[0]["localCurrencyCode"] == "EUR"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"tenants": "x"}, "tenants"),
        ({"companies": [{"name": "A", "acounts": []}]}, "acounts"),
        ({"companies": [{"accounts": []}]}, "name"),
        ({"companies": [{"name": "A", "accounts": [{"number": "1", "type": "odd"}]}]}, "'odd' is no G/L Account Type"),
        (
            {"companies": [{"name": "A", "accounts": [{"number": "1", "dimensions": {"D": "always"}}]}]},
            "'always' is no rule",
        ),
        ({"companies": [{"name": "A", "journals": [{"code": "J", "no_series": "NONE"}]}]}, "number series 'NONE'"),
        ({"companies": [{"name": "A", "allow_posting_from": {}}]}, "allow_posting_from"),
    ],
)
async def test_a_wrong_seed_says_where(standing_box: Sandbox, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(SandboxError, match=words):
        standing_box.seed(wrong)


async def test_switches_are_checked(standing_box: Sandbox) -> None:
    for wrong in (
        {"nonsense": 1},
        {"batch_counts": "two"},
        {"company": "NONE", "post_with_job_queue": True},
        {"company": "CRONUS", "accounts": {"9999": {"blocked": True}}},
        {"company": "CRONUS", "dimension_values": {"ADM": {"blocked": True}}},
        {"company": "CRONUS", "journals": {"DEFAULT": {"no_series": "NONE"}}},
        {"company": "CRONUS", "nonsense": 1},
    ):
        with pytest.raises(SandboxError):
            standing_box.set(**wrong)


async def test_a_switch_gives_a_journal_its_series(box: Sandbox, bc: Any) -> None:
    box.set(company="CRONUS", journals={"DEFAULT": {"posting_no_series": "POSTED"}})
    journal = (await bc.get("journals?$filter=code eq 'DEFAULT'")).value[0]["id"]
    await bc.document(journal)
    await bc.post_journal(journal)
    assert bc.box.document("P001", "CRONUS")["postings"] == 1


async def test_state_is_a_summary(box: Sandbox) -> None:
    state = box.state()
    assert state["companies"][0]["name"] == "CRONUS"
    assert state["companies"][0]["rows"]["accounts"] == 7
    assert "secret" not in str(state)


async def test_unknown_paths_and_bodies(box: Sandbox, bc: Any) -> None:
    async with bc.session.get(f"{box.url}/_sandbox/nonsense") as response:
        assert response.status == 404
    async with bc.session.post(f"{box.url}/_sandbox/clock", data=b"{") as response:
        assert response.status == 400


async def test_ids_follow_from_names(tmp_path: Path, seed_data: dict[str, Any], bc: Any) -> None:
    async with Sandbox(seed_data, home=tmp_path / "other") as other:
        names = {company["name"]: company["id"] for company in other.state()["companies"]}
    assert names["CRONUS"] == bc.company
