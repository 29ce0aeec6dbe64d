"""The areas of the API, found in the `areas` package: what sets there are, how they are seeded, what can be due
later.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from isthmus.sandbox.business_central import areas
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import EntitySet
from isthmus.sandbox.business_central.environment import Environment
from isthmus.sandbox.business_central.tables import Storage, Transaction

#: Fills a company from one section of its seed; must be able to run again with more of the same.
Seeder = Callable[[Company, Transaction, Any], None]
#: Runs when its time has come, with the payload it was put on the agenda with.
DueHandler = Callable[[Environment, dict[str, Any]], None]
#: Changes records of a company by a switch of `/_sandbox/set`, e.g. blocks an account.
Switcher = Callable[[Company, Transaction, Any], None]


@dataclass(frozen=True, slots=True)
class Area:
    """What one module of `areas` brings: sets, seed sections (name -> type and seeder), agenda handlers, switches."""

    sets: tuple[EntitySet, ...]
    seeds: Mapping[str, tuple[Any, Seeder]] = field(default_factory=dict)
    due: Mapping[str, DueHandler] = field(default_factory=dict)
    switches: Mapping[str, tuple[Any, Switcher]] = field(default_factory=dict)


@functools.cache
def all_areas() -> tuple[Area, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(areas.__path__))
    modules = [importlib.import_module(f"{areas.__name__}.{name}") for name in names]
    return tuple(module.AREA for module in modules if hasattr(module, "AREA"))


@functools.cache
def entity_sets() -> Mapping[str, EntitySet]:
    """Every set by name; `companies` first, as in the service document."""
    sets = {entity_set.name: entity_set for area in all_areas() for entity_set in area.sets}
    return {"companies": sets.pop("companies"), **sets}


def storages() -> dict[str, Storage]:
    """How each set that has a table is kept, with the decimals its properties have."""
    found = {}
    for name, entity_set in entity_sets().items():
        if entity_set.storage is not None:
            decimals = tuple(f.name for f in entity_set.fields if f.kind.value == "Edm.Decimal")
            old = entity_set.storage
            found[name] = Storage(old.title, old.unique, old.groups, decimals, old.captions)
    return found
