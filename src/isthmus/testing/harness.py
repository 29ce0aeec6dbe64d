"""What the suite needs from a connector's author: a target to work on, and doors into it that the connector lacks."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import pytest
from msgspec import Struct

from isthmus.contract.connector import Connector
from isthmus.contract.operations import Operation
from isthmus.contract.records import NativeRecord

#: What can go wrong at the target, in the suite's words:
#:   throttle           answers 429 and asks to wait
#:   unavailable        answers 503 without doing anything
#:   lost_before        cuts the connection, did nothing
#:   lost_after         does it, then cuts the connection
#:   late_commit        cuts the connection, does it some time later
#:   cut_batch          does a part of a batch, then cuts the connection
#:   error_but_done     does it, then answers 504
#:   denied_but_done    books it, then answers that it refuses
#:   accepted_but_lost  answers that it has it, keeps nothing
#:   locked             refuses because somebody else holds the record at the moment
#:   token_expired      takes the present sign-in for expired
Fault = Literal[
    "throttle",
    "unavailable",
    "lost_before",
    "lost_after",
    "late_commit",
    "cut_batch",
    "error_but_done",
    "denied_but_done",
    "accepted_but_lost",
    "locked",
    "token_expired",
]


class Calls(Struct, frozen=True):
    """What the target counted since the last `reset_calls`: requests, and the most that were under way at once."""

    requests: int
    most_at_once: int


class Refusal(Struct, frozen=True):
    """An operation the target refuses for good, and the code the connector should give for it."""

    operation: Operation
    code: str


class Harness(ABC):
    """One target with its connector. Methods that a connector's capabilities never ask for may stay as they are.

    company   partition the suite works in, "" where there is none
    faults    what the target can be made to do
    secrets   texts no error may show
    """

    company: str = ""
    faults: frozenset[Fault] = frozenset()
    secrets: tuple[str, ...] = ()

    @abstractmethod
    def connector(self) -> Connector:
        """A new connector on the same target, as another process would open it. Calls time out after a second or so."""

    # Reading

    async def seed(self, entity: str, count: int) -> None:
        """Have at least `count` further records at the target, none of them alike. One name holds `ünïcödé ✓`."""
        raise NotImplementedError

    async def total(self, entity: str) -> int:
        """How many records of the entity the target holds."""
        raise NotImplementedError

    async def edit(self, entity: str, record: NativeRecord) -> bool:
        """Change one record at the target in a way its API shows; False where the target gives no door for that."""
        raise NotImplementedError

    async def remove(self, entity: str, record: NativeRecord) -> bool:
        """Delete one record at the target; False where nobody can."""
        del entity, record
        return False

    def key_field(self, entity: str) -> str:
        """Native field that people know a record by; a narrow read by it must find the record."""
        raise NotImplementedError

    # Writing

    def operation(self, entity: str, serial: int, *, delivery: str, earlier: Sequence[str] = ()) -> Operation:
        """A good operation; equal serials mean the same event. Text in it holds `ünïcödé ✓`, amounts 2 decimals."""
        raise NotImplementedError

    def refused(self, entity: str, serial: int, *, delivery: str) -> Refusal | None:
        """An operation the target refuses for good; None where it refuses nothing."""
        del entity, serial, delivery
        return None

    async def effects(self, operation: Operation) -> int:
        """How often the operation stands in the target's own books, exactly as meant."""
        raise NotImplementedError

    async def left_over(self) -> int:
        """How much half-done work lies at the target that somebody could still bring into effect."""
        return 0

    # Trouble

    def spares(self, entity: str, fault: str) -> bool:
        """Whether this fault need not or cannot strike writing calls of the entity (one of postings, where none is)."""
        del entity, fault
        return False

    async def fault(self, fault: str, *, write: bool, nth: int = 1) -> None:
        """Let the nth reading or writing call from now on go wrong, once."""
        raise NotImplementedError

    async def fired(self) -> bool:
        """Whether the fault set last has happened."""
        raise NotImplementedError

    async def clear_faults(self) -> None:
        """No more faults."""
        await asyncio.sleep(0)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass for the target and for the clock the connectors run by."""
        await asyncio.sleep(0)

    async def calls(self) -> Calls | None:
        """What the target counted; None where it cannot count."""
        return None

    async def reset_calls(self) -> None:
        """Count from zero."""
        await asyncio.sleep(0)

    # What the suite asks for

    def need(self, *faults: str) -> None:
        """Skip the test unless the target can do all of this."""
        if missing := [fault for fault in faults if fault not in self.faults]:
            pytest.skip(f"the target cannot be made to: {', '.join(missing)}")
