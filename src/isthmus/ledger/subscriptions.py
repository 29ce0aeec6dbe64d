"""Webhook subscriptions: how they stand at the systems, and when they are looked after next."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from isthmus.ledger.types import Db, columns

#: See webhooks.sql.
State = Literal["kept", "lost", "refused", "unsupported"]


class SubscriptionRow(Struct, frozen=True, kw_only=True):
    """One set of one company that a system is to tell of."""

    native: str
    company: str
    state: State
    since: datetime
    native_id: str = ""
    expires_at: datetime | None = None
    heard_at: datetime | None = None
    code: str = ""
    reason: str = ""
    mend: str = ""


class Care(Struct, frozen=True):
    """When a connection's subscriptions are looked after. `trouble`: why they could not be."""

    connection: str
    aim: str
    checked_at: datetime | None
    due_at: datetime
    trouble: str


_COLUMNS = "native, company, state, since, native_id, expires_at, heard_at, code, reason, mend"
_WRITTEN = ("native", "company", "state", "since", "native_id", "expires_at", "code", "reason", "mend")


async def of_connection(db: Db, connection: str) -> list[SubscriptionRow]:
    """The connection's subscriptions."""
    cursor = await db.execute(
        f"select {_COLUMNS} from subscription where connection = %s order by native, company", (connection,)
    )
    names = [name.strip() for name in _COLUMNS.split(",")]
    return [SubscriptionRow(**dict(zip(names, row, strict=True))) for row in await cursor.fetchall()]


async def save(db: Db, connection: str, rows: Sequence[SubscriptionRow]) -> None:
    """Write how the connection's subscriptions stand: these, and no others. When one was heard stays as it is."""
    await db.execute(
        """delete from subscription where connection = %s and (native, company) not in
             (select * from unnest(%b::text[], %b::text[]))""",
        (connection, *columns(rows, "native", "company")),
    )
    await db.execute(
        f"""insert into subscription (connection, {", ".join(_WRITTEN)})
            select %s, s.* from unnest(%b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::text[],
                                       %b::timestamptz[], %b::text[], %b::text[], %b::text[]) as s
            on conflict (connection, native, company) do update set
                state = excluded.state, since = excluded.since, native_id = excluded.native_id,
                expires_at = excluded.expires_at, code = excluded.code, reason = excluded.reason,
                mend = excluded.mend""",
        (connection, *columns(rows, *_WRITTEN)),
    )


async def hear(db: Db, connection: str, sets: Collection[tuple[str, str]], now: datetime) -> None:
    """Note that notifications came about these sets (native, company)."""
    await db.execute(
        """update subscription set heard_at = %s where connection = %s and (native, company) in
             (select * from unnest(%b::text[], %b::text[]))""",
        (now, connection, [one[0] for one in sets], [one[1] for one in sets]),
    )


async def care(db: Db, connection: str) -> Care | None:
    """When the connection's subscriptions are looked after next; None: they never were."""
    cursor = await db.execute(
        "select connection, aim, checked_at, due_at, trouble from subscription_care where connection = %s",
        (connection,),
    )
    row = await cursor.fetchone()
    return Care(*row) if row is not None else None


async def set_care(
    db: Db, connection: str, *, aim: str, due_at: datetime, checked_at: datetime | None, trouble: str
) -> None:
    """Say when to look after them next. `checked_at` None: the system did not tell how they stand."""
    await db.execute(
        """insert into subscription_care (connection, aim, checked_at, due_at, trouble) values (%s, %s, %s, %s, %s)
           on conflict (connection) do update set
               aim = excluded.aim, due_at = excluded.due_at, trouble = excluded.trouble,
               checked_at = coalesce(excluded.checked_at, subscription_care.checked_at)""",
        (connection, aim, checked_at, due_at, trouble),
    )


async def due(db: Db, connections: Sequence[str], now: datetime) -> list[str]:
    """Those of the connections whose subscriptions are to be looked after by now."""
    cursor = await db.execute(
        """select c.id from connection c left join subscription_care s on s.connection = c.id
            where c.id = any(%b::text[]) and (s.due_at is null or s.due_at <= %s) order by c.id""",
        (list(connections), now),
    )
    return [row[0] for row in await cursor.fetchall()]


async def forget(db: Db, connections: Sequence[str]) -> None:
    """Nobody keeps subscriptions of these connections any more: what systems still have ends by itself."""
    for table in ("subscription", "subscription_care"):
        await db.execute(f"delete from {table} where connection = any(%b::text[])", (list(connections),))


class WebhooksStanding(Struct, frozen=True, kw_only=True):
    """A connection's subscriptions in numbers. `until`: when the first of those kept ends unless it is renewed;
    `trouble`: why some are lost or refused, or could not be looked after."""

    connection: str
    kept: int
    lost: int
    unsupported: int
    until: datetime | None
    heard_at: datetime | None
    checked_at: datetime | None
    trouble: str


async def standings(db: Db) -> list[WebhooksStanding]:
    """All connections whose subscriptions are looked after. Refused ones count as lost."""
    cursor = await db.execute(
        """select c.connection,
                  count(*) filter (where s.state = 'kept'),
                  count(*) filter (where s.state in ('lost', 'refused')),
                  count(*) filter (where s.state = 'unsupported'),
                  min(s.expires_at) filter (where s.state = 'kept'), max(s.heard_at), max(c.checked_at),
                  coalesce(nullif(max(c.trouble), ''),
                           max(trim(s.reason || ' ' || s.mend)) filter (where s.state <> 'unsupported'), '')
             from subscription_care c left join subscription s on s.connection = c.connection
            group by c.connection order by c.connection"""
    )
    names = WebhooksStanding.__struct_fields__
    return [WebhooksStanding(**dict(zip(names, row, strict=True))) for row in await cursor.fetchall()]
