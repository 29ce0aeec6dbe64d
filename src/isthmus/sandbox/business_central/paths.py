"""From the address of a request to the set, row and action it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.entity import EntitySet, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import NO_GUID
from isthmus.sandbox.business_central.tables import Row

_KEY = re.compile(r"\([^()]*\)")


@dataclass(slots=True)
class Target:
    """What a path points at: a set, under a parent or not, one row of it or all, an action on the row, or the count."""

    entity_set: EntitySet
    parent: Parent | None = None
    row: Row | None = None
    action: str = ""
    count: bool = False


def template(path: str) -> str:
    """The path with every key as `({id})`, for counting."""
    return _KEY.sub("({id})", path.strip("/"))


def named(path: str) -> tuple[str, str]:
    """Entity set and action (lower case, without namespace) a path ends with, by its looks only."""
    entity, action = "", ""
    for segment in path.strip("/").split("/"):
        name = segment.partition("(")[0]
        if "." in name:
            action = name.rpartition(".")[2].lower()
        elif name != "$count":
            entity = name
    return entity, action


def walk(call: Call, sets: Mapping[str, EntitySet], path: str) -> Target:
    """Follow a path below the service root. Chooses the company on the way. Raises Refusal."""
    segments = [segment for segment in path.split("/") if segment]
    target = _start(call, sets, segments)
    for segment in segments:
        name, key = _parted(segment)
        if target.action or target.count:
            raise errors.unknown_segment(segment)
        if name == "$count" and target.row is None:
            target.count = True
        elif target.row is None:
            raise errors.unknown_segment(name)
        elif "." in name:
            target.action = name.rpartition(".")[2].lower()
        else:
            target = _follow(call, sets, Parent(target.entity_set, target.row), name, key)
    return target


def _start(call: Call, sets: Mapping[str, EntitySet], segments: list[str]) -> Target:
    """The first set of the path; consumes what it used of `segments`."""
    if not segments:
        raise errors.no_resource(call.root)
    name, key = _parted(segments.pop(0))
    if name == "companies" and key is not None and segments and not segments[0].startswith("$"):
        call.chosen = call.environment.company(key)
        name, key = _parted(segments.pop(0))
    elif call.chosen is None:
        chosen = call.options.get("company") or call.headers.get("company")
        call.chosen = call.environment.company(chosen) if chosen else None
    if name not in sets:
        raise errors.unknown_segment(name)
    return _target(call, sets[name], None, key)


def _follow(call: Call, sets: Mapping[str, EntitySet], parent: Parent, name: str, key: str | None) -> Target:
    navigation = parent.entity_set.by_navigation.get(name)
    if navigation is None:
        raise errors.unknown_segment(name)
    target = sets[navigation.target]
    if navigation.many:
        return _target(call, target, parent, key)
    found = parent.row.values[navigation.by]
    if key is not None or found == NO_GUID:
        raise errors.unknown_segment(name)
    return Target(target, None, target.find(call, None, found))


def _target(call: Call, entity_set: EntitySet, parent: Parent | None, key: str | None) -> Target:
    if key is None:
        return Target(entity_set, parent)
    return Target(entity_set, parent, entity_set.find(call, parent, entity_set.read_key(key)))


def _parted(segment: str) -> tuple[str, str | None]:
    name, mark, key = segment.partition("(")
    if not mark:
        return name, None
    if not key.endswith(")"):
        raise errors.bad_syntax()
    return name, key[:-1].removeprefix("id=").strip("'")
