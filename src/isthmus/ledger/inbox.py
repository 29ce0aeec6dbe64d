"""Webhook inbox: a hint is kept at once and answered; the turn takes it in by re-fetch.

Of a notification only what it names is kept, never its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from isthmus.ledger.types import Db

#: A notification that a system marks as one of its kind is not taken twice within this time.
_REMEMBERED = timedelta(days=3)


class Named(Struct, frozen=True, array_like=True):
    """What a hint names: the stream of an entity in one company, None in all; and native ids told to be gone."""

    entity: str
    company: str | None = None
    gone: tuple[str, ...] = ()


class Hint(Struct, frozen=True):
    """An open hint. `named` None: everything of the connection may have changed."""

    id: int
    named: tuple[Named, ...] | None


async def keep(
    db: Db, connection: str, digest: str, named: Sequence[Named] | None, now: datetime, *, once: bool
) -> bool:
    """Keep a hint. False when it is there already, waiting to be taken in, or when the connection is unknown.

    `once`: the digest tells this notification from every other, so that one taken in is never taken in again.
    """
    text = "" if named is None else msgspec.json.encode(named).decode()
    cursor = await db.execute(
        """insert into inbox (connection, received_at, digest, body, named)
           select id, %(now)s, %(digest)s, '', %(named)s from connection where id = %(connection)s
              and not (%(once)s and exists (select from inbox where connection = %(connection)s
                                               and digest = %(digest)s and received_at > %(since)s))
           on conflict (connection, digest) where taken_at is null do nothing""",
        {
            "connection": connection, "now": now, "digest": digest, "named": text,
            "once": once, "since": now - _REMEMBERED,
        },
    )  # fmt: skip
    return cursor.rowcount == 1


async def open_hints(db: Db, connection: str) -> list[Hint]:
    """The connection's hints that were not taken in yet, oldest first."""
    cursor = await db.execute(
        "select id, named from inbox where connection = %s and taken_at is null order by id", (connection,)
    )
    return [Hint(row[0], _read(row[1])) for row in await cursor.fetchall()]


async def take(db: Db, ids: Sequence[int], now: datetime) -> None:
    """Mark hints as taken in."""
    await db.execute("update inbox set taken_at = %s where id = any(%b::bigint[])", (now, list(ids)))


async def forget(db: Db, now: datetime) -> int:
    """Remove hints that were taken in so long ago that they cannot come again; how many."""
    cursor = await db.execute("delete from inbox where taken_at < %s", (now - 2 * _REMEMBERED,))
    return cursor.rowcount


def _read(text: str) -> tuple[Named, ...] | None:
    return msgspec.json.decode(text, type=tuple[Named, ...]) if text else None
