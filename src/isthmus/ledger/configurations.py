"""Versions of the project's configuration: messages keep the version they were made under."""

from __future__ import annotations

from datetime import datetime

from isthmus.ledger.types import Db


async def load(db: Db, digest: str, content: str, now: datetime) -> int:
    """Keep the project's configuration as a version; equal content is one version. Returns its id."""
    await db.execute(
        "insert into configuration (digest, content, loaded_at) values (%s, %s, %s) on conflict (digest) do nothing",
        (digest, content, now),
    )
    cursor = await db.execute("select id from configuration where digest = %s", (digest,))
    row = await cursor.fetchone()
    return int(row[0]) if row else 0
