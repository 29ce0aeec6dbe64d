"""Something finance or the project has to say is missing: rates, accounts, dimension values, rows of a lookup table."""

from __future__ import annotations

import pytest

from integration.trouble.bench import COMPANY, ROWS, Site

EUROS = (
    "BscStartDate,Asset,OriginalShorttext,PMType,Cost,Currency",
    "2025-01-06,A,500 h service,PM02,1284.50,EUR",
    "2025-07-01,A,1000 h service,PM02,100.00,EUR",
    "2025-07-01,B,500 h service,PM02,100.00,USD",
)
JULY = {"currency": "EUR", "start": "2025-06-01", "amount": "100", "relational_amount": "108.25"}
JANUARY = {"currency": "EUR", "start": "2025-01-01", "amount": "100", "relational_amount": "104"}


@pytest.fixture
def euros(site: Site) -> Site:
    """The list has a currency of its own, and euros have a rate from June on only."""
    site.reseed(exchange_rates=[JULY])
    site.edit("mappings/work_order.yaml", "{value: USD}", "{at: Currency}")
    site.lines = list(EUROS)
    site.save()
    return site


def test_a_rate_that_comes_later_books_the_order_once(euros: Site) -> None:
    told = euros.sync()
    assert told.code == 2
    assert "There is no exchange rate EUR to USD on 2025-01-06: the first one is of 2025-06-01." in told.out
    stopped = euros.only("state <> 'done'")
    assert (stopped.state, stopped.code) == ("dead", "rate_missing")
    assert stopped.mend == "Add a rate of EUR starting on or before 2025-01-06 to the exchange rates of finance."
    assert euros.standing() == {"dead": 1, "done": 2}

    again = euros.command("retry", f"M-{stopped.id}")
    assert again.code == 2
    assert "no exchange rate EUR" in again.out

    euros.box.seed({"companies": [{"name": COMPANY, "exchange_rates": [JANUARY]}]})
    # A rate from a seed has no time of change; a changed mapping makes all rates read anew.
    euros.write("mappings/rate.yaml", "entity: exchange_rate\nfields:\n  base: {value: USD}\n")
    euros.edit(
        "isthmus.yaml", "    companies:\n", "    overlays: {exchange_rate: [mappings/rate.yaml]}\n    companies:\n"
    )
    told = euros.command("retry", f"M-{stopped.id}")
    assert told.code == 0, told
    assert euros.standing() == {"done": 3}
    assert euros.booked_once()
    assert euros.books()["accounts"]["8420"] == "1544.13"  # 1284.50 * 1.04 + 100 * 1.0825 + 100


@pytest.mark.parametrize(
    ("currency", "code", "words", "mend"),
    [
        ("XXY", "currency_unknown", "currency 'XXY' is not an ISO 4217 code", "lookup table"),
        ("", "currency_missing", "the cost lines have no currency", "Map the currency"),
        ("GBP", "rate_missing", "no exchange rate GBP to USD on 2025-01-06: there is none at all", "Add a rate of GBP"),
    ],
)
def test_a_currency_that_cannot_be_converted(euros: Site, currency: str, code: str, words: str, mend: str) -> None:
    first = euros.lines[1]
    euros.replace(first, first.replace("EUR", currency))
    told = euros.sync()
    assert told.code == 2
    assert words in told.out
    stopped = euros.only("state = 'dead'")
    assert stopped.code == code
    assert mend in stopped.mend

    euros.replace(euros.lines[1], first.replace("EUR", "USD"))  # mended where it came from: nothing else is needed
    euros.finish()
    assert euros.standing() == {"done": 3}


def test_a_category_without_a_rule(site: Site) -> None:
    rules = (site.project / "rules" / "maintenance-costs.yaml").read_text("utf-8")
    before, _, rest = rules.partition("  - name: other")
    site.write("rules/maintenance-costs.yaml", before + rest[rest.index("  # Costs whose other side") :])
    site.save(*ROWS, "2025-02-01,A,Wash the cab,PM99,50")
    told = site.sync()
    assert told.code == 2
    assert "no posting rule for category PM99" in told.out
    stopped = site.only("state = 'dead'")
    assert stopped.code == "account_unmapped"
    line = site.line_of("rules/maintenance-costs.yaml", "name: corrective")
    assert "Add or widen a row in rules/maintenance-costs.yaml: nearest is row 'corrective'" in stopped.mend
    assert f"(rules/maintenance-costs.yaml:{line})" in stopped.mend

    site.write("rules/maintenance-costs.yaml", rules)
    assert site.command("retry", "--code", "account_unmapped").code == 0
    assert site.standing() == {"done": 4, "skipped": 1}
    assert site.booked_once()


@pytest.mark.parametrize(
    ("switch", "mended", "code", "words"),
    [
        ({"blocked": True}, {"blocked": False}, "account_blocked", "is blocked in PIT MINING"),
        (
            {"direct_posting": False},
            {"direct_posting": True},
            "account_no_direct_posting",
            "does not allow direct posting in PIT MINING",
        ),
        ({"type": "heading"}, {"type": "posting"}, "account_not_posting", "heading"),
    ],
)
def test_an_account_that_takes_nothing(
    site: Site, switch: dict[str, object], mended: dict[str, object], code: str, words: str
) -> None:
    line = site.line_of("rules/maintenance-costs.yaml", "name: planned")
    site.box.set(company=COMPANY, accounts={"8420": switch})
    check = site.check()
    assert check.code == 1
    assert f"account 8420 of row 'planned' (rules/maintenance-costs.yaml:{line})" in check.out
    assert words in check.out

    told = site.sync()
    assert told.code == 2
    assert words in told.out
    stopped = site.only("state = 'dead'")
    assert stopped.code == code
    assert f"(rules/maintenance-costs.yaml:{line})" in stopped.mend
    assert site.standing() == {"dead": 1, "done": 2, "skipped": 1}

    site.box.set(company=COMPANY, accounts={"8420": mended})
    assert site.command("retry", f"M-{stopped.id}").code == 0
    assert site.standing() == {"done": 3, "skipped": 1}
    assert site.booked_once()


def test_an_account_that_is_not_in_the_chart(site: Site) -> None:
    site.edit("rules/maintenance-costs.yaml", 'account: "8420"', 'account: "8421"')
    check = site.check()
    assert check.code == 1
    assert "account 8421 of row 'planned'" in check.out
    assert "is not in the chart of PIT MINING. Create 8421" in check.out
    assert site.sync().code == 2
    stopped = site.only("state = 'dead'")
    assert "8421" in stopped.reason

    site.edit("rules/maintenance-costs.yaml", 'account: "8421"', 'account: "8420"')
    assert site.command("retry", "--all").code == 0
    assert site.standing() == {"done": 3, "skipped": 1}
    assert site.booked_once()


def test_a_dimension_value_that_is_not_there(site: Site) -> None:
    site.edit("lookups/cost_centre_of_asset.csv", "E,STOCKPILE", "E,STOCKPILE\nG,PIT-NORTH")
    site.save(*ROWS, "2025-02-02,G,Track roller,PM01,61")
    assert site.sync().code == 2
    stopped = site.only("state = 'dead'")
    assert stopped.code == "dimension_value_missing"
    assert "dimension ASSET has no value G in PIT MINING" in stopped.reason
    assert "create the value of ASSET in PIT MINING" in stopped.mend

    site.box.seed({"companies": [{"name": COMPANY, "dimensions": [{"code": "ASSET", "values": ["G"]}]}]})
    assert site.command("retry", f"M-{stopped.id}").code == 0
    assert site.standing() == {"done": 4, "skipped": 1}
    assert site.booked_once()


def test_a_dimension_value_that_only_the_target_knows_to_be_blocked(site: Site) -> None:
    """The service does not show that a value is blocked: it refuses when posting, in its own words."""
    site.box.set(company=COMPANY, dimension_values={"ASSET/A": {"blocked": True}})
    told = site.sync()
    assert told.code == 2
    stopped = site.only("state = 'dead'")
    assert "ASSET - A is blocked" in stopped.reason
    assert f"isthmus retry M-{stopped.id}" in stopped.mend
    assert site.standing() == {"dead": 1, "done": 2, "skipped": 1}

    site.box.set(company=COMPANY, dimension_values={"ASSET/A": {"blocked": False}})
    assert site.command("retry", f"M-{stopped.id}").code == 0
    assert site.standing() == {"done": 3, "skipped": 1}
    assert site.booked_once()


@pytest.fixture
def centreless(site: Site) -> Site:
    """A new excavator that nobody gave a cost centre."""
    site.save(*ROWS, "2025-02-02,E2,Track roller,PM01,61")
    assert site.sync().code == 2
    stopped = site.only("state = 'dead'")
    assert (stopped.code, stopped.field) == ("lookup_missing", "Asset")
    assert (
        'work_orders.csv line 6: Asset holds "E2", and lookup table cost_centre_of_asset has no row' in stopped.reason
    )
    assert stopped.mend == 'Add a row "E2" to lookup table cost_centre_of_asset.'
    site.box.seed({"companies": [{"name": COMPANY, "dimensions": [{"code": "ASSET", "values": ["E2"]}]}]})
    assert site.sync().code == 2  # the value is known from here on
    return site


def test_a_lookup_row_added_in_the_project_file(centreless: Site) -> None:
    centreless.edit("lookups/cost_centre_of_asset.csv", "E,STOCKPILE", "E,STOCKPILE\nE2,STOCKPILE")
    centreless.finish()
    assert centreless.standing() == {"done": 4, "skipped": 1}


def test_a_lookup_row_added_on_the_command_line(centreless: Site) -> None:
    told = centreless.command("lookup", "set", "cost_centre_of_asset", "E2", "STOCKPILE")
    assert told.code == 0, told
    centreless.finish()
    assert centreless.standing() == {"done": 4, "skipped": 1}
