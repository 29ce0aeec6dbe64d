"""From an outcome to where its message goes next. Pure but for the turn's clock and settings."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import structs

from isthmus.contract.operations import Outcome
from isthmus.ledger.types import MessageRow, Settlement
from isthmus.model.state import encode_state
from isthmus.sync.process import settle_time
from isthmus.sync.world import RetrySpec

if TYPE_CHECKING:
    from isthmus.sync.turn import Turn

#: How soon an unknown outcome is looked up first, and how often a saved document's booking.
FIRST_LOOK = timedelta(seconds=2)
BOOKING_LOOK = timedelta(minutes=1)
#: How long a used-up budget is left alone where it does not say itself.
_BUDGET_PAUSE = timedelta(seconds=30)
#: What ails the system as a whole, not the document.
_SYSTEM_TROUBLE = frozenset(
    {"unreachable", "sign_in_unreachable", "sign_in_unavailable", "throttled", "unavailable", "budget", "not_sent"}
)
#: Refusals that a person decides on rather than mends in the document.
_HELD_CODES = frozenset(
    {
        "booked_otherwise", "cannot_tell", "line_differs", "number_taken", "order_released", "period_closed",
        "somebody_else", "there_already",
    }
)  # fmt: skip


def settlement(turn: Turn, row: MessageRow, outcome: Outcome, begun_at: datetime, seconds: float) -> Settlement:
    """Where a delivered message goes. `begun_at`: when the call was begun, for the settle time."""
    now = turn.now()
    told = Settlement(
        id=row.id,
        state="dead",
        code=outcome.code,
        reason=outcome.text,
        field=outcome.field,
        value=outcome.value,
        mend=outcome.mend,
        native_id=outcome.native_id or "",
        outcome=outcome.result,
        seconds=seconds,
        memo=encode_state(dict(outcome.memo)) if outcome.memo and outcome.result == "reject" else "",
    )
    if outcome.result == "done":
        return structs.replace(told, state="done", booked_at=outcome.booked_at or now)
    if outcome.result == "saved":
        return structs.replace(told, state="saved", next_at=now + BOOKING_LOOK)
    if outcome.result == "uncertain":
        settled_at = begun_at + settle_time(turn.world, row.connection, row.entity)
        return structs.replace(told, state="uncertain", next_at=now + FIRST_LOOK, settled_at=settled_at)
    if outcome.result == "halt":
        return structs.replace(told, state="retrying", next_at=now, uncounted=True)
    if outcome.result == "reject":
        held = outcome.code in _HELD_CODES and _holds(turn, row, outcome)
        mend = outcome.mend or f"Mend it in {row.connection} or in the source, then run `isthmus retry M-{row.id}`."
        return structs.replace(told, state="held" if held else "dead", mend=mend)
    return _retry(turn, row, outcome, told)


def _holds(turn: Turn, row: MessageRow, outcome: Outcome) -> bool:
    flow = turn.world.flow(row.flow)
    return not (outcome.code == "period_closed" and flow is not None and flow.period_policy == "reject")


def _retry(turn: Turn, row: MessageRow, outcome: Outcome, told: Settlement) -> Settlement:
    flow = turn.world.flow(row.flow)
    spec = flow.retry if flow is not None else RetrySpec()
    attempt = row.attempts + 1
    if outcome.code == "budget":  # nothing was sent: it says nothing of this document, and costs none of its tries
        return structs.replace(told, state="retrying", next_at=turn.now() + _pause(outcome), uncounted=True)
    if outcome.result == "stale":
        told = structs.replace(told, code="stale", reason="somebody else changed the record meanwhile: read again")
    if attempt >= spec.attempts and not _patient(turn, row, outcome):
        return structs.replace(
            told,
            code="retries_exhausted",
            reason=f"tried {attempt} times; the last answer: {outcome.text or outcome.code}",
            mend=outcome.mend or "Find out why the system refuses, then run `isthmus retry` for this message.",
            abandon=True,
        )
    wait = timedelta(seconds=outcome.after) if outcome.after else backoff(spec, attempt)
    return structs.replace(told, state="retrying", next_at=turn.now() + wait, abandon=True)


def _pause(outcome: Outcome) -> timedelta:
    return timedelta(seconds=outcome.after) if outcome.after else _BUDGET_PAUSE


def _patient(turn: Turn, row: MessageRow, outcome: Outcome) -> bool:
    """A system that is down says nothing of the document: it is tried on for as long as its flow lets things wait."""
    flow = turn.world.flow(row.flow)
    limit = flow.wait_limit if flow is not None else timedelta(hours=24)
    return outcome.code in _SYSTEM_TROUBLE and turn.now() - row.created_at < limit


def backoff(spec: RetrySpec, attempt: int) -> timedelta:
    """Exponential with jitter: between half and the whole of first * 2^(attempt-1), capped."""
    whole: timedelta = min(spec.most, spec.first * (1 << min(attempt - 1, 30)))
    return whole * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, protects nothing
