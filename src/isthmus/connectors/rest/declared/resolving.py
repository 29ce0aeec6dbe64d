"""An entity with everything that holds for it: its own words over those of the profile for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from isthmus.connectors.rest.declared.base import Proven
from isthmus.connectors.rest.declared.calls import Call, Calls, Filter
from isthmus.connectors.rest.declared.entities import (
    Changes,
    DeletedSpec,
    EntitySpec,
    IdSpec,
    RangeSpec,
    Settle,
    Shared,
    Unwatched,
    VersionSpec,
)
from isthmus.connectors.rest.declared.fields import FieldSpec
from isthmus.connectors.rest.declared.paging import NoPaging, Paging
from isthmus.connectors.rest.declared.profile import Profile

_NO_PAGING = NoPaging(style="none")
_NO_CHANGES = Unwatched(how="none")
CALLS = ("list", "get", "create", "update", "delete", "post", "note")


class Whole(Struct, frozen=True):
    """One entity, complete. `own` is what it says itself."""

    entity: str
    own: EntitySpec
    calls: Mapping[str, Call]
    paging: Paging
    changes: Changes
    id: IdSpec
    number: str
    version: VersionSpec | None
    deleted: DeletedSpec | None
    external_id: str
    filters: Mapping[str, Filter]
    ranges: Mapping[str, RangeSpec]
    fields: Mapping[str, FieldSpec]
    settle: Settle


def whole_entities(profile: Profile) -> dict[str, Whole]:
    """All entities of a profile, by canonical name."""
    return {name: _whole(profile, name, own) for name, own in profile.entities.items()}


def _whole(profile: Profile, name: str, own: EntitySpec) -> Whole:
    every = profile.all
    return Whole(
        entity=name,
        own=own,
        calls=_calls(every.calls, own.calls),
        paging=own.paging or every.paging or _NO_PAGING,
        changes=own.changes or every.changes or _NO_CHANGES,
        id=own.id or every.id or IdSpec(),
        number=(own.number if own.number is not None else every.number) or "",
        version=_chosen("version", every, own),
        deleted=_chosen("deleted", every, own),
        external_id=own.external_id or every.external_id,
        filters=_merged(every.filters, own.filters),
        ranges=_merged(every.ranges, own.ranges),
        fields=_merged(every.fields, own.fields),
        settle=own.settle or profile.settle,
    )


def _chosen(name: str, every: Shared, own: Shared) -> Any:
    """What the entity says, and be it null, else what the profile says for all."""
    return getattr(own if name in own.model_fields_set else every, name)


def _calls(every: Calls, own: Calls) -> dict[str, Call]:
    found = {name: call for name in CALLS if (call := getattr(every, name)) is not None}
    for name in own.model_fields_set & set(CALLS):
        call = getattr(own, name)
        found.pop(name, None)
        if call is not None:
            found[name] = call
    return found


def _merged(every: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**every, **own}.items() if value is not None}


def assumptions(profile: Profile, entity: str) -> tuple[str, ...]:
    """What of an entity nothing proves, in words; what the profile says for all counts for it too."""
    whole = whole_entities(profile)[entity]
    around = _assumed(whole.own, profile.assumed)
    parts: list[tuple[str, Proven | None]] = [
        *((f"call `{name}`", call) for name, call in whole.calls.items()),
        ("change detection", whole.changes),
        ("paging", whole.paging),
        ("id", whole.id),
        ("version", whole.version),
        ("key", whole.own.key),
        ("status", whole.own.status),
        ("time a lost call may go on", whole.settle if whole.own.actions else None),
        *((f"filter `{name}`", part) for name, part in whole.filters.items()),
        *((f"field `{name}`", part) for name, part in _all_fields(whole.fields, "")),
    ]
    told = [(title, part) for title, part in parts if part is not None]
    found = tuple(title for title, part in told if _assumed(part, around))
    return ("everything",) if around and len(found) == len(told) else found


def _assumed(part: Proven, around: bool) -> bool:
    return part.assumed or (around and not part.verified)


def _all_fields(fields: Mapping[str, FieldSpec | None], prefix: str) -> Iterator[tuple[str, FieldSpec]]:
    for name, spec in fields.items():
        if spec is not None:
            yield prefix + name, spec
            yield from _all_fields(spec.fields, f"{prefix}{name}.")
