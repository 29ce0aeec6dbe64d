"""Seeds of a CAFM: what there is before the first call. Records name each other by code or number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from isthmus.sandbox.cafm import csv_files, writing
from isthmus.sandbox.cafm.csv_files import CsvFile
from isthmus.sandbox.cafm.entities import ENTITIES
from isthmus.sandbox.cafm.entity import Entity, Work
from isthmus.sandbox.cafm.keys import Key
from isthmus.sandbox.cafm.kinds import Record, Wrong, moment
from isthmus.sandbox.cafm.problems import Problem
from isthmus.sandbox.cafm.world import Settings, Switches, World
from isthmus.sandbox.seed import SeedError

_ACTOR = "user:seed"
_TIMES = frozenset({"createdAt", "updatedAt", "startedAt", "completedAt"})
_BY_HAND = _TIMES | {"id", "number"}


class Seed(msgspec.Struct, forbid_unknown_fields=True):
    """A seed file. `records` by entity, `files` more of them."""

    kind: str = "cafm"
    system: dict[str, Any] = {}
    keys: list[Key] = []
    switches: dict[str, Any] = {}
    records: dict[str, list[dict[str, Any]]] = {}
    files: list[CsvFile] = []


def apply(world: World, source: Mapping[str, Any], folder: Path) -> None:
    """Put a seed into the world, on top of what is there; what has a code that is there is changed. Raises SeedError;
    records before the wrong one stay.
    """
    seed = _convert(source, Seed, "seed")
    settings = msgspec.to_builtins(world.settings) | seed.system
    world.settings = _convert(settings, Settings, "system")
    world.switches = _convert(msgspec.to_builtins(world.switches) | seed.switches, Switches, "switches")
    for key in seed.keys or ([] if world.keys else [Key()]):
        try:
            key.check()
        except ValueError as error:
            raise SeedError(str(error)) from None
        world.keys[key.key] = key
    unknown = {*seed.records, *(file.entity for file in seed.files)} - set(ENTITIES)
    if unknown:
        raise SeedError(f"records: there is no entity {min(unknown)!r}; there are {', '.join(ENTITIES)}")
    world.hooks.silent = True
    try:
        _put_all(world, seed, folder)
    finally:
        world.hooks.silent = False
        world.touched = True


def _put_all(world: World, seed: Seed, folder: Path) -> None:
    work = Work(world, _ACTOR, world.now(), lenient=True)
    base = world.settings.base_currency
    if world.tables["currencies"].by_code(base) is None:
        writing.create(work, ENTITIES["currencies"], {"code": base})
    for entity in ENTITIES.values():
        for place, given in _records(entity, seed, folder):
            try:
                _put(work, entity, dict(given))
            except (Problem, Wrong, ValueError, InvalidOperation) as error:
                raise SeedError(f"{place}: {error}") from None


def _records(entity: Entity, seed: Seed, folder: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for at, given in enumerate(seed.records.get(entity.name, ())):
        yield f"records.{entity.name}[{at}]", given
    for file in seed.files:
        if file.entity == entity.name:
            try:
                yield from csv_files.records(file, entity, folder)
            except (OSError, ValueError) as error:
                raise SeedError(f"files: {error}") from None


def _put(work: Work, entity: Entity, given: dict[str, Any]) -> None:
    """One record: its fields, then what only a seed can say."""
    deleted = str(given.pop("deleted", "false")).lower() == "true"
    stock, units = given.pop("stock", None), given.pop("units", None)
    hand = {name: given.pop(name) for name in _BY_HAND & set(given)}
    overrides = {name: moment(value) if name in _TIMES else value for name, value in hand.items()}
    if "id" in overrides:
        overrides["id"] = int(overrides["id"])
    status = None
    if entity.statuses is not None and not entity.statuses.free:
        status = given.pop(entity.statuses.field, None)
    record = _stored(work, entity, given, overrides)
    if status is not None:
        record = _walked(work, entity, record, str(status))
    if entity.name == "items":
        _item_extras(work, record, stock, units)
    if deleted:
        writing.delete(work, entity, record)
        record = work.world.tables[entity.name].rows[record["id"]]
    if hand.keys() & _TIMES:
        work.world.tables[entity.name].put({**record, **{name: overrides[name] for name in hand.keys() & _TIMES}})


def _stored(work: Work, entity: Entity, given: Mapping[str, Any], overrides: Mapping[str, Any]) -> Record:
    """Created, or changed where its code is there already."""
    table = work.world.tables[entity.name]
    names = [given.get(name) for name in entity.unique]
    if names and all(isinstance(name, str) for name in names) and not _references(entity):
        before = table.by_key(entity.unique, *names)
        if before is not None:
            return writing.change(work, entity, before, given)
    system = {name: value for name, value in overrides.items() if name in {"id", "number"}}
    return writing.create(work, entity, given, system)


def _references(entity: Entity) -> bool:
    """Whether the fields that name a record are ids, which a seed does not say as they are kept."""
    return any(name.endswith("Id") for name in entity.unique)


def _walked(work: Work, entity: Entity, record: Record, status: str) -> Record:
    """Take a document along the ways of its statuses, as a person would."""
    statuses = entity.statuses
    if statuses is None or status == record[statuses.field]:
        return record
    if status not in statuses.ways:
        raise ValueError(f"status: {status!r} is none of {', '.join(statuses.ways)}")
    path = statuses.path(record[statuses.field], status)
    if not path:
        raise ValueError(f"status: no way leads from {record[statuses.field]} to {status}; seed what brings it about")
    for following in path:
        record = writing.move(work, entity, record, following, None)
    return record


def _item_extras(work: Work, item: Record, stock: Any, units: Any) -> None:
    """`stock`: quantities by location; `units`: factors by unit."""
    for code, quantity in (stock or {}).items():
        location = work.world.tables["locations"].by_code(str(code))
        if location is None or not location["stockKeeping"]:
            raise ValueError(f"stock: {code!r} is no location that keeps stock")
        work.world.stock.add(item["id"], location["id"], Decimal(str(quantity)))
    for code, factor in (units or {}).items():
        body = {"itemId": item["code"], "unitCode": str(code), "factor": str(factor)}
        writing.create(work, ENTITIES["itemUnits"], body)


def _convert(value: Any, kind: Any, place: str) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise SeedError(f"{place}: {error}") from None
