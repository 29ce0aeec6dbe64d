"""A project whose two connections are simulated: one process, one clock, settings filled in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from integration.sandbox.cafm.facility import KEY, seed
from isthmus.app.project.loading import load_project
from isthmus.app.project.project import Project
from isthmus.cli.opening import connection_settings
from isthmus.cli.simulation import Simulation, sandbox_home, start_simulation, stop_simulation
from isthmus.sandbox.server import SandboxError, find

BUSINESS_CENTRAL = """
  finance:
    system: business_central
    role: finance
    sandbox: bc.yaml
    tenant: 0f6d8c52-6f0e-4b55-9e3b-3c1d1b0f7a10
    environment: sandbox
    client_id: 6b1f0d2e-7c55-4f0a-9a3e-2f1c8d4e5b60
    companies: {CRONUS: {time_zone: Europe/Berlin}}
"""
CAFM = """
  facilities: {system: rest, role: operations, profile: cafm, sandbox: cafm.yaml}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "both"
    found.mkdir()
    books = {"tenant": "0f6d8c52-6f0e-4b55-9e3b-3c1d1b0f7a10", "companies": [{"name": "CRONUS"}]}
    principal = {"client_id": "6b1f0d2e-7c55-4f0a-9a3e-2f1c8d4e5b60", "secret": "geheim"}
    (found / "bc.yaml").write_text(yaml.safe_dump(books | {"principals": [principal]}))
    (found / "cafm.yaml").write_text(yaml.safe_dump(seed()))
    return found


def project_of(folder: Path, *connections: str) -> Project:
    (folder / "isthmus.yaml").write_text("project: both\nconnections:" + "".join(connections))
    return load_project(folder, sets={}, environ={"ISTHMUS_HOME": str(folder / "home")}, cwd=folder)


@pytest.fixture
def simulations() -> Iterator[list[Simulation]]:
    started: list[Simulation] = []
    yield started
    for simulation in started:
        simulation.stop()


def test_both_are_one_process(folder: Path, simulations: list[Simulation]) -> None:
    project = project_of(folder, BUSINESS_CENTRAL, CAFM)
    simulations.append(first := start_simulation(project))
    finance, facilities = first.boxes["finance"], first.boxes["facilities"]
    assert finance.pid == facilities.pid
    facilities.advance(100)
    assert finance.clock()["offset"] == 100
    settings = connection_settings(project, first)
    assert settings["finance"]["secret"] == "geheim"
    filled = {"url": f"{facilities.url}/api/v1", "ca": str(facilities.ca), "api_key": KEY}
    assert settings["facilities"] | filled == settings["facilities"]
    simulations.append(second := start_simulation(project))
    assert {box.pid for box in second.boxes.values()} == {finance.pid}
    first.stop()
    assert facilities.alive()  # the second uses it
    second.stop()
    assert find(sandbox_home(project, "finance")) is None
    assert find(sandbox_home(project, "facilities")) is None


def test_a_connection_added_later_joins_what_runs(folder: Path, simulations: list[Simulation]) -> None:
    simulations.append(before := start_simulation(project_of(folder, BUSINESS_CENTRAL)))
    project = project_of(folder, BUSINESS_CENTRAL, CAFM)
    simulations.append(after := start_simulation(project))
    assert after.boxes["facilities"].pid == before.boxes["finance"].pid
    assert after.boxes["facilities"].state()["kind"] == "cafm"
    assert sorted(stop_simulation(project)) == ["facilities", "finance"]


def test_a_wrong_seed_leaves_nothing_running(folder: Path) -> None:
    (folder / "cafm.yaml").write_text("kind: cafm\nvendors: [{code: V1}]")
    project = project_of(folder, BUSINESS_CENTRAL, CAFM)
    with pytest.raises(SandboxError, match=r"vendors\[0\]: name: this is required"):
        start_simulation(project)
    assert find(sandbox_home(project, "finance")) is None
