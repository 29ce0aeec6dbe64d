"""How journal entries travel: one journal, one posting, and what is told when finance refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from isthmus.connectors.dynamics.business_central.own_journal import OwnJournal, journal_code
from isthmus.errors import Retry

if TYPE_CHECKING:
    from integration.business_central.conftest import Bench

PROD = {"DEPARTMENT": "PROD"}


async def test_fifty_documents_travel_in_one_journal_and_leave_nothing_behind(bench: Bench) -> None:
    before = bench.journals()
    orders = [bench.order(serial) for serial in range(50)]
    connector = bench.connector()
    outcomes = await bench.write(connector, *orders)
    assert {outcome.result for outcome in outcomes.values()} == {"done"}
    assert outcomes["event-7"].number == "WO00007"
    assert outcomes["event-7"].booked_at is not None
    assert [bench.postings(f"WO{serial:05}") for serial in range(50)] == [1] * 50
    calls = bench.box.calls()["by_path"]
    assert calls["POST companies({id})/journals({id})/Microsoft.NAV.post"] == 1
    assert calls["POST $batch"] <= 3
    assert (bench.unposted(), bench.journals()) == (0, before)


async def test_lines_arrive_with_amounts_dimensions_and_texts_exactly_as_meant(bench: Bench) -> None:
    lines = (("8450", "0.10", PROD), ("8700", "0.20", {**PROD, "PROJECT": "P200"}), ("5800", "-0.30", {}))
    await bench.write(bench.connector(), bench.order(1, *lines))
    found = bench.entries("WO00001")
    assert [(e["account"], Decimal(e["amount"]), e["dimensions"]) for e in found] == [
        (account, Decimal(amount), dimensions) for account, amount, dimensions in lines
    ]
    assert {(e["description"], e["date"], e["external"]) for e in found} == {
        ("Hydraulic pump", "2026-03-05", "ORDER 1")
    }


async def test_a_default_dimension_of_the_account_gives_way_to_ours(bench: Bench) -> None:
    default = {"DEPARTMENT": {"value": "ADM"}, "PROJECT": {"value": "P200"}}
    bench.seed(accounts=[{"number": "8460", "name": "Oil", "category": "expense", "dimensions": default}])
    outcomes = await bench.write(
        bench.connector(), bench.order(1, ("8460", "5", {"DEPARTMENT": "SALES"}), ("5800", "-5", {}))
    )
    assert outcomes["event-1"].result == "done"
    assert bench.entries("WO00001")[0]["dimensions"] == {"DEPARTMENT": "SALES", "PROJECT": "P200"}


@pytest.mark.parametrize(
    ("lines", "code", "field", "value"),
    [
        ((("9999", "5", {}), ("5800", "-5", {})), "account_missing", "lines[0].account", "9999"),
        ((("5800", "-5", {}), ("1000", "5", {})), "account_not_posting", "lines[1].account", "1000"),
        (
            (("8450", "5", {"REGION": "N"}), ("5800", "-5", {})),
            "dimension_unknown",
            "lines[0].dimensions.REGION",
            "REGION",
        ),
        (
            (("8450", "5", {"DEPARTMENT": "MOON"}), ("5800", "-5", {})),
            "dimension_value_missing",
            "lines[0].dimensions.DEPARTMENT",
            "MOON",
        ),
        ((("8430", "5", {}), ("5800", "-5", {})), "dimension_required", "lines[0].dimensions.DEPARTMENT", ""),
        ((("8450", "5", {}), ("5800", "-4.50", {})), "out_of_balance", "lines", "0.50"),
    ],
)
async def test_the_bad_document_is_named_by_its_facts_and_the_good_ones_go(
    bench: Bench, lines: tuple[tuple[str, str, dict[str, str]], ...], code: str, field: str, value: str
) -> None:
    orders = [bench.order(1), bench.order(2, *lines), bench.order(3)]
    outcomes = await bench.write(bench.connector(), *orders)
    bad = outcomes["event-2"]
    assert (bad.result, bad.code, bad.field, bad.value) == ("reject", code, field, value)
    assert bad.text.endswith(".")
    assert bad.mend
    assert {outcomes[f"event-{serial}"].result for serial in (1, 3)} == {"done"}
    assert [bench.postings(f"WO{serial:05}") for serial in (1, 2, 3)] == [1, 0, 1]
    assert bench.unposted() == 0


@pytest.mark.parametrize(
    ("switch", "code"),
    [
        ({"blocked": True}, "account_blocked"),
        ({"direct_posting": False}, "account_no_direct_posting"),
    ],
)
async def test_a_switch_of_the_account_is_named(bench: Bench, switch: dict[str, bool], code: str) -> None:
    bench.company(accounts={"8450": switch})
    outcome = (await bench.write(bench.connector(), bench.order(1)))["event-1"]
    assert (outcome.result, outcome.code, outcome.value) == ("reject", code, "8450")
    assert "Chart of Accounts in company CRONUS" in outcome.mend


@pytest.mark.parametrize(("day", "closed"), [("2026-02-28", True), ("2026-03-01", False), ("2026-04-01", True)])
async def test_a_day_outside_the_open_dates_is_a_closed_period(bench: Bench, day: str, closed: bool) -> None:
    bench.company(allow_posting_from="2026-03-01", allow_posting_to="2026-03-31")
    outcome = (await bench.write(bench.connector(), bench.order(1, day=day)))["event-1"]
    assert outcome.code == ("period_closed" if closed else "")
    assert outcome.result == ("reject" if closed else "done")
    if closed:
        assert "2026-03-01 to 2026-03-31" in outcome.text


async def test_where_the_facts_tell_nothing_the_journal_is_halved_and_the_service_is_quoted(bench: Bench) -> None:
    bench.company(blocked_combinations=[["DEPARTMENT", "PROJECT"]])
    both = (("8450", "5", {"DEPARTMENT": "PROD", "PROJECT": "P100"}), ("5800", "-5", {}))
    orders = [bench.order(serial) for serial in range(8)]
    orders[5] = bench.order(5, *both)
    outcomes = await bench.write(bench.connector(), *orders)
    bad = outcomes["event-5"]
    assert (bad.result, bad.code) == ("reject", "Application_DialogException")
    assert "blocked" in bad.text
    assert "CorrelationId" not in bad.text
    assert [bench.postings(f"WO{serial:05}") for serial in range(8)] == [1, 1, 1, 1, 1, 0, 1, 1]
    assert bench.unposted() == 0
    posts = bench.box.calls()["by_path"]["POST companies({id})/journals({id})/Microsoft.NAV.post"]
    assert posts <= 7  # 8, 4, 4, 2, 2, 1, 1: halving, not one by one


async def test_a_refusal_that_came_after_the_posting_is_found_out(bench: Bench) -> None:
    bench.box.fault("posted_but_400", match={"action": "post"}, times=1)
    outcomes = await bench.write(bench.connector(), bench.order(1), bench.order(2))
    assert {outcome.result for outcome in outcomes.values()} == {"done"}
    assert [bench.postings("WO00001"), bench.postings("WO00002")] == [1, 1]


async def test_a_strangers_document_under_our_number_is_not_ours(bench: Bench) -> None:
    connector = bench.connector()
    stranger = bench.order(1, ("8450", "99", {}), ("2920", "-99", {}))
    await bench.write(connector, stranger)
    ours = bench.order(1, delivery="d2")
    for found in (await connector.look_up([ours]), await bench.write(connector, ours)):
        assert (found["event-1"].result, found["event-1"].code) == ("reject", "number_taken")
        assert "183.05" in found["event-1"].text
    assert bench.postings("WO00001") == 1


async def test_the_same_day_and_sum_is_ours_another_day_is_not(bench: Bench) -> None:
    connector = bench.connector()
    await bench.write(connector, bench.order(1))
    found = await connector.look_up([bench.order(1, delivery="d2")])
    assert found["event-1"].result == "done"
    found = await connector.look_up([bench.order(1, delivery="d2", day="2026-03-06")])
    assert found["event-1"].code == "number_taken"


async def test_posting_by_the_job_queue_is_saved_first_and_found_later(bench: Bench) -> None:
    bench.company(post_with_job_queue=True, job_queue_seconds=30)
    connector = bench.connector()
    order = bench.order(1)
    outcome = (await bench.write(connector, order))["event-1"]
    assert (outcome.result, outcome.code) == ("saved", "posting_queued")
    assert await connector.look_up([order]) == {}
    await bench.clock.sleep(60)
    assert (await connector.look_up([order]))["event-1"].result == "done"
    assert bench.postings("WO00001") == 1


async def test_a_posting_number_series_is_told_and_nothing_is_posted_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.seed(number_series=[{"code": "POSTED", "start": "PST0001"}])
    post = OwnJournal.post

    async def with_series(journal: OwnJournal) -> None:
        bench.company(journals={journal.code: {"posting_no_series": "POSTED"}})
        await post(journal)

    monkeypatch.setattr(OwnJournal, "post", with_series)
    outcome = (await bench.write(bench.connector(), bench.order(1)))["event-1"]
    assert (outcome.result, outcome.code) == ("saved", "renumbered")
    assert "General Journal Templates" in outcome.mend
    assert (bench.postings("WO00001"), bench.box.books("CRONUS")["documents"]) == (0, 1)


async def test_left_for_a_person_to_post_when_so_configured(bench: Bench) -> None:
    connector = bench.connector(posting="save")
    outcome = (await bench.write(connector, bench.order(1)))["event-1"]
    assert (outcome.result, outcome.code) == ("saved", "left_in_journal")
    assert journal_code("d1", 0) in outcome.text
    assert (bench.postings("WO00001"), bench.unposted()) == (0, 2)


async def test_what_an_abandoned_delivery_left_is_removed_before_anything_is_sent_again(bench: Bench) -> None:
    connector = bench.connector()
    bench.box.fault("lose_before", match={"action": "post"}, times=1)
    outcome = (await bench.write(connector, bench.order(1)))["event-1"]
    assert outcome.result == "uncertain"
    assert bench.unposted() == 2
    again = bench.order(1, delivery="d2", earlier=["d1"])
    await connector.discard([again])
    await connector.discard([again])
    assert bench.unposted() == 0
    assert (await bench.write(connector, again))["event-1"].result == "done"
    assert bench.postings("WO00001") == 1


async def test_what_an_unknown_delivery_left_is_found_by_document_number(bench: Bench) -> None:
    """A restored ledger does not know what the lost one named its deliveries."""
    connector = bench.connector()
    before = bench.journals()
    bench.box.fault("lose_before", match={"action": "post"}, times=1)
    await bench.write(connector, bench.order(1), bench.order(2))
    assert bench.unposted() == 4
    await connector.discard([bench.order(1, delivery="d2")])
    assert (bench.unposted(), bench.journals()) == (2, before + 1)
    await connector.discard([bench.order(2, delivery="d2")])
    assert (bench.unposted(), bench.journals()) == (0, before)


async def test_a_journal_that_is_locked_is_left_for_later(bench: Bench) -> None:
    connector = bench.connector()
    bench.box.fault("lose_before", match={"action": "post"}, times=1)
    await bench.write(connector, bench.order(1))
    bench.box.fault("lock_409", match={"method": "DELETE"}, times=1)
    with pytest.raises(Retry) as caught:
        await connector.discard([bench.order(1, delivery="d2", earlier=["d1"])])
    assert caught.value.code == "locked"


async def test_a_refused_document_is_uncertain_while_its_journal_cannot_be_removed(bench: Bench) -> None:
    bench.box.fault("lock_409", match={"method": "DELETE"})
    bench.company(allow_posting_to="2026-01-31")
    outcome = (await bench.write(bench.connector(), bench.order(1)))["event-1"]
    assert outcome.result == "uncertain"
    assert "may still stand" in outcome.text


async def test_two_documents_of_one_number_are_not_mixed_into_one(bench: Bench) -> None:
    first, second = bench.order(1), bench.order(1, ("8450", "7", {}), ("5800", "-7", {}))
    twin = type(second)(**{**{name: getattr(second, name) for name in second.__struct_fields__}, "key": "twin"})
    outcomes = await bench.write(bench.connector(), first, twin)
    assert outcomes["event-1"].result == "done"
    assert (outcomes["twin"].result, outcomes["twin"].code) == ("reject", "number_taken")


async def test_a_company_that_does_not_exist_halts_its_documents(bench: Bench) -> None:
    order = bench.order(1)
    other = type(order)(**{**{name: getattr(order, name) for name in order.__struct_fields__}, "company": "ATLANTIS"})
    outcome = (await bench.write(bench.connector(), other))["event-1"]
    assert (outcome.result, outcome.code) == ("halt", "company_missing")
    assert "CRONUS" in outcome.text


async def test_a_used_up_budget_sends_nothing_at_all(bench: Bench) -> None:
    connector = bench.connector(quota=20, patience=0)
    await bench.read(connector, "accounts")
    bench.box.reset_calls()
    outcomes = await bench.write(connector, *(bench.order(serial) for serial in range(10)))
    assert {(outcome.result, outcome.code) for outcome in outcomes.values()} == {("retry", "budget")}
    assert all(outcome.after for outcome in outcomes.values())
    assert bench.box.calls()["writes"] == 0
