"""Where records stand in flows: condition true or not, which occurrence."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from isthmus.ledger.types import Db, columns


class Progress(Struct, frozen=True):
    """A record's standing in one flow."""

    record_id: int
    active: bool
    occurrence: int


async def of_records(db: Db, flow: str, record_ids: Sequence[int]) -> dict[int, Progress]:
    """Standing of these records."""
    cursor = await db.execute(
        "select record_id, active, occurrence from progress where flow = %s and record_id = any(%b::bigint[])",
        (flow, list(record_ids)),
    )
    return {row[0]: Progress(*row) for row in await cursor.fetchall()}


async def save(db: Db, flow: str, rows: Sequence[Progress]) -> None:
    """Write standings."""
    if not rows:
        return
    await db.execute(
        """insert into progress (flow, record_id, active, occurrence)
           select %s, p.* from unnest(%b::bigint[], %b::bool[], %b::int[]) as p
           on conflict (flow, record_id) do update set active = excluded.active, occurrence = excluded.occurrence""",
        (flow, *columns(rows, "record_id", "active", "occurrence")),
    )
