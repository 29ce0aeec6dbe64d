"""The simulators of a project are seeded with its variables and from CSV files of its data folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from isthmus.app.project.loading import load_project
from isthmus.app.project.project import Project
from isthmus.cli.simulation import sandbox_home, start_simulation
from isthmus.sandbox.seed import SeedError

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "real-data"
VENDORS = """
    vendors:
      csv: ${data}/Vendor.csv
      columns: {number: AccountNumber, name: Name, blocked: {column: ActiveFlag, map: {"1": "", "0": All}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "project"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns(".isthmus"))
    seed = copy / "sandbox.yaml"
    text = seed.read_text("utf-8")
    assert text.count("  - name: PIT MINING") == 1
    seed.write_text(text.replace("  - name: PIT MINING", f"  - name: PIT MINING{VENDORS}", 1), "utf-8")
    shutil.copytree(copy / "sample", tmp_path / "data")
    (tmp_path / "data/Vendor.csv").write_text("AccountNumber,Name,ActiveFlag\nA1,First,1\nA2,Second,0\n", "utf-8")
    return copy


def project(folder: Path) -> Project:
    environ = {"ISTHMUS_HOME": str(folder.parent / "home")}
    return load_project(folder, sets={"data": "data"}, environ=environ, cwd=folder.parent)


def test_a_seed_uses_the_data_folder_of_the_call(folder: Path) -> None:
    simulation = start_simulation(project(folder))
    try:
        box = simulation.boxes["finance"]
        assert box.state()["companies"][0]["rows"]["vendors"] == 2
        assert box.edit("vendors", "A2")["blocked"] == "All"
    finally:
        simulation.stop()
    assert not (box.home / "seed.json").exists()
    (folder.parent / "data/Vendor.csv").unlink()  # who has books reads no seed
    again = start_simulation(project(folder))
    try:
        assert again.boxes["finance"].state()["companies"][0]["rows"]["vendors"] == 2
    finally:
        again.stop()


def test_a_seed_that_cannot_be_read_starts_nothing(folder: Path) -> None:
    (folder.parent / "data/Vendor.csv").unlink()
    loaded = project(folder)
    with pytest.raises(SeedError, match=r"company 'PIT MINING', vendors: .*Vendor.csv cannot be read"):
        start_simulation(loaded)
    assert not (sandbox_home(loaded, "finance") / "sandbox.json").exists()
