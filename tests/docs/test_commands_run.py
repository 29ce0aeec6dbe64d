"""Commands that the documents show can be run as they stand, one after the other, on a copy of the example."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.pages import FENCE, ROOT

#: finished, or finished with something that waits for a person: the example has a torn row
FINE = {0, 2}
TOURS = [("README.md", "A tour"), ("docs/quickstart.md", "2. A list of your own")]


def shown(text: str, heading: str) -> Iterator[str]:
    """Command lines in the fences below a heading, without comments."""
    inside = below = False
    for line in text.splitlines():
        if FENCE.match(line):
            inside = not inside
        elif not inside and line.startswith("#"):
            below = line.lstrip("# ") == heading
        elif inside and below and (command := re.sub(r"(^|\s+)#.*$", "", line).strip()):
            yield command


@pytest.fixture
def home() -> Iterator[Path]:
    """A home of its own, outside pytest's folder, which a server started by root could not reach
    (tests/integration/conftest.py)."""
    with tempfile.TemporaryDirectory(prefix="isthmus-test-docs-", ignore_cleanup_errors=True) as place:
        yield Path(place) / "home"


@pytest.mark.parametrize(("page", "heading"), TOURS, ids=[page for page, _ in TOURS])
def test_the_commands_of_a_page_run(page: str, heading: str, tmp_path: Path, home: Path) -> None:
    shutil.copytree(
        ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".isthmus", "*.results.csv")
    )
    commands = list(shown((ROOT / page).read_text(encoding="utf-8"), heading))
    ours = [command for command in commands if command.startswith("isthmus ")]
    assert len(ours) >= 4
    folder = tmp_path
    for command in commands:
        words = shlex.split(command)
        if words[0] == "cd":
            folder /= words[1]
        elif words[0] == "isthmus":
            done = run(words[1:], folder, home)
            assert done.returncode in FINE, f"{command}: {done.returncode}\n{done.stderr}"
            assert done.stdout, f"{command} says nothing"
        else:
            assert words[:2] == [".", ".venv/bin/activate"], f"{page} shows {command!r}, which no test runs"


def run(arguments: list[str], folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """One command line of ours, in a folder, all with one home."""
    return subprocess.run(
        [sys.executable, "-m", "isthmus.cli.main", *arguments],
        cwd=folder,
        env={**os.environ, "ISTHMUS_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_commands_are_found_below_their_heading() -> None:
    fences = "# A", "isthmus x", "## B", "cd y   # there\nisthmus z --long  # why\n# only this", "# C", "no"
    text = "\n".join(part if part.startswith("#") else f"```\n{part}\n```" for part in fences)
    assert list(shown(text, "B")) == ["cd y", "isthmus z --long"]
