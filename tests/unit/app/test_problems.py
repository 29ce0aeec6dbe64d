"""Each mistake is told with file, line and a way out, and all of them at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from isthmus.app.project.problems import ProjectProblems
from isthmus.errors import ConfigurationError

ISTHMUS, FLOW = "isthmus.yaml", "flows/costs.yaml"
MISTAKES = yaml.safe_load(Path(__file__).with_name("mistakes.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake["told"][:70] for mistake in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_a_way_out(folder: Any, mistake: dict[str, str]) -> None:
    folder.edit(mistake["file"], mistake["old"], mistake["new"])
    assert folder.problem().startswith(mistake["told"])


def test_all_problems_come_at_once_in_order_of_file_and_line(folder: Any) -> None:
    folder.edit(ISTHMUS, "companies:", "companys:")
    folder.edit(ISTHMUS, "poll: 60s", "poll: often")
    folder.edit(FLOW, "template: work-order-costs", "template: nothing")
    folder.edit("lookups/centres.csv", "B,0200", "A,0200")
    problems = folder.problems()
    assert [(problem.file, problem.line) for problem in problems] == [
        ("flows/costs.yaml", 2),
        ("isthmus.yaml", 8),
        ("lookups/centres.csv", 3),
    ]
    folder.edit(ISTHMUS, "poll: often", "poll: 5m")
    assert [problem.line for problem in folder.problems()] == [2, 20, 3]


def test_the_error_of_many_problems_lists_each_with_its_place(folder: Any) -> None:
    folder.edit(ISTHMUS, "role: finance", "role: ours")
    folder.edit(ISTHMUS, "60s", "6")
    with pytest.raises(ProjectProblems) as caught:
        folder.load()
    first, *lines = str(caught.value).splitlines()
    assert first == "2 problems in this project:"
    assert [line.partition(": ")[0] for line in lines] == ["isthmus.yaml:8", "isthmus.yaml:16"]
    assert isinstance(caught.value, ConfigurationError)
    assert (caught.value.file, caught.value.line) == ("isthmus.yaml", 8)


def test_a_code_keeps_the_zeros_in_front_and_a_plain_number_must_stand_in_quotes(folder: Any) -> None:
    folder.write("lookups/other.yaml", "table: other\nrows:\n  A: 0100\n")
    assert folder.load().tables["other"] == {"A": "0100"}
    folder.write("lookups/other.yaml", "table: other\nrows:\n  A: 100\n")
    assert folder.problem() == (
        "lookups/other.yaml:3: rows.A: '100' must be text: put it in quotes, so that nothing of it is lost."
    )


def test_two_tables_of_one_name_are_refused(folder: Any) -> None:
    folder.write("lookups/again.yaml", 'table: centres\nrows: {A: "0100"}\n')
    assert "lookup table 'centres' is in lookups/again.yaml already" in folder.problem()


def test_two_rules_of_one_name_are_refused(folder: Any) -> None:
    folder.write("rules/two.yaml", (folder.path / "rules" / "maintenance.yaml").read_text())
    assert folder.problem() == (
        "rules/two.yaml:1: rules 'maintenance' are in rules/maintenance.yaml already: give them another name."
    )


def test_two_flows_of_one_name_are_refused(folder: Any) -> None:
    folder.write("flows/other.yaml", (folder.path / FLOW).read_text())
    assert folder.problem().startswith("flows/other.yaml:1: flow 'costs' is in flows/costs.yaml already")


def test_two_flows_that_do_the_same_are_refused(folder: Any) -> None:
    text = (folder.path / FLOW).read_text()
    folder.write("flows/other.yaml", text.replace("flow: costs", "flow: other").replace("PIT MINING", "QUARRY"))
    problem = folder.problem()
    assert problem.startswith("flows/other.yaml:1: flow 'other' does what 'costs' (flows/costs.yaml) does already")
    assert "target.company with by and map" in problem
    folder.edit("flows/other.yaml", "rules:", "transition: reopened\nrules:")
    assert set(folder.load().flows) == {"costs", "other"}


@pytest.mark.parametrize("field", ["description", '"*"'])
def test_two_owners_cannot_be_saved(folder: Any, field: str) -> None:
    folder.edit(FLOW, "rules:", f"ownership: {{{field}: {{owner: finance}}}}\nrules:")
    text = (folder.path / FLOW).read_text().replace("flow: costs", "flow: other")
    folder.write("flows/other.yaml", text.replace("rules:", "transition: reopened\nrules:"))
    folder.load()
    folder.edit("flows/other.yaml", "owner: finance", "owner: maintenance")
    problem = folder.problem()
    assert "has two owners: owner maintenance here, owner finance in flows/costs.yaml." in problem
    assert problem.startswith("flows/other.yaml:5: work_order")


def test_a_system_with_lenses_of_its_own_takes_overlays_only(folder: Any) -> None:
    folder.edit(ISTHMUS, "    secret:", "    lenses: {account: mappings/work_order.yaml}\n    secret:")
    assert folder.problem() == (
        "isthmus.yaml:19: connections.finance.lenses: business_central brings its own lenses. "
        "Write overlays to change one of them."
    )
    folder.edit(
        ISTHMUS, "lenses: {account: mappings/work_order.yaml}", "overlays: {account: [mappings/work_order.yaml]}"
    )
    assert len(folder.load().lens_documents("finance", "account")) == 1


def test_a_simulator_fills_its_settings_itself(folder: Any) -> None:
    folder.write("seed.yaml", "companies: []\n")
    folder.edit(ISTHMUS, "    secret:", "    sandbox: seed.yaml\n    secret:")
    assert folder.problem().startswith(
        "isthmus.yaml:20: connections.finance.secret: the simulator gives secret itself."
    )
    folder.edit(ISTHMUS, "    secret: env:BC_SECRET\n", "")
    assert folder.load().sandbox_seed("finance") == folder.path / "seed.yaml"


def test_text_that_is_not_utf_8_is_told(folder: Any) -> None:
    (folder.path / FLOW).write_bytes("flow: Käfer\n".encode("latin-1"))
    assert folder.problem() == "flows/costs.yaml: is not UTF-8 text: save it as UTF-8."
