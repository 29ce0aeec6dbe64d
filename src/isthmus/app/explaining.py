"""One record of a source, explained: every field through its lens, and what each flow would decide of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from isthmus.app.flow_building import rule_table
from isthmus.app.project.project import Project
from isthmus.contract.records import Known, NativeRecord, ReadRequest
from isthmus.controls.rules import choose, facts_of
from isthmus.errors import ConfigurationError
from isthmus.ledger import records
from isthmus.mapping.context import LensContext
from isthmus.model.entities.work_orders import WorkOrder
from isthmus.model.entity import State, entities
from isthmus.model.finding import Finding, worst
from isthmus.model.spelling import spell, spell_decimal
from isthmus.sync.world import Actor, FlowSpec, StreamSpec, Work, World

_PAGE = 1000
_LINES = re.compile(r" (\d+)(?:-(\d+))?$")


async def explain_record(
    world: World, project: Project, entity: str, *, native_id: str = "", line: int | None = None, connection: str = ""
) -> dict[str, Any]:
    """The explanation of the record with this id, or on this line of its file. Reads the source, writes nothing.

    Raises ConfigurationError when the entity, the connection or the record is not there.
    """
    for actor, spec in _streams(world, entity, connection):
        record = await _find(world, actor, spec, native_id, line)
        if record is not None:
            return await _explained(world, project, actor, spec, record)
    what = f"line {line}" if line is not None else repr(native_id)
    raise ConfigurationError(
        f"no {entity} {what} in its source.", code="usage", hint="Ids: `isthmus trace` shows them."
    )


def _streams(world: World, entity: str, connection: str) -> list[tuple[Actor, StreamSpec]]:
    """Where the entity is read, sources of flows first."""
    if connection and connection not in world.actors:
        raise ConfigurationError(
            f"there is no connection {connection!r}.", code="usage", hint=f"There is {', '.join(sorted(world.actors))}."
        )
    found = [
        (actor, spec)
        for actor in world.actors.values()
        for key, spec in actor.streams.items()
        if key.entity == entity and connection in {"", actor.id}
    ]
    if not found:
        known = sorted({key.entity for actor in world.actors.values() for key in actor.streams})
        raise ConfigurationError(f"no connection reads {entity!r}.", code="usage", hint=f"Read are {', '.join(known)}.")
    return sorted(found, key=lambda pair: not world.starts(pair[0].id, entity))


async def _find(world: World, actor: Actor, spec: StreamSpec, native_id: str, line: int | None) -> NativeRecord | None:
    async def known(families: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
        async with world.transaction() as db:
            return await records.families(db, spec.key, families)

    if line is not None:
        return await _on_line(actor, spec, known, line)
    # A connector that names records itself learns from any read which names the hub gave before.
    await actor.connector.read(ReadRequest(native=spec.native, company=spec.key.company, limit=1), known)
    found = await actor.connector.fetch(spec.native, spec.key.company, [native_id])
    return next((record for record in found if record.id == native_id and not record.deleted), None)


async def _on_line(actor: Actor, spec: StreamSpec, known: Known, line: int) -> NativeRecord | None:
    cursor: str | None = None
    more = True
    while more:
        request = ReadRequest(native=spec.native, company=spec.key.company, cursor=cursor, limit=_PAGE)
        page = await actor.connector.read(request, known)
        for record in page.records:
            if _stands_on(record.origin, line):
                return record
        cursor, more = page.cursor, page.more
    return None


def _stands_on(origin: str, line: int) -> bool:
    """Whether an origin is this line of its file (`a.csv line 7`), or rows with it among them (`a.csv lines 5-8`)."""
    found = _LINES.search(origin)
    return found is not None and int(found[1]) <= line <= int(found[2] or found[1])


async def _explained(
    world: World, project: Project, actor: Actor, spec: StreamSpec, record: NativeRecord
) -> dict[str, Any]:
    async with world.transaction() as db:
        context = (await actor.tables(db, spec.scope)).context
    told: dict[str, Any] = {
        "entity": spec.key.entity,
        "connection": actor.id,
        "company": spec.key.company,
        "id": record.id,
        "place": record.origin,
        "problem": f"{record.problem}. {record.mend}".strip() if record.problem else "",
        "fields": [] if record.problem else _fields(spec, record, context),
        "flows": [],
    }
    if not record.problem:
        reading = spec.lens.read(record.data, context)
        for flow in world.events_from(actor.id, spec.key.entity):
            told["flows"].append(await _of_flow(world, project, flow, record, reading.state, reading.findings))
    return told


def _fields(spec: StreamSpec, record: NativeRecord, context: LensContext) -> list[dict[str, Any]]:
    return [
        {
            "field": trace.path,
            "source": trace.source,
            "found": trace.native,
            "steps": [{"step": label, "value": value} for label, value in trace.steps],
            "result": trace.result,
            "rule": trace.rule,
            "place": trace.place,
            "findings": [_finding(finding) for finding in trace.findings],
        }
        for trace in spec.lens.explain(record.data, context)
    ]


async def _of_flow(
    world: World, project: Project, flow: FlowSpec, record: NativeRecord, state: State, findings: tuple[Finding, ...]
) -> dict[str, Any]:
    condition = flow.when(state)
    company = flow.route(state)
    found = [*findings, *(one for one in (condition, company) if isinstance(one, Finding))]
    work = Work(
        state=state,
        record_id=0,
        native_id=record.id,
        place=record.origin,
        company=company if isinstance(company, str) else "",
        key=f"explain:{record.id}",
        findings=tuple(found),
    )
    if condition is True and worst(work.findings) in {None, "notice"}:
        async with world.transaction() as db:
            await flow.desk.load(db, [work.company] if work.company else [], [state])
        for step in flow.steps:
            work = step(work)
            if worst(work.findings) == "skip":
                break
    return {
        "flow": flow.name,
        "condition": condition if isinstance(condition, bool) else None,
        "company": work.company,
        "event_on": spell(work.event_on) if work.event_on else None,
        "postings": _postings(project, flow, work) if condition is True else [],
        "findings": [_finding(finding) for finding in work.findings],
        "document": work.document,
    }


def _postings(project: Project, flow: FlowSpec, work: Work) -> list[dict[str, Any]]:
    """Which rule decides each cost line, and why that one."""
    config = project.flows[flow.name]
    if config.rules is None or flow.source_entity != "work_order":
        return []
    try:
        order = cast("WorkOrder", entities()[flow.source_entity].parse(work.state))
    except msgspec.ValidationError:
        return []  # the findings say what is missing
    on = work.event_on or order.completed_on
    if on is None:
        return []
    if work.document and work.document.get("posting_date"):
        on = type(on).fromisoformat(work.document["posting_date"])
    table = rule_table(project, config)
    choices = [(line, choose(table, facts_of(order, line), on)) for line in order.lines]
    return [
        {
            "line": line.key,
            "amount": spell_decimal(line.amount),
            "rule": choice.row.name if choice.row else None,
            "account": choice.row.account if choice.row else None,
            "offset": choice.row.offset if choice.row else None,
            "why": choice.why,
        }
        for line, choice in choices
    ]


def _finding(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in finding.__struct_fields__}
