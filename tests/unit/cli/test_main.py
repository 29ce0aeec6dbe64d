"""The program itself: its commands, usage errors, where it finds the project."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from isthmus.cli import main as program
from isthmus.cli.options import nearest_project, values_of
from isthmus.errors import ConfigurationError

#: commands that run until they are stopped and have no result to give
SERVING = {"worker"}


def test_every_command_takes_json_debug_and_explains_itself() -> None:
    def commands(command: Any) -> list[Any]:
        children = getattr(command, "commands", None)
        return [leaf for child in children.values() for leaf in commands(child)] if children else [command]

    for command in commands(typer.main.get_command(program.app)):
        options = {option for parameter in command.params for option in parameter.opts}
        wanted = {"--debug"} if command.name in SERVING else {"--json", "--debug"}
        assert wanted <= options, command.name
        assert command.help, command.name


@pytest.mark.parametrize(
    "arguments",
    [["nix"], ["status", "--nix"], ["trace"], ["messages", "--limit", "many"], ["export", "audit", "--from", "May"]],
)
def test_usage_errors_are_exit_1_and_point_at_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(arguments) == 1
    assert "--help" in capsys.readouterr().err
    assert program.main([*arguments, "--json"]) == 1
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "usage"


def test_help_is_exit_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--help"]) == 0
    assert "trace" in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from isthmus.cli.main import main; main(['--help']); "
        "print([m for m in ('psycopg', 'pydantic', 'aiohttp', 'procrastinate', 'structlog', 'lark', 'sqlalchemy') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_folder_without_project_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["status", "--project", str(tmp_path)]) == 1
    assert "isthmus init" in capsys.readouterr().err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "app", interrupted)
    assert program.main(["status"]) == 130


def test_the_project_is_found_upwards(tmp_path: Path) -> None:
    (tmp_path / "isthmus.yaml").write_text("project: x\n", encoding="utf-8")
    inside = tmp_path / "rules" / "deep"
    inside.mkdir(parents=True)
    assert nearest_project(inside) == tmp_path
    assert nearest_project(tmp_path.parent) == tmp_path.parent


def test_set_needs_a_value() -> None:
    assert values_of(["data=a=b", "x="]) == {"data": "a=b", "x": ""}
    for wrong in ("data", "=x"):
        with pytest.raises(ConfigurationError, match="--set"):
            values_of([wrong])
