"""How records stand to one connection: linked or not, what was agreed, what is remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from isthmus.ledger.types import Db, SideRow

_COLUMNS = """r.id, r.number, r.data, r.amount, r.currency, r.changed_at, r.deleted_at is not null,
       coalesce(l.native_id, ''), l.version, coalesce(l.base, ''),
       case when l.agreed = '' then l.base else coalesce(l.agreed, '') end, coalesce(l.memo, ''),
       l.deleted_at is not null, coalesce(l.place, '')"""


async def of_records(
    db: Db, connection: str, entity: str, company: str, record_ids: Sequence[int]
) -> dict[int, SideRow]:
    """These records as the connection's company stands to them; of several links the live one.

    Record by record over the indexes, whatever a planner thinks of tables it has not counted yet.
    """
    cursor = await db.execute(
        f"""select {_COLUMNS} from record r
              left join lateral (select * from link
                                  where link.record_id = r.id and link.connection = %s and link.entity = %s
                                    and link.company = %s and not link.aside
                                  order by link.deleted_at nulls first, link.native_id limit 1) l on true
             where r.id = any(%b::bigint[])""",
        (connection, entity, company, list(record_ids)),
    )
    return {row[0]: SideRow(*row) for row in await cursor.fetchall()}


async def unlinked(db: Db, entity: str, scope: str, *, on: str, not_on: str) -> list[tuple[int, str]]:
    """Live records that `on` is linked to and `not_on` never was: (id, data)."""
    cursor = await db.execute(
        """select r.id, r.data from record r
            where r.entity = %s and r.scope = %s and r.deleted_at is null
              and exists (select from link l where l.record_id = r.id and l.connection = %s and l.deleted_at is null)
              and not exists (select from link l where l.record_id = r.id and l.connection = %s)
            order by r.id""",
        (entity, scope, on, not_on),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def named(db: Db, source: str, target: str, entity: str, record_ids: Sequence[int]) -> dict[int, int]:
    """Of the target's records those that name the id of a record of the source: theirs -> the source's."""
    cursor = await db.execute(
        """select t.record_id, s.record_id
             from link t join link s on s.connection = %s and s.entity = t.entity and s.native_id = t.external_id
            where t.connection = %s and t.entity = %s and t.record_id = any(%b::bigint[]) and t.external_id <> ''
              and t.deleted_at is null and s.deleted_at is null and s.record_id <> t.record_id""",
        (source, target, entity, list(record_ids)),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def of_connection(db: Db, connection: str, record_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Live links of these records: record id -> (native id, place)."""
    cursor = await db.execute(
        """select record_id, native_id, place from link
            where connection = %s and record_id = any(%b::bigint[]) and deleted_at is null""",
        (connection, list(record_ids)),
    )
    return {row[0]: (row[1], row[2]) for row in await cursor.fetchall()}


async def held_elsewhere(db: Db, record_ids: Sequence[int], connection: str) -> set[int]:
    """Records that another connection still has."""
    cursor = await db.execute(
        """select distinct record_id from link
            where record_id = any(%b::bigint[]) and connection <> %s and deleted_at is null""",
        (list(record_ids), connection),
    )
    return {row[0] for row in await cursor.fetchall()}


async def memos(db: Db, connection: str, record_ids: Sequence[int]) -> dict[int, str]:
    """What is remembered of these records at a connection, as text; nothing for those without."""
    cursor = await db.execute(
        """select record_id, memo from link
            where connection = %s and record_id = any(%b::bigint[]) and deleted_at is null and memo <> ''""",
        (connection, list(record_ids)),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def remember(db: Db, connection: str, memos_of: Mapping[int, str]) -> None:
    """Keep what is to be remembered of records at a connection."""
    if memos_of:
        await db.execute(
            """update link set memo = m.memo from unnest(%b::bigint[], %b::text[]) as m(record_id, memo)
                where link.record_id = m.record_id and link.connection = %s and link.deleted_at is null""",
            (list(memos_of), list(memos_of.values()), connection),
        )


async def confirmed(db: Db, flow: str) -> bool:
    """Whether a person has gone through this flow's first contact."""
    cursor = await db.execute("select 1 from first_contact where flow = %s", (flow,))
    return await cursor.fetchone() is not None


async def confirm_contact(db: Db, flow: str, who: str, now: datetime) -> None:
    """A person has gone through this flow's first contact. Safe to repeat."""
    await db.execute(
        "insert into first_contact (flow, who, confirmed_at) values (%s, %s, %s) on conflict do nothing",
        (flow, who, now),
    )


async def linked_to_both(db: Db, entity: str, one: str, other: str) -> int:
    """How many records both connections have."""
    cursor = await db.execute(
        """select count(distinct a.record_id) from link a join link b on b.record_id = a.record_id
            where a.entity = %s and a.connection = %s and b.connection = %s
              and a.deleted_at is null and b.deleted_at is null""",
        (entity, one, other),
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def called(db: Db, connection: str, entity: str, name: str) -> list[int]:
    """Records a connection has under an id of its own, else under a number people know."""
    query = """select distinct l.record_id from link l join record r on r.id = l.record_id
                where l.connection = %s and l.entity = %s and l.deleted_at is null and not l.aside and """
    cursor = await db.execute(query + "l.native_id = %s", (connection, entity, name))
    found = [row[0] for row in await cursor.fetchall()]
    if not found:
        cursor = await db.execute(query + "upper(r.number) = upper(%s)", (connection, entity, name))
        found = [row[0] for row in await cursor.fetchall()]
    return found
