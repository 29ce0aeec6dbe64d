"""What builders of flows share: companies, conditions, and where numbers are unique."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.app.project.project import Project
from isthmus.app.project.schema import CompanyChoice, ConnectionConfig, FlowConfig
from isthmus.mapping.formula.compile import compile_formula
from isthmus.mapping.formula.syntax import FormulaProblem
from isthmus.model.entity import EntityType, State, entities
from isthmus.model.finding import Finding
from isthmus.sync.booking import CompanySettings

_FORMULA_TYPES = frozenset({"text", "decimal", "int", "bool", "date", "time", "enum"})


def partitions(config: ConnectionConfig) -> tuple[str, ...]:
    """Companies a connection is read in: those it lists, the one its settings name, or the whole connection."""
    if config.companies:
        return tuple(config.companies)
    return (str(config.settings.get("company") or ""),)


def books_of(project: Project, name: str) -> str:
    """Where the numbers of a connection without companies are unique: in the one company its flows join it to, else
    within the connection."""
    others: set[str] = set()
    for flow in project.flows.values():
        if name == flow.source.connection:
            others.update(target_companies(project, flow))
        elif name == flow.target.connection:
            others.update((flow.source.company,) if flow.source.company else partitions(_source(project, flow)))
    others.discard("")
    return others.pop() if len(others) == 1 else name


def _source(project: Project, flow: FlowConfig) -> ConnectionConfig:
    return project.connections[flow.source.connection]


def company_settings(project: Project, config: FlowConfig) -> dict[str, CompanySettings]:
    """What the project says of the companies of a flow's target."""
    target = project.connections[config.target.connection]
    return {
        company: CompanySettings(c.time_zone or target.time_zone, c.posting_from, c.posting_to)
        for company, c in target.companies.items()
    }


def condition(project: Project, name: str, config: FlowConfig) -> Callable[[State], bool | Finding]:
    """Record state -> whether the flow's `when` is true. Raises ConfigurationError with file and line."""
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


def routing(project: Project, config: FlowConfig) -> Callable[[State], str | Finding]:
    """Record state -> company of the target, or why there is none."""
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
