"""A CAFM as a process serves it: its doors, its state file, its seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from isthmus.sandbox.cafm import seed
from isthmus.sandbox.cafm.dev_api import DevApi
from isthmus.sandbox.cafm.gate import Gate
from isthmus.sandbox.cafm.keys import Key
from isthmus.sandbox.cafm.service import BASE
from isthmus.sandbox.cafm.world import Settings, Switches, World
from isthmus.sandbox.clock import Clock
from isthmus.sandbox.doors import Activity, Door, Hosting, dev_route
from isthmus.sandbox.faults import Rule
from isthmus.sandbox.state import StateError

FORMAT = 1
_ENCODER = msgspec.json.Encoder()


class Cafm:
    """A plain CAFM."""

    def __init__(self, clock: Clock) -> None:
        self.world = World(clock)
        self._gate = Gate(self.world)
        self._tables: dict[str, msgspec.Raw] = {}

    @property
    def touched(self) -> bool:
        return self.world.touched

    @property
    def running(self) -> int:
        return self.world.calls.running

    def application(self, activity: Activity, hosting: Hosting) -> ASGIApp:
        door, dev = Door(self._gate, activity), DevApi(self.world)
        return Starlette(routes=[Mount(BASE, door), dev_route(dev, activity, hosting)])

    def tick(self) -> None:
        self.world.tick()

    def apply(self, source: Mapping[str, Any]) -> None:
        """Seed an empty one: nobody is said to have done it."""
        seed.apply(self.world, source)
        self.world.calls.reset()

    def load(self, path: Path) -> bool:
        if not path.exists():
            return False
        try:
            saved: dict[str, Any] = msgspec.json.decode(path.read_bytes())
            if saved["format"] != FORMAT:
                raise StateError(f"{path}: format {saved['format']} is not {FORMAT}; remove the file to start anew")
            self._restore(saved)
        except (msgspec.MsgspecError, KeyError) as error:
            raise StateError(f"{path}: not a state of this sandbox ({error}); remove the file to start anew") from None
        self.world.touched = False
        return True

    def encode(self) -> bytes:
        """Keeps the bytes of tables that did not change, so that a save stays short."""
        world = self.world
        for name, table in world.tables.items():
            if table.dirty or name not in self._tables:
                self._tables[name] = msgspec.Raw(_ENCODER.encode(table.dump()))
                table.dirty = False
        saved = {
            "format": FORMAT,
            "kind": "cafm",
            "offset": world.clock.offset,
            "settings": world.settings,
            "switches": world.switches,
            "keys": list(world.keys.values()),
            "rules": world.faults.rules,
            "agenda": world.agenda.dump(),
            "hooks": world.hooks.dump(),
            "stock": world.stock.dump(),
            "tables": self._tables,
        }
        world.touched = False
        return _ENCODER.encode(saved)

    def _restore(self, saved: dict[str, Any]) -> None:
        world = self.world
        world.clock.offset = max(world.clock.offset, float(saved["offset"]))
        world.settings = msgspec.convert(saved["settings"], Settings)
        world.switches = msgspec.convert(saved["switches"], Switches)
        world.keys = {key.key: key for key in msgspec.convert(saved["keys"], list[Key])}
        world.faults.rules = msgspec.convert(saved["rules"], list[Rule])
        world.agenda.load(saved["agenda"])
        world.stock.load(saved["stock"])
        for name, table in saved["tables"].items():
            world.tables[name].load(table)
        world.hooks.load(saved["hooks"])

    async def close(self) -> None:
        await self.world.hooks.close()
