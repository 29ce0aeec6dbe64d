"""Every way a command can end badly has its exit code and its words; no secret is in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from isthmus.app.project.problems import ProjectProblems
from isthmus.cli import place
from isthmus.cli.failures import exit_code, report
from isthmus.errors import (
    ConfigurationError,
    FenceLost,
    Halt,
    HomeBusy,
    IsthmusError,
    Reject,
    Retry,
    SignInFailed,
    Stale,
    StorageFailed,
    Uncertain,
    Unreachable,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ConfigurationError, 1), (StorageFailed, 1), (HomeBusy, 1), (FenceLost, 1), (Reject, 1),
        (Unreachable, 3), (SignInFailed, 3), (Halt, 3), (Retry, 3), (Stale, 3), (Uncertain, 3),
    ],
)  # fmt: skip
def test_exit_codes(kind: type[IsthmusError], code: int) -> None:
    assert exit_code(kind("words")) == code
    assert exit_code(ExceptionGroup("concurrent", [ValueError("other"), kind("words")])) == code


def test_every_kind_of_error_is_decided() -> None:
    def leaves(kind: type[IsthmusError]) -> set[type[IsthmusError]]:
        return {kind}.union(*(leaves(sub) for sub in kind.__subclasses__()))

    ours = {kind for kind in leaves(IsthmusError) if kind.__module__ == IsthmusError.__module__}
    assert len(ours) > 10
    assert all(exit_code(kind("words")) in {1, 3} for kind in ours)


def test_all_problems_of_a_project_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    problems = ProjectProblems(
        [
            ConfigurationError("no such thing.", hint="Mend it.", file="isthmus.yaml", line=3),
            ConfigurationError("another.", file="rules/a.yaml", line=9),
        ]
    )
    assert report(problems, as_json=False, debug=False) == 1
    told = capsys.readouterr().err
    assert "isthmus.yaml:3: no such thing. Mend it." in told
    assert "rules/a.yaml:9: another." in told
    assert report(problems, as_json=True, debug=False) == 1
    said = json.loads(capsys.readouterr().err)
    assert said["error"] == {
        "code": "configuration", "message": "no such thing.", "hint": "Mend it.", "file": "isthmus.yaml", "line": 3,
    }  # fmt: skip
    assert [problem["line"] for problem in said["errors"]] == [3, 9]


def test_secrets_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    error = Unreachable("https://user:hunter2hunter2@host/ refused; client_secret=abcdefgh12345")
    assert report(error, as_json=True, debug=True) == 3
    told = capsys.readouterr().err
    assert "hunter2" not in told
    assert "abcdefgh12345" not in told


def test_the_unexpected_is_short_and_its_trace_is_kept_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(place, "last_home", lambda: tmp_path)
    assert report(KeyError("password=verysecret1"), as_json=False, debug=False) == 1
    told = capsys.readouterr().err
    assert "an error of Isthmus itself: KeyError." in told
    assert "Traceback" not in told
    kept = json.loads((tmp_path / "isthmus.log").read_text(encoding="utf-8"))
    assert "KeyError" in kept["exception"]
    assert "verysecret1" not in kept["exception"]


def test_debug_shows_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    report(KeyError("x"), as_json=False, debug=True)
    assert "KeyError: 'x'" in capsys.readouterr().err
