"""One direction of imports, held by a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from architecture.imports import ALLOWED, systems_that_meet, wrong_directions
from architecture.tree import ROOT, plant


def test_imports_follow_the_table() -> None:
    assert list(wrong_directions(ROOT)) == []


def test_systems_do_not_know_each_other() -> None:
    assert list(systems_that_meet(ROOT)) == []


def test_the_table_has_no_cycle() -> None:
    done: set[str] = set()
    while len(done) < len(ALLOWED):
        free = {package for package, below in ALLOWED.items() if package not in done and below <= done}
        assert free, f"a cycle among {set(ALLOWED) - done}"
        done |= free


def test_every_package_has_a_row() -> None:
    folders = {path.name for path in (ROOT / "src/isthmus").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= set(ALLOWED)


@pytest.mark.parametrize(
    ("place", "text", "complaint"),
    [
        ("sync/turn.py", "import isthmus.connectors.files", "1: sync may not import isthmus.connectors.files"),
        ("model/money.py", "\nfrom isthmus.mapping import plain", "2: model may not import isthmus.mapping"),
        ("mapping/a.py", "def f():\n    from isthmus.ledger.x import y", "2: mapping may not import isthmus.ledger.x"),
        (
            "contract/a.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from isthmus.sync.turn import Turn",
            "3: contract may not import isthmus.sync.turn",
        ),
        ("controls/a.py", "from ..mapping import plain", "1: controls may not import isthmus.mapping"),
        ("sandbox/a.py", "from isthmus.model.money import Money", "1: sandbox may not import isthmus.model.money"),
        ("app/a.py", "from isthmus.sandbox.server import Sandbox", "1: app may not import isthmus.sandbox.server"),
        ("cli/a.py", "from isthmus.testing.suite import x", "1: cli may not import isthmus.testing.suite"),
        ("app/a.py", "import isthmus", "1: imports the root package; import from the module that defines it"),
        (
            "app/a.py",
            "from isthmus import errors",
            "1: imports the root package; import from the module that defines it",
        ),
        ("app/a.py", "from .. import errors", "1: imports the root package; import from the module that defines it"),
        ("billing/a.py", "", "1: package billing has no row in tests/architecture/imports.py"),
    ],
)
def test_a_wrong_import_is_seen(tmp_path: Path, place: str, text: str, complaint: str) -> None:
    plant(tmp_path, f"src/isthmus/{place}", text)
    assert list(wrong_directions(tmp_path)) == [f"src/isthmus/{place}:{complaint}"]


def test_the_right_direction_is_not_complained_of(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "src/isthmus/sync/turn.py",
        "from isthmus.ledger.messages import x\nfrom . import admit\nimport aiohttp",
    )
    plant(tmp_path, "src/isthmus/sync/__init__.py", "from .turn import y")
    assert list(wrong_directions(tmp_path)) == []


def test_a_system_that_knows_another_is_seen(tmp_path: Path) -> None:
    text = "from isthmus.connectors.files.table import t\nfrom isthmus.connectors.dynamics._odata import o\n"
    plant(tmp_path, "src/isthmus/connectors/dynamics/finance/reading.py", text)
    plant(tmp_path, "src/isthmus/connectors/_http/session.py", "from isthmus.connectors.dynamics.finance import config")
    assert list(systems_that_meet(tmp_path)) == [
        "src/isthmus/connectors/_http/session.py:1: connector _http may not import isthmus.connectors.dynamics.finance",
        "src/isthmus/connectors/dynamics/finance/reading.py:1: "
        "connector dynamics.finance may not import isthmus.connectors.files.table",
    ]
