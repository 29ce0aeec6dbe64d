"""From a folder to a Project: read everything, tell all problems at once, freeze what is left."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from isthmus.app.project.connections import literal_secrets, read_project
from isthmus.app.project.crosschecks import check_between_flows, check_connections, check_flow, check_identity
from isthmus.app.project.files import documents_in, read_document
from isthmus.app.project.flow_templates import with_template
from isthmus.app.project.lookups import ProjectTable, read_tables
from isthmus.app.project.problems import Problems, read_settings
from isthmus.app.project.profiles import read_profiles
from isthmus.app.project.project import Project
from isthmus.app.project.schema import FlowConfig, ProjectConfig
from isthmus.app.project.values import Frozen
from isthmus.app.project.variables import expand, read_variables
from isthmus.controls.rule_reading import parse_rules
from isthmus.controls.validation import parse_checks
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document
from isthmus.model.entity import entities
from isthmus.model.state import encode_state

PROJECT_FILE = "isthmus.yaml"
#: Raised when the form of `content` changes, so that equal digests never mean different things.
_FORMAT = 1
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the folder holds besides isthmus.yaml."""

    flows: Mapping[str, tuple[FlowConfig, Document]]
    mappings: Mapping[str, Document]
    rules: Mapping[str, Document]
    tables: Mapping[str, ProjectTable]
    profiles: Mapping[str, Document]


def load_project(folder: Path, *, sets: Mapping[str, str], environ: Mapping[str, str], cwd: Path) -> Project:
    """The project in `folder` (relative to `cwd`). Reads files only, resolves no secret; safe to repeat.

    sets      values of --set, by variable
    environ   the environment: ISTHMUS_HOME, ISTHMUS_<VARIABLE>
    Raises ProjectProblems with every problem found, each with file and line.
    """
    folder = (cwd / folder.expanduser()).resolve()
    problems = Problems()
    document = _project_file(folder, problems)
    if document is None:
        raise problems.error()
    variables = read_variables(document, folder=folder, sets=sets, environ=environ, cwd=cwd, problems=problems)
    config = read_project(document, expand(document, variables, problems), folder, problems)
    parts = _parts(folder, config, document, variables, problems)
    if config is not None:
        problems.extend(check_connections(config, document))
        for flow, where in parts.flows.values():
            problems.extend(check_flow(flow, where, config, parts.rules))
            problems.extend(check_identity(flow, config, document))
    problems.extend(check_between_flows(parts.flows))
    if problems or config is None:
        raise problems.error()
    content = _content(document, parts)
    return Project(
        folder=folder,
        home=_home(config, folder, environ, cwd),
        config=config,
        document=document,
        variables=Frozen(dict(variables)),
        flows=Frozen({name: flow for name, (flow, _) in parts.flows.items()}),
        flow_documents=Frozen({name: where for name, (_, where) in parts.flows.items()}),
        mappings=Frozen(dict(parts.mappings)),
        rules=Frozen(dict(parts.rules)),
        tables=Frozen({name: Frozen(dict(table.rows)) for name, table in parts.tables.items()}),
        content=content,
        digest=hashlib.sha256(content.encode()).hexdigest(),
    )


def _project_file(folder: Path, problems: Problems) -> Document | None:
    hint = "Name the project folder, or make one with `isthmus init FOLDER`."
    if not folder.is_dir():
        problems.add(ConfigurationError(f"there is no project folder {folder}.", hint=hint))
        return None
    if not (folder / PROJECT_FILE).is_file():
        problems.add(ConfigurationError(f"{folder} is no project: it has no {PROJECT_FILE}.", hint=hint))
        return None
    return read_document(folder, PROJECT_FILE, problems)


def _home(config: ProjectConfig, folder: Path, environ: Mapping[str, str], cwd: Path) -> Path:
    if outside := environ.get("ISTHMUS_HOME"):
        return (cwd / Path(outside).expanduser()).absolute()
    return folder / Path(config.home).expanduser()


def _parts(
    folder: Path,
    config: ProjectConfig | None,
    document: Document,
    variables: Mapping[str, str],
    problems: Problems,
) -> _Parts:
    mappings = {found.file: found for found in documents_in(folder, "mappings", problems)}
    if config is not None:
        _referenced(folder, config, document, mappings, problems)
    tables = read_tables(folder, variables, problems)
    profiles = read_profiles(config, document, folder, problems) if config is not None else {}
    return _Parts(_flows(folder, problems), mappings, _rules(folder, problems), tables, profiles)


def _referenced(
    folder: Path, config: ProjectConfig, document: Document, mappings: dict[str, Document], problems: Problems
) -> None:
    """Mapping and seed files isthmus.yaml names must be there; mappings may stand outside mappings/."""
    for name, connection in config.connections.items():
        at = ("connections", name)
        wanted: dict[tuple[str, ...], str] = {
            (*at, "lenses", entity): file for entity, file in connection.lenses.items()
        }
        for entity, files in connection.overlays.items():
            wanted |= {(*at, "overlays", entity, str(index)): file for index, file in enumerate(files)}
        for place, file in wanted.items():
            if file not in mappings and _there(folder, file, document, place, problems):
                found = read_document(folder, file, problems)
                if found is not None:
                    mappings[file] = found
        if connection.sandbox is not None:
            _there(folder, connection.sandbox, document, (*at, "sandbox"), problems)


def _there(folder: Path, file: str, document: Document, place: tuple[str, ...], problems: Problems) -> bool:
    if (folder / file).is_file():
        return True
    message = f"{'.'.join(place[:4])}: there is no file {file!r} in the project (looked for {folder / file})."
    problems.add(document.error(place, message))
    return False


def _flows(folder: Path, problems: Problems) -> Mapping[str, tuple[FlowConfig, Document]]:
    """Flows by name, what they take from their template merged in."""
    flows: dict[str, tuple[FlowConfig, Document]] = {}
    for document in documents_in(folder, "flows", problems):
        problems.extend(literal_secrets(document, document.data))
        merged = _attempt(problems, with_template, document)
        if merged is None:
            continue
        flow, found = read_settings(FlowConfig, merged.data, merged)
        problems.extend(found)
        if flow is None:
            continue
        if flow.flow in flows:
            other = flows[flow.flow][1].file
            problems.add(document.error(("flow",), f"flow {flow.flow!r} is in {other} already: give it another name."))
            continue
        flows[flow.flow] = (flow, merged)
        if flow.source.entity in entities():
            _attempt(problems, parse_checks, merged, flow.source.entity)
    return flows


def _rules(folder: Path, problems: Problems) -> Mapping[str, Document]:
    rules: dict[str, Document] = {}
    for document in documents_in(folder, "rules", problems):
        table = _attempt(problems, parse_rules, document)
        # A table with a problem keeps its name, so that flows are not told it is missing.
        name = table.name if table is not None else str(document.data.get("rules", ""))
        if name in rules:
            message = f"rules {name!r} are in {rules[name].file} already: give them another name."
            problems.add(document.error(("rules",), message))
        rules.setdefault(name, document)
    return rules


def _attempt(problems: Problems, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """What `read` gives, None after a problem that was noted."""
    try:
        return read(*args, **kwargs)
    except ConfigurationError as error:
        problems.add(error)
    return None


def _content(document: Document, parts: _Parts) -> str:
    """The configuration as it is written: variables by name, secrets by reference, no path of this machine.

    Of lookup tables that come from data files it holds a digest of the rows, not the rows.
    """
    files: dict[str, Any] = {PROJECT_FILE: document.data}
    files |= {where.file: where.data for _, where in parts.flows.values()}
    for group in (parts.mappings, parts.rules, parts.profiles):
        files |= {found.file: found.data for found in group.values()}
    own = {name: table.content() for name, table in parts.tables.items() if table.source is None}
    data = {name: table.content() for name, table in parts.tables.items() if table.source is not None}
    content = {"format": _FORMAT, "files": files, "tables": own}
    return encode_state({**content, "data_tables": data} if data else content)
