"""From an outcome to where its message goes next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.operations import Outcome
from isthmus.sync.settle import BOOKING_LOOK, FIRST_LOOK, backoff, settlement
from isthmus.sync.world import RetrySpec

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STALE = "somebody else changed the record meanwhile: read again"
BEGUN = NOW - timedelta(seconds=30)


@pytest.fixture
def settled(a_message: Callable[..., Any], a_turn: Callable[..., Any]) -> Callable[..., Any]:
    def settled(outcome: Outcome, *, attempts: int = 0, flow: str = "costs", age: float = 0, **turn: Any) -> Any:
        row = a_message(7, "sending", attempts=attempts, flow=flow, created_at=NOW - timedelta(hours=age))
        return settlement(a_turn(**turn), row, outcome, BEGUN, 0.5)

    return settled


@pytest.mark.parametrize(
    ("result", "code", "state"),
    [
        ("done", "", "done"),
        ("saved", "left_in_journal", "saved"),
        ("uncertain", "timeout", "uncertain"),
        ("halt", "forbidden", "retrying"),
        ("retry", "locked", "retrying"),
        ("stale", "stale", "retrying"),
        ("reject", "account_blocked", "dead"),
        ("reject", "period_closed", "held"),
        ("reject", "number_taken", "held"),
        ("reject", "somebody_else", "held"),
    ],
)
def test_every_outcome_has_its_place(settled: Callable[..., Any], result: Any, code: str, state: str) -> None:
    found = settled(Outcome(key="K", result=result, code=code, text="because"))
    assert (found.id, found.state, found.code) == (7, state, code)
    assert found.reason == ("because" if result != "stale" else STALE)
    assert found.outcome == result


def test_a_refused_day_is_dead_where_the_flow_says_so(settled: Callable[..., Any]) -> None:
    refused = Outcome(key="K", result="reject", code="period_closed")
    assert settled(refused, policy="reject").state == "dead"
    assert settled(refused, policy="first_open").state == "held"
    assert settled(refused, flow="gone").state == "held"


def test_a_refusal_always_says_where_to_mend_it(settled: Callable[..., Any]) -> None:
    assert settled(Outcome(key="K", result="reject", code="x", mend="Unblock it.")).mend == "Unblock it."
    assert "M-7" in settled(Outcome(key="K", result="reject", code="x")).mend


def test_an_unknown_outcome_is_looked_up_soon_and_believed_late(settled: Callable[..., Any]) -> None:
    """Deadline of the call and longest execution count from when the call was begun."""
    found = settled(Outcome(key="K", result="uncertain"))
    assert found.next_at == NOW + FIRST_LOOK
    assert found.settled_at == BEGUN + timedelta(minutes=20)
    assert not found.abandon


@pytest.mark.parametrize("turn", [{"settle_on": False}, {"idempotency": "client_key"}])
def test_no_settle_time_where_none_is_needed_or_wanted(settled: Callable[..., Any], turn: dict[str, Any]) -> None:
    assert settled(Outcome(key="K", result="uncertain"), **turn).settled_at == BEGUN


def test_a_saved_document_is_asked_after(settled: Callable[..., Any]) -> None:
    assert settled(Outcome(key="K", result="saved")).next_at == NOW + BOOKING_LOOK


def test_a_booked_one_keeps_the_time_the_target_tells(settled: Callable[..., Any]) -> None:
    told = NOW - timedelta(seconds=5)
    assert settled(Outcome(key="K", result="done", booked_at=told)).booked_at == told
    assert settled(Outcome(key="K", result="done")).booked_at == NOW


def test_the_wait_the_target_asks_for_is_kept(settled: Callable[..., Any]) -> None:
    found = settled(Outcome(key="K", result="retry", code="locked", after=37.0))
    assert found.next_at == NOW + timedelta(seconds=37)
    assert found.abandon  # what this attempt left is discarded before the next


@pytest.mark.parametrize(("attempts", "state"), [(0, "retrying"), (1, "retrying"), (2, "dead"), (9, "dead")])
def test_tries_come_to_an_end(settled: Callable[..., Any], attempts: int, state: str) -> None:
    found = settled(Outcome(key="K", result="retry", code="locked", text="in use"), attempts=attempts)
    assert found.state == state
    if state == "dead":
        assert found.code == "retries_exhausted"
        assert found.reason == f"tried {attempts + 1} times; the last answer: in use"
        assert "isthmus retry" in found.mend


def test_a_system_that_is_down_costs_no_document_its_tries(settled: Callable[..., Any]) -> None:
    down = Outcome(key="K", result="retry", code="unreachable")
    assert settled(down, attempts=50, age=23).state == "retrying"
    assert settled(down, attempts=50, age=25).state == "dead"  # as long as the flow lets things wait


specs = st.builds(
    lambda first, factor: RetrySpec(8, timedelta(seconds=first), timedelta(seconds=first * factor)),
    st.integers(1, 60),
    st.integers(1, 1000),
)


@given(spec=specs, attempt=st.integers(1, 10_000))
def test_waits_grow_and_are_capped(spec: RetrySpec, attempt: int) -> None:
    whole = min(spec.most, spec.first * 2 ** min(attempt - 1, 40))
    assert whole / 2 <= backoff(spec, attempt) <= whole <= spec.most
