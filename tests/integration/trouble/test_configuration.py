"""What the project says cannot work: told with file and line before anything moves."""

from __future__ import annotations

import shutil

import pytest
import yaml

from integration.trouble.bench import COMPANY, ROWS, Site

RULES = "rules/maintenance-costs.yaml"
MAPPING = "mappings/work_order.yaml"
FLOW = "flows/work-order-costs.yaml"
PROJECT = "isthmus.yaml"
LATE = "2025-02-01,A,Bucket tooth lost,PM01,158.60"


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (MAPPING, "  asset:  ", "  asets:  ", 'work_order has no field "asets". Did you mean "asset"?'),
        (MAPPING, "lookup: cost_centre_of", "lookup: cost_center_of", 'Did you mean "cost_centre_of_asset"?'),
        (MAPPING, "via: date", "via: datte", "datte"),
        (
            RULES,
            "direct, category: PM01",
            "direct, categry: PM01",
            "'categry' is not known here. Did you mean category?",
        ),
        (RULES, "limit: 0.05", "limit: much", "much"),
        (FLOW, "closed_period: hold", "closed_period: holt", "did you mean 'hold'?"),
        (FLOW, "company: PIT MINING", "company: PIT MININGS", "did you mean 'PIT MINING'?"),
        (FLOW, "{field: asset,", "{field: asst,", "asst"),
        (PROJECT, "tenant: pit", "tenannt: pit", "unknown setting 'tenannt' in connections.finance"),
        (PROJECT, "poll: 60s", "poll: 60 parsecs", "'60 parsecs' is not a duration"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(site: Site, file: str, old: str, new: str, words: str) -> None:
    line = site.line_of(file, old)
    site.edit(file, old, new)
    for command in ("check", "sync"):
        told = site.command(command)
        assert told.code == 1, told
        assert f"{file}:{line}: " in told.err, told
        assert words in told.err
        assert "Traceback" not in told.text
    assert int(site.books()["documents"]) == 0


def test_a_file_that_is_no_yaml(site: Site) -> None:
    site.edit(PROJECT, "connections:", "connections")
    told = site.check()
    assert told.code == 1
    assert f"{PROJECT}:{site.line_of(PROJECT, '  maintenance:')}: not valid YAML" in told.err


def test_all_mistakes_are_told_at_once(site: Site) -> None:
    site.edit(FLOW, "closed_period: hold", "closed_period: holt")
    site.edit(PROJECT, "poll: 60s", "poll: 60 parsecs")
    told = site.check()
    assert told.code == 1
    assert "'holt'" in told.err
    assert "'60 parsecs'" in told.err


def test_a_rule_that_cannot_be_written_back(site: Site) -> None:
    """A journal is written to finance; a formula reads only."""
    site.write(
        "mappings/journal.yaml", 'entity: journal_entry\nfields:\n  description: {formula: "upper(description)"}\n'
    )
    site.edit(PROJECT, "    companies:\n", "    overlays: {journal_entry: [mappings/journal.yaml]}\n    companies:\n")
    told = site.check()
    assert told.code == 1
    assert '"description" of journal_entry is never written to finance: a formula has no inverse.' in told.out
    assert "mappings/journal.yaml:3: " in told.out


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('    account: "8480"\n    offset: "5410"\n', '    account: "8480"\n', "row 'contractors' has no offset"),
        ("when: {source: invoice}", "when: {source: stock, category: X}", "no row fits costs of source invoice"),
    ],
)
def test_a_source_of_costs_without_other_side(site: Site, old: str, new: str, words: str) -> None:
    site.edit(RULES, old, new)
    told = site.check()
    assert told.code == 1
    assert told.out.count(words) == 1, told
    assert RULES in told.out
    assert "of source invoice" in told.out


def test_rules_that_name_an_account_the_chart_does_not_have(site: Site) -> None:
    site.edit(RULES, 'account: "8410"', 'account: "8411"')
    line = site.line_of(RULES, "name: corrective")
    told = site.check("--json")
    assert told.code == 1
    (found,) = [row for row in told.rows if row["severity"] == "error"]
    assert found["about"] == "books of PIT MINING"
    assert f"account 8411 of row 'corrective' ({RULES}:{line})" in found["text"]
    assert "Create 8411 in the chart of accounts, or name another account" in found["mend"]


@pytest.fixture
def moved(site: Site) -> Site:
    """Everything is booked; then the same address leads to other books: a copied, a restored, a wrong environment."""
    site.finish()
    site.stop()
    shutil.rmtree(site.home / "sandbox")
    seed = yaml.safe_load(site.seed_file().read_text("utf-8"))
    seed["companies"][0]["id"] = "11111111-2222-4333-8444-555555555555"
    site.seed_file().write_text(yaml.safe_dump(seed), "utf-8")
    site.save(*ROWS, LATE)
    assert int(site.books()["documents"]) == 0
    return site


def test_other_books_behind_the_same_address_are_refused(moved: Site) -> None:
    for command in (("sync",), ("retry", "--all"), ("up", "--port", "0")):
        told = moved.command(*command)
        assert told.code == 1, told
        assert "connection 'finance' leads to other books than before: company:PIT MINING changed." in told.err
        assert "isthmus check --accept finance" in told.err
    assert moved.standing() == {"done": 3, "skipped": 1}
    assert int(moved.books(COMPANY)["documents"]) == 0
    check = moved.check()
    assert check.code == 1
    assert "company:PIT MINING changed" in check.out

    assert moved.check("--accept", "maintenance").code == 1  # that is not the one
    assert moved.check("--accept", "finance").code == 0
    assert moved.sync().code == 0
    assert moved.standing() == {"done": 4, "skipped": 1}
    assert int(moved.books(COMPANY)["documents"]) == 1  # what was booked before is not booked again
