"""The areas of the API, found in the `areas` package: what sets there are, how they are seeded, what can be due
later.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
class Reference:
    """Rows of `table` whose `column` holds the number or code of a record of `target`: they follow when it is renamed.

    When the record is deleted they are kept, or removed with it, or with a `refusal` the deletion is refused; there
    `{key}` stands for the record's number. `only`: a column and the value it must have too. `by`: what of the record
    the column holds, if not its number or code; an id is never renamed.
    """

    target: str
    table: str
    column: str
    removed: bool = False
    refusal: str = ""
    only: tuple[str, str] | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """What one module of `areas` brings: sets, tables that no set of v2.0 shows, seed sections (name -> type and
    seeder) and the sections that must have been seeded `after` which these come, agenda handlers, switches.
    """

    sets: tuple[EntitySet, ...] = ()
    tables: Mapping[str, Storage] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    seeds: Mapping[str, tuple[Any, Seeder]] = field(default_factory=dict)
    after: tuple[str, ...] = ()
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


@functools.cache
def seed_sections() -> Mapping[str, tuple[Any, Seeder]]:
    """The sections of a company's seed in the order they are seeded: each behind those its area comes `after`."""
    owners = {name: area for area in all_areas() for name in area.seeds}
    found: dict[str, tuple[Any, Seeder]] = {}

    def add(area: Area) -> None:
        for name in area.after:
            if name not in found:
                add(owners[name])
        found.update(area.seeds)

    for area in all_areas():
        add(area)
    return found


@functools.cache
def references(target: str) -> tuple[Reference, ...]:
    """Who refers to the records of a set by number or code."""
    return tuple(one for area in all_areas() for one in area.references if one.target == target)


def storages() -> dict[str, Storage]:
    """How each table is kept; those of sets with the decimals their properties have."""
    found: dict[str, Storage] = {}
    for name, entity_set in entity_sets().items():
        if entity_set.storage is not None:
            decimals = tuple(f.name for f in entity_set.fields if f.kind.value == "Edm.Decimal")
            found[name] = replace(entity_set.storage, decimals=decimals)
    for area in all_areas():
        found.update(area.tables)
    return found
