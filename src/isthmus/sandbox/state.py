"""The state file: written atomically, read at the start. JSON with Decimals as text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from isthmus.sandbox.business_central.company import Company, Setup
from isthmus.sandbox.business_central.environment import Switches
from isthmus.sandbox.business_central.webhooks import noticing
from isthmus.sandbox.faults import Rule
from isthmus.sandbox.principals import Principal
from isthmus.sandbox.world import World

FORMAT = 1
_ENCODER = msgspec.json.Encoder()


class StateError(ValueError):
    """A state file that cannot be used."""


class Saver:
    """Turns the world into bytes. Keeps the bytes of tables that did not change, so that a save stays short."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables: dict[tuple[str, str], msgspec.Raw] = {}

    def encode(self) -> bytes:
        world = self._world
        environment = world.environment
        saved = {
            "format": FORMAT,
            "offset": world.clock.offset,
            "tenant": world.tenant,
            "tenant_names": world.tenant_names,
            "environment": world.environment_name,
            "principals": list(world.principals.values()),
            "switches": environment.switches,
            "signing_key": world.signing_key,
            "revoked": sorted(world.revoked),
            "versions": environment.versions.last,
            "drift": environment.drift,
            "published": environment.published,
            "rules": world.faults.rules,
            "agenda": world.agenda.dump(),
            "webhooks": environment.webhooks.dump(),
            "companies": [
                company.dump() | {"tables": self._dump(company)} for company in environment.companies.values()
            ],
        }
        world.touched = False
        return _ENCODER.encode(saved)

    def _dump(self, company: Company) -> dict[str, msgspec.Raw]:
        for name, table in company.tables.items():
            key = (company.id, name)
            if table.dirty or key not in self._tables:
                self._tables[key] = msgspec.Raw(_ENCODER.encode(table.dump()))
                table.dirty = False
        return {name: self._tables[company.id, name] for name in company.tables}


def write(path: Path, data: bytes) -> None:
    """Replace the file in one step; a crash leaves the old one or the new one."""
    beside = path.with_suffix(".new")
    beside.touch(mode=0o600)
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def load(world: World, path: Path) -> bool:
    """Fill an empty world from the file. False when there is none. Raises StateError."""
    if not path.exists():
        return False
    try:
        saved: dict[str, Any] = msgspec.json.decode(path.read_bytes())
        if saved["format"] != FORMAT:
            raise StateError(f"{path}: format {saved['format']} is not {FORMAT}; remove the file to start anew")
        _restore(world, saved)
    except (msgspec.MsgspecError, KeyError) as error:
        raise StateError(f"{path}: not a state of this sandbox ({error}); remove the file to start anew") from None
    world.touched = False
    return True


def _restore(world: World, saved: dict[str, Any]) -> None:
    environment = world.environment
    world.clock.offset = max(world.clock.offset, float(saved["offset"]))  # one clock for all systems of a process
    world.tenant, world.tenant_names = saved["tenant"], saved["tenant_names"]
    world.environment_name = saved["environment"]
    principals = msgspec.convert(saved["principals"], list[Principal])
    world.principals = {principal.client_id: principal for principal in principals}
    environment.switches = msgspec.convert(saved["switches"], Switches)
    world.signing_key, world.revoked = saved["signing_key"], set(saved["revoked"])
    environment.versions.last = saved["versions"]
    environment.drift = saved["drift"]
    environment.published = saved.get("published", {})
    world.faults.rules = msgspec.convert(saved["rules"], list[Rule])
    world.agenda.load(saved["agenda"])
    for one in saved["companies"]:
        company = environment.add_company(one["name"], one["id"], msgspec.convert(one["setup"], Setup))
        company.load(one)
    if "webhooks" in saved:  # states written before there were any have none
        environment.webhooks.load(saved["webhooks"], noticing.scheduled(saved["agenda"]))
        noticing.rewatch(environment)
