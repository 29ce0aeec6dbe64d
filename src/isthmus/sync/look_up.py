"""Look up: unknown outcomes and unbooked documents are asked of the target before anything is sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec import structs

from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import Reject, Retry, Uncertain
from isthmus.ledger import messages
from isthmus.ledger.types import MessageRow, Settlement
from isthmus.sync.compose import compose
from isthmus.sync.confirm import confirm
from isthmus.sync.points import reach
from isthmus.sync.process import settle_time
from isthmus.sync.settle import BOOKING_LOOK, settlement
from isthmus.sync.turn import Turn

_LOOKS_AT_ONCE = 200
#: A look-up is repeated at growing gaps until the settle time is over.
_LONGEST_GAP = timedelta(minutes=2)


async def look_up(turn: Turn) -> None:
    """Resolve what can be resolved now. Raises Halt when the connection cannot work."""
    while turn.may_start():
        async with turn.world.transaction() as db:
            rows = await messages.uncertain(db, turn.actor.id, turn.now(), _LOOKS_AT_ONCE)
            rows += await messages.unbooked(db, turn.actor.id, turn.now(), _LOOKS_AT_ONCE)
        if not rows:
            return
        for members in _alike(rows):
            await _look_up_group(turn, members)


def _alike(rows: Sequence[MessageRow]) -> list[list[MessageRow]]:
    gathered: dict[tuple[str, str, str], list[MessageRow]] = {}
    for row in rows:
        gathered.setdefault((row.entity, row.action, row.company), []).append(row)
    return list(gathered.values())


async def _look_up_group(turn: Turn, rows: Sequence[MessageRow]) -> None:
    operations = await _operations(turn, rows)
    reach("before_look_up")
    found: dict[str, Outcome] = {}
    trouble = ""
    try:
        found = dict(await turn.actor.connector.look_up(operations))
    except (Retry, Uncertain, Reject) as error:
        trouble = error.message
    now = turn.now()
    settled = {row.id: _settled_at(turn, row) for row in rows}
    lapsed = [row for row in rows if not trouble and row.key not in found and _lapsed(row, settled[row.id], now)]
    gone = await _come_to_rest(turn, lapsed, operations, found) if lapsed else frozenset()
    if found and turn.world.settle_on:
        await _tidy(turn, rows, operations, found)
    reach("after_look_up")
    outcomes = [_outcome(turn, row, found, settled[row.id], gone, trouble) for row in rows]
    async with turn.commit() as db:
        pairs = [(row, found[row.key]) for row in rows if row.key in found]
        await confirm(db, turn, pairs, outcomes)


async def _operations(turn: Turn, rows: Sequence[MessageRow]) -> list[Operation]:
    """What was sent. A delivery whose outcome is unknown counts as one to discard."""
    operations = (await compose(turn, rows, "")).operations
    by_key = {row.key: row for row in rows}
    return [
        structs.replace(operation, earlier=(*by_key[operation.key].earlier, by_key[operation.key].delivery))
        if by_key[operation.key].delivery
        else operation
        for operation in operations
    ]


def _settled_at(turn: Turn, row: MessageRow) -> datetime:
    """When a negative answer counts. A call interrupted by a crash is counted from the moment it was sent."""
    if not turn.world.settle_on:
        return row.changed_at
    if row.settled_at is not None:
        return row.settled_at
    return _began(turn, row) + settle_time(turn.world, row.connection, row.entity)


def _began(turn: Turn, row: MessageRow) -> datetime:
    """Since when the outcome is unknown: at the latest since the restore, where a lost ledger may have sent it."""
    return row.sent_at or turn.world.restored_at or row.changed_at


def _lapsed(row: MessageRow, settled_at: datetime, now: datetime) -> bool:
    return row.state == "uncertain" and now >= settled_at


async def _come_to_rest(
    turn: Turn, rows: Sequence[MessageRow], operations: Sequence[Operation], found: dict[str, Outcome]
) -> frozenset[str]:
    """After the settle time: remove what abandoned deliveries left, and look once more. Keys that are surely not there.

    With the settle time switched off a single negative look-up counts; that is what proofs of its worth compare with.
    """
    keys = {row.key for row in rows}
    asked = [operation for operation in operations if operation.key in keys]
    if not turn.world.settle_on:
        return frozenset(keys)
    try:
        await turn.actor.connector.discard(asked)
        late = await turn.actor.connector.look_up(asked)
    except (Retry, Uncertain, Reject):
        return frozenset()
    found.update(late)
    return frozenset(keys - late.keys())


async def _tidy(
    turn: Turn, rows: Sequence[MessageRow], operations: Sequence[Operation], found: Mapping[str, Outcome]
) -> None:
    """What a delivery left behind that turned out to be in effect as a whole (an empty journal) is removed.

    As well as may be: what stays is in nobody's way, and what is removed too much would be looked up all the same.
    """
    open_ones = {row.delivery for row in rows if row.key not in found}
    over = {row.key for row in rows if row.state == "uncertain" and row.delivery and row.delivery not in open_ones}
    if not over:
        return
    with suppress(Retry, Uncertain, Reject):
        await turn.actor.connector.discard([operation for operation in operations if operation.key in over])


def _outcome(
    turn: Turn, row: MessageRow, found: Mapping[str, Outcome], settled_at: datetime, gone: frozenset[str], trouble: str
) -> Settlement:
    now = turn.now()
    if row.key in found:
        return structs.replace(settlement(turn, row, found[row.key], now, 0.0), step="look up")
    if row.state == "saved":
        return Settlement(
            id=row.id,
            state="saved",
            code=row.code,
            reason=row.reason or "saved at the target, not booked yet",
            mend=row.mend,
            next_at=now + BOOKING_LOOK,
        )
    if row.key in gone:
        return Settlement(
            id=row.id,
            state="ready",
            step="look up",
            outcome="not there",
            reason="",
            abandon=True,
            settled_at=settled_at,
        )
    waited = now - _began(turn, row)
    gap = min(_LONGEST_GAP, max(timedelta(seconds=2), waited))
    return Settlement(
        id=row.id,
        state="uncertain",
        code=row.code or "no_answer",
        reason=trouble or row.reason,
        next_at=max(now + timedelta(seconds=1), min(settled_at, now + gap)),
        settled_at=settled_at,
    )
