"""Profiles of connections: found, read with file and line of every problem, compared with the connection's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from pydantic import BaseModel

from isthmus.app.project.problems import Problems, dotted, read_settings
from isthmus.app.project.schema import ConnectionConfig, ProjectConfig
from isthmus.app.project.systems import SYSTEMS
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document, parse_document


class Profiles(Protocol):
    """The module of a system that has profiles."""

    MODEL: type[BaseModel]

    def is_file(self, name: str) -> bool: ...

    def shipped_names(self) -> tuple[str, ...]: ...

    def profile_document(self, name: str) -> Document: ...

    def lens_documents(self, name: str) -> Mapping[str, Document]: ...

    def problems_of(self, profile: Any, document: Document) -> Iterator[ConfigurationError]: ...

    def missing_settings(self, profile: Any, settings: Mapping[str, Any], *, simulated: bool) -> Iterator[str]: ...


def profiles_of(system: str) -> Profiles | None:
    """The profiles of a system; None where it has none."""
    found = SYSTEMS.get(system)
    return cast("Profiles", import_module(found.profiles)) if found is not None and found.profiles else None


def read_profiles(
    config: ProjectConfig, document: Document, folder: Path, problems: Problems
) -> Mapping[str, Document]:
    """Profiles that are files of the project, by their path in it. Every problem is added to `problems`."""
    own: dict[str, Document] = {}
    told: set[str] = set()
    for name, connection in config.connections.items():
        profiles = profiles_of(connection.system)
        if profiles is None:
            continue
        setting = SYSTEMS[connection.system].profile
        wanted = str(connection.settings.get(setting) or "")
        found = _document(profiles, wanted, folder)
        if isinstance(found, ConfigurationError):
            problems.add(document.error(("connections", name, setting), found.message, found.hint))
            continue
        if profiles.is_file(wanted):
            own[found.file] = found
        profile = _read(profiles, found, problems if wanted not in told else Problems())
        told.add(wanted)
        if profile is not None:
            problems.extend(_missing(profiles, profile, name, connection, document))
    return own


def _document(profiles: Profiles, wanted: str, folder: Path) -> Document | ConfigurationError:
    try:
        if not profiles.is_file(wanted):
            return profiles.profile_document(wanted)
        found = profiles.profile_document(wanted)
    except ConfigurationError as error:
        return error
    path = Path(wanted)
    shown = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else wanted
    return Document(shown, found.data, found.lines)


def _read(profiles: Profiles, document: Document, problems: Problems) -> Any:
    """The profile of a document, None after a problem."""
    profile, found = read_settings(profiles.MODEL, document.data, document)
    problems.extend(found)
    if profile is None:
        return None
    more = tuple(profiles.problems_of(profile, document))
    problems.extend(more)
    return None if more else profile


def _missing(
    profiles: Profiles, profile: Any, name: str, connection: ConnectionConfig, document: Document
) -> Iterator[ConfigurationError]:
    at = ("connections", name)
    simulated = connection.sandbox is not None
    for setting in profiles.missing_settings(profile, connection.settings, simulated=simulated):
        text = f"{dotted(at)} has no {setting}, which the profile {profile.profile} needs."
        yield document.error(at, text, hint=f"Add {setting}; a secret as env:NAME or file:PATH.")


def check_document(text: str, file: str, system: str) -> tuple[Any, Problems]:
    """A profile by itself: what it says, or None, and all its problems."""
    problems = Problems()
    profiles = profiles_of(system)
    if profiles is None:
        raise ConfigurationError(f"{system} has no profiles.")
    try:
        return _read(profiles, parse_document(text, file), problems), problems
    except ConfigurationError as error:
        problems.add(error)
        return None, problems
