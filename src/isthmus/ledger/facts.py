"""Facts of the ledger itself: epoch, moment of the last restore, versions of the configuration."""

from __future__ import annotations

from datetime import datetime

from isthmus.ledger.types import Db


async def value(db: Db, name: str) -> str | None:
    """A fact by name."""
    cursor = await db.execute("select value from meta where name = %s", (name,))
    row = await cursor.fetchone()
    return str(row[0]) if row else None


async def epoch(db: Db) -> int:
    """1 for a ledger that was never restored; each restore adds one."""
    return int(await value(db, "epoch") or 1)


async def restored_at(db: Db) -> datetime | None:
    """When the ledger was last restored from a backup, None if never."""
    text = await value(db, "restored_at")
    return datetime.fromisoformat(text) if text else None


async def load_configuration(db: Db, digest: str, content: str, now: datetime) -> int:
    """Keep the project's configuration as a version; equal content is one version. Returns its id."""
    await db.execute(
        "insert into configuration (digest, content, loaded_at) values (%s, %s, %s) on conflict (digest) do nothing",
        (digest, content, now),
    )
    cursor = await db.execute("select id from configuration where digest = %s", (digest,))
    row = await cursor.fetchone()
    return int(row[0]) if row else 0
