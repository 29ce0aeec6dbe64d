"""`isthmus profile` in a project whose CAFM is simulated: what it lists, shows, and finds different."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.sandbox.cafm.facility import seed
from isthmus.cli.main import main
from isthmus.connectors.rest.declared.loading import profile_text
from isthmus.sandbox.server import Sandbox


class Ran:
    """One command that has ended."""

    def __init__(self, *arguments: str) -> None:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            self.code = main(arguments)
        self.out, self.err = out.getvalue(), err.getvalue()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with one connection to a simulated CAFM, by a profile of its own that begins as the shipped one."""
    (tmp_path / "profiles").mkdir()
    project = {
        "project": "facilities",
        "connections": {
            "cafm": {
                "system": "rest", "role": "operations", "profile": "profiles/mine.yaml", "sandbox": "cafm.yaml",
                "lenses": {"vendor": "mappings/vendor.yaml"},
            }
        },
    }  # fmt: skip
    (tmp_path / "isthmus.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    (tmp_path / "cafm.yaml").write_text(yaml.safe_dump(seed()), encoding="utf-8")
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "vendor.yaml").write_text(
        "entity: vendor\nnative: vendors\nfields:\n  number: {at: code}\n", encoding="utf-8"
    )
    (tmp_path / "profiles" / "mine.yaml").write_text(profile_text("cafm"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with Sandbox(seed(), home=tmp_path / ".isthmus" / "sandbox" / "cafm"):
        yield tmp_path


def declare(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what the profile says."""
    path = folder / "profiles" / "mine.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")


def test_the_simulated_cafm_does_as_its_profile_says(folder: Path) -> None:
    ran = Ran("profile", "check", "--json")
    told = ran.lines()
    assert ran.code == 0, ran.err
    assert [line for line in told if line["severity"] == "error"] == []
    assert {line["code"] for line in told if not line["as_declared"]} <= {"profile_untested"}
    assert {line["entity"] for line in told} >= {"vendor", "item", "work_order", "purchase_order"}
    assert "facts compared, 0 differ" in Ran("profile", "check", "cafm").out


def test_differences_are_told_by_entity_and_part(folder: Path) -> None:
    def differ(data: dict[str, Any]) -> None:
        vendor = data["entities"]["vendor"]
        vendor["fields"] |= {"fax": "text", "name": "flag"}
        vendor["fields"]["blocked"]["values"] = ["all"]
        data["entities"]["item"]["fields"]["unitCost"] = {"kind": "decimal", "places": 4}
        data["entities"]["unit_of_measure"]["filters"]["code"] = {"parameter": "name"}

    declare(folder, differ)
    ran = Ran("profile", "check", "--json")
    found = {(line["entity"], line["part"]): line["code"] for line in ran.lines() if line["severity"] == "error"}
    assert ran.code == 1
    assert found == {
        ("vendor", "field `fax`"): "profile_field_missing",
        ("vendor", "field `name`"): "profile_field_type",
        ("vendor", "field `blocked`"): "profile_choice",
        ("item", "field `unitCost`"): "profile_field_type",
        ("unit_of_measure", "filter `code`"): "unknown_parameter",
    }


def test_what_was_assumed_and_is_seen_is_listed(folder: Path) -> None:
    declare(folder, lambda data: data["entities"]["vendor"]["filters"]["code"].update(assumed=True))
    out = Ran("profile", "check").out
    assert "assumed, and seen as the profile says" in out
    assert "filter `code`" in out
    shown = next(one for one in Ran("profile", "list", "--json").lines() if one["used_by"] == ["cafm"])
    assert (shown["origin"], shown["assumed"]) == ("profiles/mine.yaml", True)


def test_a_mistake_in_the_file_is_told_before_anything_is_asked(folder: Path) -> None:
    declare(folder, lambda data: data["entities"]["vendor"].update(actions=["erase"]))
    for arguments in (("profile", "check"), ("profile", "check", "profiles/mine.yaml"), ("check",)):
        ran = Ran(*arguments)
        assert ran.code == 1
        assert "profiles/mine.yaml:" in ran.out + ran.err


def test_a_system_that_is_away_is_another_exit_code(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = yaml.safe_load((folder / "isthmus.yaml").read_text(encoding="utf-8"))
    connection: Mapping[str, Any] = text["connections"]["cafm"]
    text["connections"]["cafm"] = {name: value for name, value in connection.items() if name != "sandbox"} | {
        "url": "http://127.0.0.1:9/api", "api_key": "env:CAFM_KEY",
    }  # fmt: skip
    (folder / "isthmus.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
    monkeypatch.setenv("CAFM_KEY", "secret-key")
    ran = Ran("profile", "check", "--json")
    assert (ran.code, ran.lines()[0]["code"]) == (3, "unreachable")
    assert "secret-key" not in ran.out + ran.err
    assert Ran("profile", "check", "--offline").code == 0


def test_the_blank_profile_can_be_taken_as_it_stands(folder: Path) -> None:
    (folder / "profiles" / "new.yaml").write_text(Ran("profile", "show", "blank", "--source").out, encoding="utf-8")
    assert Ran("profile", "check", "profiles/new.yaml").code == 0
    assert json.loads(Ran("profile", "show", "profiles/new.yaml", "--json").out)["source"] == "assumed"
