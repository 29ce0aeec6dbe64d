"""Records, links and aliases, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from isthmus.ledger import rereads
from isthmus.ledger.types import Db, LinkRow, RecordWrite, StreamKey, columns


async def hold_shared(db: Db, stream: StreamKey, ids: Sequence[str]) -> None:
    """Let no turn of another connection change what these native ids share with it before this transaction ends: two
    edits of one record seen at the same moment are merged one after the other. Held before messages are, in order."""
    await db.execute(
        """select r.id from record r
            where r.id in (select record_id from link
                            where connection = %(connection)s and entity = %(entity)s and company = %(company)s
                              and native_id = any(%(ids)b::text[]))
              and exists (select from link o where o.record_id = r.id and o.connection <> %(connection)s)
            order by r.id for update of r""",
        {"connection": stream.connection, "entity": stream.entity, "company": stream.company, "ids": list(ids)},
    )


async def hold(db: Db, record_ids: Sequence[int]) -> None:
    """The same of these records."""
    await db.execute("select id from record where id = any(%b::bigint[]) order by id for update", (list(record_ids),))


async def links(db: Db, stream: StreamKey, ids: Sequence[str]) -> dict[str, LinkRow]:
    """Links of these native ids with the records they point to."""
    cursor = await db.execute(
        """select l.native_id, l.record_id, l.version, l.base, l.place, l.deleted_at is not null,
                  r.data, r.number, r.deleted_at is not null,
                  case when l.agreed = '' then l.base else l.agreed end, l.aside,
                  (select max(o.modified_at) from link o where o.record_id = r.id and o.connection <> l.connection)
             from link l join record r on r.id = l.record_id
            where l.connection = %s and l.entity = %s and l.company = %s and l.native_id = any(%b::text[])""",
        (stream.connection, stream.entity, stream.company, list(ids)),
    )
    return {row[0]: LinkRow(*row) for row in await cursor.fetchall()}


async def families(db: Db, stream: StreamKey, names: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
    """Per family the native ids the hub holds (gone ones too, so that their ordinals stay taken) and their versions."""
    cursor = await db.execute(
        """select family, native_id, version, deleted_at is not null from link
            where connection = %s and entity = %s and company = %s and family = any(%b::text[])""",
        (stream.connection, stream.entity, stream.company, list(names)),
    )
    found: dict[str, dict[str, str | None]] = {}
    for family, native_id, version, deleted in await cursor.fetchall():
        found.setdefault(family, {})[native_id] = None if deleted else version
    return found


async def next_ids(db: Db, count: int) -> list[int]:
    """Fresh record ids."""
    cursor = await db.execute(
        "select nextval(pg_get_serial_sequence('record', 'id')) from generate_series(1, %s)", (count,)
    )
    return [row[0] for row in await cursor.fetchall()]


async def save(db: Db, stream: StreamKey, scope: str, rows: Sequence[RecordWrite], now: datetime) -> None:
    """Write a page's records and links: one statement each, whatever the page's size."""
    fresh = [row for row in rows if row.new]
    changed = [row for row in rows if row.changed and not row.new]
    if fresh:
        await _insert_records(db, stream, scope, fresh, now)
    if changed:
        await _update_records(db, changed, now)
    if rows:
        await _save_links(db, stream, rows, now)
        if linked := [row.native_id for row in rows if row.new_link]:
            await rereads.linked(db, stream.connection, linked, now)
        await name(db, [(row.number, "number", row.record_id, None) for row in rows if row.number])


async def _insert_records(db: Db, stream: StreamKey, scope: str, rows: Sequence[RecordWrite], now: datetime) -> None:
    await db.execute(
        """insert into record (id, entity, scope, number, data, amount, currency, origin, created_at, changed_at)
           overriding system value
           select id, %s, %s, number, data, amount, currency, %s, %s, %s
             from unnest(%b::bigint[], %b::text[], %b::text[], %b::numeric[], %b::text[])
                  as r(id, number, data, amount, currency)""",
        (
            stream.entity, scope, stream.connection, now, now,
            *columns(rows, "record_id", "number", "data", "amount", "currency"),
        ),
    )  # fmt: skip


async def _update_records(db: Db, rows: Sequence[RecordWrite], now: datetime) -> None:
    await db.execute(
        """update record set number = r.number, data = r.data, amount = r.amount, currency = r.currency,
                  changed_at = %s, deleted_at = case when r.deleted then %s::timestamptz end
             from unnest(%b::bigint[], %b::text[], %b::text[], %b::numeric[], %b::text[], %b::bool[])
                  as r(id, number, data, amount, currency, deleted)
            where record.id = r.id""",
        (
            now, now,
            *columns(rows, "record_id", "number", "data", "amount", "currency", "record_gone"),
        ),
    )  # fmt: skip


async def _save_links(db: Db, stream: StreamKey, rows: Sequence[RecordWrite], now: datetime) -> None:
    await db.execute(
        """insert into link (connection, entity, company, native_id, record_id, family, version, base, place,
                             modified_at, agreed, external_id, agreed_at, deleted_at)
           select %s, %s, %s, native_id, record_id, family, version, base, place, modified_at, agreed,
                  external_id, %s,
                  case when deleted then %s::timestamptz end
             from unnest(%b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[],
                         %b::timestamptz[], %b::text[], %b::text[], %b::bool[])
                  as l(native_id, record_id, family, version, base, place, modified_at, agreed, external_id, deleted)
           on conflict (connection, entity, company, native_id) do update
              set version = excluded.version, base = excluded.base, place = excluded.place,
                  modified_at = excluded.modified_at, agreed = excluded.agreed,
                  external_id = case when excluded.external_id = '' then link.external_id else excluded.external_id end,
                  agreed_at = excluded.agreed_at,
                  record_id = excluded.record_id,
                  deleted_at = excluded.deleted_at""",
        (
            stream.connection, stream.entity, stream.company, now, now,
            *columns(rows, "native_id", "record_id", "family", "version", "base", "place", "modified_at", "agreed",
                     "external_id", "deleted"),
        ),
    )  # fmt: skip


async def move_places(db: Db, stream: StreamKey, places: Sequence[tuple[str, str]]) -> None:
    """Rows that moved without changing: (native id, place). Their messages say where they stand now."""
    await db.execute(
        """update message m set place = p.place,
                  reason = replace(m.reason, m.place || ':', p.place || ':'),
                  mend = replace(m.mend, m.place || '.', p.place || '.')
             from unnest(%b::text[], %b::text[]) as p(native_id, place)
             join link l on l.native_id = p.native_id
            where l.connection = %s and l.entity = %s and l.company = %s and m.record_id = l.record_id
              and m.place = l.place and l.place <> ''""",
        ([p[0] for p in places], [p[1] for p in places], stream.connection, stream.entity, stream.company),
    )
    await db.execute(
        """update link set place = p.place from unnest(%b::text[], %b::text[]) as p(native_id, place)
            where link.connection = %s and link.entity = %s and link.company = %s and link.native_id = p.native_id""",
        ([p[0] for p in places], [p[1] for p in places], stream.connection, stream.entity, stream.company),
    )


async def name(db: Db, names: Sequence[tuple[str, str, int | None, int | None]]) -> None:
    """Numbers people know things by: (value, kind, record id, message id). Safe to repeat."""
    await db.execute(
        """insert into alias (value, kind, record_id, message_id)
           select * from unnest(%b::text[], %b::text[], %b::bigint[], %b::bigint[]) on conflict do nothing""",
        ([n[0] for n in names], [n[1] for n in names], [n[2] for n in names], [n[3] for n in names]),
    )


async def states_of(db: Db, entity: str, scope: str) -> list[str]:
    """State texts of all live records of an entity in a scope (chart of accounts, dimension values, rates)."""
    cursor = await db.execute(
        "select data from record where entity = %s and scope = %s and deleted_at is null", (entity, scope)
    )
    return [row[0] for row in await cursor.fetchall()]


async def stamp(db: Db, entities: Sequence[str], scope: str) -> str:
    """Changes whenever a record of these entities does: count and last change."""
    cursor = await db.execute(
        "select count(*), max(changed_at)::text from record where scope = %s and entity = any(%b::text[])",
        (scope, list(entities)),
    )
    row = await cursor.fetchone()
    return f"{row[0]}/{row[1]}" if row else ""


async def linked(db: Db, connection: str, record_ids: Sequence[int]) -> dict[int, tuple[str, str, str, str]]:
    """record id -> (entity, company, native id, place) of the connection's live link."""
    cursor = await db.execute(
        """select record_id, entity, company, native_id, place from link
            where connection = %s and record_id = any(%b::bigint[]) and deleted_at is null""",
        (connection, list(record_ids)),
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in await cursor.fetchall()}


async def live_links(db: Db, stream: StreamKey) -> int:
    """How many links of the stream are live."""
    cursor = await db.execute(
        """select count(*) from link
            where connection = %s and entity = %s and company = %s and deleted_at is null""",
        (stream.connection, stream.entity, stream.company),
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def states(db: Db, record_ids: Sequence[int]) -> dict[int, str]:
    """State texts of live records by id."""
    cursor = await db.execute(
        "select id, data from record where id = any(%b::bigint[]) and deleted_at is null", (list(record_ids),)
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def state_of(db: Db, record_id: int) -> str | None:
    """The state text of a live record."""
    cursor = await db.execute("select data from record where id = %s and deleted_at is null", (record_id,))
    row = await cursor.fetchone()
    return row[0] if row else None
