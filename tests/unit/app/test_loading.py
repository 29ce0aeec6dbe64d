"""What a project folder becomes, and where its values come from."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from isthmus.app.project.loading import load_project
from isthmus.app.project.problems import ProjectProblems


def test_a_project_is_read_whole(folder: Any) -> None:
    project = folder.load()
    assert project.name == "mine"
    assert project.folder == folder.path
    assert project.connections["finance"].companies["PIT MINING"].posting_from == date(2026, 1, 1)
    assert project.connections["maintenance"].poll == timedelta(seconds=60)
    assert project.tables == {"centres": {"A": "0100", "B": "0200"}}
    assert project.rules["maintenance"].file == "rules/maintenance.yaml"
    assert [document.file for document in project.lens_documents("maintenance", "work_order")] == [
        "mappings/work_order.yaml"
    ]
    assert project.lens_documents("finance", "account") == ()
    assert project.sandbox_seed("finance") is None


def test_keys_of_the_system_travel_in_settings_with_whole_paths(folder: Any) -> None:
    settings = folder.load().connections["maintenance"].settings
    assert settings["folder"] == str(folder.path / "input" / "lists")
    assert settings["sets"]["work_orders"]["key"] == ["Order"]
    assert "role" not in settings


def test_a_flow_takes_from_its_template_what_it_does_not_say(folder: Any) -> None:
    folder.edit("flows/costs.yaml", "rules:", "retries: {attempts: 3}\nwhen: null\nrules:")
    flow = folder.load().flows["costs"]
    assert flow.source.entity == "work_order"
    assert flow.target.entity == "journal_entry"
    assert flow.transition == "completed"
    assert flow.retries.attempts == 3
    assert flow.retries.most == timedelta(minutes=10)
    assert flow.when is None, "an explicit null replaces what the template says"


def test_a_flow_may_choose_the_company_by_a_field(folder: Any) -> None:
    folder.edit("flows/costs.yaml", "company: PIT MINING", "company: {by: branch, map: {N: PIT MINING, S: QUARRY}}")
    company = folder.load().flows["costs"].target.company
    assert (company.by, company.map, company.default) == ("branch", {"N": "PIT MINING", "S": "QUARRY"}, None)


def test_a_path_from_outside_counts_from_the_current_directory(folder: Any) -> None:
    (folder.outside / "real").mkdir()
    folder.sets = {"data": "real"}
    assert folder.load().connections["maintenance"].settings["folder"] == str(folder.outside / "real" / "lists")


def test_set_wins_over_the_environment_and_that_over_the_file(folder: Any) -> None:
    (folder.outside / "one").mkdir()
    (folder.outside / "two").mkdir()
    folder.environ = {"ISTHMUS_DATA": "one"}
    assert folder.load().variables["data"] == str(folder.outside / "one")
    folder.sets = {"data": "two"}
    assert folder.load().variables["data"] == str(folder.outside / "two")


def test_a_text_variable_is_no_path(folder: Any) -> None:
    folder.edit("isthmus.yaml", "{data: input}", "{data: input, tenant: {text: fabrikam.example}}")
    folder.edit("isthmus.yaml", "contoso.example", "${tenant}")
    assert folder.load().connections["finance"].settings["tenant"] == "fabrikam.example"
    folder.sets = {"tenant": "northwind.example"}
    assert folder.load().connections["finance"].settings["tenant"] == "northwind.example"


def test_home_stands_in_the_project_unless_the_environment_says_otherwise(folder: Any) -> None:
    assert folder.load().home == folder.path / ".isthmus"
    folder.environ = {"ISTHMUS_HOME": "state"}
    assert folder.load().home == folder.outside / "state"


def test_equal_configuration_has_an_equal_digest_wherever_it_stands(folder: Any, tmp_path: Path) -> None:
    first = folder.load()
    moved = tmp_path / "moved"
    folder.path.rename(moved)
    (tmp_path / "data").mkdir()
    again = load_project(moved, sets={"data": str(tmp_path / "data")}, environ={}, cwd=tmp_path)
    assert again.digest == first.digest
    assert str(tmp_path) not in again.content


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("isthmus.yaml", "60s", "61s"),
        ("flows/costs.yaml", "PIT MINING", "QUARRY"),
        ("rules/maintenance.yaml", "8410", "8420"),
        ("lookups/centres.csv", "0200", "0300"),
        ("mappings/work_order.yaml", "at: Order", "at: Number"),
    ],
)
def test_every_change_of_meaning_changes_the_digest(folder: Any, file: str, old: str, new: str) -> None:
    before = folder.load().digest
    folder.edit(file, old, new)
    assert folder.load().digest != before


def test_comments_and_order_do_not_change_the_digest(folder: Any) -> None:
    before = folder.load().digest
    folder.edit("flows/costs.yaml", "flow: costs\n", "# told to people\n")
    folder.edit("flows/costs.yaml", "rules: maintenance\n", "rules: maintenance\nflow: costs\n")
    assert folder.load().digest == before


def test_content_is_the_whole_configuration_with_references_in_place_of_secrets(folder: Any) -> None:
    folder.environ = {"BC_SECRET": "hunter2-and-more"}
    content = json.loads(folder.load().content)
    assert set(content["files"]) == {
        "isthmus.yaml",
        "flows/costs.yaml",
        "rules/maintenance.yaml",
        "mappings/work_order.yaml",
    }
    assert content["tables"] == {"centres": {"A": "0100", "B": "0200"}}
    assert content["files"]["isthmus.yaml"]["connections"]["finance"]["secret"] == "env:BC_SECRET"
    assert content["files"]["flows/costs.yaml"]["when"] == 'status = "completed"', "what the template said is kept too"
    assert "hunter2" not in folder.load().content


def test_a_loaded_project_does_not_change(folder: Any) -> None:
    project = folder.load()
    with pytest.raises(TypeError, match="does not change"):
        project.tables["centres"]["A"] = "x"
    with pytest.raises(ValueError, match="frozen"):
        project.flows["costs"].rules = "other"
    with pytest.raises(AttributeError):
        project.digest = ""


def test_files_with_the_other_yaml_ending_and_a_byte_order_mark_are_read(folder: Any) -> None:
    (folder.path / "flows" / "costs.yaml").rename(folder.path / "flows" / "costs.yml")
    table = folder.path / "lookups" / "centres.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    project = folder.load()
    assert list(project.flows) == ["costs"]
    assert project.tables["centres"]["A"] == "0100"


def test_a_missing_folder_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ProjectProblems) as caught:
        load_project(Path("nowhere"), sets={}, environ={}, cwd=tmp_path)
    assert str(tmp_path / "nowhere") in str(caught.value)
    assert "isthmus init" in str(caught.value)
    (tmp_path / "nowhere").mkdir()
    with pytest.raises(ProjectProblems, match=r"it has no isthmus\.yaml"):
        load_project(Path("nowhere"), sets={}, environ={}, cwd=tmp_path)


def test_a_missing_data_folder_from_outside_says_how_it_counts(folder: Any) -> None:
    folder.sets = {"data": "gone"}
    problem = folder.problem()
    assert f"--set data=gone: there is no {folder.outside / 'gone'}." in problem
    assert "counts from the current directory" in problem


def test_an_unknown_variable_of_set_is_named(folder: Any) -> None:
    folder.sets = {"dat": "x"}
    assert folder.problem() == "--set dat: there is no such variable: did you mean 'data'?"
