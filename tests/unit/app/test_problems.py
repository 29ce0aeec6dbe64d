"""Each mistake is told with file, line and a way out, and all of them at once."""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.app.project.problems import ProjectProblems
from isthmus.errors import ConfigurationError

ISTHMUS, FLOW = "isthmus.yaml", "flows/costs.yaml"

MISTAKES = [
    (ISTHMUS, "companies:", "companys:", "isthmus.yaml:20: unknown setting 'companys' in connections.finance: did you mean 'companies'?"),
    (ISTHMUS, "project: mine", "projekt: mine\nproject: mine", "isthmus.yaml:1: unknown setting 'projekt': did you mean 'project'?"),
    (ISTHMUS, "project: mine", "project: Mine 7", "isthmus.yaml:1: project: 'Mine 7' must be small letters, digits, - and _"),
    (ISTHMUS, "    role: operations\n", "", "isthmus.yaml:4: setting 'role' is missing in connections.maintenance."),
    (ISTHMUS, "role: finance", "role: financ", "isthmus.yaml:16: connections.finance.role: 'financ' is not a choice here: did you mean 'finance'?"),
    (ISTHMUS, "system: files", "system: file", "isthmus.yaml:5: there is no system 'file': did you mean 'files'?"),
    (ISTHMUS, "time_zone: Australia/Perth", "time_zone: Australia/Pert", "isthmus.yaml:7: connections.maintenance.time_zone: 'Australia/Pert' is not a time zone of the IANA list, such as Australia/Perth or UTC; did you mean Australia/Perth?"),
    (ISTHMUS, "poll: 60s", "poll: 60", "isthmus.yaml:8: connections.maintenance.poll: '60' needs a unit: write 60s, 5m, 24h or 7d"),
    (ISTHMUS, "poll: 60s", "poll: soon", "isthmus.yaml:8: connections.maintenance.poll: 'soon' is not a duration"),
    (ISTHMUS, "poll: 60s", "poll: 0s", "isthmus.yaml:8: connections.maintenance.poll: '0s' is no time at all"),
    (ISTHMUS, "poll: 60s", 'cron: "61 * * * *"', "isthmus.yaml:8: connections.maintenance.cron: '61 * * * *' is not a cron line of five parts"),
    (ISTHMUS, "poll: 60s", 'poll: 60s\n    cron: "0 * * * *"', "isthmus.yaml:4: connections.maintenance has both poll and cron"),
    (ISTHMUS, "posting_from: 2026-01-01", "posting_from: 01.01.2026", "isthmus.yaml:21: connections.finance.companies.PIT MINING.posting_from: '01.01.2026' is not a date"),
    (ISTHMUS, "QUARRY: {}", "QUARRY: {posting_form: 2026-01-01}", "isthmus.yaml:22: unknown setting 'posting_form' in connections.finance.companies.QUARRY: did you mean 'posting_from'?"),
    (ISTHMUS, "${data}", "${dta}", "isthmus.yaml:9: connections.maintenance.folder: there is no variable 'dta': did you mean 'data'?"),
    (ISTHMUS, "${data}/lists", '"${data"', "isthmus.yaml:9: connections.maintenance.folder: '${data' has no closing brace."),
    (ISTHMUS, "{data: input}", "{data: input, home: x}", "isthmus.yaml:2: a variable cannot be called 'home'"),
    (ISTHMUS, "tenant: contoso.example", "tenant: contoso.example\n    documents_per_jurnal: 5", "isthmus.yaml:18: unknown setting 'documents_per_jurnal' in connections.finance: did you mean 'documents_per_journal'?"),
    (ISTHMUS, "    tenant: contoso.example\n", "", "isthmus.yaml:14: setting 'tenant' is missing in connections.finance."),
    (ISTHMUS, "entity: work_order,", "entity: work_order, mood: drop,", "isthmus.yaml:11: unknown setting 'mood' in connections.maintenance.sets.work_orders: did you mean 'mode'?"),
    (ISTHMUS, "mappings/work_order.yaml", "mappings/order.yaml", "isthmus.yaml:13: connections.maintenance.lenses.work_order: there is no file 'mappings/order.yaml' in the project (looked for "),
    (ISTHMUS, "system: files", "system: files\n    sandbox: seed.yaml", "isthmus.yaml:6: connections.maintenance.sandbox: there is no simulator of files. Remove this line."),
    (ISTHMUS, "connections:", "connections: [", "isthmus.yaml:5: not valid YAML"),
    (ISTHMUS, "project: mine", "project: mine\nproject: yours", "isthmus.yaml:2: 'project' stands twice"),
    (FLOW, "rules: maintenance", "rules: maintenence", "flows/costs.yaml:5: there is no rules 'maintenence': did you mean 'maintenance'?"),
    (FLOW, "rules: maintenance\n", "", "flows/costs.yaml:1: a flow to journal_entry needs posting rules."),
    (FLOW, "template: work-order-costs", "template: work-order-cost", "flows/costs.yaml:2: there is no flow template 'work-order-cost': did you mean 'work-order-costs'?"),
    (FLOW, "connection: maintenance", "connection: maintenence", "flows/costs.yaml:3: there is no connection 'maintenence': did you mean 'maintenance'?"),
    (FLOW, "connection: finance", "connection: finances", "flows/costs.yaml:4: there is no connection 'finances': did you mean 'finance'?"),
    (FLOW, "{connection: maintenance}", "{connection: maintenance, entity: asset}", "flows/costs.yaml:3: connection 'maintenance' has no mapping for 'asset'. Name one in isthmus.yaml"),
    (FLOW, "company: PIT MINING", "company: PIT MINNING", "flows/costs.yaml:4: there is no company 'PIT MINNING': did you mean 'PIT MINING'?"),
    (FLOW, ", company: PIT MINING", "", "flows/costs.yaml:4: target names no company. Write company: PIT MINING under target."),
    (FLOW, "company: PIT MINING", "company: {by: brunch, map: {N: PIT MINING}}", "flows/costs.yaml:4: there is no field of work_order 'brunch': did you mean 'branch'?"),
    (FLOW, "company: PIT MINING", "company: {by: branch, map: {N: QUARY}}", "flows/costs.yaml:4: there is no company 'QUARY': did you mean 'QUARRY'?"),
    (FLOW, "company: PIT MINING", "company: {by: branch, mpa: {N: QUARRY}, map: {N: QUARRY}}", "flows/costs.yaml:4: unknown setting 'mpa' in target.company: did you mean 'map'?"),
    (FLOW, "company: PIT MINING", "company: 7", "flows/costs.yaml:4: target.company: '7' must be a map of settings."),
    (FLOW, "rules:", "closed_period: first-open\nrules:", "flows/costs.yaml:5: closed_period: 'first-open' is not a choice here: did you mean 'first_open'?"),
    (FLOW, "rules:", "write_back: maybe\nrules:", "flows/costs.yaml:5: write_back: 'maybe' must be yes or no."),
    (FLOW, "rules:", "retries: {attempts: many}\nrules:", "flows/costs.yaml:5: retries.attempts: 'many' must be a whole number."),
    (FLOW, "rules:", "retries: {first: 1h}\nrules:", "flows/costs.yaml:5: retries has a first wait that is longer than the longest one"),
    (FLOW, "rules:", "checks:\n  - {field: aset, required: true}\nrules:", "flows/costs.yaml:6: work_order has no field 'aset'. Did you mean asset?"),
    (FLOW, "rules:", "checks:\n  - {feild: asset}\nrules:", "flows/costs.yaml:6: unknown setting 'feild' in checks[1]: did you mean 'field'?"),
    (FLOW, "rules:", "ownership: {decription: latest}\nrules:", "flows/costs.yaml:5: there is no field of work_order 'decription': did you mean 'description'?"),
    (FLOW, "rules:", "ownership: {description: {owner: financ}}\nrules:", "flows/costs.yaml:5: there is no connection 'financ': did you mean 'finance'?"),
    (FLOW, "rules:", "ownership: {description: newest}\nrules:", "flows/costs.yaml:5: ownership.description: 'newest' is not a choice here: there is latest, review."),
    ("rules/maintenance.yaml", 'offset: "2910"', 'offsett: "2910"', "rules/maintenance.yaml:6: 'offsett' is not known here. Did you mean offset?"),
    ("lookups/centres.csv", "B,0200", "A,0200", "lookups/centres.csv:3: key 'A' is on line 2 already."),
    ("lookups/centres.csv", "B,0200", "B,0200,x", "lookups/centres.csv:3: 3 cells instead of 2"),
    ("lookups/centres.csv", "key,value", "asset,centre", "lookups/centres.csv:1: the first line must be `key,value`, it is `asset,centre`."),
    ("lookups/centres.csv", "B,0200", 'B,"0200', "lookups/centres.csv:3: not valid CSV"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "told"), MISTAKES, ids=[told[:70] for *_, told in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_a_way_out(folder: Any, file: str, old: str, new: str, told: str) -> None:
    folder.edit(file, old, new)
    assert folder.problem().startswith(told)


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


def test_a_code_with_zeros_in_front_must_stand_in_quotes(folder: Any) -> None:
    folder.write("lookups/other.yaml", "table: other\nrows:\n  A: 0100\n")
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
    folder.edit(ISTHMUS, "lenses: {account: mappings/work_order.yaml}", "overlays: {account: [mappings/work_order.yaml]}")
    assert len(folder.load().lens_documents("finance", "account")) == 1


def test_a_simulator_fills_its_settings_itself(folder: Any) -> None:
    folder.write("seed.yaml", "companies: []\n")
    folder.edit(ISTHMUS, "    secret:", "    sandbox: seed.yaml\n    secret:")
    assert folder.problem().startswith("isthmus.yaml:20: connections.finance.secret: the simulator gives secret itself.")
    folder.edit(ISTHMUS, "    secret: env:BC_SECRET\n", "")
    assert folder.load().sandbox_seed("finance") == folder.path / "seed.yaml"


def test_text_that_is_not_utf_8_is_told(folder: Any) -> None:
    (folder.path / FLOW).write_bytes("flow: Käfer\n".encode("latin-1"))
    assert folder.problem() == "flows/costs.yaml: is not UTF-8 text: save it as UTF-8."
