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
    anchor_id   the record the document hangs on (the order of a receipt): one at a time, in order
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
    anchor_id: int | None = None


class Desk(Protocol):
    """What pure steps may look at; loaded before they run."""

    async def load(self, db: Db, companies: Sequence[str], states: Sequence[State] = ()) -> None:
        """Bring reference data of these target companies up to date, and what these records' steps look at."""
        ...


Step = Callable[[Work], Work]


class AnyFlow(Struct, frozen=True, kw_only=True):
    """What all flows have in common.

    route      record state -> company of the target, or a finding
    when       record state -> is the condition true, or a finding
    needs      streams that must have been read completely before this flow may decide anything
    """

    name: str
    source: str
    source_entity: str
    target: str
    target_entity: str
    route: Callable[[State], str | Finding]
    when: Callable[[State], bool | Finding]
    needs: tuple[StreamKey, ...] = ()
    lane: int = 0
    retry: RetrySpec = RetrySpec()
    wait_limit: timedelta = timedelta(hours=24)
    deletions: Literal["ignore", "block", "deactivate"] = "block"
    write_back: bool = True
    period_policy: Literal["hold", "first_open", "reject"] = "hold"


class Control(Struct, frozen=True, kw_only=True):
    """How reconcile finds what a flow put into the target's books.

    entity, field, accounts   entries of the target's books, on accounts the flow charges
    number_prefix   of our document numbers
    """

    entity: str
    field: str
    accounts: frozenset[str]
    number_prefix: str = "IS-"


class FlowSpec(AnyFlow, frozen=True, kw_only=True):
    """A flow of events: a record's transition makes exactly one document.

    steps      pure functions, in order; each sees what the last one made
    worth      record state, company -> what its document must come to in the target's books, exactly; None where it is
               not money that is booked
    compare    booked document, new document -> what changed (a finding), or None when nothing that matters did
    correct    booked document, new work -> the counter document and, unless nothing is left to book, the new one
    """

    action: Literal["create", "update", "delete", "post", "note"]
    transition: str
    desk: Desk
    steps: tuple[Step, ...]
    compare: Callable[[State, State], Finding | None]
    correct: Callable[[State, Work, int], Sequence[Work]]
    worth: Callable[[State, str], Money | Finding] | None = None
    control: Control | None = None


class KeepSpec(AnyFlow, frozen=True, kw_only=True):
    """A flow of states: one record on both sides, each brought to the record's current state.

    Both sides show the same entity. Every document of it hangs on the record itself.

    two_way    the source is written too, not only the target
    create     a record the target does not have is made there
    foreign    what becomes of one that was made in the target: refuse, onboard (held for a person), create (in the
               source), hold, ignore
    match      rules that find a record's other side at first contact: paths that must be equal, by rank
    shape      record state -> state the target is to show, or why not (one that is cancelled, or not approved yet)
    """

    source_company: str = ""
    two_way: bool = False
    create: bool = False
    foreign: Literal["refuse", "onboard", "create", "hold", "ignore"] = "hold"
    match: tuple[tuple[str, ...], ...] = ()
    shape: Callable[[State], State | Finding] = lambda state: state

    def sides(self) -> tuple[str, ...]:
        """The connections it writes to."""
        return (self.source, self.target) if self.two_way else (self.target,)

    def wanted(self, side: str, state: State) -> State | Finding:
        """What one of its sides is to show of a record. The source has it as it is; the target by its shape."""
        return self.shape(state) if side == self.target else state


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
    flows: tuple[AnyFlow, ...]
    transaction: Callable[[], AbstractAsyncContextManager[Db]]
    configuration: int | None
    epoch: int
    restored_at: datetime | None
    holder: str
    settle_on: bool = True
    turn_bound: timedelta = timedelta(seconds=8)
    page_size: int = 500

    def events_from(self, connection: str, entity: str) -> tuple[FlowSpec, ...]:
        """Flows of events that an entity of a connection starts."""
        return tuple(
            f for f in self.flows
            if isinstance(f, FlowSpec) and f.source == connection and f.source_entity == entity
        )  # fmt: skip

    def keeping(self, connection: str, entity: str) -> tuple[KeepSpec, ...]:
        """Flows of states that an entity of a connection takes part in, on either side."""
        return tuple(
            f for f in self.flows
            if isinstance(f, KeepSpec) and connection in {f.source, f.target} and f.source_entity == entity
        )  # fmt: skip

    def starts(self, connection: str, entity: str) -> bool:
        """Whether any flow starts from an entity of a connection."""
        return any(flow.source == connection and flow.source_entity == entity for flow in self.flows)

    def flow(self, name: str) -> AnyFlow | None:
        """The flow by name."""
        return next((flow for flow in self.flows if flow.name == name), None)

    def event_flow(self, name: str) -> FlowSpec | None:
        """The flow of events by name."""
        flow = self.flow(name)
        return flow if isinstance(flow, FlowSpec) else None

    def keep_flow(self, name: str) -> KeepSpec | None:
        """The flow of states by name."""
        flow = self.flow(name)
        return flow if isinstance(flow, KeepSpec) else None
