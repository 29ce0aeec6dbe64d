"""Rows for auditors, streamed from a cursor on the server. A period is whole days in UTC, both inclusive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from isthmus.ledger.types import Db

Kind = Literal["audit", "messages", "records"]

#: What is exported, and the moment that decides whether a row belongs to a period.
_QUERIES: Mapping[Kind, tuple[str, str]] = {
    "audit": (
        "a.at",
        """select a.id, a.at, a.connection, a.who, a.what, a.entity, 'R-' || a.record_id as record, r.number,
                  'M-' || a.message_id as message, a.field, a.old, a.new, a.reason
             from audit a left join record r on r.id = a.record_id where {period} order by a.id""",
    ),
    "messages": (
        "m.created_at",
        """select 'M-' || m.id as message, m.kind, m.flow, m.connection, m.company, m.entity, m.action, m.state, m.code,
                  m.reason, m.field, m.value, m.mend, 'R-' || m.record_id as record, m.subject, m.place, m.number,
                  m.amount, m.currency, m.event_on, m.attempts, m.native_id as booked_id, m.booked_at,
                  'M-' || m.follows as follows, m.configuration_id as configuration, m.created_at, m.changed_at, m.key
             from message m where {period} order by m.id""",
    ),
    "records": (
        "r.changed_at",
        """select 'R-' || r.id as record, r.entity, r.scope, r.number, r.amount, r.currency, r.origin, r.created_at,
                  r.changed_at, r.deleted_at, r.data from record r where {period} order by r.id""",
    ),
}


async def columns(db: Db, kind: Kind) -> list[str]:
    """Names of the columns of `each`."""
    cursor = await db.execute(_QUERIES[kind][1].replace("{period}", "false"))
    return [column.name for column in cursor.description or ()]


async def each(db: Db, kind: Kind, since: date | None, until: date | None) -> AsyncIterator[tuple[Any, ...]]:
    """Rows of a period, oldest first, within the caller's transaction."""
    moment, query = _QUERIES[kind]
    parts, values = [], []
    if since is not None:
        parts.append(f"{moment} >= %s")
        values.append(_start(since))
    if until is not None:
        parts.append(f"{moment} < %s")
        values.append(_start(until + timedelta(days=1)))
    async with db.cursor(name="export") as cursor:
        cursor.itersize = 1000
        await cursor.execute(query.replace("{period}", " and ".join(parts) or "true"), values)
        async for row in cursor:
            yield row


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
