"""The example is right in itself: its README, its sample, its rules and its books agree."""

from __future__ import annotations

import csv
import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
import yaml

from isthmus.app.project.loading import load_project
from isthmus.app.project.project import Project
from isthmus.controls.rule_checks import coverage
from isthmus.controls.rule_reading import parse_rules

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "real-data"
SHARED = ROOT / "../shared/data"


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project(EXAMPLE, sets={}, environ={}, cwd=ROOT)


@pytest.fixture(scope="module")
def company() -> dict[str, Any]:
    seed = yaml.safe_load((EXAMPLE / "sandbox.yaml").read_text(encoding="utf-8"))
    return dict(seed["companies"][0])


def _rows(file: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Rows whose cost is a number, and the others."""
    good, torn = [], []
    with file.open(encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            try:
                Decimal(row["Cost"])
            except InvalidOperation:
                torn.append(row)
            else:
                good.append(row)
    return good, torn


def test_the_sample_is_what_the_readme_says(project: Project) -> None:
    folder = Path(project.connections["maintenance"].settings["folder"])
    good, torn = _rows(folder / "work_orders.csv")
    costs = [Decimal(row["Cost"]) for row in good]
    booked = [cost for cost in costs if cost]
    repeats = sum(count - 1 for count in Counter(tuple(row.values()) for row in good).values())
    numbers = re.findall(r"\| ([\d,]+) \|", (EXAMPLE / "README.md").read_text(encoding="utf-8"))
    assert [int(number) for number in numbers] == [
        len(booked),
        sum(cost < 0 for cost in costs),
        repeats,
        sum(cost == 0 for cost in costs),
        len(torn),
    ]
    assert f"{sum(booked):,} USD together" in (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert f"{len(good) + len(torn)} rows, with the dirt" in (EXAMPLE / "README.md").read_text(encoding="utf-8")


def test_every_cost_lands_on_an_account_that_takes_it(project: Project, company: dict[str, Any]) -> None:
    accounts = {account["number"]: account for account in company["accounts"]}
    assert len(accounts) == len(company["accounts"]) >= 40
    rules = parse_rules(project.rules["maintenance-costs"])
    assert coverage(rules) == ()
    used = {number for row in rules.rows for number in (row.account, row.offset)} | {rules.rounding.account}
    for number in used:
        account = accounts[number]
        assert account.get("type", "posting") == "posting"
        assert account.get("direct_posting", True)
        assert not account.get("blocked", False)


def test_the_books_hold_what_a_control_must_refuse(company: dict[str, Any]) -> None:
    accounts = company["accounts"]
    assert any(account.get("blocked") for account in accounts)
    assert any(not account.get("direct_posting", True) for account in accounts)
    assert {"heading", "begin-total", "end-total", "total"} <= {account.get("type") for account in accounts}
    assert all(isinstance(account["number"], str) for account in accounts), "numbers stand in quotes"


def test_every_dimension_value_that_can_arise_exists(project: Project, company: dict[str, Any]) -> None:
    values = {
        dimension["code"]: {value["code"] for value in dimension["values"] if not value.get("blocked")}
        for dimension in company["dimensions"]
    }
    table = project.tables["cost_centre_of_asset"]
    assert set(table) == values["ASSET"]
    assert set(table.values()) <= values["COSTCENTRE"]
    rules = parse_rules(project.rules["maintenance-costs"])
    for account in company["accounts"]:
        for code in account.get("dimensions", {}):
            for row in rules.rows:
                assert row.account != account["number"] or code in row.dimensions


def test_company_and_client_are_those_of_the_seed(project: Project, company: dict[str, Any]) -> None:
    seed = yaml.safe_load((EXAMPLE / "sandbox.yaml").read_text(encoding="utf-8"))
    finance = project.connections["finance"]
    assert list(finance.companies) == [company["name"]]
    assert finance.settings["client_id"] == seed["principals"][0]["client_id"]
    assert finance.settings["tenant"] == seed["tenant"]
    assert finance.settings["environment"] == seed["environment"]


def test_the_secret_of_the_simulator_is_no_part_of_the_configuration(project: Project) -> None:
    assert "only-for-the-simulator" not in project.content


def test_the_published_list_fits_the_example(project: Project) -> None:
    if not (SHARED / "excavators").is_dir():
        pytest.skip("the published list is not here")
    real = load_project(EXAMPLE, sets={"data": str(SHARED)}, environ={}, cwd=ROOT)
    good, torn = _rows(Path(real.connections["maintenance"].settings["folder"]) / "work_orders.csv")
    assert (len(good), len(torn)) == (5484, 1)
    assert sum(Decimal(row["Cost"]) for row in good) == Decimal("17506068.13")
    assert {row["Asset"] for row in good} == set(real.tables["cost_centre_of_asset"])
    assert real.digest == project.digest, "where the input lies is no part of the configuration"
    ours, theirs = (
        {row["OriginalShorttext"].strip().casefold() for row in rows}
        for rows in (_rows(EXAMPLE / "sample" / "excavators" / "work_orders.csv")[0], good)
    )
    assert not ours & theirs, "the sample is made up"
