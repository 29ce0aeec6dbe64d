"""What the planner knows of tables. A young ledger grows from nothing to tens of thousands of rows within seconds, long
before the server counts by itself; until then the planner would choose as for an empty one."""

from __future__ import annotations

from isthmus.ledger.database import SCHEMA
from isthmus.ledger.types import Db

_TABLES = ("record", "link", "message", "alias", "progress", "scan_seen", "note")
#: Changed rows since the last count that make another one worth its while, and their share of the table.
_CHANGED = 1000
_SHARE = 0.5


async def refresh(db: Db) -> None:
    """Count the tables that have grown a lot since they were counted last. Safe to repeat, and quick when nothing is to
    be done. Within a transaction of its own."""
    cursor = await db.execute(
        """select relname from pg_stat_user_tables
            where schemaname = %s and relname = any(%b::text[])
              and n_mod_since_analyze > greatest(%s, n_live_tup * %s)""",
        (SCHEMA, list(_TABLES), _CHANGED, _SHARE),
    )
    for (table,) in await cursor.fetchall():
        await db.execute(f"analyze {SCHEMA}.{table}")
