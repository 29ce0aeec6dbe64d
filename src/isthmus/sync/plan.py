"""Plan: the very code of intake in a transaction that is rolled back. Nothing is written, in the ledger or outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Struct, field

from isthmus.contract.records import ReadRequest
from isthmus.errors import IsthmusError
from isthmus.ledger import messages, records, sides, streams
from isthmus.ledger.database import take_your_time
from isthmus.ledger.types import ALL_STATES, Db, MessageRow, MessageState, MessageWrite
from isthmus.model.spelling import spell_decimal
from isthmus.model.state import decode_state
from isthmus.sync.intake import bookmark, first_meeting, take_page
from isthmus.sync.merge import differences
from isthmus.sync.turn import Turn
from isthmus.sync.world import StreamSpec, World


class Planned(Struct, kw_only=True):
    """What a flow would do, by state: how many messages and what they sum to."""

    flow: str
    state: MessageState
    count: int = 0
    amount: Decimal = Decimal(0)
    currency: str = ""

    def row(self) -> dict[str, object]:
        """As JSON shows it."""
        return {
            "flow": self.flow,
            "state": self.state,
            "count": self.count,
            "amount": spell_decimal(self.amount),
            "currency": self.currency,
        }


class PlanItem(Struct, frozen=True, kw_only=True):
    """One document as it would be made. `certain`: nothing at the target can change it any more."""

    flow: str
    state: str
    action: str
    entity: str
    company: str
    subject: str
    number: str
    amount: str
    currency: str
    reason: str
    decided: str
    fields: dict[str, object] = field(default_factory=dict)


class Plan(Struct, kw_only=True):
    """What would happen. `requests` and `seconds` estimate the target's quota for what would be sent."""

    totals: list[Planned]
    items: list[PlanItem]
    truncated: int
    requests: int
    seconds: int
    troubles: list[str]


async def make_plan(world: World, *, most_items: int = 1000) -> Plan:
    """Read all sources as the next sync would, decide everything, and roll back.

    Raises what makes reading impossible only when nothing at all could be read; other troubles are told in the plan.
    """
    gathered = _Gathered(most_items)
    async with world.transaction() as db, db.transaction(force_rollback=True):
        await take_your_time(db)
        await _take_all(db, world, gathered)
        await _gather(db, world, gathered)
        await _brought(db, world, gathered)
    return gathered.plan(world)


async def _take_all(db: Db, world: World, gathered: _Gathered) -> None:
    specs = [(actor, spec) for actor in world.actors.values() for spec in actor.streams.values()]
    needed = {need for flow in world.flows for need in flow.needs}
    for actor, spec in sorted(specs, key=lambda pair: pair[1].key not in needed):
        turn = Turn(world, actor, 0)
        try:
            await _take_stream(db, turn, spec, gathered)
        except IsthmusError as error:
            gathered.troubles.append(f"{actor.id}: {error}")


async def _take_stream(db: Db, turn: Turn, spec: StreamSpec, gathered: _Gathered) -> None:
    stamp = (await turn.actor.tables(db, spec.scope)).stamp
    rows = [r for r in await streams.of_connection(db, turn.actor.id) if r.name == spec.key.entity]
    mark = bookmark(next(r for r in rows if r.company == spec.key.company), f"{spec.digest}/{stamp}")
    cursor = mark.cursor

    async def known(families: Sequence[str]) -> dict[str, dict[str, str | None]]:
        found = await records.families(db, spec.key, families)
        return {family: dict(ids) for family, ids in found.items()}

    while True:
        request = ReadRequest(
            native=spec.native,
            company=spec.key.company,
            cursor=cursor,
            limit=turn.world.page_size,
            fields=spec.lens.native_fields(),
        )
        page = await turn.actor.connector.read(request, known)
        _, processed = await take_page(db, turn, spec, page, reread=mark.reread)
        gathered.made.update({message.key: message for message in processed.made})
        cursor = page.cursor
        if not page.more:
            await _filled(db, turn, spec, gathered)
            return


async def _filled(db: Db, turn: Turn, spec: StreamSpec, gathered: _Gathered) -> None:
    """The stream counts as read from here on, so that two filled systems meet as they would."""
    now = turn.now()
    await streams.advance(db, spec.key, cursor=None, now=now, due_at=None, filled=True, trouble="")
    processed = await first_meeting(db, turn, spec)
    gathered.made.update({message.key: message for message in processed})


class _Gathered:
    """What is put together while planning."""

    def __init__(self, most_items: int) -> None:
        self.most_items = most_items
        self.made: dict[str, MessageWrite] = {}
        self.pending: list[MessageRow] = []
        self.troubles: list[str] = []
        self.brought: dict[tuple[str, int], dict[str, object]] = {}

    def plan(self, world: World) -> Plan:
        """The plan of all that was gathered."""
        sums: dict[tuple[str, str, str], Planned] = {}
        items: list[PlanItem] = []
        rows: list[MessageWrite | MessageRow] = [
            *self.made.values(),
            *(row for row in self.pending if row.key not in self.made),
        ]
        for row in rows:
            key = (row.flow, row.state, row.currency)
            planned = sums.setdefault(key, Planned(flow=row.flow, state=row.state, currency=row.currency))
            planned.count += 1
            planned.amount += row.amount or Decimal(0)
            if len(items) < self.most_items:
                items.append(_item(row, self.brought))
        requests = sum(_requests(world, row) for row in rows if row.state in {"ready", "retrying", "uncertain"})
        return Plan(
            totals=sorted(sums.values(), key=lambda p: (p.flow, ALL_STATES.index(p.state), p.currency)),
            items=items,
            truncated=len(rows) - len(items),
            requests=requests,
            seconds=_seconds(world, requests),
            troubles=self.troubles,
        )


async def _gather(db: Db, world: World, gathered: _Gathered) -> None:
    """Messages of earlier runs that a sync would still deliver."""
    for actor in world.actors.values():
        gathered.pending.extend(await messages.moving(db, actor.id))


async def _brought(db: Db, world: World, gathered: _Gathered) -> None:
    """What states would show: a new record whole, of a known one the fields that are not what was agreed."""
    every: list[MessageWrite | MessageRow] = [*gathered.made.values(), *gathered.pending]
    rows = [row for row in every if row.kind == "state"][: gathered.most_items]
    by_place: dict[tuple[str, str, str, str], list[MessageWrite | MessageRow]] = {}
    for row in rows:
        by_place.setdefault((row.flow, row.connection, row.entity, row.company), []).append(row)
    for (name, connection, entity, company), members in by_place.items():
        flow = world.keep_flow(name)
        ids = [row.record_id or 0 for row in members]
        for one, side in (await sides.of_records(db, connection, entity, company, ids)).items():
            shaped = flow.wanted(connection, decode_state(side.data)) if flow is not None else None
            if isinstance(shaped, dict):
                before = decode_state(side.agreed) if side.native_id else {}
                gathered.brought[connection, one] = {c.path: c.kept for c in differences(before, shaped)}


def _item(row: MessageWrite | MessageRow, brought: Mapping[tuple[str, int], dict[str, object]]) -> PlanItem:
    return PlanItem(
        flow=row.flow,
        state=row.state,
        action=row.action,
        entity=row.entity,
        company=row.company,
        subject=row.place or row.subject,
        number=row.number,
        amount=spell_decimal(row.amount) if row.amount is not None else "",
        currency=row.currency,
        reason=row.reason,
        decided="decided by the target" if row.state in {"ready", "retrying", "uncertain"} else "certain",
        fields=decode_state(row.document)
        if row.document and row.kind == "event"
        else brought.get((row.connection, row.record_id or 0), {}),
    )


def _requests(world: World, row: MessageWrite | MessageRow) -> int:
    support = world.actors[row.connection].connector.capabilities.entities.get(row.entity)
    return support.requests_each if support is not None else 1


def _seconds(world: World, requests: int) -> int:
    """How long the quota alone makes this take, by the tightest connection."""
    seconds = 0
    for actor in world.actors.values():
        capabilities = actor.connector.capabilities
        if capabilities.quota:
            windows = max(0, requests - 1) // capabilities.quota
            seconds = max(seconds, windows * int(capabilities.window.total_seconds()))
    return seconds
