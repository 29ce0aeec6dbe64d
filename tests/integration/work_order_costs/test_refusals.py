"""One account that takes nothing: its documents alone stop, in words that say what to do, and go when it is mended."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from integration.work_order_costs.bench import COMPANY, Mine
from isthmus.sync.run import run_turn

REFURBISHED = "2025-02-06,D,Swap final drive R/H,PM04,28450.75"


async def late(mine: Mine, change: dict[str, object]) -> None:
    """Finance changes its books after they were read and before the documents arrive: only the target sees it."""
    async with mine.session() as session:
        world = session.runtime.world
        await run_turn(world, "finance")
        mine.box.set(company=COMPANY, **change)
        await run_turn(world, "maintenance")
        await run_turn(world, "finance")
        await run_turn(world, "maintenance")


def others_are_booked(mine: Mine) -> None:
    rows = [line.split(",") for line in mine.lines[1:] if "won,t" not in line and not line.endswith(",0")]
    stopped = sum(row[-2] == "PM04" for row in rows)
    assert stopped > 0
    assert mine.standing() == {"dead": 1 + stopped, "done": len(rows) - stopped, "skipped": 6}
    charged = sum((Decimal(row[-1]) for row in rows if row[-2] != "PM04"), Decimal(0))
    assert mine.charged() == charged
    assert mine.books()["unposted_lines"] == 0


async def test_an_account_blocked_before(mine: Mine) -> None:
    mine.block("8440")
    mine.save()
    await mine.run()
    others_are_booked(mine)
    dead = mine.of_row(REFURBISHED)
    assert (dead.state, dead.code, dead.field, dead.value) == ("dead", "account_blocked", "account", "8440")
    assert "8440" in dead.reason
    assert "refurbishment" in dead.reason  # the rule
    assert "rules/maintenance-costs.yaml" in dead.reason
    assert "Unblock 8440 in the chart of accounts" in dead.mend


async def test_an_account_blocked_after_it_was_read(mine: Mine) -> None:
    mine.save()
    await late(mine, {"accounts": {"8440": {"blocked": True}}})
    others_are_booked(mine)
    dead = mine.of_row(REFURBISHED)
    assert (dead.state, dead.code, dead.value) == ("dead", "account_blocked", "8440")
    assert "account 8440 is blocked" in dead.reason
    assert f"page Chart of Accounts in company {COMPANY}" in dead.mend
    assert mine.box.state()["companies"][0]["rows"]["journals"] == 0


async def test_mended_and_tried_again_nobody_else_is_touched(mine: Mine) -> None:
    mine.block("8440")
    mine.save()
    await mine.run()
    before = {row.id: row for row in mine.messages()}
    dead = mine.messages("code = 'account_blocked'")
    charged = mine.charged()
    mine.block("8440", blocked=False)
    await mine.run()
    assert {row.id: row for row in mine.messages()} == before  # a person decides when
    mine.box.reset_calls()
    acted = await mine.act("retry", *dead)
    assert all(one.done for one in acted)
    after = {row.id: row for row in mine.messages()}
    assert {i for i in after if after[i] != before[i]} == {row.id for row in dead}
    assert mine.charged() - charged == sum(after[row.id].amount or 0 for row in dead) > Decimal("28450")
    assert set(mine.postings().values()) == {1}
    posts = {name: n for name, n in mine.box.calls()["by_path"].items() if name.endswith("NAV.post")}
    assert sum(posts.values()) == 1


async def test_tried_again_before_it_is_mended_it_says_the_same(mine: Mine) -> None:
    mine.block("8440")
    mine.save()
    await mine.run()
    dead = mine.of_row(REFURBISHED)
    acted = await mine.act("retry", dead)
    assert not acted[0].done
    assert "8440" in acted[0].text
    assert mine.of_row(REFURBISHED).state == "dead"
    others_are_booked(mine)


async def test_skipped_by_a_person_it_is_never_sent(mine: Mine) -> None:
    mine.block("8440")
    mine.save()
    await mine.run()
    await mine.act("skip", mine.of_row(REFURBISHED))
    mine.block("8440", blocked=False)
    mine.lines.insert(2, "2025-01-07,A,Something else,PM05,5.00")  # every row is looked at again, on another line
    mine.save()
    await mine.run()
    skipped = mine.of_row(REFURBISHED)
    assert (skipped.state, skipped.code, skipped.reason) == ("skipped", "skipped_by_person", "skipped by Kim: not ours")
    assert mine.ask("select who, reason from audit where what = 'message skipped'") == [("Kim", "not ours")]
    assert "8440" not in mine.books()["accounts"] or Decimal(mine.books()["accounts"]["8440"]) < Decimal("28450")


async def test_a_period_closed_after_it_was_read_is_held(mine: Mine) -> None:
    mine.save()
    await late(mine, {"allow_posting_from": "2025-03-01"})
    held = mine.of_row(REFURBISHED)
    assert (held.state, held.code) == ("held", "period_closed")
    assert "2025-02-06" in held.reason
    assert "General Ledger Setup" in held.mend
    dates = {row.event_on for row in mine.messages("state = 'done'")}
    assert dates
    assert min(date for date in dates if date) >= datetime(2025, 3, 1, tzinfo=UTC).date()
    assert not mine.messages("state not in ('done', 'held', 'skipped', 'dead')")
