"""What sync works with: connections with their connectors and lenses, streams, and flows, compiled by app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from msgspec import Struct

from isthmus.contract.clock import Clock
from isthmus.contract.connector import Connector
from isthmus.ledger.types import Db, StreamKey
from isthmus.mapping.context import LensContext
from isthmus.mapping.lens import Lens
from isthmus.model.entity import EntityType, State
from isthmus.model.finding import Finding
from isthmus.model.money import Money
from isthmus.sync.merge import Policy

#: Order of lanes within a connection's budget (design §4).
LANES: Mapping[str, int] = {"transactions": 0, "write_backs": 1, "master_data": 2, "backfill": 3}


class Tables(Struct, frozen=True):
    """What lenses look values up in. `stamp` changes whenever a row does."""

    context: LensContext
    stamp: str


class StreamSpec(Struct, frozen=True, kw_only=True):
    """How one entity of one company is polled.

    scope       where its records' numbers are unique: the company, or the connection's id where it has none
    digest      of the lens' sources: another digest means that records read earlier may read differently now
    next_poll   moment -> when the next poll comes
    date_field  native field backfills select by, "" when the source cannot
    """

    key: StreamKey
    native: str
    entity: EntityType
    lens: Lens
    scope: str
    digest: str
    next_poll: Callable[[datetime], datetime]
    date_field: str = ""
    list_keys: Mapping[str, str] = {}


class RetrySpec(Struct, frozen=True):
    """How often and how long a message is retried before it is dead."""

    attempts: int = 8
    first: timedelta = timedelta(seconds=2)
    most: timedelta = timedelta(minutes=10)


class Work(Struct, frozen=True, kw_only=True):
    """What travels through a flow's steps: a record on its way to becoming a document.

    state    the record's state
    record_id, native_id, place   which one, and where a person finds it
    company  company of the target it is routed to
    key      event key; the document's identity derives from it
    event_on local day of the event, once a step has said it
    document, number, amount, currency   what is to be made at the target, once a step has built it
    """

    state: State
    record_id: int
    native_id: str
    place: str
    company: str
    key: str
    event_on: date | None = None
    document: State | None = None
    number: str = ""
    amount: str = ""
    currency: str = ""
    findings: tuple[Finding, ...] = ()


class Desk(Protocol):
    """What pure steps may look at; loaded before they run."""

    async def load(self, db: Db, companies: Sequence[str]) -> None:
        """Bring reference data of these target companies up to date."""
        ...


Step = Callable[[Work], Work]


class FlowSpec(Struct, frozen=True, kw_only=True):
    """A compiled flow.

    route      record state -> company of the target, or a finding
    when       record state -> is the condition true, or a finding
    steps      pure functions, in order; each sees what the last one made
    worth      record state, company -> what its document must come to in the target's books, exactly
    control_*  where and on which accounts the target's books show what the flow charged, and our numbers' prefix
    needs      streams that must have been read completely before this flow may decide anything
    compare    booked document, new document -> what changed (a finding), or None when nothing that matters did
    correct    booked document, new work -> the counter document and, unless nothing is left to book, the new one
    """

    name: str
    source: str
    source_entity: str
    target: str
    target_entity: str
    action: Literal["create", "update", "delete", "post", "note"]
    transition: str
    route: Callable[[State], str | Finding]
    when: Callable[[State], bool | Finding]
    desk: Desk
    steps: tuple[Step, ...]
    compare: Callable[[State, State], Finding | None]
    correct: Callable[[State, Work, int], Sequence[Work]]
    worth: Callable[[State, str], Money | Finding]
    control_entity: str = ""
    control_field: str = ""
    control_accounts: frozenset[str] = frozenset()
    number_prefix: str = "IS-"
    needs: tuple[StreamKey, ...] = ()
    lane: int = 0
    retry: RetrySpec = RetrySpec()
    wait_limit: timedelta = timedelta(hours=24)
    deletions: Literal["ignore", "block", "deactivate"] = "block"
    write_back: bool = True
    period_policy: Literal["hold", "first_open", "reject"] = "hold"


class Actor(Struct, frozen=True, kw_only=True):
    """A connection with all that acts for it."""

    id: str
    system: str
    role: str
    connector: Connector
    streams: Mapping[StreamKey, StreamSpec]
    lenses: Mapping[str, Lens]
    tables: Callable[[Db, str], Awaitable[Tables]]
    policy: Callable[[str, str], Policy]


class World(Struct, frozen=True, kw_only=True):
    """Everything a turn needs. `transaction` opens one ledger transaction; `settle_on` False is for proofs only."""

    clock: Clock
    actors: Mapping[str, Actor]
    flows: tuple[FlowSpec, ...]
    transaction: Callable[[], AbstractAsyncContextManager[Db]]
    configuration: int | None
    epoch: int
    restored_at: datetime | None
    holder: str
    settle_on: bool = True
    turn_bound: timedelta = timedelta(seconds=8)
    page_size: int = 500

    def flows_from(self, connection: str, entity: str) -> tuple[FlowSpec, ...]:
        """Flows that an entity of a connection starts."""
        return tuple(f for f in self.flows if f.source == connection and f.source_entity == entity)

    def flow(self, name: str) -> FlowSpec | None:
        """The flow by name."""
        return next((flow for flow in self.flows if flow.name == name), None)
