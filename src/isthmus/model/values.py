"""Small values shared by all entities: reference, address, scope, and the check for aware times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

#: Where an entity's identity is unique: everywhere (currency, unit) or within one company (accounts, documents).
ScopeKind = Literal["global", "company"]

#: What is done at a target. post = make the document and book it; note = tell the source what became of its record.
Action = Literal["create", "update", "delete", "post", "note"]

#: The scope of global entities; company entities carry the company's name as scope.
GLOBAL_SCOPE = ""


class Ref(Struct, frozen=True):
    """A reference to another record: entity and the number people know it by. Resolved to an id at delivery."""

    entity: str
    number: str


class Address(Struct, frozen=True, omit_defaults=True):
    """A postal address. Empty string means known to be empty; None means not told."""

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


def aware_utc(value: datetime, what: str = "time") -> datetime:
    """`value` in UTC. Raises ValueError when it has no time zone."""
    if value.tzinfo is None:
        raise ValueError(f"{what} has no time zone: give it as UTC or with an offset")
    return value.astimezone(UTC)
