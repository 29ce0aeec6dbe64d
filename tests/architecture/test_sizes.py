"""Files and functions stay short enough to be read."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from architecture.sizes import FILE_LIMIT, FUNCTION_LIMIT, SMELL, long_files, long_functions
from architecture.tree import ROOT, plant


def test_no_file_is_too_long() -> None:
    assert list(long_files(ROOT)) == []


@pytest.mark.filterwarnings("default::UserWarning")
def test_long_files_are_named_before_they_are_too_long() -> None:
    for smell in long_files(ROOT, SMELL):
        warnings.warn(smell, UserWarning, stacklevel=1)


def test_no_function_is_too_long() -> None:
    assert list(long_functions(ROOT)) == []


def test_a_long_file_is_seen(tmp_path: Path) -> None:
    plant(tmp_path, "src/isthmus/sync/turn.py", "x = 1\n" * (FILE_LIMIT + 1))
    plant(tmp_path, "src/isthmus/sync/admit.py", "x = 1\n" * FILE_LIMIT)
    assert list(long_files(tmp_path)) == ["src/isthmus/sync/turn.py: 601 lines, at most 600"]


@pytest.mark.parametrize("word", ["def", "async def"])
def test_a_long_function_is_seen(tmp_path: Path, word: str) -> None:
    body = "    x = 1\n" * (FUNCTION_LIMIT - 1)
    plant(
        tmp_path,
        "tests/unit/test_x.py",
        f"class A:\n  {word} fits(self):\n{body}\n  {word} long(self):\n{body}    x = 2\n",
    )
    assert list(long_functions(tmp_path)) == ["tests/unit/test_x.py:63: long has 61 lines, at most 60"]
