"""From cost lines to the books of two companies: each cost once, and its other side where somebody else clears it."""

from __future__ import annotations

import csv
from decimal import Decimal

from integration.cost_lines.bench import (
    COMPANY_OF,
    ROUNDING,
    SOUTH,
    WEST,
    Quarries,
    company_split,
    order_split,
    posted_on,
)
from isthmus.app.checking import check_rules, check_world
from isthmus.app.explaining import explain_record
from isthmus.app.project.loading import load_project
from isthmus.ledger.finding_documents import find
from isthmus.sync.plan import make_plan
from isthmus.sync.reconcile import reconcile


async def test_the_sample_lands_in_the_books_of_both_companies(quarries: Quarries) -> None:
    quarries.save()
    await quarries.run()

    assert quarries.standing() == {"done": 11, "skipped": 1}
    for company, documents in ((WEST, 7), (SOUTH, 4)):
        books = quarries.books(company)
        assert quarries.split(company) == company_split(quarries.rows(), company)
        assert Decimal(books["balance"]) == 0
        assert (books["documents"], books["unposted_lines"]) == (documents, 0)
    assert quarries.posted_once()
    for order in {row["OrderNo"] for row in quarries.rows()} - {"4716"}:
        rows = quarries.order(order)
        company = COMPANY_OF[rows[0]["Branch"]]
        expected: dict[str, Decimal] = {}
        for (account, _), amount in order_split(rows, company).items():
            expected[account] = expected.get(account, Decimal(0)) + amount
        assert {a: v for a, v in quarries.entries(order, company).items() if v} == expected
        assert quarries.days(order, company) == {posted_on(rows, company).isoformat()}
    _people_are_told(quarries)
    await _both_sides_agree(quarries)
    await _again_nothing_is_written(quarries)


def _people_are_told(quarries: Quarries) -> None:
    with (quarries.list.parent / "cost_lines.results.csv").open(encoding="utf-8", newline="") as stream:
        told = {row["OrderNo"]: row for row in csv.DictReader(stream)}
    firsts = {row["OrderNo"]: str(at) for at, row in reversed(list(enumerate(quarries.rows(), 2)))}
    assert {order: row["line"] for order, row in told.items()} == firsts
    assert told["4711"]["document"] == quarries.number_of("4711")
    assert (told["4716"]["state"], told["4716"]["document"]) == ("skipped", "")


async def _both_sides_agree(quarries: Quarries) -> None:
    async with quarries.session() as session:
        (flow,) = session.runtime.world.flows
        found = await reconcile(session.runtime.world, flow)
    assert [(row.company, row.difference, row.agrees) for row in found] == [(SOUTH, "0", True), (WEST, "0", True)]
    assert [row.source["amount"] for row in found] == ["3590.84", "3209.54"]


async def _again_nothing_is_written(quarries: Quarries) -> None:
    books = [quarries.books(company) for company in (WEST, SOUTH)]
    head, *rows = quarries.lines
    orders: dict[str, list[str]] = {}
    for row in rows:
        orders.setdefault(row.partition(",")[0], []).append(row)
    quarries.lines = [head, *(row for order in reversed(orders) for row in orders[order])]
    quarries.box.reset_calls()
    quarries.save()
    await quarries.run()
    assert quarries.written() == 0
    assert [quarries.books(company) for company in (WEST, SOUTH)] == books
    assert quarries.only("subject = '4711'").place == "cost_lines.csv lines 27-31"


async def test_parts_labour_and_a_contractor_are_an_expense_once(quarries: Quarries) -> None:
    """Three parts from stock, two hours of labour and a contractor line of one order."""
    quarries.lines = [quarries.lines[0], *(line for line in quarries.lines if line.startswith("4711,"))]
    quarries.save()
    await quarries.run()
    document = quarries.box.document(quarries.number_of("4711"), WEST)
    assert document["postings"] == 1
    entries = [(entry["account"], Decimal(entry["amount"])) for entry in document["entries"]]
    assert sorted(entries) == sorted(
        [
            *(("6210", Decimal(amount)) for amount in ("186.40", "54.00", "27.90")),
            *(("1490", -Decimal(amount)) for amount in ("186.40", "54.00", "27.90")),
            ("6220", Decimal("130.00")),
            ("6290", Decimal("-130.00")),
            ("6230", Decimal("640.00")),
            ("2150", Decimal("-640.00")),
        ]
    )
    books = quarries.books(WEST)["accounts"]
    assert sum(Decimal(amount) for account, amount in books.items() if account in {"6210", "6220", "6230"}) == Decimal(
        "1038.30"
    )
    assert not {"6110", "2110", "1410"} & books.keys()  # wages, payables and stock are for others to book
    places = {(entry["account"], tuple(sorted(entry["dimensions"].items()))) for entry in document["entries"]}
    centre, branch = ("COSTCENTRE", "CRUSHING"), ("BRANCH", "DEN")
    assert {("6230", (branch, centre)), ("2150", (branch,)), ("6290", (branch, centre))} <= places


async def test_euros_are_converted_at_the_day_of_the_company(quarries: Quarries) -> None:
    quarries.save()
    await quarries.run()
    entries = quarries.entries("4712", WEST)
    assert entries["6230"] == Decimal("1356.25")  # 1,250.00 at the 1.085 of 15 January
    assert entries[ROUNDING] == Decimal("0.01")  # 1,704.55 EUR are 1,849.44; the four lines come to a cent less
    assert quarries.only("subject = '4712'").amount == Decimal("1849.44")
    assert quarries.entries("5202", SOUTH)["6230"] == Decimal("1310.04")  # 720.00 at February's 1.8195
    assert quarries.days("5202", SOUTH) == {"2026-02-01"}  # 31 January in London


async def test_an_order_is_found_by_any_of_its_lines(quarries: Quarries) -> None:
    quarries.save()
    await quarries.run()
    async with quarries.session() as session:
        world, project = session.runtime.world, session.project
        explained = await explain_record(world, project, "work_order", line=9)
        async with world.transaction() as db:
            hits = {
                at: [hit.number for hit in await find(db, f"cost_lines.csv{at}")]
                for at in (":6", " line 7", ":19", ":99")
            }
    assert explained["place"] == "cost_lines.csv lines 7-10"
    assert hits == {":6": ["4711"], " line 7": ["4712"], ":19": ["4716"], ":99": []}


async def test_the_last_evening_of_a_month_belongs_to_it_where_the_company_is(quarries: Quarries) -> None:
    quarries.save()
    await quarries.run()
    assert quarries.days("4717", WEST) == {"2026-01-31"}  # 1 February, 05:45 in London
    assert quarries.days("5201", SOUTH) == {"2026-02-01"}  # 31 January, 11:40 in London
    assert quarries.days("5203", SOUTH) == {"2026-01-31"}


async def test_costs_that_the_item_entry_books_are_left_to_it(quarries: Quarries) -> None:
    quarries.edit(
        "rules/maintenance-costs.yaml",
        """    account: "6210"
    offset: "1490"
    dimensions: {COSTCENTRE: cost_centre, BRANCH: branch}
    offset_dimensions: {BRANCH: branch}
""",
        "    no_posting: true\n",
    )
    quarries.save()
    await quarries.run()
    assert not {"6210", "1490"} & quarries.books(WEST)["accounts"].keys()
    assert quarries.entries("4711", WEST) == {
        "6220": Decimal(130), "6290": Decimal(-130), "6230": Decimal(640), "2150": Decimal(-640),
    }  # fmt: skip
    async with quarries.session() as session:
        (flow,) = session.runtime.world.flows
        assert all(row.agrees for row in await reconcile(session.runtime.world, flow))


async def test_a_branch_without_company_is_held_in_clear_words(quarries: Quarries) -> None:
    quarries.lines.append("6001,Pump,2026-02-05T09:00:00+11:00,SYD,CR-11,CORR,labour,1,HOUR,,,80.00,NZD")
    quarries.save()
    await quarries.run()
    held = quarries.only("state = 'held'")
    assert (held.code, held.field, held.value) == ("company_unrouted", "branch", "SYD")
    assert held.reason == "no company for branch 'SYD'"
    assert "target.company.map" in held.mend
    assert quarries.split(SOUTH) == company_split(quarries.rows(), SOUTH)
    quarries.edit("flows/work-order-costs.yaml", "AKL: STONE SOUTH}", "AKL: STONE SOUTH, SYD: STONE SOUTH}")
    quarries.box.seed(
        {
            "companies": [
                {"name": SOUTH, "dimensions": [{"code": "BRANCH", "values": [{"code": "SYD", "name": "Sydney"}]}]}
            ]
        }
    )
    await quarries.run()
    await quarries.act("retry", held)
    assert quarries.entries("6001", SOUTH) == {"6220": Decimal(80), "6290": Decimal(-80)}


async def test_check_refuses_rules_without_offset_for_one_source(quarries: Quarries) -> None:
    quarries.save()
    async with quarries.session() as session:
        world, project = session.runtime.world, session.project
        assert not [item for item in await check_world(project, world) if item.finding.severity == "error"]
        plan = await make_plan(world)
    assert sorted((total.state, total.count, total.currency) for total in plan.totals) == [
        ("ready", 4, "NZD"),
        ("ready", 7, "USD"),
        ("skipped", 1, "USD"),
    ]
    quarries.edit("rules/maintenance-costs.yaml", '    offset: "2150"\n', "")
    project = load_project(quarries.project, sets={}, environ=quarries.environ, cwd=quarries.project)
    (checked,) = check_rules(project)
    assert (checked.finding.code, checked.finding.severity) == ("offset_missing", "error")
    assert checked.finding.text == "row 'contractors' has no offset for costs of source invoice"
    assert "rules/maintenance-costs.yaml:" in checked.finding.mend
