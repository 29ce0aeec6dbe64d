"""Profiles told: which there are, what one says, what of it nothing proves, what a live system does differently."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from isthmus.app.project.profiles import check_document, profiles_of
from isthmus.app.project.project import Project
from isthmus.connectors.rest.comparison import Seen
from isthmus.connectors.rest.connector import SYSTEM, RestConnector
from isthmus.connectors.rest.declared.loading import (
    is_file,
    load_profile,
    profile_document,
    profile_text,
    shipped_names,
)
from isthmus.connectors.rest.declared.profile import Profile
from isthmus.connectors.rest.declared.resolving import assumptions, whole_entities
from isthmus.contract.connector import Connector
from isthmus.errors import ConfigurationError


class Listed(Struct, frozen=True):
    """One profile. `origin`: comes along, or the file of the project; `used_by`: connections that name it."""

    name: str
    version: str
    title: str
    origin: str
    entities: tuple[str, ...]
    assumed: bool
    used_by: tuple[str, ...]


def listed(project: Project | None) -> list[Listed]:
    """Profiles that come along, and those of the project."""
    used: dict[str, list[str]] = {}
    for name, connection in project.connections.items() if project is not None else ():
        if profiles_of(connection.system) is not None:
            used.setdefault(str(connection.settings["profile"]), []).append(name)
    names = [*shipped_names(), *(name for name in used if is_file(name))]
    return [_row(load_profile(name), name, used.get(name, ()), project) for name in names]


def _row(profile: Profile, name: str, used_by: Sequence[str], project: Project | None) -> Listed:
    return Listed(
        name=profile.profile,
        version=profile.version,
        title=profile.title,
        origin=_shown_path(name, project) if is_file(name) else "comes along",
        entities=tuple(profile.entities),
        assumed=any(assumptions(profile, entity) for entity in profile.entities),
        used_by=tuple(used_by),
    )


def _shown_path(name: str, project: Project | None) -> str:
    path = Path(name)
    if project is not None and path.is_relative_to(project.folder):
        return path.relative_to(project.folder).as_posix()
    return name


def shown(name: str) -> dict[str, Any]:
    """All that a profile says of its entities, for people and programs. Raises ConfigurationError."""
    profile = load_profile(name)
    limits = profile.limits
    return {
        "profile": profile.profile,
        "version": profile.version,
        "title": profile.title,
        "about": profile.about,
        "source": profile.verified or "assumed",
        "url": profile.url,
        "auth": profile.auth.kind,
        "requests": limits.requests,
        "window_seconds": int(limits.window.total_seconds()),
        "concurrency": limits.concurrency,
        "batch": profile.batch.most if profile.batch is not None else 0,
        "webhooks": profile.webhook is not None,
        "parameters": {key: value.about for key, value in profile.parameters.items()},
        "entities": [_entity(profile, entity) for entity in profile.entities],
    }


def source_of(name: str) -> str:
    """The YAML of a profile. Raises ConfigurationError."""
    return profile_text(name)


def _entity(profile: Profile, name: str) -> dict[str, Any]:
    whole = whole_entities(profile)[name]
    return {
        "entity": name,
        "set": whole.own.native,
        "changes": whole.changes.how,
        "actions": list(whole.own.actions),
        "key": list(whole.own.key.fields) if whole.own.key is not None else [],
        "calls": {call: f"{spec.method} {spec.path}" for call, spec in whole.calls.items()},
        "assumed": list(assumptions(profile, name)),
    }


def problems_in(name: str, folder: Path) -> list[ConfigurationError]:
    """What is wrong with a profile by itself, each with file and line; `name` of one that comes along, or a file."""
    if is_file(name):
        path = folder / name
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            return [ConfigurationError(f"cannot be read: {reason}.", code="profile_missing", file=name)]
        _, problems = check_document(text, name, SYSTEM)
        return list(problems.error().problems) if problems else []
    profile_document(name)
    load_profile(name)
    return []


def is_profile(name: str) -> bool:
    """Whether a word names a profile and not a connection."""
    return is_file(name) or name in shipped_names()


async def compared(connector: Connector) -> AsyncIterator[Seen]:
    """Facts of a connection's profile as its system shows them. Reads only."""
    if isinstance(connector, RestConnector):
        async for seen in connector.compare():
            yield seen
