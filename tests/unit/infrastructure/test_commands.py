"""The commands of a fresh checkout: make, the build server's script, and the locked versions they install."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==(\S+)")


def make(root: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=root,
        env={**environment, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def pins(root: Path, lock: str) -> dict[str, str]:
    lines = (root / "requirements" / lock).read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(match[1]): match[2] for line in lines if (match := PIN.match(line))}


def test_help_is_the_default_and_names_every_command(pytestconfig: pytest.Config) -> None:
    told = make(pytestconfig.rootpath).stdout
    commands = {"help", "setup", "demo", "test", "test-all", "check", "format", "bench", "lock", "clean"}
    assert set(re.findall(r"^  make (\S+) +\S", told, re.MULTILINE)) == commands


@pytest.mark.parametrize("command", ["make", ".ci/run"])
def test_tests_come_after_the_checks_and_end_with_pytest(pytestconfig: pytest.Config, command: str) -> None:
    root = pytestconfig.rootpath
    if command == "make":
        steps = make(root, "-n", "test").stdout
    else:
        environment = {**os.environ, "MAKEFLAGS": "n", "CI": "true"}
        steps = subprocess.run(
            [str(root / ".ci" / "run")], env=environment, capture_output=True, text=True, timeout=60, check=True
        ).stdout
    lines = steps.strip().splitlines()
    order = [tool for line in lines for tool in ("ruff check", "mypy", "lint-imports", "-m pytest") if tool in line]
    assert order == ["ruff check", "mypy", "lint-imports", "-m pytest"]
    assert '-m "not slow"' in lines[-1]


def test_every_test_runs_in_test_all(pytestconfig: pytest.Config) -> None:
    assert "slow" not in make(pytestconfig.rootpath, "-n", "test-all").stdout.strip().splitlines()[-1]


def test_settings_of_the_machine_are_dropped_before_tests(pytestconfig: pytest.Config) -> None:
    settings = {"ISTHMUS_HOME": "x", "DATABASE_URL": "x", "https_proxy": "x", "PGHOST": "x"}
    last = make(pytestconfig.rootpath, "-n", "test", **settings).stdout.strip().splitlines()[-1]
    assert {f"-u {name}" for name in settings} <= set(re.findall(r"-u \w+", last))


def test_an_old_python_is_refused_in_words(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ntest "$1" = --version && echo "Python 3.9.2"\ntest "$1" = --version\n', encoding="utf-8")
    old.chmod(0o755)
    run = make(pytestconfig.rootpath, "setup", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
    assert run.returncode != 0
    assert "Isthmus needs Python 3.11 or newer" in run.stderr
    assert "Python 3.9.2" in run.stderr
    assert not (tmp_path / "venv").exists()


def test_every_requirement_is_locked_within_its_bounds(pytestconfig: pytest.Config) -> None:
    root = pytestconfig.rootpath
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    for lock, wanted in (
        ("run.lock", project["project"]["dependencies"]),
        ("dev.lock", project["project"]["dependencies"] + project["dependency-groups"]["dev"]),
        ("bootstrap.lock", project["build-system"]["requires"]),
    ):
        locked = pins(root, lock)
        for requirement in map(Requirement, wanted):
            assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), f"{lock}: {requirement}"


def test_the_locks_agree(pytestconfig: pytest.Config) -> None:
    run, dev, bootstrap = (pins(pytestconfig.rootpath, name) for name in ("run.lock", "dev.lock", "bootstrap.lock"))
    assert run.items() <= dev.items()
    assert {name: dev[name] for name in bootstrap if name in dev}.items() <= bootstrap.items()


@pytest.mark.parametrize("lock", ["run.lock", "dev.lock", "bootstrap.lock"])
def test_every_pin_has_hashes(pytestconfig: pytest.Config, lock: str) -> None:
    text = (pytestconfig.rootpath / "requirements" / lock).read_text(encoding="utf-8")
    for block in re.split(r"\n(?=\S)", text):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block.splitlines()[0]
