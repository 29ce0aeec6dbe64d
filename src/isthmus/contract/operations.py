"""What travels between the core and a connector when writing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from isthmus.model.values import Action

Result = Literal["done", "saved", "retry", "stale", "reject", "uncertain", "halt"]


class Operation(Struct, frozen=True, kw_only=True):
    """One intended effect, as the connector gets it. The intent is committed before the connector sees it.

    key       idempotency key of the message: stable over all attempts
    entity    canonical entity, so the connector picks its way (`journal_entry`)
    action    create, update, delete; post = make the document and book it; note = tell the source what became of it
    native    the native document as the lens wrote it (nested lists for lines); of an update the top-level fields that
              differ from what the record shows, lists whole
    native_id, version   of the linked native record, where there is one
    mark      short name of the operation, unique per key, at most 20 upper-case characters: for a target's own texts
    expected  what the core remembers of the record this one hangs on, as the last outcome's `memo` told
    delivery  identity of this attempt, shared by the operations of one `write` call; a new attempt has a new one
    earlier   deliveries of earlier attempts whose outcome was never learned
    """

    key: str
    entity: str
    action: Action
    company: str = ""
    native: Mapping[str, Any] = {}
    native_id: str | None = None
    version: str | None = None
    mark: str = ""
    expected: Mapping[str, Any] = {}
    delivery: str = ""
    earlier: tuple[str, ...] = ()


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one operation, or what a look-up found.

    result     done = in effect and final; saved = accepted, not booked yet; retry/stale/reject/uncertain/halt as in
               isthmus.errors
    native_id, version, number   of the native record; number is what people call it by
    native     the record as the target shows it now, in the form `read` gives it (becomes the base through the lens);
               None where the target cannot show it
    memo       what to remember of the record this one hangs on (see `Operation.expected`); None changes nothing. With
               a refusal: what a person accepts by asking for another try
    code       stable code of the refusal: the system's own code where it has one
    text       for people; no payload, no secret
    field, value, mend   what the refusal is about and where to mend it
    after      seconds the target asked to wait
    booked_at  when the target booked it, where it tells
    """

    key: str
    result: Result
    native_id: str | None = None
    version: str | None = None
    number: str | None = None
    native: Mapping[str, Any] | None = None
    memo: Mapping[str, Any] | None = None
    code: str = ""
    text: str = ""
    field: str = ""
    value: str = ""
    mend: str = ""
    after: float | None = None
    booked_at: datetime | None = None
