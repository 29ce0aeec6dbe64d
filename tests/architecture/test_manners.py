"""Names say what is inside; packages introduce themselves; the repository speaks of the product only."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from architecture import manners
from architecture.tree import ROOT, plant

Check = Callable[[Path], Iterator[str]]
CHECKS: list[Check] = [
    manners.vague_names,
    manners.packages_without_docstring,
    manners.forbidden_texts,
    manners.addresses_in_locks,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_repository_keeps_it(check: Check) -> None:
    assert list(check(ROOT)) == []


@pytest.mark.parametrize(
    "name", ["utils.py", "string_helpers.py", "manager.py", "common.py", "posting_v2.py", "legacy/a.py", "helper/a.py"]
)
def test_a_vague_name_is_seen(tmp_path: Path, name: str) -> None:
    plant(tmp_path, f"src/isthmus/sync/{name}", "")
    assert len(list(manners.vague_names(tmp_path))) == 1


@pytest.mark.parametrize(
    "name", ["renewal.py", "mapping/template.py", "versions/core.py", "common_dimension_names.sql"]
)
def test_a_telling_name_passes(tmp_path: Path, name: str) -> None:
    plant(tmp_path, f"src/isthmus/sync/{name}", "")
    assert list(manners.vague_names(tmp_path)) == []


def test_a_package_without_docstring_is_seen(tmp_path: Path) -> None:
    plant(tmp_path, "src/isthmus/sync/__init__.py", "# not a docstring\n")
    assert list(manners.packages_without_docstring(tmp_path)) == [
        "src/isthmus/sync/__init__.py:1: says nothing of what lives here and what may import it"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "cd /" + "home/ann/isthmus",
        'path = "/' + 'tmp/data.csv"',
        "see /" + "work/notes.md",
        "install it from https://" + "pypi" + ".org/simple",
        "# TO" + "DO: later",
        "as Clau" + "de wrote",
        "left to the sub" + "agent",
    ],
)
def test_a_forbidden_text_is_seen(tmp_path: Path, text: str) -> None:
    plant(tmp_path, "docs/start.md", f"first line\n{text}\n")
    (complaint,) = manners.forbidden_texts(tmp_path)
    assert complaint.startswith("docs/start.md:2: ")


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/v2.0/companies",
        "https://example.test/" + "work/orders",
        "/work_orders.csv",
        "a User-Agent header",
        "~/data",
    ],
)
def test_a_harmless_text_passes(tmp_path: Path, text: str) -> None:
    plant(tmp_path, "docs/start.md", text)
    assert list(manners.forbidden_texts(tmp_path)) == []


def test_only_files_git_knows_are_read(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    plant(tmp_path, "kept.md", "")
    subprocess.run(["git", "-C", str(tmp_path), "add", "kept.md"], check=True)
    plant(tmp_path, "left.md", "/" + "tmp/x")
    assert manners.tracked(tmp_path) == ["kept.md"]


def test_an_address_in_a_lock_is_seen(tmp_path: Path) -> None:
    plant(tmp_path, "requirements/run.lock", "--index-url https://mirror.test/simple\nlark==1.3.1 \\\n")
    assert len(list(manners.addresses_in_locks(tmp_path))) == 1
