"""What `isthmus init` writes loads as it is, and never overwrites anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.app.project.loading import load_project
from isthmus.app.skeletons.writing import KINDS, write_skeleton
from isthmus.errors import ConfigurationError


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_new_project_loads(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "Mine 7"
    written = write_skeleton(target, kind)
    project = load_project(target, sets={}, environ={}, cwd=tmp_path)
    assert project.name == "mine-7"
    assert set(project.connections) == {"maintenance", "finance"}
    assert Path(project.connections["maintenance"].settings["folder"]).is_dir()
    assert set(written) == {path for path in target.rglob("*") if path.is_file()}
    assert ".isthmus/" in (target / ".gitignore").read_text()
    assert "secrets/" in (target / ".gitignore").read_text()


def test_only_the_one_to_try_has_a_simulator_and_rows(tmp_path: Path) -> None:
    for kind in KINDS:
        write_skeleton(tmp_path / kind, kind)
    rows = {kind: len((tmp_path / kind / "input" / "work_orders.csv").read_text().splitlines()) for kind in KINDS}
    assert rows["files-business-central"] == 1, "made-up rows must never be booked for real"
    assert rows["sandbox"] > 1
    projects = {kind: load_project(tmp_path / kind, sets={}, environ={}, cwd=tmp_path) for kind in KINDS}
    assert projects["sandbox"].sandbox_seed("finance") == tmp_path / "sandbox" / "sandbox.yaml"
    assert projects["files-business-central"].sandbox_seed("finance") is None


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    write_skeleton(tmp_path, "sandbox")
    assert (tmp_path / "isthmus.yaml").is_file()


def test_a_folder_that_holds_anything_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(ConfigurationError, match="is not empty"):
        write_skeleton(tmp_path, "sandbox")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(ConfigurationError, match="is a file"):
        write_skeleton(tmp_path / "mine.txt", "sandbox")


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Choose sandbox or files-business-central"):
        write_skeleton(tmp_path / "new", "sap")
    assert not (tmp_path / "new").exists()
