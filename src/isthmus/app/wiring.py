"""From a project to a world: connectors, lenses, streams, flows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim
from msgspec import Struct

from isthmus.app.project.project import Project
from isthmus.app.project.schema import CompanyChoice, ConnectionConfig, FlowConfig
from isthmus.app.registry import connect, shipped_lenses
from isthmus.app.tables import TableCache
from isthmus.contract.clock import Clock
from isthmus.contract.connector import Connector
from isthmus.controls.rule_reading import parse_rules
from isthmus.controls.rules import RuleTable
from isthmus.controls.validation import parse_checks
from isthmus.errors import ConfigurationError
from isthmus.ledger.types import Db, StreamKey
from isthmus.mapping.compiler import compile_lens
from isthmus.mapping.formula.compile import compile_formula
from isthmus.mapping.formula.syntax import FormulaProblem
from isthmus.mapping.lens import Lens
from isthmus.mapping.tables import LookupTable
from isthmus.model.document import Document
from isthmus.model.entity import EntityType, State, entities
from isthmus.model.finding import Finding
from isthmus.sync.costing import (
    REFERENCE_ENTITIES,
    CompanySettings,
    CostDesk,
    compare_journals,
    control_accounts,
    corrector,
    work_order_costs,
    worth_of,
)
from isthmus.sync.merge import Policy
from isthmus.sync.world import LANES, Actor, FlowSpec, RetrySpec, StreamSpec, World

_FORMULA_TYPES = frozenset({"text", "decimal", "int", "bool", "date", "time", "enum"})


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
    flows = tuple(_flow(project, name, flow) for name, flow in project.flows.items())
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
    shipped = shipped_lenses(config.system)
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


def _list_keys(lens: Lens) -> dict[str, str]:
    """List path -> field of its elements that tells them apart."""
    return {plan.path: plan.key for plan in lens.plans if plan.key}


def _digest(documents: tuple[Document, ...]) -> str:
    content = msgspec.json.encode([document.data for document in documents], order="deterministic")
    return hashlib.sha256(content).hexdigest()[:16]


def _actor(
    project: Project,
    name: str,
    config: ConnectionConfig,
    connector: Connector,
    tables: TableCache,
    flows: tuple[FlowSpec, ...],
) -> Actor:
    lenses = compile_lenses(project, name)
    wanted = {key for flow in flows for key in flow.needs if key.connection == name}
    wanted |= {
        StreamKey(name, flow.source_entity, company)
        for flow in flows
        if flow.source == name
        for company in _partitions(config)
    }
    streams = {}
    for key in sorted(wanted, key=_masters_first):
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
            scope=key.company or name,
            digest=digest,
            next_poll=_schedule(config),
            list_keys=_list_keys(lens),
        )
    return Actor(
        id=name,
        system=config.system,
        role=config.role,
        connector=connector,
        streams=streams,
        lenses={entity: lens for entity, (lens, _) in lenses.items()},
        tables=tables.get,
        policy=policies(project),
    )


def _partitions(config: ConnectionConfig) -> tuple[str, ...]:
    """Companies a source is read in: those it lists, the one its settings name, or the whole connection."""
    if config.companies:
        return tuple(config.companies)
    return (str(config.settings.get("company") or ""),)


def _masters_first(key: StreamKey) -> tuple[int, str, str]:
    order = REFERENCE_ENTITIES.index(key.entity) if key.entity in REFERENCE_ENTITIES else len(REFERENCE_ENTITIES)
    return order, key.entity, key.company


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


def rule_table(project: Project, flow: FlowConfig) -> RuleTable:
    """The posting rules of a flow. Raises ConfigurationError."""
    if flow.rules is None:
        raise ConfigurationError(f"flow {flow.flow!r} names no posting rules", hint="Add `rules: NAME` to the flow.")
    return parse_rules(project.rules[flow.rules])


def _flow(project: Project, name: str, config: FlowConfig) -> FlowSpec:
    target = project.connections[config.target.connection]
    companies = {
        company: CompanySettings(c.time_zone or target.time_zone, c.posting_from, c.posting_to)
        for company, c in target.companies.items()
    }
    desk = CostDesk(companies)
    checks = parse_checks(project.flow_documents[name], config.source.entity) if config.checks else ()
    table = rule_table(project, config)
    named = _companies(config) or tuple(companies)
    return FlowSpec(
        name=name,
        source=config.source.connection,
        source_entity=config.source.entity,
        target=config.target.connection,
        target_entity=config.target.entity,
        action="post",
        transition=config.transition or "changed",
        route=_route(config),
        when=_when(project, name, config),
        desk=desk,
        steps=work_order_costs(desk, table, config.closed_period, config.cut_over, checks),
        compare=compare_journals,
        correct=corrector(desk),
        worth=worth_of(desk, table, config.closed_period),
        control_entity="ledger_entry",
        control_field="accountNumber",
        control_accounts=control_accounts(table),
        needs=tuple(
            StreamKey(config.target.connection, entity, company) for company in named for entity in REFERENCE_ENTITIES
        ),
        lane=LANES["transactions"],
        retry=RetrySpec(config.retries.attempts, config.retries.first, config.retries.most),
        wait_limit=config.wait_limit,
        deletions=config.deletions,
        write_back=config.write_back,
        period_policy=config.closed_period,
    )


def _when(project: Project, name: str, config: FlowConfig) -> Callable[[State], bool | Finding]:
    if config.when is None:
        return lambda state: True
    source = entities()[config.source.entity]
    try:
        formula = compile_formula(
            config.when, fields={path: _kind(source, path) for path in source.paths()}, tables=(), expect="bool"
        )
    except FormulaProblem as problem:
        raise project.flow_documents[name].error(("when",), problem.message, problem.hint) from None

    def when(state: State) -> bool | Finding:
        result = formula.evaluate(state, name="when")
        return result if isinstance(result, Finding) else bool(result)

    return when


def _kind(entity: EntityType, path: str) -> str:
    field = entity.field(path)
    return field.type if field is not None and field.type in _FORMULA_TYPES else "any"


def _companies(config: FlowConfig) -> tuple[str, ...]:
    choice = config.target.company
    if isinstance(choice, str):
        return (choice,)
    if choice is None:
        return ()
    return tuple(dict.fromkeys((*choice.map.values(), *([choice.default] if choice.default else []))))


def _route(config: FlowConfig) -> Callable[[State], str | Finding]:
    choice = config.target.company
    if isinstance(choice, CompanyChoice):
        return _chosen(choice)
    company = choice or ""
    return lambda state: company


def _chosen(choice: CompanyChoice) -> Callable[[State], str | Finding]:
    def route(state: State) -> str | Finding:
        value = str(state.get(choice.by) or "")
        company = choice.map.get(value, choice.default)
        if company is not None:
            return company
        return Finding(
            code="company_unrouted",
            severity="hold",
            text=f"no company for {choice.by} {value!r}",
            field=choice.by,
            value=value,
            mend="Add the value to target.company.map of the flow, or give a default.",
        )

    return route
