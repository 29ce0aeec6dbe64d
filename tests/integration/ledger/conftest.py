"""What the tests of backup, restore and upgrade begin with."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from isthmus.contract.clock import DrivenClock
from isthmus.ledger.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATES = (
    "ready", "sending", "uncertain", "retrying", "waiting", "held", "saved", "dead", "done", "skipped", "cancelled",
)  # fmt: skip
NAMES = "Grün & Söhne 日本 \\ \t 'quoted'"


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(NOON)


@pytest.fixture
def ledger(database: Database, clock: DrivenClock) -> Database:
    """One message in each state, and a turn that was at work."""
    fill(database)
    return replace(database, clock=clock)


def fill(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(
            "insert into connection (id, system, fence, holder, turn_started_at) values ('bc', 'x', 7, 'w1', now())"
        )
        for state in STATES:
            connection.execute(
                """insert into message (key, kind, flow, connection, company, entity, action, state, reason, subject,
                                        amount, waits_for, created_at, changed_at)
                   values (%(s)s, 'event', 'f', 'bc', 'c', 'invoice', 'create', %(s)s, 'because', %(n)s,
                           12345678901234.56789, 'message:1', now(), now())""",
                {"s": state, "n": NAMES},
            )
        connection.execute("insert into procrastinate_jobs (queue_name, task_name) values ('turns', 'turn')")
        connection.commit()


@pytest.fixture
def own_home() -> Iterator[Path]:
    """A home outside of pytest's folder: see tests/integration/conftest.py."""
    place = Path(tempfile.mkdtemp(prefix="isthmus-test-"))
    yield place
    shutil.rmtree(place, ignore_errors=True)
