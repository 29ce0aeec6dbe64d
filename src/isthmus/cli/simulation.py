"""Simulators of a project's connections, and the clock that goes with them. The one place that starts the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from isthmus.app.project.project import Project
from isthmus.contract.clock import Clock, SystemClock
from isthmus.sandbox.server import SandboxProcess, find, start_process

#: A simulator nobody talks to for this long saves its state and ends, so that none is left behind for ever.
_IDLE_EXIT = 1800


class SandboxClock:
    """A simulator's time. With `jumps`, waiting moves it; without, waiting takes as long as it does."""

    def __init__(self, box: SandboxProcess, *, jumps: bool) -> None:
        self._box = box
        self._jumps = jumps
        self._offset = timedelta(seconds=float(box.clock()["offset"]))
        self._lock = asyncio.Lock()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    async def sleep(self, seconds: float) -> None:
        if not self._jumps:
            await asyncio.sleep(max(0.0, seconds))
            return
        until = self.now() + timedelta(seconds=seconds)
        async with self._lock:  # of several who wait, the first to move time may have moved it far enough
            left = (until - self.now()).total_seconds()
            if left > 0:
                answer = await asyncio.to_thread(self._box.advance, left)
                self._offset = timedelta(seconds=float(answer["offset"]))


class Simulation(Struct):
    """The simulators of a project. `started`: those this process started and therefore stops."""

    boxes: dict[str, SandboxProcess]
    started: list[SandboxProcess]

    def clock(self, *, jumps: bool) -> Clock:
        """The simulators' clock, the machine's where nothing is simulated."""
        for box in self.boxes.values():
            return SandboxClock(box, jumps=jumps)
        return SystemClock()

    def fill(self, name: str, settings: Mapping[str, Any], seed: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of a simulated connection: address, certificate authority and the seed's own secret."""
        box = self.boxes[name]
        secrets = {p.get("client_id"): p.get("secret") for p in seed.get("principals", ())}
        return {
            **settings,
            "url": box.url,
            "authority": box.url,
            "ca": str(box.ca),
            "secret": settings.get("secret") or secrets.get(settings.get("client_id")),
        }

    def stop(self) -> None:
        """Stop what this process started; their books are kept in the home."""
        for box in self.started:
            box.stop()


def sandbox_home(project: Project, name: str) -> Path:
    """Where the simulator of a connection keeps its books."""
    return project.home / "sandbox" / name


def start_simulation(project: Project) -> Simulation:
    """Find or start the simulator of every simulated connection. Safe to repeat: a running one is used as it is."""
    simulation = Simulation({}, [])
    for name in project.connections:
        seed = project.sandbox_seed(name)
        if seed is None:
            continue
        home = sandbox_home(project, name)
        box = find(home)
        if box is None:
            box = start_process(home, seed, idle_exit=_IDLE_EXIT)
            simulation.started.append(box)
        simulation.boxes[name] = box
    return simulation


def stop_simulation(project: Project) -> list[str]:
    """Stop the running simulators of a project, whoever started them; their books are kept. Names of those stopped."""
    stopped = []
    for name in project.connections:
        if project.sandbox_seed(name) is not None and (box := find(sandbox_home(project, name))) is not None:
            box.stop()
            stopped.append(name)
    return stopped
