"""Two records that turn out to be one, and one that turns out to be two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from isthmus.ledger.types import Db


async def unite(db: Db, pairs: Sequence[tuple[int, int]], now: datetime) -> None:
    """(kept record, dropped record): links, numbers and undelivered messages of the second become the first's.

    What the second was before stays in the audit. Its open messages end: they spoke of a record that is none.
    """
    if not pairs:
        return
    kept, dropped = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    both = "unnest(%b::bigint[], %b::bigint[]) as p(kept, dropped)"
    await db.execute(f"update link set record_id = p.kept from {both} where record_id = p.dropped", (kept, dropped))
    await db.execute(
        f"""insert into alias (value, kind, record_id, message_id)
            select a.value, a.kind, p.kept, a.message_id from {both} join alias a on a.record_id = p.dropped
            on conflict do nothing""",
        (kept, dropped),
    )
    await db.execute(
        """update message set state = 'cancelled', code = 'coupled', mend = '', waits_for = '', next_at = null,
                  reason = 'its record is the same as another one', changed_at = %s
            where record_id = any(%b::bigint[]) and state in ('ready', 'retrying', 'waiting', 'held', 'dead')""",
        (now, dropped),
    )
    await db.execute(
        "update record set deleted_at = %s, changed_at = %s where id = any(%b::bigint[])", (now, now, dropped)
    )


async def put_aside(db: Db, connection: str, record_ids: Sequence[int]) -> None:
    """The live links of these records at a connection are doubles from now on."""
    await db.execute(
        "update link set aside = true where connection = %s and record_id = any(%b::bigint[])",
        (connection, list(record_ids)),
    )


async def split(db: Db, connection: str, native_id: str, new_record: int) -> None:
    """Give one link of a record to another record."""
    await db.execute(
        "update link set record_id = %s, agreed = '' where connection = %s and native_id = %s",
        (new_record, connection, native_id),
    )


async def copy_record(db: Db, record_id: int, new_id: int, data: str, number: str, origin: str, now: datetime) -> None:
    """A new record of the same kind with another state."""
    await db.execute(
        """insert into record (id, entity, scope, number, data, amount, currency, origin, created_at, changed_at)
           overriding system value
           select %s, entity, scope, %s, %s, amount, currency, %s, %s, %s from record where id = %s""",
        (new_id, number, data, origin, now, now, record_id),
    )


async def update_states(db: Db, rows: Sequence[tuple[int, str, str]], now: datetime) -> None:
    """(record id, number, state text) of records whose state was decided anew."""
    if rows:
        await db.execute(
            """update record set data = r.data, number = r.number, changed_at = %s
                 from unnest(%b::bigint[], %b::text[], %b::text[]) as r(id, number, data) where record.id = r.id""",
            (now, *[[row[i] for row in rows] for i in range(3)]),
        )
