"""From a flow file to a flow that runs: what it starts from, what it makes, and what it keeps in step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from isthmus.app import goods_building
from isthmus.app.flow_parts import company_settings, condition, partitions, routing, target_companies
from isthmus.app.project.project import Project
from isthmus.app.project.schema import FlowConfig
from isthmus.contract.capabilities import Capabilities
from isthmus.controls.order_standing import order_shape
from isthmus.controls.rule_reading import parse_rules
from isthmus.controls.rules import RuleTable
from isthmus.controls.validation import parse_checks
from isthmus.errors import ConfigurationError
from isthmus.ledger.types import StreamKey
from isthmus.model.entity import State
from isthmus.model.finding import Finding
from isthmus.sync.costing import (
    REFERENCE_ENTITIES,
    CostDesk,
    compare_journals,
    control_accounts,
    corrector,
    work_order_costs,
    worth_of,
)
from isthmus.sync.world import LANES, AnyFlow, Control, FlowSpec, KeepSpec, RetrySpec

#: Records that others refer to; they go before and after documents in a connection's budget.
_MASTERS = frozenset(
    {"account", "asset", "currency", "dimension", "dimension_value", "exchange_rate", "item", "item_unit", "location",
     "payment_terms", "unit_of_measure", "vendor"}
)  # fmt: skip

EventBuilder = Callable[[Project, str, FlowConfig, Mapping[str, Capabilities]], AnyFlow]


def build_flow(project: Project, name: str, known: Mapping[str, Capabilities]) -> AnyFlow:
    """The flow of a name. `known`: what each connection can do. Raises ConfigurationError with file and line."""
    config = project.flows[name]
    if config.transition is None:
        return _keep(project, name, config)
    ends = (config.source.entity, config.target.entity)
    builder = _EVENTS.get(ends)
    if builder is None:
        made = ", ".join(f"{source} to {target}" for source, target in _EVENTS)
        message = f"no document {ends[1]} can be made of {ends[0]}."
        raise project.flow_documents[name].error(("target", "entity"), message, hint=f"There are: {made}.")
    return builder(project, name, config, known)


def rule_table(project: Project, flow: FlowConfig) -> RuleTable:
    """The posting rules of a flow. Raises ConfigurationError."""
    if flow.rules is None:
        raise ConfigurationError(f"flow {flow.flow!r} names no posting rules", hint="Add `rules: NAME` to the flow.")
    return parse_rules(project.rules[flow.rules])


def _keep(project: Project, name: str, config: FlowConfig) -> KeepSpec:
    """Both ends show the same entity, each in one company."""
    source = project.connections[config.source.connection]
    where = project.flow_documents[name]
    if config.source.entity != config.target.entity:
        message = f"{config.source.entity} is kept in step with {config.target.entity}, which is another thing."
        raise where.error(("target", "entity"), message, hint="Give the flow a transition, or the same entity.")
    companies = (config.source.company,) if config.source.company else partitions(source)
    if len(companies) != 1:
        hint = f"Write source.company: one of {', '.join(companies)}; another flow serves the next one."
        raise where.error(("source",), "a flow that keeps a state in step has one company on each side.", hint=hint)
    masters = config.source.entity in _MASTERS
    target = target_companies(project, config)
    return KeepSpec(
        name=name,
        source=config.source.connection,
        source_entity=config.source.entity,
        target=config.target.connection,
        target_entity=config.target.entity,
        route=routing(project, config),
        when=condition(project, name, config),
        needs=(
            *(StreamKey(config.target.connection, config.target.entity, one) for one in target if config.match),
            *(() if masters else _met_first(project)),
        ),
        lane=LANES["master_data" if masters else "transactions"],
        retry=RetrySpec(config.retries.attempts, config.retries.first, config.retries.most),
        wait_limit=config.wait_limit,
        deletions=config.deletions,
        write_back=config.write_back,
        source_company=companies[0],
        two_way=config.two_way,
        create=config.create,
        foreign=config.foreign,
        match=tuple(tuple(rule) for rule in config.match),
        shape=_SHAPES.get(config.source.entity, lambda state: state),
    )


def _met_first(project: Project) -> tuple[StreamKey, ...]:
    """Both sides of the records that are matched: documents are read when it is known which are the same."""
    found: list[StreamKey] = []
    for flow in project.flows.values():
        if flow.transition is None and flow.match and flow.source.entity in _MASTERS:
            source = project.connections[flow.source.connection]
            companies = (flow.source.company,) if flow.source.company else partitions(source)
            found += [StreamKey(flow.source.connection, flow.source.entity, one) for one in companies]
            targets = target_companies(project, flow)
            found += [StreamKey(flow.target.connection, flow.target.entity, one) for one in targets]
    return tuple(found)


#: What becomes of a state before a system is told of it.
_SHAPES: Mapping[str, Callable[[State], State | Finding]] = {"purchase_order": order_shape}


def _costs(project: Project, name: str, config: FlowConfig, known: Mapping[str, Capabilities]) -> FlowSpec:
    del known
    target = project.connections[config.target.connection]
    companies = company_settings(project, config)
    desk = CostDesk(companies)
    checks = parse_checks(project.flow_documents[name], config.source.entity) if config.checks else ()
    table = rule_table(project, config)
    named = target_companies(project, config) or tuple(target.companies)
    return FlowSpec(
        name=name,
        source=config.source.connection,
        source_entity=config.source.entity,
        target=config.target.connection,
        target_entity=config.target.entity,
        action="post",
        transition=config.transition or "changed",
        route=routing(project, config),
        when=condition(project, name, config),
        desk=desk,
        steps=work_order_costs(desk, table, config.closed_period, config.cut_over, checks),
        compare=compare_journals,
        correct=corrector(desk),
        worth=worth_of(desk, table, config.closed_period),
        control=Control(entity="ledger_entry", field="accountNumber", accounts=control_accounts(table)),
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


#: Which documents are made of which records, and by whom.
_EVENTS: Mapping[tuple[str, str], EventBuilder] = {
    ("work_order", "journal_entry"): _costs,
    ("receipt", "receipt"): goods_building.receipts,
    ("inventory_transaction", "inventory_transaction"): goods_building.movements,
    ("purchase_requisition", "purchase_order"): goods_building.requisitions,
}
