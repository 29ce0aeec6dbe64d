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
from isthmus.app.skeletons.writing import write_skeleton
from isthmus.controls.rule_checks import coverage
from isthmus.controls.rule_reading import parse_rules
from isthmus.controls.validation import parse_checks, validate
from isthmus.mapping.compiler import compile_lens
from isthmus.mapping.context import LensContext
from isthmus.mapping.lens import Lens
from isthmus.mapping.tables import LookupTable
from isthmus.model.entity import entities
from isthmus.sandbox import seed
from isthmus.sandbox.world import World

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples" / "real-data"
SHARED = ROOT / "../shared/data"


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project(EXAMPLE, sets={}, environ={}, cwd=ROOT)


@pytest.fixture(scope="module")
def company() -> dict[str, Any]:
    books = yaml.safe_load((EXAMPLE / "sandbox.yaml").read_text(encoding="utf-8"))
    return dict(books["companies"][0])


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


def test_the_secret_of_the_simulator_is_no_part_of_the_configuration(project: Project) -> None:
    assert "only-for-the-simulator" not in project.content


def _lens(project: Project) -> tuple[Lens, LensContext]:
    tables = {name: LookupTable(name, rows) for name, rows in project.tables.items()}
    (document,) = project.lens_documents("maintenance", "work_order")
    return compile_lens(document, entities=entities(), tables=tables), LensContext(tables=tables)


def _try_it(tmp_path: Path) -> Project:
    write_skeleton(tmp_path / "try", "sandbox")
    return load_project(tmp_path / "try", sets={}, environ={}, cwd=tmp_path)


@pytest.mark.parametrize("which", ["example", "skeleton"])
def test_every_row_that_is_not_torn_becomes_a_whole_work_order(project: Project, tmp_path: Path, which: str) -> None:
    chosen = project if which == "example" else _try_it(tmp_path)
    lens, context = _lens(chosen)
    good, torn = _rows(Path(chosen.connections["maintenance"].settings["folder"]) / "work_orders.csv")
    checks = parse_checks(next(iter(chosen.flow_documents.values())), "work_order")
    for row in good:
        reading = lens.read({**row, "_row_id": "row"}, context)
        assert reading.findings == ()
        assert validate(reading.state, checks) == ()
        order = entities()["work_order"].parse(reading.state)
        assert order.lines[0].amount == Decimal(row["Cost"])
    for row in torn:
        (finding,) = lens.read({**row, "_row_id": "row"}, context).findings
        assert finding.field == "Cost"


@pytest.mark.parametrize("which", ["example", "skeleton"])
def test_the_simulator_takes_the_books(project: Project, tmp_path: Path, which: str) -> None:
    chosen = project if which == "example" else _try_it(tmp_path)
    world = World()
    seed.apply(world, seed.read(chosen.sandbox_seed("finance")))
    finance = chosen.connections["finance"]
    assert [company.name for company in world.environment.companies.values()] == list(finance.companies)
    assert finance.settings["client_id"] in world.principals
    assert finance.settings["tenant"] in world.tenant_names
    assert finance.settings["environment"] == world.environment_name
    (company,) = world.environment.companies.values()
    numbers = {row.values["number"] for row in company.tables["accounts"]}
    rules = parse_rules(chosen.rules["maintenance-costs"])
    assert {row.account for row in rules.rows} | {row.offset for row in rules.rows} <= numbers


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
