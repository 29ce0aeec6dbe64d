"""Simulators of a project's connections, and the clock that goes with them. The one place that starts the sandbox."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import msgspec

from isthmus.app.project.project import Project
from isthmus.contract.clock import Clock, SystemClock
from isthmus.sandbox import seed as seeds
from isthmus.sandbox.cafm.keys import first_key
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
    """The simulators of a project, as long as this process uses them. `place` is the folder of their homes."""

    def __init__(self, place: Path) -> None:
        self.boxes: dict[str, SandboxProcess] = {}
        self._place = place
        self._started: list[SandboxProcess] = []
        self._using: IO[bytes] | None = None

    def use(self, name: str, box: SandboxProcess, *, started: bool = False) -> None:
        """Work with a simulator; it is not stopped by others meanwhile. `started`: its process is ours."""
        if self._using is None:
            self._using = (self._place / ".users").open("ab")
            fcntl.flock(self._using, fcntl.LOCK_SH)
        self.boxes[name] = box
        if started:
            self._started.append(box)

    def clock(self, *, jumps: bool) -> Clock:
        """The simulators' clock, the machine's where nothing is simulated."""
        return SandboxClock(list(self.boxes.values()), jumps=jumps) if self.boxes else SystemClock()

    def fill(self, name: str, settings: Mapping[str, Any], seed: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of a simulated connection: address, certificate authority and the seed's own secret."""
        box = self.boxes[name]
        if seed.get("kind") == "cafm":
            return {**settings, "url": f"{box.url}/api/v1", "ca": str(box.ca), "api_key": first_key(seed)}
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
        if self._using is None:
            return
        left = self._place / ".left"
        with _one_at_a_time(self._place), self._using as file:
            ours = {box.home: box for box in (*self._started, *_left(left))}
            if ours and _alone(file):
                left.unlink(missing_ok=True)
                for box in ours.values():
                    box.stop()
            elif ours:
                left.write_text("\n".join(map(str, ours)), "utf-8")
        self._using = None

    def leave(self) -> None:
        """Go away and let them run."""
        if self._using is not None:
            (self._place / ".left").unlink(missing_ok=True)
            self._using.close()
        self._using = None


def _left(file: Path) -> Iterator[SandboxProcess]:
    """Live simulators that were started by processes which have gone while others used them."""
    homes = file.read_text("utf-8").splitlines() if file.exists() else []
    return (box for home in homes if (box := find(Path(home))) is not None)


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
    """Find or start the simulator of every simulated connection. Safe to repeat: a running one is used as it is.

    One process serves them all, so that they live by one clock: the first is started, the others are added to it.
    """
    place = project.home / "sandbox"
    simulation = Simulation(place)
    seeds = {name: seed for name in project.connections if (seed := project.sandbox_seed(name)) is not None}
    if not seeds:
        return simulation
    try:
        with _one_at_a_time(place):
            for name in seeds:
                if (box := find(sandbox_home(project, name))) is not None:
                    simulation.use(name, box)
            for name, seed in seeds.items():
                if name not in simulation.boxes:
                    home = sandbox_home(project, name)
                    with _whole(seed, home, project.variables) as whole:
                        _add(simulation, name, home, whole)
    except BaseException:
        simulation.stop()
        raise
    return simulation


def _add(simulation: Simulation, name: str, home: Path, seed: Path) -> None:
    host = next(iter(simulation.boxes.values()), None)
    if host is None:
        simulation.use(name, start_process(home, seed, idle_exit=_IDLE_EXIT), started=True)
    else:
        simulation.use(name, host.host(home, seed))


@contextmanager
def _whole(seed: Path, home: Path, variables: Mapping[str, str]) -> Iterator[Path]:
    """A seed with the project's variables and the rows of its CSV files in it, as long as a simulator needs it: none
    that has books already reads one. Raises SeedError.
    """
    if (home / "state").exists():
        yield seed
        return
    home.mkdir(parents=True, exist_ok=True)
    whole = home / "seed.json"
    try:
        found = seeds.read(seed, variables) | {"folder": str(seed.parent.absolute())}
        whole.touch(mode=0o600)
        whole.write_bytes(msgspec.json.encode(found))
        yield whole
    finally:
        whole.unlink(missing_ok=True)


@contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    """Two that start at the same time get one simulator, and none is stopped while somebody is about to use it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".starting").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stop_simulation(project: Project) -> list[str]:
    """Stop the running simulators of a project, whoever started them; their books are kept. Names of those stopped."""
    simulated = [name for name in project.connections if project.sandbox_seed(name) is not None]
    found = {name: box for name in simulated if (box := find(sandbox_home(project, name))) is not None}
    for box in found.values():  # the first takes along those of its process
        box.stop()
    return list(found)
