"""A change: what a system was seen to have otherwise, after merge, and how the audit tells it field by field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from isthmus.ledger.types import AuditWrite
from isthmus.model.entity import State
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell
from isthmus.model.state import encode_state
from isthmus.sync.merge import ABSENT, FieldChange, Merged


class Change(Struct, frozen=True, kw_only=True):
    """An observed difference, after merge. `before` is None for a record the hub sees first.

    gone     no system has the record any more (`deleted`: the one that was read has it no more)
    candidates   records of the other side that may be the same, for people
    review   both sides edited a field that a person decides on
    """

    record_id: int
    native_id: str
    place: str
    before: State | None
    state: State
    findings: tuple[Finding, ...] = ()
    deleted: bool = False
    gone: bool = False
    review: bool = False
    candidates: str = ""


def audit_fields(entity: str, record_id: int, merged: Merged, who: str = "person unknown") -> Iterable[AuditWrite]:
    """One audit row per field that changed or was kept against an edit."""
    for change in merged.changes:
        yield AuditWrite(
            what=f"field {change.kind}",
            who=who,
            entity=entity,
            record_id=record_id,
            field=change.path,
            old=value_text(change.old),
            new=value_text(change.kept),
            reason=_reason(change),
        )


def _reason(change: FieldChange) -> str:
    if change.lost is ABSENT:
        return change.reason
    return f"{change.reason}; not kept: {value_text(change.lost)}"


def value_text(value: Any) -> str | None:
    """A value as the audit keeps it; None for nothing."""
    if value is ABSENT or value is None:
        return None
    if isinstance(value, dict | list):
        return encode_state({"": value})[4:-1]
    return str(spell(value))
