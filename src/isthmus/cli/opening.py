"""Opening a project for a command: configuration, simulators, ledger, runtime."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Struct

from isthmus.app.environment import verify
from isthmus.app.logs import configure_logs
from isthmus.app.project.project import Project
from isthmus.app.runtime import Runtime, open_runtime
from isthmus.app.secrets import Secret, resolve_all
from isthmus.cli.place import Place
from isthmus.cli.simulation import Simulation, start_simulation
from isthmus.contract.clock import Clock
from isthmus.errors import ConfigurationError
from isthmus.ledger.database import Database, open_database
from isthmus.ledger.migrate import ensure_current
from isthmus.model.document import parse_document


class Session(Struct, frozen=True):
    """An opened project."""

    project: Project
    simulation: Simulation
    clock: Clock
    database: Database
    runtime: Runtime

    @property
    def simulated(self) -> bool:
        return bool(self.simulation.boxes)

    async def refuse_changed_environment(self) -> None:
        """Raises ConfigurationError when a connection leads to other books than the ledger was made for."""
        changed = await verify(self.runtime.world)
        if changed:
            raise ConfigurationError(
                " ".join(finding.text for finding in changed), code="environment_changed", hint=changed[0].mend
            )


@asynccontextmanager
async def open_session(place: Place, *, jumps: bool = False, keep_simulators: bool = False) -> AsyncIterator[Session]:
    """Open everything a command needs and close it afterwards. `jumps`: simulated time moves instead of passing."""
    project = place.load()
    configure_logs(project.home)
    simulation = start_simulation(project)
    try:
        clock = simulation.clock(jumps=jumps)
        database = open_database(project.home, os.environ.get("DATABASE_URL") or None, clock=clock)
        try:
            ensure_current(database)
            settings = connection_settings(project, simulation)
            settle_on = os.environ.get("ISTHMUS_SETTLE", "on") != "off"
            async with open_runtime(project, database, clock, settings, settle_on=settle_on) as runtime:
                yield Session(project, simulation, clock, database, runtime)
        finally:
            database.close()
    except BaseException:  # what failed leaves nothing running behind that it started
        simulation.stop()
        raise
    if keep_simulators:
        simulation.leave()
    else:
        simulation.stop()


def connection_settings(project: Project, simulation: Simulation) -> dict[str, dict[str, Any]]:
    """Settings of every connection with secrets revealed for its connector and simulators filled in."""
    settings = {}
    for name, config in project.connections.items():
        found = dict(config.settings)
        if config.companies and config.system == "business_central":
            found.setdefault("companies", tuple(config.companies))
        if name in simulation.boxes:
            seed_file = project.sandbox_seed(name)
            text = seed_file.read_text(encoding="utf-8") if seed_file is not None else ""
            found = simulation.fill(name, found, parse_document(text, str(seed_file)).data)
        else:
            found = resolve_all(found, folder=project.folder, environ=os.environ, at=name)
        if config.system == "rest":
            found["time_zone"] = config.time_zone
        if config.system == "files":
            found.setdefault("fallback_results", str(project.home / "results" / name))
        settings[name] = {key: _revealed(value) for key, value in found.items()}
    return settings


def _revealed(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value
