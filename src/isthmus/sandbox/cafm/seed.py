"""Seeds of a CAFM: what there is before the first call. Records name each other by code or number.

Its sections are those of docs/cafm-sandbox.md; rows of CSV files are in it already when it comes here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from isthmus.sandbox.cafm import writing
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
_NAMES = ("number", "code", "externalId")

Given = dict[str, Any]


class Head(msgspec.Struct, forbid_unknown_fields=True):
    """What a seed says of the system itself. Every other section is an entity, or lines of one."""

    kind: str = "cafm"
    folder: str = ""
    system: dict[str, Any] = {}
    keys: list[Key] = []
    switches: dict[str, Any] = {}


def apply(world: World, source: Mapping[str, Any]) -> None:
    """Put a seed into the world, on top of what is there; what has a code that is there is changed. Raises SeedError;
    records before the wrong one stay.
    """
    names = Head.__struct_fields__
    head = _convert({name: source[name] for name in names if name in source}, Head, "seed")
    world.settings = _convert(msgspec.to_builtins(world.settings) | head.system, Settings, "system")
    world.switches = _convert(msgspec.to_builtins(world.switches) | head.switches, Switches, "switches")
    for key in head.keys or ([] if world.keys else [Key()]):
        try:
            key.check()
        except ValueError as error:
            raise SeedError(str(error)) from None
        world.keys[key.key] = key
    sections = {name: _rows(name, rows) for name, rows in source.items() if name not in names}
    world.hooks.silent = True
    try:
        _put_all(world, _with_lines(sections))
    finally:
        world.hooks.silent = False
        world.touched = True


def _rows(section: str, rows: Any) -> list[Given]:
    entity, _, lines = section.partition(".")
    known = ENTITIES.get(entity)
    if known is None or (lines and not any(field.lines and field.name == lines for field in known.fields)):
        there = ", ".join([*Head.__struct_fields__, *ENTITIES])
        raise SeedError(f"{section}: a seed has no such section; there are {there}, and ENTITY.LINES")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise SeedError(f"{section}: this takes a list of mappings, or a mapping with csv")
    return [_nested(row) for row in rows]


def _nested(row: Mapping[str, Any]) -> Given:
    """A row whose names such as `address.city` became mappings, as those of a CSV file must."""
    found: Given = {}
    for path, value in row.items():
        *outer, name = str(path).split(".")
        place = found
        for part in outer:
            place = place.setdefault(part, {})
        place[name] = value
    return found


def _with_lines(sections: Mapping[str, list[Given]]) -> dict[str, list[Given]]:
    """Records with the lines of sections such as `workOrders.labour`, whose `of` names the record."""
    found = {name: rows for name, rows in sections.items() if "." not in name}
    for section, rows in sections.items():
        entity, _, lines = section.partition(".")
        if not lines:
            continue
        by_name = {str(record[name]): record for record in found.get(entity, ()) for name in _NAMES if name in record}
        for at, row in enumerate(rows):
            of = str(row.pop("of", ""))
            if of not in by_name:
                raise SeedError(f"{section}[{at}]: of: there is no {of!r} in section {entity}")
            by_name[of].setdefault(lines, []).append(row)
    return found


def _put_all(world: World, sections: Mapping[str, list[Given]]) -> None:
    work = Work(world, _ACTOR, world.now(), lenient=True)
    base = world.settings.base_currency
    if world.tables["currencies"].by_code(base) is None:
        writing.create(work, ENTITIES["currencies"], {"code": base})
    for entity in ENTITIES.values():
        for at, given in _in_order(entity, sections.get(entity.name, [])):
            try:
                _put(work, entity, given)
            except (Problem, Wrong, ValueError, InvalidOperation) as error:
                raise SeedError(f"{entity.name}[{at}]: {error}") from None


def _in_order(entity: Entity, rows: list[Given]) -> Iterator[tuple[int, Given]]:
    """Records that have others of their entity above them behind those."""
    if "parentId" not in entity.by_name:
        yield from enumerate(rows)
        return
    waiting = list(enumerate(rows))
    while waiting:
        names = {str(row.get("code")) for _, row in waiting}
        free = [(at, row) for at, row in waiting if str(row.get("parentId")) not in names] or waiting
        yield from free
        done = {at for at, _ in free}
        waiting = [(at, row) for at, row in waiting if at not in done]


def _put(work: Work, entity: Entity, given: Given) -> None:
    """One record: its fields, then what only a seed can say."""
    deleted = str(given.pop("deleted", "false")).lower() == "true"
    stock, units = given.pop("stock", None), given.pop("units", None)
    hand = {name: value for name in sorted(_BY_HAND & set(given)) if (value := given.pop(name))}
    overrides = {name: moment(value) if name in _TIMES else value for name, value in hand.items()}
    if "id" in overrides:
        overrides["id"] = int(overrides["id"])
    status = None
    if entity.statuses is not None and not entity.statuses.free:
        status = given.pop(entity.statuses.field, None)
    record = _stored(work, entity, given, overrides)
    if status:
        record = _walked(work, entity, record, str(status))
    if entity.name == "items":
        _item_extras(work, record, stock, units)
    if deleted:
        writing.delete(work, entity, record)
        record = work.world.tables[entity.name].rows[record["id"]]
    times = {name: overrides[name] for name in overrides.keys() & _TIMES}
    if times:
        work.world.tables[entity.name].put({**record, **times})


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
        held = work.world.stock.at(item["id"], location["id"])
        work.world.stock.add(item["id"], location["id"], Decimal(str(quantity)) - held)
    for code, factor in (units or {}).items():
        row = work.world.tables["units"].by_code(str(code))
        key = ("itemId", "unitCode")
        before = work.world.tables["itemUnits"].by_key(key, item["id"], row["code"] if row is not None else code)
        if before is not None:
            writing.change(work, ENTITIES["itemUnits"], before, {"factor": str(factor)})
        else:
            body = {"itemId": item["code"], "unitCode": str(code), "factor": str(factor)}
            writing.create(work, ENTITIES["itemUnits"], body)


def _convert(value: Any, kind: Any, place: str) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise SeedError(f"{place}: {error}") from None
