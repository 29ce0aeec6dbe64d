"""What no file can know alone: names that must exist elsewhere, flows that would do the same thing, two owners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from isthmus.app.project.problems import dotted
from isthmus.app.project.schema import CompanyChoice, ConnectionConfig, FlowConfig, OwnedBy, ProjectConfig
from isthmus.app.project.spelling import suggestion
from isthmus.app.project.systems import SYSTEMS
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document, Path
from isthmus.model.entity import entities

Flows = Mapping[str, tuple[FlowConfig, Document]]
WHOLE_ENTITY = "*"


def check_connections(config: ProjectConfig, document: Document) -> Iterator[ConfigurationError]:
    """Entities named by lenses, overlays and hooks exist, and a lens is not both own and laid over."""
    for name, connection in config.connections.items():
        at: Path = ("connections", name)
        for part in ("lenses", "overlays"):
            for entity in getattr(connection, part):
                if entity not in entities():
                    yield _unknown(document, (*at, part, entity), "entity", entity, entities())
        for told, entity in (connection.hook.entities if connection.hook is not None else {}).items():
            if entity not in entities():
                yield _unknown(document, (*at, "hook", "entities", told), "entity", entity, entities())
        system = SYSTEMS.get(connection.system)
        if system is not None and system.ships_lenses and not system.profile and connection.lenses:
            message = f"connections.{name}.lenses: {connection.system} brings its own lenses."
            yield document.error((*at, "lenses"), message, hint="Write overlays to change one of them.")


def check_flow(
    flow: FlowConfig, document: Document, config: ProjectConfig, rules: Mapping[str, Document]
) -> Iterator[ConfigurationError]:
    """Everything a flow names exists."""
    for end in ("source", "target"):
        side = getattr(flow, end)
        if side.connection not in config.connections:
            yield _unknown(document, (end, "connection"), "connection", side.connection, config.connections)
        if side.entity not in entities():
            yield _unknown(document, (end, "entity"), "entity", side.entity, entities())
    if flow.source.connection in config.connections:
        yield from _lens(flow, document, config.connections[flow.source.connection])
    if flow.target.connection in config.connections:
        yield from _company(flow, document, config.connections[flow.target.connection])
    yield from _rules(flow, document, rules)
    yield from _ownership(flow, document, config)


def _lens(flow: FlowConfig, document: Document, source: ConnectionConfig) -> Iterator[ConfigurationError]:
    system = SYSTEMS.get(source.system)
    if system is not None and not system.ships_lenses and flow.source.entity not in source.lenses:
        yield document.error(
            ("source", "entity"),
            f"connection {flow.source.connection!r} has no mapping for {flow.source.entity!r}.",
            hint=f"Name one in isthmus.yaml: lenses: {{{flow.source.entity}: mappings/{flow.source.entity}.yaml}}",
        )


def check_identity(flow: FlowConfig, config: ProjectConfig, document: Document) -> Iterator[ConfigurationError]:
    """Rows of files have no identity of their own: without key columns nothing of them is booked (semantics, identity).

    `document` is isthmus.yaml, where the key has to be written.
    """
    source = config.connections.get(flow.source.connection)
    system = SYSTEMS.get(source.system) if source is not None else None
    if source is None or system is None or not system.sets:
        return
    at: Path = ("connections", flow.source.connection, system.sets)
    of_entity = {name: one for name, one in source.settings[system.sets].items() if one["entity"] == flow.source.entity}
    if not of_entity and flow.source.entity in source.lenses:
        yield document.error(at, f"{dotted(at)}: no set holds {flow.source.entity}, which flow {flow.flow!r} watches.")
    for name, one in of_entity.items():
        if not one.get("key") and flow.transition is not None:
            yield document.error(
                (*at, name),
                f"{dotted((*at, name))} has no key, and flow {flow.flow!r} books its rows.",
                hint="Name the columns that tell one row from another: key: [ORDER_NUMBER]",
            )


def _company(flow: FlowConfig, document: Document, target: ConnectionConfig) -> Iterator[ConfigurationError]:
    company, known = flow.target.company, target.companies
    if isinstance(company, CompanyChoice):
        at: Path = ("target", "company")
        entity = entities().get(flow.source.entity)
        if entity is not None and entity.field(company.by) is None and not company.by.startswith("extra."):
            yield _unknown(document, (*at, "by"), f"field of {entity.name}", company.by, entity.paths())
        wanted = {(*at, "map", value): name for value, name in company.map.items()}
        if company.default is not None:
            wanted[(*at, "default")] = company.default
        for place, name in wanted.items():
            if known and name not in known:
                yield _unknown(document, place, "company", name, known)
    elif company is None and known:
        hint = f"Write company: {next(iter(known))} under target."
        yield document.error(("target",), "target names no company.", hint=hint)
    elif company is not None and known and company not in known:
        yield _unknown(document, ("target", "company"), "company", company, known)


def _rules(flow: FlowConfig, document: Document, rules: Mapping[str, Document]) -> Iterator[ConfigurationError]:
    if flow.rules is None:
        if flow.target.entity == "journal_entry":
            hint = "Write rules: NAME, the name of a file in rules/."
            yield document.error((), "a flow to journal_entry needs posting rules.", hint=hint)
    elif flow.rules not in rules:
        yield _unknown(document, ("rules",), "rules", flow.rules, rules, nothing="The folder rules/ is empty.")


def _ownership(flow: FlowConfig, document: Document, config: ProjectConfig) -> Iterator[ConfigurationError]:
    entity = entities().get(flow.source.entity)
    for field, policy in flow.ownership.items():
        at: Path = ("ownership", field)
        if entity is not None and field != WHOLE_ENTITY and entity.field(field) is None:
            yield _unknown(document, at, f"field of {entity.name}", field, entity.paths())
        if isinstance(policy, OwnedBy) and policy.owner not in config.connections:
            yield _unknown(document, (*at, "owner"), "connection", policy.owner, config.connections)


def check_between_flows(flows: Flows) -> Iterator[ConfigurationError]:
    """No two flows make the same document of the same event, and every field has one owner in the whole project."""
    made: dict[tuple[str | None, ...], tuple[FlowConfig, Document]] = {}
    owners: dict[tuple[str, str], tuple[str, str]] = {}
    for flow, document in flows.values():
        source, target = flow.source, flow.target
        key = (source.connection, source.entity, target.connection, target.entity, flow.transition)
        if key in made:
            other, where = made[key]
            yield document.error(
                ("flow",),
                f"flow {flow.flow!r} does what {other.flow!r} ({where.file}) does already: "
                f"{source.entity} of {source.connection} to {target.entity} of {target.connection}.",
                hint="Keep one. To reach several companies, write target.company with by and map.",
            )
        made.setdefault(key, (flow, document))
        for field, policy in flow.ownership.items():
            said = f"owner {policy.owner}" if isinstance(policy, OwnedBy) else policy
            first, where_first = owners.setdefault((source.entity, field), (said, document.file))
            if first != said:
                what = source.entity if field == WHOLE_ENTITY else f"{source.entity}.{field}"
                yield document.error(
                    ("ownership", field),
                    f"{what} has two owners: {said} here, {first} in {where_first}.",
                    hint="Decide for one and write it in both flows.",
                )


def _unknown(
    document: Document, at: Path, kind: str, name: str, valid: Iterator[str] | Mapping[str, object], nothing: str = ""
) -> ConfigurationError:
    return document.error(at, f"there is no {kind} {name!r}:", hint=suggestion(name, valid, nothing=nothing))
