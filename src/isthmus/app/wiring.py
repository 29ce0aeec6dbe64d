"""From a project to a world: connectors, lenses, streams, flows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim
from msgspec import Struct

from isthmus.app.flow_building import build_flow
from isthmus.app.flow_parts import books_of, partitions, target_companies
from isthmus.app.project.project import Project
from isthmus.app.project.schema import ConnectionConfig
from isthmus.app.registry import connect, shipped_lenses
from isthmus.app.tables import TableCache
from isthmus.contract.clock import Clock
from isthmus.contract.connector import Connector
from isthmus.errors import ConfigurationError
from isthmus.ledger.types import Db, StreamKey
from isthmus.mapping.compiler import compile_lens
from isthmus.mapping.lens import Lens
from isthmus.mapping.tables import LookupTable
from isthmus.model.document import Document
from isthmus.model.entity import entities
from isthmus.sync.admit import list_keys_of
from isthmus.sync.costing import REFERENCE_ENTITIES
from isthmus.sync.merge import Policy
from isthmus.sync.world import Actor, AnyFlow, KeepSpec, StreamSpec, World


class LedgerFacts(Struct, frozen=True, kw_only=True):
    """What a world takes from the ledger it works on."""

    transaction: Callable[[], AbstractAsyncContextManager[Db]]
    configuration: int | None
    epoch: int
    restored_at: datetime | None


def build_world(
    project: Project,
    connectors: Mapping[str, Connector],
    clock: Clock,
    facts: LedgerFacts,
    *,
    holder: str,
    settle_on: bool = True,
) -> World:
    """Compile the project. Raises ConfigurationError (all problems of one file at once) with file and line."""
    tables = TableCache(project.tables)
    known = {name: connector.capabilities for name, connector in connectors.items()}
    flows = tuple(build_flow(project, name, known) for name in project.flows)
    actors = {
        name: _actor(project, name, config, connectors[name], tables, flows)
        for name, config in project.connections.items()
    }
    return World(
        clock=clock,
        actors=actors,
        flows=flows,
        transaction=facts.transaction,
        configuration=facts.configuration,
        epoch=facts.epoch,
        restored_at=facts.restored_at,
        holder=holder,
        settle_on=settle_on,
    )


def build_connectors(project: Project, clock: Clock, settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Connector]:
    """One connector per connection. `settings`: resolved settings of each (secrets revealed, simulators filled in)."""
    return {name: connect(config.system, settings[name], clock) for name, config in project.connections.items()}


def compile_lenses(project: Project, name: str) -> dict[str, tuple[Lens, str]]:
    """entity -> (lens, digest of its sources) of one connection."""
    config = project.connections[name]
    shipped = shipped_lenses(config.system, str(config.settings.get("profile") or ""))
    tables = {table: LookupTable(table, rows) for table, rows in project.tables.items()}
    found = {}
    for entity in sorted({*shipped, *config.lenses}):
        own = project.lens_documents(name, entity)
        documents = own if entity in config.lenses or not shipped.get(entity) else (shipped[entity], *own)
        lens = compile_lens(documents[0], overlays=documents[1:], entities=entities(), tables=tables)
        found[entity] = (lens, _digest(documents))
    return found


def _schedule(config: ConnectionConfig) -> Callable[[datetime], datetime]:
    """When the poll after one at a moment comes: by the connection's cron expression, else after its poll time."""
    if config.cron is None:
        return lambda now: now + config.poll
    expression, zone = config.cron, ZoneInfo(config.time_zone)
    return lambda now: next(CronSim(expression, now.astimezone(zone))).astimezone(UTC)


def _digest(documents: tuple[Document, ...]) -> str:
    content = msgspec.json.encode([document.data for document in documents], order="deterministic")
    return hashlib.sha256(content).hexdigest()[:16]


def _actor(
    project: Project,
    name: str,
    config: ConnectionConfig,
    connector: Connector,
    tables: TableCache,
    flows: tuple[AnyFlow, ...],
) -> Actor:
    lenses = compile_lenses(project, name)
    wanted = {key for flow in flows for key in flow.needs if key.connection == name}
    wanted |= {
        StreamKey(name, flow.source_entity, company)
        for flow in flows
        if flow.source == name
        for company in partitions(config)
    }
    wanted |= set(_shown_by_target(project, name, connector, flows))
    written = {
        StreamKey(name, flow.target_entity, company)
        for flow in flows
        if flow.target == name
        for company in target_companies(project, project.flows[flow.name])
    }
    alone = {entity: lens for entity, (lens, _) in lenses.items()}
    wanted |= _referred_to(wanted | written, alone, connector)
    streams = {}
    for key in sorted(wanted, key=_referred_first(alone)):
        support = connector.capabilities.entities.get(key.entity)
        if support is None or key.entity not in lenses:
            raise ConfigurationError(
                f"connection {name!r} ({config.system}) does not have {key.entity}",
                hint=f"It has: {', '.join(sorted(connector.capabilities.entities))}.",
            )
        lens, digest = lenses[key.entity]
        streams[key] = StreamSpec(
            key=key,
            native=support.native,
            entity=entities()[key.entity],
            lens=lens,
            scope=key.company or books_of(project, name),
            digest=digest,
            next_poll=_schedule(config),
            list_keys=list_keys_of(lens),
        )
    return Actor(
        id=name,
        system=config.system,
        role=config.role,
        connector=connector,
        streams=streams,
        lenses=alone,
        tables=tables.get,
        policy=policies(project),
    )


def _shown_by_target(
    project: Project, name: str, connector: Connector, flows: tuple[AnyFlow, ...]
) -> Iterator[StreamKey]:
    """What flows that keep a state in step watch at their target, where it can be read."""
    for flow in flows:
        support = connector.capabilities.entities.get(flow.target_entity) if flow.target == name else None
        if isinstance(flow, KeepSpec) and support is not None and support.read:
            for company in target_companies(project, project.flows[flow.name]):
                yield StreamKey(name, flow.target_entity, company)


def _referred_to(keys: set[StreamKey], lenses: Mapping[str, Lens], connector: Connector) -> set[StreamKey]:
    """Streams of what these records refer to: without their links nothing that names them could be read or written."""
    found: set[StreamKey] = set()
    open_keys = list(keys)
    while open_keys:
        key = open_keys.pop()
        for entity in lenses[key.entity].entities_referred_to() if key.entity in lenses else ():
            other = StreamKey(key.connection, entity, key.company)
            support = connector.capabilities.entities.get(entity)
            if other not in found and entity in lenses and support is not None and support.read:
                found.add(other)
                open_keys.append(other)
    return found


def _referred_first(lenses: Mapping[str, Lens]) -> Callable[[StreamKey], tuple[int, int, str, str]]:
    """Order of streams: what finance's books are opened with, then what others refer to, before what refers to it."""

    def depth(entity: str, seen: frozenset[str]) -> int:
        if entity not in lenses or entity in seen:
            return 0
        return max((1 + depth(other, seen | {entity}) for other in lenses[entity].entities_referred_to()), default=0)

    def rank(key: StreamKey) -> tuple[int, int, str, str]:
        books = REFERENCE_ENTITIES
        place = books.index(key.entity) if key.entity in books else len(books)
        return place, depth(key.entity, frozenset()), key.entity, key.company

    return rank


def policies(project: Project) -> Callable[[str, str], Policy]:
    """Who wins a field: what a flow's `ownership` says, else the connection on the side that owns it by the model,
    where that connection shows the entity at all; else the later edit."""
    said: dict[tuple[str, str], Policy] = {}
    shown: dict[tuple[str, str], str] = {}
    for flow in project.flows.values():
        for field, value in flow.ownership.items():
            said[flow.source.entity, field] = Policy(value) if isinstance(value, str) else Policy("owner", value.owner)
        source = flow.source.connection
        shown[flow.source.entity, project.connections[source].role] = source
        if flow.transition is None and flow.two_way:
            shown[flow.source.entity, project.connections[flow.target.connection].role] = flow.target.connection
        target = flow.target.connection
        for entity in REFERENCE_ENTITIES:
            shown[entity, project.connections[target].role] = target

    def policy(entity: str, path: str) -> Policy:
        found = said.get((entity, path)) or said.get((entity, "*"))
        if found is not None:
            return found
        field = entities()[entity].field(path)
        owner = shown.get((entity, field.owner)) if field is not None else None
        return Policy("owner", owner) if owner else Policy("latest")

    return policy
