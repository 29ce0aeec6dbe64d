"""On which day a work order is booked: the company's open days, and the local day of its time zone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import yaml

from integration.work_order_costs.bench import COMPANY, Mine

EARLY = "2025-02-20,E,Track tension low,PM01,85.5"
LATE = "2025-03-10,E,Track tension low again,PM01,90.5"


def entry_dates(mine: Mine, number: str, company: str = COMPANY) -> set[str]:
    return {entry["date"] for entry in mine.box.document(number, company)["entries"]}


async def test_a_closed_day_is_held_until_it_is_open(mine: Mine) -> None:
    mine.box.set(company=COMPANY, allow_posting_from="2025-03-01")
    mine.save(EARLY, LATE)
    await mine.run()
    held = mine.of_row(EARLY)
    assert (held.state, held.code) == ("held", "period_closed")
    assert held.reason == "2025-02-20 is closed in PIT MINING: open from 2025-03-01"
    assert "PIT MINING" in held.mend
    assert mine.charged() == Decimal("90.50")
    mine.box.set(company=COMPANY, allow_posting_from="2025-02-01")
    await mine.run()
    await mine.act("retry", held)
    assert mine.charged() == Decimal("176.00")
    assert entry_dates(mine, mine.of_row(EARLY).number) == {"2025-02-20"}


async def test_the_first_open_day_takes_it_and_the_day_of_the_work_is_kept(mine: Mine) -> None:
    mine.edit("flows/work-order-costs.yaml", "closed_period: hold", "closed_period: first_open")
    mine.box.set(company=COMPANY, allow_posting_from="2025-03-01")
    mine.save(EARLY, LATE)
    await mine.run()
    booked = mine.of_row(EARLY)
    assert booked.state == "done"
    assert booked.event_on == date(2025, 2, 20)
    assert '"document_date":"2025-02-20"' in booked.document
    assert '"posting_date":"2025-03-01"' in booked.document
    assert entry_dates(mine, booked.number) == {"2025-03-01"}
    assert entry_dates(mine, mine.of_row(LATE).number) == {"2025-03-10"}


async def test_a_closed_day_can_be_refused_for_good(mine: Mine) -> None:
    mine.edit("flows/work-order-costs.yaml", "closed_period: hold", "closed_period: reject")
    mine.box.set(company=COMPANY, allow_posting_from="2025-03-01")
    mine.save(EARLY, LATE)
    await mine.run()
    assert (mine.of_row(EARLY).state, mine.of_row(EARLY).code) == ("dead", "period_refused")
    assert mine.charged() == Decimal("90.50")


async def test_a_day_that_closes_after_the_booking_changes_nothing(mine: Mine) -> None:
    mine.edit("flows/work-order-costs.yaml", "closed_period: hold", "closed_period: first_open")
    mine.save(EARLY)
    await mine.run()
    mine.box.set(company=COMPANY, allow_posting_from="2025-03-01")
    mine.save(EARLY.replace("85.5", "95.5"))
    await mine.run()
    held = mine.only("state = 'held'")
    assert held.reason.endswith("change of 85.50 -> 95.50")
    await mine.act("correct", held)  # both documents go on the first open day
    assert mine.charged() == Decimal("95.50")
    assert entry_dates(mine, mine.messages("state = 'done'")[-1].number) == {"2025-03-01"}


async def test_before_the_cut_over_nothing_is_booked(mine: Mine) -> None:
    mine.edit("flows/work-order-costs.yaml", "cut_over: null", "cut_over: 2025-03-01")
    mine.save(EARLY, LATE)
    await mine.run()
    assert (mine.of_row(EARLY).state, mine.of_row(EARLY).code) == ("skipped", "before_cut_over")
    assert mine.charged() == Decimal("90.50")


# the end of a month in two time zones

NORTH, SOUTH = "ROCK WEST", "ROCK SOUTH"
MOMENTS = {
    # moment of completion -> local day in Los Angeles, in Auckland
    "2025-03-31T10:59:59Z": ("2025-03-31", "2025-03-31"),
    "2025-03-31T11:00:00Z": ("2025-03-31", "2025-04-01"),
    "2025-04-01T06:59:59Z": ("2025-03-31", "2025-04-01"),
    "2025-04-01T07:00:00Z": ("2025-04-01", "2025-04-01"),
}


def in_two_zones(mine: Mine) -> None:
    """Two companies of one environment; the asset says whose order it is, and orders have moments."""
    seed: dict[str, Any] = yaml.load((mine.project / "sandbox.yaml").read_text("utf-8"), Loader=yaml.BaseLoader)
    (only,) = seed["companies"]
    seed["companies"] = [only | {"name": name} for name in (NORTH, SOUTH)]
    mine.write("sandbox.yaml", yaml.safe_dump(seed, allow_unicode=True))
    mine.edit(
        "isthmus.yaml",
        "      PIT MINING:\n        time_zone: Australia/Perth\n",
        f"      {NORTH}: {{time_zone: America/Los_Angeles}}\n      {SOUTH}: {{time_zone: Pacific/Auckland}}\n",
    )
    mine.edit("isthmus.yaml", "    company: PIT MINING\n", "")
    company = f"company: {{by: asset, map: {{A: {NORTH}, C: {SOUTH}}}}}"
    mine.edit("flows/work-order-costs.yaml", "company: PIT MINING", company)
    mine.edit("flows/work-order-costs.yaml", "field: completed_on", "field: completed_at")
    mine.edit(
        "mappings/work_order.yaml", "completed_on: {at: BscStartDate, via: date}", "completed_at: {at: BscStartDate}"
    )


async def test_a_month_ends_when_it_ends_where_the_company_is(mine: Mine) -> None:
    in_two_zones(mine)
    rows = [f"{moment},{asset},Late shift,PM01,10.00" for moment in MOMENTS for asset in "AC"]
    mine.save(*rows, "2025-04-01T07:00:00Z,B,Nobody's,PM01,10.00")
    await mine.run()
    for moment, days in MOMENTS.items():
        for asset, company, day in zip("AC", (NORTH, SOUTH), days, strict=True):
            message = mine.of_row(f"{moment},{asset},Late shift,PM01,10.00")
            assert (message.state, message.company, str(message.event_on)) == ("done", company, day)
            assert entry_dates(mine, message.number, company) == {day}
    assert mine.charged(NORTH) == mine.charged(SOUTH) == Decimal("40.00")
    unrouted = mine.only("state = 'held'")
    assert unrouted.code == "company_unrouted"
    assert "asset 'B'" in unrouted.reason


async def test_a_month_closed_in_one_company_holds_its_own_orders_only(mine: Mine) -> None:
    in_two_zones(mine)
    mine.box.set(company=SOUTH, allow_posting_from="2025-04-01")
    mine.save(*(f"{moment},{asset},Late shift,PM01,10.00" for moment in MOMENTS for asset in "AC"))
    await mine.run()
    assert mine.charged(NORTH) == Decimal("40.00")
    assert mine.charged(SOUTH) == Decimal("30.00")
    assert mine.only("state = 'held'").company == SOUTH
