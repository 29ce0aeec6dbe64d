"""Rows of the ledger as values, and the states a message can be in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct
from psycopg import AsyncConnection

from isthmus.model.values import Action

#: A connection of the pool, inside or outside a transaction; rows are tuples.
Db = AsyncConnection[tuple[Any, ...]]

MessageState = Literal[
    "ready", "sending", "uncertain", "retrying", "waiting", "held", "saved", "dead", "done", "skipped", "cancelled"
]
#: Nothing more happens by itself and nobody needs to act.
FINAL_STATES: tuple[MessageState, ...] = ("done", "skipped", "cancelled")
#: Delivery still moves these by itself.
MOVING_STATES: tuple[MessageState, ...] = ("ready", "sending", "uncertain", "retrying")
#: A person or the target's people must act.
STOPPED_STATES: tuple[MessageState, ...] = ("held", "dead")
#: All states, in the order people read them.
ALL_STATES: tuple[MessageState, ...] = (
    "ready",
    "sending",
    "uncertain",
    "retrying",
    "waiting",
    "held",
    "saved",
    "dead",
    "done",
    "skipped",
    "cancelled",
)


def columns(rows: Iterable[Struct], *names: str) -> list[list[Any]]:
    """Rows turned into one list per attribute: the array parameters of a statement over a whole page."""
    kept = list(rows)
    return [[getattr(row, name) for row in kept] for name in names]


class StreamKey(Struct, frozen=True):
    """What is polled as one: one entity of one company of one connection."""

    connection: str
    entity: str
    company: str


class LinkRow(Struct, frozen=True):
    """A link with the hub's record it points to. `base`, `data` and `agreed` are state texts; `agreed` is the hub's
    state that `base` stands for. `elsewhere_at` is when the record was last edited in another system, as that tells."""

    native_id: str
    record_id: int
    version: str | None
    base: str
    place: str
    deleted: bool
    data: str
    number: str
    record_deleted: bool
    agreed: str
    aside: bool
    elsewhere_at: datetime | None


class RecordWrite(Struct, frozen=True, kw_only=True):
    """What admit writes of one native record: the hub's record and this connection's link.

    agreed    "" where it is the same as `base`
    deleted   the link is gone, and `record_gone` the record with it
    """

    record_id: int
    new: bool
    number: str
    data: str
    amount: Decimal | None
    currency: str
    changed: bool
    deleted: bool
    native_id: str
    new_link: bool
    family: str
    version: str | None
    base: str
    place: str
    modified_at: datetime | None
    agreed: str = ""
    external_id: str = ""
    record_gone: bool = False


class SideRow(Struct, frozen=True):
    """A hub record as one of its connections stands to it. Without a link `native_id` is ""."""

    record_id: int
    number: str
    data: str
    amount: Decimal | None
    currency: str
    changed_at: datetime
    deleted: bool
    native_id: str
    version: str | None
    base: str
    agreed: str
    memo: str
    link_deleted: bool
    place: str


class AuditWrite(Struct, frozen=True, kw_only=True):
    """One audit row to be written. `old` and `new` are value texts."""

    what: str
    who: str
    entity: str = ""
    record_id: int | None = None
    message_id: int | None = None
    field: str = ""
    old: str | None = None
    new: str | None = None
    reason: str = ""


class MessageWrite(Struct, frozen=True, kw_only=True):
    """A message to be made, or to replace the undelivered one of the same key."""

    key: str
    kind: Literal["state", "event"]
    flow: str
    connection: str
    company: str
    entity: str
    action: Action
    state: MessageState
    lane: int = 0
    code: str = ""
    reason: str = ""
    field: str = ""
    value: str = ""
    mend: str = ""
    record_id: int | None = None
    subject: str = ""
    place: str = ""
    document: str = ""
    number: str = ""
    amount: Decimal | None = None
    currency: str = ""
    event_on: date | None = None
    waits_for: str = ""
    follows: int | None = None
    settled_at: datetime | None = None
    anchor_id: int | None = None


class MessageRow(Struct, frozen=True, kw_only=True):
    """A message as delivery and people's views read it."""

    id: int
    key: str
    kind: str
    flow: str
    connection: str
    company: str
    entity: str
    action: Action
    lane: int
    state: MessageState
    code: str
    reason: str
    field: str
    value: str
    mend: str
    record_id: int | None
    subject: str
    place: str
    document: str
    number: str
    amount: Decimal | None
    currency: str
    event_on: date | None
    attempts: int
    next_at: datetime | None
    delivery: str
    earlier: tuple[str, ...]
    sent_at: datetime | None
    settled_at: datetime | None
    waits_for: str
    native_id: str
    booked_at: datetime | None
    follows: int | None
    anchor_id: int | None
    memo: str
    created_at: datetime
    changed_at: datetime


MESSAGE_COLUMNS = ", ".join(MessageRow.__struct_fields__)


def message_row(row: tuple[Any, ...]) -> MessageRow:
    """A MessageRow from a row selected by MESSAGE_COLUMNS."""
    values = dict(zip(MessageRow.__struct_fields__, row, strict=True))
    values["earlier"] = tuple(values["earlier"])
    return MessageRow(**values)


class Settlement(Struct, frozen=True, kw_only=True):
    """What became of one message in a delivery or a look-up: the state it goes to, and why."""

    id: int
    state: MessageState
    code: str = ""
    reason: str = ""
    field: str = ""
    value: str = ""
    mend: str = ""
    next_at: datetime | None = None
    settled_at: datetime | None = None
    native_id: str = ""
    booked_at: datetime | None = None
    waits_for: str = ""
    #: what the attempt row says; "" writes none
    outcome: str = ""
    step: str = "send"
    seconds: float = 0.0
    #: the delivery is over without effect: remember it as one to discard before the next
    abandon: bool = False
    #: what a person accepts by asking for another try, as text; "" nothing
    memo: str = ""
    #: the connection stood still: says nothing of this document, so it costs none of its tries
    uncounted: bool = False
