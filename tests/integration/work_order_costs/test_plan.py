"""The plan says what a run will do, and does nothing itself."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integration.work_order_costs.bench import Mine
from isthmus.sync.plan import Plan, make_plan

#: Everything the ledger holds but what opening it writes (versions of the project, who serves).
TABLES = (
    "connection", "stream", "record", "link", "scan_seen", "progress", "message", "note", "attempt", "audit", "alias",
    "inbox", "turn_log",
)  # fmt: skip


async def planned(mine: Mine) -> Plan:
    async with mine.session() as session:
        return await make_plan(session.runtime.world)


def ledger(mine: Mine) -> dict[str, object]:
    """A digest of every table."""
    return {
        table: mine.ask(f"select count(*), md5(string_agg(t::text, '|' order by t::text)) from {table} t")
        for table in TABLES
    }


def totals(plan: Plan) -> dict[str, tuple[int, Decimal]]:
    return {total.state: (total.count, total.amount) for total in plan.totals}


def came(mine: Mine) -> dict[str, tuple[int, Decimal]]:
    rows = mine.ask("select state, count(*), coalesce(sum(amount), 0) from message group by state")
    return {state: (count, amount) for state, count, amount in rows}


async def test_what_is_planned_is_what_comes(mine: Mine) -> None:
    mine.save()
    plan = await planned(mine)
    assert totals(plan) == {
        "ready": (53, Decimal("90186.99")),
        "skipped": (6, Decimal(0)),
        "dead": (1, Decimal(0)),
    }
    assert not plan.troubles
    numbers = {item.number for item in plan.items if item.state == "ready"}
    await mine.run()
    assert came(mine) == {("done" if state == "ready" else state): sums for state, sums in totals(plan).items()}
    assert numbers == mine.postings().keys()
    assert mine.charged() == Decimal("90186.99")
    dead = next(item for item in plan.items if item.state == "dead")
    assert dead.reason == mine.only("state = 'dead'").reason
    assert {item.decided for item in plan.items if item.state == "ready"} == {"decided by the target"}


async def test_a_plan_writes_nothing(mine: Mine) -> None:
    mine.save()
    async with mine.session():
        pass
    before = ledger(mine)
    await planned(mine)
    assert ledger(mine) == before
    assert mine.written() == 0
    assert mine.books()["entries"] == 0
    assert not list(mine.list.parent.glob("*.results.csv"))


async def test_a_plan_in_the_middle_says_what_is_left(mine: Mine) -> None:
    mine.save()
    await mine.run()
    assert not [total for total in (await planned(mine)).totals if total.count]
    mine.replace("2025-01-13,B,New door seal for cab,PM01,96.8", "2025-01-13,B,New door seal for cab,PM01,120")
    mine.lines.append("2025-07-01,A,Mirror broken,PM01,44.10")
    mine.save()
    before = ledger(mine)
    plan = await planned(mine)
    assert totals(plan) == {"ready": (1, Decimal("44.10")), "held": (1, Decimal("120"))}
    held = next(item for item in plan.items if item.state == "held")
    assert held.reason.endswith("change of 96.80 -> 120.00")
    assert ledger(mine) == before
    mine.box.reset_calls()
    await mine.run()
    assert mine.charged() == Decimal("90231.09")
    assert mine.only("state = 'held'").reason == held.reason
    assert plan.requests > 0


async def test_a_plan_may_wait_for_a_slow_system(mine: Mine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its one transaction stands still meanwhile, which no other one may for long."""
    monkeypatch.setattr("isthmus.ledger.database.FROZEN_SECONDS", 1)
    mine.save()
    mine.box.fault("latency", seconds=2, match={"entity": "accounts"}, times=1)
    plan = await planned(mine)
    assert plan.troubles == []
    assert totals(plan)["ready"] == (53, Decimal("90186.99"))
