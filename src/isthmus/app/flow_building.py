"""From a flow file to a flow that runs: what it starts from, what it makes, and what it keeps in step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from isthmus.app.project.project import Project
from isthmus.app.project.schema import CompanyChoice, ConnectionConfig, FlowConfig
from isthmus.controls.rule_reading import parse_rules
from isthmus.controls.rules import RuleTable
from isthmus.controls.validation import parse_checks
from isthmus.errors import ConfigurationError
from isthmus.ledger.types import StreamKey
from isthmus.mapping.formula.compile import compile_formula
from isthmus.mapping.formula.syntax import FormulaProblem
from isthmus.model.entity import EntityType, State, entities
from isthmus.model.finding import Finding
from isthmus.sync.booking import CompanySettings
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

_FORMULA_TYPES = frozenset({"text", "decimal", "int", "bool", "date", "time", "enum"})
#: Records that others refer to; they go before and after documents in a connection's budget.
_MASTERS = frozenset(
    {"account", "asset", "currency", "dimension", "dimension_value", "exchange_rate", "item", "item_unit", "location",
     "payment_terms", "unit_of_measure", "vendor"}
)  # fmt: skip

EventBuilder = Callable[[Project, str, FlowConfig], AnyFlow]


def build_flow(project: Project, name: str) -> AnyFlow:
    """The flow of a name. Raises ConfigurationError with file and line."""
    config = project.flows[name]
    if config.transition is None:
        return _keep(project, name, config)
    ends = (config.source.entity, config.target.entity)
    builder = _EVENTS.get(ends)
    if builder is None:
        known = ", ".join(f"{source} to {target}" for source, target in _EVENTS)
        message = f"no document {ends[1]} can be made of {ends[0]}."
        raise project.flow_documents[name].error(("target", "entity"), message, hint=f"There are: {known}.")
    return builder(project, name, config)


def partitions(config: ConnectionConfig) -> tuple[str, ...]:
    """Companies a connection is read in: those it lists, the one its settings name, or the whole connection."""
    if config.companies:
        return tuple(config.companies)
    return (str(config.settings.get("company") or ""),)


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
        route=_route(project, config),
        when=_when(project, name, config),
        needs=tuple(StreamKey(config.target.connection, config.target.entity, one) for one in target)
        if config.match
        else (),
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


#: What becomes of a state before a system is told of it.
_SHAPES: Mapping[str, Callable[[State], State | Finding]] = {}


def _costs(project: Project, name: str, config: FlowConfig) -> FlowSpec:
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
        route=_route(project, config),
        when=_when(project, name, config),
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
_EVENTS: Mapping[tuple[str, str], EventBuilder] = {("work_order", "journal_entry"): _costs}


def company_settings(project: Project, config: FlowConfig) -> dict[str, CompanySettings]:
    """What the project says of the companies of a flow's target."""
    target = project.connections[config.target.connection]
    return {
        company: CompanySettings(c.time_zone or target.time_zone, c.posting_from, c.posting_to)
        for company, c in target.companies.items()
    }


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


def target_companies(project: Project, config: FlowConfig) -> tuple[str, ...]:
    """Companies of the target a flow may write to."""
    choice = config.target.company
    if isinstance(choice, str):
        return (choice,)
    if choice is None:
        found = partitions(project.connections[config.target.connection])
        return found if config.transition is None else tuple(one for one in found if one)
    return tuple(dict.fromkeys((*choice.map.values(), *([choice.default] if choice.default else []))))


def _route(project: Project, config: FlowConfig) -> Callable[[State], str | Finding]:
    choice = config.target.company
    if isinstance(choice, CompanyChoice):
        return _chosen(choice)
    named = target_companies(project, config)
    company = named[0] if len(named) == 1 else ""
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
