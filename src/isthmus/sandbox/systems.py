"""The kinds of systems a sandbox can be, and what each of them is to the process that serves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec
from starlette.types import ASGIApp

from isthmus.sandbox import http, seed, state
from isthmus.sandbox.cafm.system import Cafm
from isthmus.sandbox.clock import Clock
from isthmus.sandbox.doors import Activity, Hosting
from isthmus.sandbox.world import World


class System(Protocol):
    """One simulated system. Not thread-safe: everything runs on the server's loop."""

    @property
    def touched(self) -> bool:
        """Something changed since it was last encoded."""
        ...

    @property
    def running(self) -> int:
        """Calls that are being answered just now."""
        ...

    def application(self, activity: Activity, hosting: Hosting) -> ASGIApp:
        """What its port answers."""
        ...

    def tick(self) -> None:
        """Run what is due by the sandbox clock."""
        ...

    def apply(self, source: Mapping[str, Any]) -> None:
        """Put a seed into it. Raises SeedError."""
        ...

    def load(self, path: Path) -> bool:
        """Fill it from its state file. False when there is none. Raises StateError."""
        ...

    def encode(self) -> bytes:
        """Its state, as it is saved."""
        ...

    async def close(self) -> None:
        """Let go of what it holds outside itself."""
        ...


class BusinessCentral:
    """A Business Central environment with the Entra ID in front of it."""

    def __init__(self, clock: Clock) -> None:
        self.world = World(clock)
        self._saver = state.Saver(self.world)

    @property
    def touched(self) -> bool:
        return self.world.touched

    @property
    def running(self) -> int:
        return self.world.calls.running

    def application(self, activity: Activity, hosting: Hosting) -> ASGIApp:
        return http.application(self.world, activity, hosting)

    def tick(self) -> None:
        self.world.tick()

    def apply(self, source: Mapping[str, Any]) -> None:
        seed.apply(self.world, source)

    def load(self, path: Path) -> bool:
        return state.load(self.world, path)

    def encode(self) -> bytes:
        return self._saver.encode()

    async def close(self) -> None:
        await self.world.sender.close()


#: `kind:` of a seed file, and of a state file. Without it, it is a Business Central.
KINDS: dict[str, Callable[[Clock], System]] = {"business_central": BusinessCentral, "cafm": Cafm}


def open_system(home: Path, source: Mapping[str, Any] | str | Path | None, clock: Clock) -> System:
    """The system of a home: as it was saved there, else as its seed says. Raises SeedError, StateError."""
    saved = home / "state"
    found = _kind_of_state(saved) if saved.exists() else None
    given = dict(seed.read(source)) if found is None else {}
    given.pop("folder", None)
    kind = found or str(given.pop("kind", "business_central"))
    if kind not in KINDS:
        raise seed.SeedError(f"kind: there is no simulator of {kind!r}; there are {', '.join(sorted(KINDS))}")
    system = KINDS[kind](clock)
    if not system.load(saved):
        system.apply(given)
    return system


class _Kind(msgspec.Struct):
    kind: str = "business_central"


def _kind_of_state(path: Path) -> str:
    """A file that is none of ours is left to its reader, who says what is wrong with it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kind).kind
    except msgspec.MsgspecError:
        return "business_central"
