"""Capabilities: what a connector can do, as data the core asks for. Never `if name ==`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from msgspec import Struct

from isthmus.model.values import Action

#: watermark: asks for what changed since; scan: reads everything and compares; append: an ever-growing ledger; none.
ChangeDetection = Literal["watermark", "scan", "append", "none"]
#: client_key: the target refuses a second one itself; natural_key: our reference is looked up before a resend;
#: probe: read back and compare; none: not to be written.
Idempotency = Literal["client_key", "natural_key", "probe", "none"]


class EntitySupport(Struct, frozen=True, kw_only=True):
    """What can be done with one entity.

    native    the system's name of the set it lives in
    batch     most operations of one `write` call
    settle    longest time the target may go on working on a call whose answer was lost; a negative look-up counts
              only after the call's deadline plus this
    versions  an update names the version it changes, and one that is no longer current is refused as stale
    external_id  native field that keeps the id the other side knows the record by, "" where there is none
    requests_each  requests one document takes of the quota, about; for plan and forecasts
    booked    a `done` of this entity means booked (else it ends as `saved` first)
    assumed   facts of this support that no source proves; shown in console and docs
    """

    native: str
    read: bool = True
    changes: ChangeDetection = "none"
    sees_deletes: bool = False
    actions: frozenset[Action] = frozenset()
    idempotency: Idempotency = "none"
    batch: int = 1
    settle: timedelta = timedelta(0)
    versions: bool = False
    external_id: str = ""
    requests_each: int = 1
    booked: bool = True
    assumed: tuple[str, ...] = ()


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a connection's system can do. `entities` by canonical name; quota = requests per window of one principal;
    hook_answer = status a notification is answered with."""

    system: str
    entities: Mapping[str, EntitySupport]
    concurrency: int = 1
    quota: int | None = None
    window: timedelta = timedelta(minutes=5)
    call_timeout: timedelta = timedelta(minutes=10)
    companies: bool = False
    webhooks: bool = False
    hook_answer: int = 202
