"""One batch of a backfill: what is new in the range is taken in, what is there is left, nothing is overwritten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct, structs

from isthmus.contract.records import NativeRecord
from isthmus.ledger import messages, records
from isthmus.ledger.types import Db, LinkRow, MessageRow, MessageWrite
from isthmus.model.finding import Finding
from isthmus.model.money import Money
from isthmus.model.state import decode_state
from isthmus.sync.admit import admit
from isthmus.sync.again import decide_again
from isthmus.sync.change import Change
from isthmus.sync.flows import run_flows
from isthmus.sync.turn import Turn
from isthmus.sync.world import FlowSpec, StreamSpec, Work, World

_BEFORE_CUT_OVER = "before_cut_over"


class Range(Struct, frozen=True):
    """Days of the event, both inclusive; None without limit."""

    since: date | None
    until: date | None

    def holds(self, day: date | None) -> bool:
        """Whether a day lies in it; a record without a day never does."""
        if day is None:
            return False
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


class Tally(Struct, kw_only=True):
    """What was counted. `worth`: what the records of the range come to, by currency of the target's books; `states` and
    `amounts`: messages made, by state; amounts by (state, currency)."""

    seen: int = 0
    made: int = 0
    skipped: int = 0
    worth: dict[str, Decimal] = msgspec.field(default_factory=dict)
    states: Counter[str] = msgspec.field(default_factory=Counter)
    amounts: dict[tuple[str, str], Decimal] = msgspec.field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.seen += other.seen
        self.made += other.made
        self.skipped += other.skipped
        self.states.update(other.states)
        for currency, amount in other.worth.items():
            self.worth[currency] = self.worth.get(currency, Decimal(0)) + amount
        for key, amount in other.amounts.items():
            self.amounts[key] = self.amounts.get(key, Decimal(0)) + amount

    def message(self, write: MessageWrite) -> None:
        """Count a message made."""
        self.states[write.state] += 1
        key = (write.state, write.currency)
        self.amounts[key] = self.amounts.get(key, Decimal(0)) + (write.amount or Decimal(0))


class Backfill(Struct, frozen=True, kw_only=True):
    """A flow's backfill. `world` holds the flow as it decides here; `post`: the past is posted, not only taken in."""

    world: World
    flow: FlowSpec
    days: Range
    post: bool

    @property
    def specs(self) -> list[StreamSpec]:
        """What is read, in order of the companies."""
        actor = self.world.actors[self.flow.source]
        found = [spec for key, spec in actor.streams.items() if key.entity == self.flow.source_entity]
        return sorted(found, key=lambda spec: spec.key.company)


class _Wanted(Struct, frozen=True):
    """A record of the range, and what its document comes to."""

    record: NativeRecord
    worth: Money | Finding | None


async def take_batch(
    db: Db, turn: Turn, backfill: Backfill, spec: StreamSpec, page: Sequence[NativeRecord]
) -> tuple[Tally, set[str]]:
    """Take in what is new in the range and leave what is there, within the caller's transaction. Safe to repeat.

    Returns what was counted, and the connections to wake.
    """
    known = await records.links(db, spec.key, [record.id for record in page])
    wanted = await _in_range(db, turn, backfill, spec, page, known)
    fresh = [one.record for one in wanted if one.record.id not in known]
    tally = Tally(seen=len(wanted), made=len(fresh))
    for one in wanted:
        _weigh(tally, one.worth)
    wake: set[str] = set()
    if fresh:
        admitted = await admit(db, turn.actor, spec, fresh, turn.now())
        await _decide(db, turn, backfill, spec, backfill.world, admitted.changes, tally, wake)
    held = [(one.record, known[one.record.id]) for one in wanted if one.record.id in known]
    earlier = await messages.of_records(db, backfill.flow.name, [link.record_id for _, link in held])
    unmet = [_change(record, link) for record, link in held if link.record_id not in earlier and not link.deleted]
    if unmet:  # the flow is younger than the records: it meets them here
        alone = structs.replace(backfill.world, flows=(backfill.flow,))
        await _decide(db, turn, backfill, spec, alone, unmet, tally, wake)
    tally.made += len(unmet)
    for _, link in held:
        rows = earlier.get(link.record_id)
        if rows is not None and not await _post(db, backfill, rows, tally, wake):
            tally.skipped += 1
    return tally, wake


async def _decide(
    db: Db, turn: Turn, backfill: Backfill, spec: StreamSpec, world: World, changes: Sequence[Change], tally: Tally,
    wake: set[str],
) -> None:  # fmt: skip
    processed = await run_flows(db, world, turn.actor.id, spec.key.entity, changes)
    for write in processed.made:
        if write.flow == backfill.flow.name:
            tally.message(write)
    wake |= processed.wake


async def _post(db: Db, backfill: Backfill, rows: Sequence[MessageRow], tally: Tally, wake: set[str]) -> bool:
    """Decide a document anew that only the cut-over kept from being posted. False: it is left as it is."""
    last = rows[-1]
    if not backfill.post or last.state != "skipped" or last.code != _BEFORE_CUT_OVER:
        return False
    write = await decide_again(db, backfill.world, backfill.flow, last, forget=True)
    if isinstance(write, str) or write.code == _BEFORE_CUT_OVER:
        return False
    tally.made += 1
    tally.message(write)
    wake.add(backfill.flow.target)
    return True


async def _in_range(
    db: Db, turn: Turn, backfill: Backfill, spec: StreamSpec, page: Sequence[NativeRecord], known: Mapping[str, LinkRow]
) -> list[_Wanted]:
    """Records whose event lies in the range. Torn rows and records without a day are left to the ordinary poll."""
    context = (await turn.actor.tables(db, spec.scope)).context
    readable = [record for record in page if not record.deleted and not record.problem]
    states = [
        decode_state(known[record.id].data) if record.id in known else spec.lens.read(record.data, context).state
        for record in readable
    ]
    met = [(r, state) for r, state in zip(readable, states, strict=True) if backfill.flow.when(state) is True]
    routed = [(record, state, backfill.flow.route(state)) for record, state in met]
    companies = sorted({route for _, _, route in routed if isinstance(route, str)})
    await backfill.flow.desk.load(db, companies, [state for _, state, _ in routed])
    return [
        _Wanted(record, backfill.flow.worth(state, route) if backfill.flow.worth else None)
        for record, state, route in routed
        if isinstance(route, str) and backfill.days.holds(_day(backfill.flow, record, state, route))
    ]


def _weigh(tally: Tally, worth: Money | Finding | None) -> None:
    if isinstance(worth, Money):
        tally.worth[worth.currency] = tally.worth.get(worth.currency, Decimal(0)) + worth.amount


def _day(flow: FlowSpec, record: NativeRecord, state: dict[str, Any], company: str) -> date | None:
    """The local day of the event, as the flow's own steps say it."""
    work = Work(
        state=state, record_id=0, native_id=record.id, place=record.origin, company=company, key=f"day:{record.id}"
    )  # fmt: skip
    for step in flow.steps:
        work = step(work)
        if work.event_on is not None:
            break
    return work.event_on


def _change(record: NativeRecord, link: LinkRow) -> Change:
    return Change(
        record_id=link.record_id,
        native_id=record.id,
        place=link.place,
        before=None,
        state=decode_state(link.data),
    )
