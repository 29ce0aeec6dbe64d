"""Check: everything that would fail later, found before it does. Reads the outside systems, writes nothing there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct, structs

from isthmus.app.environment import verify
from isthmus.app.flow_building import rule_table
from isthmus.app.project.project import Project
from isthmus.contract.records import ReadRequest
from isthmus.controls.book import Book
from isthmus.controls.rule_checks import check_table, coverage
from isthmus.errors import ConfigurationError, Halt, IsthmusError, Retry
from isthmus.mapping.drift import drift
from isthmus.mapping.plan import Plan
from isthmus.model.entities.books import Company
from isthmus.model.entities.ledger_accounts import Account
from isthmus.model.finding import Finding
from isthmus.model.money import known_currency
from isthmus.sync.world import Actor, FlowSpec, World

R = TypeVar("R")
#: What drift says of a mapped field the live system does not have (docs/mapping.md).
DRIFTED = "native_field_missing"


class Checked(Struct, frozen=True):
    """One finding and what it is about. `unreachable`: the system could not be asked."""

    about: str
    finding: Finding
    unreachable: bool = False


async def check_world(project: Project, world: World, *, accept: Sequence[str] = ()) -> list[Checked]:
    """All findings of all connections and flows at once."""
    found = [Checked("environment", finding) for finding in await verify(world, accept=accept)]
    readable: dict[str, bool] = {}
    for actor in world.actors.values():
        controls = {
            flow.control.entity
            for flow in world.flows
            if isinstance(flow, FlowSpec) and flow.target == actor.id and flow.control is not None
        }
        part = [item async for item in _connection(actor, controls)]
        # Read through a mapping that does not fit, the whole chart would seem to be missing.
        readable[actor.id] = not any(item.unreachable or item.finding.code == DRIFTED for item in part)
        found += part
    for name, flow in project.flows.items():
        found += [Checked(f"flow {name}", finding) for finding in _rules(project, name)]
        found += [Checked(f"mapping of {flow.target.connection}", finding) for finding in _unwritten(world, name)]
        if flow.rules and readable.get(flow.target.connection):
            found += [item async for item in _books(project, world, name)]
    return found


def check_rules(project: Project) -> list[Checked]:
    """What can be said of the posting rules without asking anybody."""
    return [Checked(f"flow {name}", finding) for name in project.flows for finding in _rules(project, name)]


def _rules(project: Project, name: str) -> tuple[Finding, ...]:
    return coverage(rule_table(project, project.flows[name])) if project.flows[name].rules else ()


def _unwritten(world: World, name: str) -> Iterator[Finding]:
    """Rules of the lens a flow writes through that write nothing, and do not say so by `way: read`: their field would
    be missing in every document."""
    for flow in world.flows:
        lens = (
            world.actors[flow.target].lenses.get(flow.target_entity)
            if flow.name == name and isinstance(flow, FlowSpec)
            else None
        )
        for plan in _plans(lens.plans) if lens is not None else ():
            if plan.one_way and plan.kind != "value" and plan.rule.options.get("way") != "read":
                yield Finding(
                    code="one_way",
                    severity="error",
                    text=f'"{plan.path}" of {flow.target_entity} is never written to {flow.target}: {plan.one_way}.',
                    field=plan.path,
                    mend=f"{plan.rule.place}: use a rule that can be inverted, or remove it.",
                )


def _plans(plans: Sequence[Plan]) -> Iterator[Plan]:
    for plan in plans:
        yield plan
        yield from _plans(plan.sub)


async def _connection(actor: Actor, controls: Collection[str]) -> AsyncIterator[Checked]:
    about = f"connection {actor.id}"
    try:
        findings = await actor.connector.check()
    except IsthmusError as error:
        yield Checked(about, _of_error(error), unreachable=_is_away(error))
        return
    errors = [finding for finding in findings if finding.severity == "error"]
    lost = bool(errors) and await _lost(actor)
    for finding in findings:
        yield Checked(about, finding, unreachable=finding in errors and (lost or finding.code in _AWAY))
    if not lost:
        async for finding in _drift(actor, controls):
            yield Checked(f"mapping of {actor.id}", finding)


#: A file or share that is not there, or an empty file, is waited for, like a system that does not answer.
_AWAY = frozenset({"file_missing", "file_empty", "folder_missing"})


async def _lost(actor: Actor) -> bool:
    """Whether the system cannot be asked anything: no way to it, or no sign-in."""
    try:
        await actor.connector.fingerprint()
    except IsthmusError as error:
        return _is_away(error)
    return False


def _is_away(error: IsthmusError) -> bool:
    """Whether an error says that the system cannot be asked, and not that the project asks the wrong thing."""
    return isinstance(error, Retry | Halt) and not isinstance(error, ConfigurationError)


def _of_error(error: IsthmusError) -> Finding:
    return Finding(code=error.code, severity="error", text=error.message, mend=error.hint)


async def _drift(actor: Actor, controls: Collection[str]) -> AsyncIterator[Finding]:
    """Mappings in use against the live fields: those of streams, of what is written, and of the books that controls
    read afresh."""
    used = {spec.key.entity: spec.native for spec in actor.streams.values()}
    for entity, support in actor.connector.capabilities.entities.items():
        wanted = support.actions or entity in controls
        if wanted and entity in actor.lenses and entity not in used and support.read:
            used[entity] = support.native
    for entity, native in used.items():
        try:
            fields = await actor.connector.describe(native)
        except (Retry, Halt):
            continue
        if fields:
            lens = actor.lenses[entity]
            names = {field.name for field in fields} | {f"{f.name}.{n.name}" for f in fields for n in f.fields}
            for finding in drift(lens, names | {n for n in lens.native_fields() if n.startswith("_")}):
                yield finding


async def _books(project: Project, world: World, name: str) -> AsyncIterator[Checked]:
    """Accounts and dimension values the rules name, against the chart as it is now."""
    flow = project.flows[name]
    actor = world.actors[flow.target.connection]
    companies = sorted({need.company for spec in world.flows if spec.name == name for need in spec.needs})
    for company in companies:
        try:
            companies_found = await _all(actor, "company", company, Company)
            accounts = await _all(actor, "account", company, Account)
        except IsthmusError as error:
            yield Checked(f"books of {company}", _of_error(error), unreachable=_is_away(error))
            continue
        currency = next((one.currency for one in companies_found if one.currency), None)
        if currency is None or not known_currency(currency):
            yield Checked(f"books of {company}", _no_currency(company))
            continue
        book = Book(company=company, currency=currency, time_zone="UTC", accounts={one.number: one for one in accounts})
        told = _rules(project, name)  # of the flow already, whatever the chart is
        for finding in check_table(rule_table(project, flow), book):
            if finding not in told:
                yield Checked(f"books of {company}", finding)


def _no_currency(company: str) -> Finding:
    return Finding(
        code="company_missing",
        severity="error",
        text=f"company {company!r} has no known local currency",
        field="currency",
        mend="Set the LCY code on page General Ledger Setup to an ISO 4217 code.",
    )


async def _all(actor: Actor, entity: str, company: str, cls: type[R]) -> list[R]:
    """All records of an entity that can be read, straight from the system."""
    support, lens = actor.connector.capabilities.entities[entity], actor.lenses[entity]
    found: list[R] = []
    cursor: str | None = None
    more = True
    while more:
        request = ReadRequest(native=support.native, company=company, cursor=cursor)
        page = await actor.connector.read(request, _nothing_known)
        for native in page.records:
            try:
                record = lens.entity.parse(lens.read(native.data).state)
            except msgspec.ValidationError:
                continue
            if isinstance(record, cls):
                found.append(record)
        cursor, more = page.cursor, page.more
    return found


async def _nothing_known(families: Sequence[str]) -> dict[str, dict[str, str | None]]:
    del families
    return {}


def without_duplicates(items: Sequence[Checked]) -> list[Checked]:
    """Each finding once, in order."""
    return list({structs.astuple(item): item for item in items}.values())
