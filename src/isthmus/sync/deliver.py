"""Deliver: commit the intent, call, keep what became of each message."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct, structs

from isthmus.contract.capabilities import EntitySupport
from isthmus.contract.operations import Operation, Outcome, Result
from isthmus.errors import FenceLost, Halt, IsthmusError, SignInFailed, Unreachable
from isthmus.ledger import messages, sides
from isthmus.ledger.types import MessageRow
from isthmus.model.values import Action
from isthmus.sync.adopt import adopt
from isthmus.sync.compose import compose
from isthmus.sync.confirm import confirm
from isthmus.sync.intake import look_again
from isthmus.sync.points import reach
from isthmus.sync.settle import settlement
from isthmus.sync.turn import Turn


class Group(Struct, frozen=True):
    """Messages that can go to the connector in one call."""

    entity: str
    action: Action
    company: str
    rows: tuple[MessageRow, ...]


async def deliver(turn: Turn) -> None:
    """Send what is ready until nothing is, or the turn's time is up. Raises Halt when the connection cannot work."""
    capabilities = turn.actor.connector.capabilities
    while turn.may_start():
        async with turn.world.transaction() as db:
            batch = max((support.batch for support in capabilities.entities.values() if support.actions), default=1)
            rows = await messages.deliverable(db, turn.actor.id, turn.now(), batch * capabilities.concurrency)
        groups = _groups(rows, capabilities.entities)
        if not groups:
            return
        await _deliver_groups(turn, groups, capabilities.concurrency)


async def _deliver_groups(turn: Turn, groups: Sequence[Group], concurrency: int) -> None:
    gate = asyncio.Semaphore(max(1, concurrency))
    failures: list[IsthmusError] = []

    async def one(group: Group) -> None:
        async with gate:
            if failures:
                return
            try:
                await _deliver_group(turn, group)
            except (Halt, FenceLost) as error:
                failures.append(error)

    async with asyncio.TaskGroup() as tasks:
        for group in groups:
            tasks.create_task(one(group))
    if failures:
        raise failures[0]


def _groups(rows: Sequence[MessageRow], support: Mapping[str, EntitySupport]) -> list[Group]:
    gathered: dict[tuple[str, Action, str], list[MessageRow]] = {}
    for row in rows:
        gathered.setdefault((row.entity, row.action, row.company), []).append(row)
    groups: list[Group] = []
    for (entity, action, company), members in gathered.items():
        size = support[entity].batch if entity in support else 1
        groups.extend(
            Group(entity, action, company, tuple(members[start : start + size]))
            for start in range(0, len(members), size)
        )
    return groups


async def _deliver_group(turn: Turn, group: Group) -> None:
    delivery = delivery_name(group.rows, turn.world.epoch)
    await refresh(turn, group)
    behind = await adopt(turn, group.rows)
    composed = await compose(turn, [row for row in group.rows if row.id not in {one.id for one in behind}], delivery)
    actions = {operation.key: operation.action for operation in composed.operations}
    intents = [
        (row.id, delivery, composed.documents.get(row.id, row.document), actions.get(row.key, row.action))
        for row in group.rows
    ]
    reach("before_intent")
    async with turn.commit() as db:
        claimed = await messages.claim(db, turn.actor.id, intents, turn.fence, turn.now())
        await messages.settle(db, [s for s in (*behind, *composed.settled) if s.id in claimed], turn.fence, turn.now())
    reach("after_intent")
    documents = {row.id: structs.replace(row, document=composed.documents.get(row.id, "")) for row in group.rows}
    rows = {row.key: documents[row.id] for row in group.rows if row.id in claimed}
    for action in dict.fromkeys(actions.values()):
        sent = [o for o in composed.operations if o.action == action and o.key in rows]
        if sent:
            turn.count("sent", len(sent))
            await _call(turn, sent, rows)


async def refresh(turn: Turn, group: Group) -> None:
    """Read again what is about to be changed, where the system would not refuse a change of something it no longer
    shows: nobody's edit is written over unseen."""
    support = turn.actor.connector.capabilities.entities[group.entity]
    if group.action != "update" or support.versions or not support.read:
        return
    async with turn.world.transaction() as db:
        ids = [row.record_id for row in group.rows if row.record_id is not None]
        links = await sides.of_records(db, turn.actor.id, group.entity, group.company, ids)
    known = [row.native_id for row in links.values() if row.native_id and not row.link_deleted]
    await look_again(turn, group.entity, group.company, known)


async def _call(turn: Turn, operations: Sequence[Operation], rows: Mapping[str, MessageRow]) -> None:
    """The call itself. Whatever ends it, each operation gets an outcome; without one it is uncertain."""
    started, begun_at = time.monotonic(), turn.now()
    outcomes: dict[str, Outcome] = {}
    failure: IsthmusError | None = None
    try:
        async for outcome in turn.actor.connector.write(operations):
            outcomes[outcome.key] = outcome
    except IsthmusError as error:
        failure = error
    for operation in operations:
        if operation.key not in outcomes:
            outcomes[operation.key] = _without_answer(operation, failure, nothing_sent=not outcomes)
    reach("after_call")
    await _keep(turn, operations, rows, outcomes, begun_at, time.monotonic() - started)
    if isinstance(failure, Halt):
        raise failure
    halted = next((o for o in outcomes.values() if o.result == "halt"), None)
    if halted is not None:
        raise Halt(halted.text, code=halted.code, hint=halted.mend)


async def _keep(
    turn: Turn, operations: Sequence[Operation], rows: Mapping[str, MessageRow], outcomes: Mapping[str, Outcome],
    begun_at: datetime, seconds: float,
) -> None:  # fmt: skip
    settled = [
        settlement(turn, rows[operation.key], outcomes[operation.key], begun_at, seconds) for operation in operations
    ]
    reach("before_confirm")
    async with turn.commit() as db:
        await confirm(db, turn, [(rows[o.key], outcomes[o.key]) for o in operations], settled)
    reach("after_confirm")
    await turn.grew(len(operations))
    moved = [o.native_id for o in operations if o.native_id and _moved(outcomes[o.key])]
    if moved:
        await look_again(turn, operations[0].entity, operations[0].company, moved)


def _moved(outcome: Outcome) -> bool:
    """Whether the record is not what it was when it was read last."""
    return outcome.result == "stale" or outcome.code == "gone"


def _without_answer(operation: Operation, failure: IsthmusError | None, *, nothing_sent: bool) -> Outcome:
    """An operation the connector said nothing of. Only a call that provably never left may simply be sent again."""
    never_left = nothing_sent and isinstance(failure, Unreachable | SignInFailed)
    text = "the connector gave no outcome" if failure is None else failure.message
    if never_left and failure is not None:
        result: Result = "halt" if isinstance(failure, SignInFailed) else "retry"
        return Outcome(key=operation.key, result=result, code=failure.code, text=text)
    return Outcome(key=operation.key, result="uncertain", code="no_answer", text=text)


def delivery_name(rows: Sequence[MessageRow], epoch: int) -> str:
    """Identity of one attempt: from the keys and attempt numbers, so that the same attempt has the same name."""
    text = "|".join(f"{row.key}#{row.attempts + 1}" for row in rows) + f"|{epoch}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]
