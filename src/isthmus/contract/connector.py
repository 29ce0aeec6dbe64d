"""The protocol a connector implements. One instance serves one connection: its session, sign-in and budget."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from isthmus.contract.capabilities import Capabilities
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import Known, NativeRecord, Page, ReadRequest
from isthmus.model.finding import Finding

NativeType = Literal["text", "decimal", "int", "bool", "date", "time", "id", "enum", "list", "unknown"]


class NativeField(Struct, frozen=True, kw_only=True):
    """A field of a native set as the live system describes it."""

    name: str
    type: NativeType = "unknown"
    writable: bool = True
    max_length: int | None = None
    fields: tuple[NativeField, ...] = ()


class Traffic(Struct, kw_only=True):
    """What a connection has used since it was opened; for plan, status and budgets."""

    requests: int = 0
    writes: int = 0
    throttled: int = 0
    token_requests: int = 0
    waited_seconds: float = 0.0


class Connector(Protocol):
    """All methods raise isthmus.errors; none retries a write whose outcome is unknown."""

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def traffic(self) -> Traffic: ...

    async def check(self) -> Sequence[Finding]:
        """Reach, sign-in, companies, rights, sets needed: all findings at once. Never writes."""
        ...

    async def fingerprint(self) -> Mapping[str, str]:
        """What identifies the environment (tenant, environment, company ids). Equal maps mean the same books."""
        ...

    async def describe(self, native: str) -> Sequence[NativeField]:
        """Fields of a native set as the live system tells; empty where it cannot tell."""
        ...

    async def read(self, request: ReadRequest, known: Known) -> Page:
        """One page. Safe to repeat."""
        ...

    async def fetch(self, native: str, company: str, ids: Sequence[str]) -> Sequence[NativeRecord]:
        """Single records by native id; those that are gone come back with `deleted`. Safe to repeat."""
        ...

    def write(self, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Carry out operations of one entity, action and company; one outcome each, in any order, as soon as known.

        An operation without outcome when the iterator ends or raises counts as uncertain.
        """
        ...

    async def look_up(self, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """By key: what the target holds for these operations. A key that is missing was not found. Safe to repeat."""
        ...

    async def discard(self, operations: Sequence[Operation]) -> None:
        """Remove what abandoned deliveries (`earlier`) left half done, so that it can never take effect later.

        Raises Retry when the target is still busy with it. Safe to repeat.
        """
        ...

    async def close(self) -> None:
        """Close sessions. Safe to repeat."""
        ...
