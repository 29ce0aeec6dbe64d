"""The command line over the example project: a real ledger, a simulator of its own, commands run in this process."""

from __future__ import annotations

import io
import itertools
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog

from isthmus.app.project.loading import load_project
from isthmus.cli.main import main
from isthmus.cli.simulation import sandbox_home
from isthmus.ledger.embedded import Embedded
from isthmus.sandbox.server import Sandbox

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "real-data"
FLOW = "work-order-costs"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Ran:
    """One command that has ended."""

    code: int
    out: str
    err: str

    def lines(self) -> list[Any]:
        """Its output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    def one(self) -> Any:
        """Its output as the one JSON object it must be."""
        [found] = self.lines()
        return found


@dataclass(frozen=True)
class Mine:
    """A copy of the example with a ledger and a simulator of its own."""

    folder: Path
    environ: Mapping[str, str]

    @property
    def list(self) -> Path:
        """The list of work orders."""
        return self.folder / "sample" / "excavators" / "work_orders.csv"

    def run(self, *arguments: str) -> Ran:
        """One command line in this project."""
        with _as_a_program(self.environ), _elsewhere(self.folder):
            out, err = io.StringIO(), io.StringIO()
            with redirect_stdout(out), redirect_stderr(err):
                code = main(arguments)
        return Ran(code, out.getvalue(), err.getvalue())

    def change(self, name: str, old: str, new: str) -> None:
        """Edit a file of the project."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


@contextmanager
def _as_a_program(environ: Mapping[str, str]) -> Iterator[None]:
    """With this environment, and with logging as it was afterwards: commands configure it for their process."""
    root = logging.getLogger()
    handlers, level, configured = list(root.handlers), root.level, structlog.get_config()
    before = dict(os.environ)
    os.environ.update(environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        for handler in [handler for handler in root.handlers if handler not in handlers]:
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**configured)


@contextmanager
def _elsewhere(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def a_mine(pg_server: Embedded, template: str, *, simulated: bool = True) -> Iterator[Mine]:
    """A project, its database and its simulator; all of them are gone afterwards."""
    place = Path(tempfile.mkdtemp(prefix="isthmus-test-cli-"))
    folder, home, name = place / "mine", place / "home", f"cli_{next(_numbers)}"
    shutil.copytree(EXAMPLE, folder)
    with psycopg.connect(pg_server.uri("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
        environ = {"DATABASE_URL": pg_server.uri(name), "ISTHMUS_HOME": str(home)}
        box = _simulator(folder, environ) if simulated else None
        try:
            yield Mine(folder, environ)
        finally:
            if box is not None:
                box.stop()
            connection.execute(f"drop database {name} with (force)")
            shutil.rmtree(place, ignore_errors=True)


def _simulator(folder: Path, environ: Mapping[str, str]) -> Sandbox:
    """The simulator in a thread of this process, where commands find it as they would find one of another process."""
    project = load_project(folder, sets={}, environ=environ, cwd=folder)
    home = sandbox_home(project, "finance")
    home.mkdir(parents=True)
    return Sandbox(project.sandbox_seed("finance"), home=home).start()


@pytest.fixture(scope="session")
def synced(pg_server: Embedded, ledger_template: str) -> Iterator[Mine]:
    """The sample synchronised once. Tests that share it only read."""
    with a_mine(pg_server, ledger_template) as mine:
        done = mine.run("sync", "--json")
        assert done.code == 2, done.err  # one row of the sample is torn
        yield mine


@pytest.fixture
def mine(pg_server: Embedded, ledger_template: str) -> Iterator[Mine]:
    """A project of the test's own, nothing synchronised yet."""
    with a_mine(pg_server, ledger_template) as fresh:
        yield fresh


@pytest.fixture
def unsynced(pg_server: Embedded, ledger_template: str) -> Iterator[Mine]:
    """A project with an empty ledger and without simulator: for commands that need neither."""
    with a_mine(pg_server, ledger_template, simulated=False) as fresh:
        yield fresh
