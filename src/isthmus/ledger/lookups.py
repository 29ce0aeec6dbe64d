"""Lookup rows that people changed: they win over the project's files."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from isthmus.ledger.types import Db


class LookupRow(Struct, frozen=True):
    """A row that a person set, when and who."""

    name: str
    key: str
    value: str
    changed_at: datetime
    who: str


async def stamp(db: Db) -> str:
    """Changes whenever a row does."""
    cursor = await db.execute("select count(*), max(changed_at)::text from lookup_row")
    row = await cursor.fetchone()
    return f"{row[0]}/{row[1]}" if row else ""


async def rows(db: Db) -> list[tuple[str, str, str]]:
    """All rows: (table, key, value)."""
    cursor = await db.execute("select name, key, value from lookup_row order by name, key")
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


async def put(db: Db, name: str, key: str, value: str, *, who: str, now: datetime) -> str | None:
    """Set a row; returns the value it had here before, if any."""
    cursor = await db.execute("select value from lookup_row where name = %s and key = %s for update", (name, key))
    before = await cursor.fetchone()
    await db.execute(
        """insert into lookup_row (name, key, value, changed_at, who) values (%s, %s, %s, %s, %s)
           on conflict (name, key) do update
              set value = excluded.value, changed_at = excluded.changed_at, who = excluded.who""",
        (name, key, value, now, who),
    )
    return before[0] if before else None


async def rows_with_origin(db: Db) -> list[LookupRow]:
    """All rows with who set them."""
    cursor = await db.execute("select name, key, value, changed_at, who from lookup_row order by name, key")
    return [LookupRow(*row) for row in await cursor.fetchall()]


async def forget(db: Db, name: str, key: str) -> None:
    """Remove a row: what the project's file says holds again."""
    await db.execute("delete from lookup_row where name = %s and key = %s", (name, key))
