"""The connections of isthmus.yaml: which keys are ours, which the system's, and no secret among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isthmus.app.project.problems import Problems, dotted, names_at, read_settings, setting_names
from isthmus.app.project.schema import ConnectionConfig, ProjectConfig
from isthmus.app.project.spelling import suggestion
from isthmus.app.project.systems import SYSTEMS, System
from isthmus.app.secrets import is_reference, is_secret_name, literal_secret
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document
from isthmus.model.document import Path as Place

_OURS = frozenset(setting_names(ConnectionConfig))
_PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def read_project(document: Document, data: Any, folder: Path, problems: Problems) -> ProjectConfig | None:
    """The models of isthmus.yaml; `data` is its content with variables expanded. None after a problem."""
    found = list(literal_secrets(document, data))
    problems.extend(found)
    config, more = read_settings(ProjectConfig, _with_settings(data, folder), document)
    problems.extend(more)
    if config is None:
        return None
    for name, connection in config.connections.items():
        more = (*more, *_of_system(name, connection, document))
        problems.extend(_of_system(name, connection, document))
    return None if found or more else config


def _with_settings(data: Any, folder: Path) -> Any:
    """Connections with the keys of their system moved into `settings`."""
    connections = data.get("connections") if isinstance(data, Mapping) else None
    if not isinstance(connections, Mapping):
        return data
    return {**data, "connections": {name: _split(item, folder) for name, item in connections.items()}}


def _split(connection: Any, folder: Path) -> Any:
    if not isinstance(connection, Mapping):
        return connection
    ours = {name: value for name, value in connection.items() if name in _OURS}
    theirs = {name: value for name, value in connection.items() if name not in _OURS}
    system = SYSTEMS.get(str(connection.get("system")))
    return {**ours, "settings": system.with_whole_paths(theirs, folder) if system else theirs}


def _of_system(name: str, connection: ConnectionConfig, document: Document) -> Iterator[ConfigurationError]:
    at: Place = ("connections", name)
    system = SYSTEMS.get(connection.system)
    if system is None:
        hint = suggestion(connection.system, SYSTEMS)
        yield document.error((*at, "system"), f"there is no system {connection.system!r}:", hint=hint)
        return
    yield from _unknown(system, connection, document, at)
    known = {key: value for key, value in connection.settings.items() if key in system.model().model_fields}
    _, problems = read_settings(system.model(), known, document, at, unfinished=connection.sandbox is not None)
    yield from problems
    if connection.sandbox is not None:
        yield from _simulated(system, connection, document, at)


def _unknown(
    system: System, connection: ConnectionConfig, document: Document, at: Place
) -> Iterator[ConfigurationError]:
    """Keys neither we nor the system know; the suggestion draws on both."""
    names = {*_OURS, *names_at(system.model(), ())}
    for key in connection.settings:
        if key not in names:
            hint = suggestion(key, names, nothing=f"see docs/configuration.md, system {connection.system}.")
            yield document.error((*at, key), f"unknown setting {key!r} in {dotted(at)}:", hint=hint)


def _simulated(
    system: System, connection: ConnectionConfig, document: Document, at: Place
) -> Iterator[ConfigurationError]:
    if not system.filled:
        message = f"{dotted((*at, 'sandbox'))}: there is no simulator of {connection.system}."
        yield document.error((*at, "sandbox"), message, hint="Remove this line.")
    for key in system.filled:
        if key in connection.settings:
            message = f"{dotted((*at, key))}: the simulator gives {key} itself."
            yield document.error((*at, key), message, hint=f"Remove {key}, or remove sandbox for a real environment.")


def literal_secrets(
    document: Document, data: Any, at: Place = (), *, hidden: bool = False
) -> Iterator[ConfigurationError]:
    """A problem for each secret that stands in the file itself; the value is never shown."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield from literal_secrets(document, value, (*at, name), hidden=hidden or is_secret_name(str(name)))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from literal_secrets(document, value, (*at, index), hidden=hidden)
    elif hidden and data not in (None, "") and not (isinstance(data, str) and is_reference(data)):
        yield document.error(at, literal_secret(dotted(at)), hint="")
    elif isinstance(data, str) and _PASSWORD_IN_URL.search(data):
        yield document.error(at, literal_secret(f"the address in {dotted(at)}"))
