"""`make bench` runs, and what it counts in the books is right."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import ROOT


@pytest.mark.slow
def test_bench_books_each_document_once(tmp_path: Path) -> None:
    for name in ("benchmarks", "examples"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".isthmus", "*.results.csv", "*.json")
        )
    command = [sys.executable, "benchmarks/run.py", "--records", "200", "--rounds", "1", "--rows", "300"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    (kept,) = (tmp_path / "benchmarks" / "results").glob("*.json")
    told = json.loads(kept.read_text(encoding="utf-8"))
    assert {case["case"] for case in told["inside"]} == {"read a CSV file", "map rows to states", "encode states"}
    ours = [case for case in told["whole_path"] if case["case"] == "isthmus"]
    assert [(case["documents"] == case["expected"], case["doubled"]) for case in ours] == [(True, 0), (True, 0)]
    assert ours[1]["lost_answers"] > 0
    naive = next(case for case in told["whole_path"] if case["case"] == "naive" and case["faults"] != "none")
    assert naive["doubled"] > 0  # else the faults did not reach it, and ours prove nothing
