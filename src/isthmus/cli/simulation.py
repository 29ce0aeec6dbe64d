"""Simulators of a project's connections, and the clock that goes with them. The one place that starts the sandbox."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from isthmus.app.project.project import Project
from isthmus.contract.clock import Clock, SystemClock
from isthmus.sandbox.clock import SharedOffset
from isthmus.sandbox.server import SandboxProcess, find, start_process

#: A simulator nobody talks to for this long saves its state and ends, so that none is left behind for ever.
_IDLE_EXIT = 1800
#: How soon somebody who waits notices that another process has moved time.
_LOOK = 0.2


class SandboxClock:
    """The simulators' time. With `jumps`, waiting moves it; without, waiting takes as long as it does.

    Several processes may share the simulators: a jump of one is seen by the others at once, because each reads the
    offset that the simulator shows in its home.
    """

    def __init__(self, boxes: Sequence[SandboxProcess], *, jumps: bool) -> None:
        self._boxes = [(box, SharedOffset(box.home)) for box in boxes]
        self._jumps = jumps
        self._lock = asyncio.Lock()

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=max(offset.read() for _, offset in self._boxes))

    async def sleep(self, seconds: float) -> None:
        until = self.now() + timedelta(seconds=seconds)
        if self._jumps:
            async with self._lock:  # of several who wait, the first to move time may have moved it far enough
                for box, offset in self._boxes:
                    left = (until - datetime.now(UTC)).total_seconds() - offset.read()
                    if left > 0:
                        await asyncio.to_thread(box.advance, left)
            return
        while (left := (until - self.now()).total_seconds()) > 0:
            await asyncio.sleep(min(left, _LOOK))


class Simulation:
    """The simulators of a project, as long as this process uses them."""

    def __init__(self) -> None:
        self.boxes: dict[str, SandboxProcess] = {}
        self._started: list[str] = []
        self._using: dict[str, IO[bytes]] = {}

    def use(self, name: str, box: SandboxProcess, *, started: bool) -> None:
        """Work with a simulator; it is not stopped by others meanwhile."""
        self.boxes[name] = box
        if started:
            self._started.append(name)
        file = (box.home / "users").open("ab")
        fcntl.flock(file, fcntl.LOCK_SH)
        self._using[name] = file

    def clock(self, *, jumps: bool) -> Clock:
        """The simulators' clock, the machine's where nothing is simulated."""
        return SandboxClock(list(self.boxes.values()), jumps=jumps) if self.boxes else SystemClock()

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
        """Stop what this process started. What another one uses by now is stopped by that one; books are kept."""
        for name, file in self._using.items():
            box = self.boxes[name]
            left = box.home / "left"
            with _one_at_a_time(box.home), file:
                ours = name in self._started or left.exists()
                if ours and _alone(file):
                    left.unlink(missing_ok=True)
                    box.stop()
                elif ours:
                    left.touch()
        self._using.clear()

    def leave(self) -> None:
        """Go away and let them run."""
        for name, file in self._using.items():
            (self.boxes[name].home / "left").unlink(missing_ok=True)
            file.close()
        self._using.clear()


def _alone(file: IO[bytes]) -> bool:
    """Whether nobody else holds this lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def sandbox_home(project: Project, name: str) -> Path:
    """Where the simulator of a connection keeps its books."""
    return project.home / "sandbox" / name


def start_simulation(project: Project) -> Simulation:
    """Find or start the simulator of every simulated connection. Safe to repeat: a running one is used as it is."""
    simulation = Simulation()
    for name in project.connections:
        seed = project.sandbox_seed(name)
        if seed is None:
            continue
        home = sandbox_home(project, name)
        with _one_at_a_time(home):
            box = find(home)
            started = box is None
            simulation.use(name, box or start_process(home, seed, idle_exit=_IDLE_EXIT), started=started)
    return simulation


@contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    """Two that start at the same time get one simulator, and none is stopped while somebody is about to use it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "starting").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stop_simulation(project: Project) -> list[str]:
    """Stop the running simulators of a project, whoever started them; their books are kept. Names of those stopped."""
    stopped = []
    for name in project.connections:
        if project.sandbox_seed(name) is not None and (box := find(sandbox_home(project, name))) is not None:
            box.stop()
            stopped.append(name)
    return stopped
