"""Creating, changing, deleting records: from a body to a stored record, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isthmus.sandbox.cafm.entity import SYSTEM, Entity, Field, Work
from isthmus.sandbox.cafm.kinds import Reading, Record
from isthmus.sandbox.cafm.problems import Problem, bad_request, conflict, not_found, wrong_fields
from isthmus.sandbox.cafm.tables import Table

_IGNORED = frozenset(SYSTEM)


def create(
    work: Work, entity: Entity, body: Mapping[str, Any], given_system: Mapping[str, Any] | None = None
) -> Record:
    """A new record. `given_system`: computed fields a seed sets by hand. Raises Problem."""
    table = work.world.tables[entity.name]
    reading = work.reading()
    record = {field.name: field.blank for field in entity.fields}
    record |= {"version": 1, "createdAt": work.now, "updatedAt": work.now}
    record |= {"createdBy": work.actor, "updatedBy": work.actor}
    _read_fields(reading, entity.fields, record, body, "")
    if entity.statuses is not None:
        _first_status(entity, record, body, reading)
    for field in entity.fields:
        if field.required and record[field.name] is None and not _noted(reading, field.name):
            reading.wrong("required", field.name, "this is required.")
    _finish(work, entity, record, None, reading)
    record |= given_system or {}
    record["id"] = record["id"] or table.next_id()
    if entity.prefix:
        record["number"] = record["number"] or table.next_number()
    _number_lines(table, entity, record)
    return store(work, entity, record, None, "created")


def change(work: Work, entity: Entity, before: Record, body: Mapping[str, Any]) -> Record:
    """The record with these fields changed; the same one when nothing is different. Raises Problem."""
    reading = work.reading()
    record = {name: [dict(line) for line in value] if _is_lines(value) else value for name, value in before.items()}
    _read_fields(reading, entity.fields, record, body, "")
    changed = frozenset(name for name, value in record.items() if value != before[name])
    name = entity.statuses.field if entity.statuses is not None else ""
    if name and body.get(name, before[name]) != before[name]:
        reading.wrong("use_action", name, f"a status is changed by POST /{entity.name}/{before['id']}/status.")
    if not changed and not reading.details:
        return before
    if changed:
        entity.editable(before, changed)
    for field in entity.fields:
        if field.required and record[field.name] is None and not _noted(reading, field.name):
            reading.wrong("required", field.name, "this may not be empty.")
    _finish(work, entity, record, before, reading)
    _number_lines(work.world.tables[entity.name], entity, record)
    return touch(work, entity, record, before, "updated")


def touch(work: Work, entity: Entity, record: Record, before: Record, event: str) -> Record:
    """Store the next state of a record, with its new version."""
    record |= {"version": before["version"] + 1, "updatedAt": work.now, "updatedBy": work.actor}
    statuses = entity.statuses
    if event == "updated" and statuses is not None and record[statuses.field] != before[statuses.field]:
        event = "statusChanged"
    return store(work, entity, record, before, event)


def store(work: Work, entity: Entity, record: Record, before: Record | None, event: str) -> Record:
    """Put a record into its table, tell webhooks, and bring about what follows from it."""
    world = work.world
    world.tables[entity.name].put(record)
    world.calls.changed(work.actor, entity.name, event)
    if entity.events:
        world.hooks.emit(entity.name, event, record["id"], work.now)
    entity.stored(work, record, before)
    return world.tables[entity.name].rows[record["id"]]


def delete(work: Work, entity: Entity, before: Record) -> None:
    """Delete softly. Raises Problem when it is in use."""
    entity.deletable(work, before)
    for other, field, own in entity.referenced:
        users = work.world.tables[other].having(field, before[own])
        if any(one["deletedAt"] is None for one in users):
            raise conflict("in_use", f"There are {other} that name this record in {field}.")
    touch(work, entity, {**before, "deletedAt": work.now}, before, "deleted")


def restore(work: Work, entity: Entity, before: Record) -> Record:
    """Take a deletion back. Raises Problem when its key was taken meanwhile."""
    if before["deletedAt"] is None:
        return before
    record = {**before, "deletedAt": None}
    _refuse_taken(work.world.tables[entity.name], record)
    return touch(work, entity, record, before, "restored")


def move(work: Work, entity: Entity, before: Record, status: str, reason: str | None) -> Record:
    """Change a status along its ways. Raises Problem."""
    statuses = entity.statuses
    if statuses is None:
        raise not_found(f"status of {entity.name}")
    present = before[statuses.field]
    if status == present:
        return before
    allowed = statuses.ways[present]
    if status not in allowed:
        text = f"{statuses.field} goes from {present} to {', '.join(allowed) or 'nothing else'}, not to {status}."
        raise conflict("invalid_transition", text, statuses.field, allowed=list(allowed))
    record = {**before, statuses.field: status}
    if "statusReason" in record:
        record["statusReason"] = reason
    entity.moving(work, record, status)
    return touch(work, entity, record, before, "statusChanged")


def _finish(work: Work, entity: Entity, record: Record, before: Record | None, reading: Reading) -> None:
    """Complete and check what was read. Raises Problem with all that is wrong."""
    if not reading.details:
        entity.complete(work, record, before, reading)
    if reading.details:
        raise wrong_fields(reading.details)
    _refuse_taken(work.world.tables[entity.name], record)


def _refuse_taken(table: Table, record: Record) -> None:
    found = table.taken(record)
    if found is not None:
        names = table.entity.unique
        shown = ", ".join(f"{name} {record[name]!r}" for name in names)
        text = f"There is a record with {shown} already."
        raise conflict("duplicate", text, names[-1], existingId=found["id"])


def _first_status(entity: Entity, record: Record, body: Mapping[str, Any], reading: Reading) -> None:
    statuses = entity.statuses
    if statuses is None:
        return
    given = body.get(statuses.field)
    record[statuses.field] = statuses.first
    if given is None or given in ("", statuses.first):
        return
    if not isinstance(given, str) or given not in statuses.ways:
        reading.wrong("not_a_choice", statuses.field, f"{given!r} is none of {', '.join(statuses.ways)}.")
    elif statuses.free:
        record[statuses.field] = given
    else:
        reading.wrong("use_action", statuses.field, f"a new one is {statuses.first}; move it by the action status.")


def _noted(reading: Reading, at: str) -> bool:
    return any(detail.field == at for detail in reading.details)


def _read_fields(
    reading: Reading, fields: tuple[Field, ...], record: Record, body: Mapping[str, Any], place: str
) -> None:
    """Take what a body says of these fields into the record. What it says anew but unchanged is not checked again."""
    by_name = {field.name: field for field in fields}
    for name, given in body.items():
        at = f"{place}{name}"
        field = by_name.get(name)
        if field is None:
            raise bad_request("unknown_field", f"{at}: there is no such field.", at)
        if field.computed or (not place and name in _IGNORED):
            continue
        if given == record[name]:
            continue
        if field.lines:
            record[name] = _lines(reading, field, record[name], given, at)
        elif field.members:
            record[name] = _object(reading, field, record[name], given, at)
        else:
            found = reading.value(field.kind, given, at) if field.kind is not None else None
            record[name] = field.blank if found is None and field.default is not None else found


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _object(reading: Reading, field: Field, before: Record, given: Any, at: str) -> Record:
    if given is None:
        return dict(field.blank)
    if not isinstance(given, Mapping):
        reading.wrong("wrong_type", at, "this takes an object.")
        return before
    record = dict(before)
    _read_fields(reading, field.members, record, given, f"{at}.")
    return record


def _lines(reading: Reading, field: Field, before: list[Record], given: Any, at: str) -> list[Record]:
    """Lines after a body: those with an id changed or taken out, those without added, the others as they were."""
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        reading.wrong("wrong_type", at, "this takes a list of objects.")
        return before
    lines = {line["id"]: line for line in before}
    added: list[Record] = []
    for index, one in enumerate(given):
        place = f"{at}[{index}]"
        line_id = one.get("id")
        if line_id is None:
            added.append(_new_line(reading, field, one, place))
        elif not isinstance(line_id, int) or line_id not in lines:
            reading.wrong("unknown_reference", f"{place}.id", f"there is no line {line_id!r} here.")
        elif one.get("delete") is True:
            del lines[line_id]
        else:
            changes = {name: value for name, value in one.items() if name != "delete"}
            lines[line_id] = _read_line(reading, field, dict(lines[line_id]), changes, place)
    return [*lines.values(), *added]


def _new_line(reading: Reading, field: Field, given: Mapping[str, Any], at: str) -> Record:
    line = {"id": None, "lineNumber": None} | {one.name: one.blank for one in field.lines}
    return _read_line(reading, field, line, given, at)


def _read_line(reading: Reading, field: Field, line: Record, given: Mapping[str, Any], at: str) -> Record:
    own = {name: value for name, value in given.items() if name not in {"id", "lineNumber"}}
    _read_fields(reading, field.lines, line, own, f"{at}.")
    for one in field.lines:
        if one.required and line[one.name] is None and not _noted(reading, f"{at}.{one.name}"):
            reading.wrong("required", f"{at}.{one.name}", "this is required.")
    return line


def _number_lines(table: Table, entity: Entity, record: Record) -> None:
    """Ids and line numbers of new lines."""
    for field in entity.fields:
        if not field.lines:
            continue
        last = max((line["lineNumber"] or 0 for line in record[field.name]), default=0)
        for line in record[field.name]:
            if line["id"] is None:
                last += 10
                line |= {"id": table.next_line(), "lineNumber": last}


def present(table: Table, record_id: int, *, deleted_too: bool = False) -> Record:
    """A record by its id. Raises Problem 404, or 410 when it is deleted."""
    record = table.rows.get(record_id)
    if record is None:
        raise not_found(f"{table.entity.name} with the id {record_id}")
    if record["deletedAt"] is not None and not deleted_too:
        raise Problem(410, "deleted", "This record was deleted.", more={"deletedAt": record["deletedAt"]})
    return record
