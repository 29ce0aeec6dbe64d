"""Everything one CAFM knows: its records, stock, keys, webhooks, limits, faults and counts."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from isthmus.sandbox.cafm.calls import Calls
from isthmus.sandbox.cafm.dialect import answer, named
from isthmus.sandbox.cafm.entities import ENTITIES
from isthmus.sandbox.cafm.hooks import Hooks
from isthmus.sandbox.cafm.keys import Key
from isthmus.sandbox.cafm.limits import Limiter
from isthmus.sandbox.cafm.stock_levels import StockLevels
from isthmus.sandbox.cafm.tables import Table
from isthmus.sandbox.clock import Agenda, Clock, stamp
from isthmus.sandbox.faults import Faults


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """What the system says of itself."""

    id: str = "cafm-sandbox"
    name: str = "Facilities"
    base_currency: str = "EUR"
    time_zone: str = "Europe/Berlin"


class Switches(msgspec.Struct, forbid_unknown_fields=True):
    """What can be set differently from docs/cafm-api.md."""

    requests_per_window: int = 300
    window_seconds: int = 60
    concurrent: int = 10
    work_seconds: float = 0.0
    over_receipt_percent: int = 10
    negative_stock: bool = False
    hook_seconds: float = 5.0
    hook_waits: list[int] = msgspec.field(default_factory=lambda: [30, 300])
    hook_drops: int = 50


class World:
    """The state behind all doors. Not thread-safe: everything runs on the server's loop."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.agenda = Agenda(clock)
        self.settings = Settings()
        self.switches = Switches()
        self.keys: dict[str, Key] = {}
        self.tables = {name: Table(entity) for name, entity in ENTITIES.items()}
        self.stock = StockLevels()
        self.calls = Calls()
        self.hooks = Hooks(self)
        self.faults = Faults(naming=named, dialect=answer)
        self.limiters: dict[str, Limiter] = {}
        #: Something changed since the state was saved.
        self.touched = True
        clock.follow(self.tick)

    # time

    def now(self) -> str:
        """Sandbox time as the wire has it."""
        return stamp(self.clock.now())

    def today(self, now: str) -> str:
        """The local day of a moment."""
        return datetime.fromisoformat(now).astimezone(ZoneInfo(self.settings.time_zone)).date().isoformat()

    def tick(self) -> None:
        if self.agenda.run_due():
            self.touched = True
        self.hooks.tick()
