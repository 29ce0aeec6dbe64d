"""Webhook inbox: a hint is kept at once and answered; the turn takes it in by re-fetch."""

from __future__ import annotations

import hashlib
from datetime import datetime

from isthmus.ledger.types import Db


async def keep(db: Db, connection: str, body: str, now: datetime) -> bool:
    """Keep a hint. False when the connection is unknown."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    cursor = await db.execute(
        """insert into inbox (connection, received_at, digest, body)
           select id, %s, %s, %s from connection where id = %s""",
        (now, digest, body, connection),
    )
    return cursor.rowcount == 1


async def take(db: Db, connection: str, now: datetime) -> int:
    """Mark the connection's open hints as taken; returns how many there were."""
    cursor = await db.execute(
        "update inbox set taken_at = %s where connection = %s and taken_at is null", (now, connection)
    )
    return cursor.rowcount
