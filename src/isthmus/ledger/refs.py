"""References between records: the number people know a record by <-> the id a connection knows it by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from isthmus.ledger.types import Db

#: (entity, number or native id)
Pair = tuple[str, str]


class Refs(Struct, frozen=True):
    """Answers of one page, from memory. Ids and numbers it was not asked for are not known."""

    numbers: Mapping[Pair, str]
    ids: Mapping[Pair, str]

    def number(self, entity: str, native_id: str) -> str | None:
        """The number of the record that is linked to `native_id`, None when there is no link."""
        return self.numbers.get((entity, native_id))

    def native_id(self, entity: str, number: str) -> str | None:
        """The id of the record of that number, None when the connection has none, or several."""
        return self.ids.get((entity, number))


NOTHING = Refs({}, {})


async def resolve(
    db: Db, connection: str, company: str, *, numbers: Iterable[Pair] = (), ids: Iterable[Pair] = ()
) -> Refs:
    """What a connection's live links say of these numbers and native ids: a statement or two for a whole page.

    A number that two linked records share is no answer: it would be a guess.
    """
    return Refs(
        numbers=await _numbers(db, connection, company, set(ids)), ids=await _ids(db, connection, company, set(numbers))
    )


async def _ids(db: Db, connection: str, company: str, pairs: set[Pair]) -> dict[Pair, str]:
    """By the number a record has, else by one it once had or has in another system."""
    found = await _asked(
        db, connection, company, pairs, "record r on r.entity = asked.entity and r.number = asked.number"
    )
    former = """alias a on upper(a.value) = upper(asked.number) and a.kind = 'number'
                join record r on r.id = a.record_id and r.entity = asked.entity"""
    return found | await _asked(db, connection, company, pairs - found.keys(), former)


async def _asked(db: Db, connection: str, company: str, pairs: set[Pair], by: str) -> dict[Pair, str]:
    if not pairs:
        return {}
    cursor = await db.execute(
        f"""select asked.entity, asked.number, min(l.native_id)
              from unnest(%b::text[], %b::text[]) as asked(entity, number)
              join {by}
              join link l on l.record_id = r.id and l.entity = asked.entity
             where l.connection = %s and l.company = %s and l.deleted_at is null and not l.aside
             group by asked.entity, asked.number having count(distinct l.native_id) = 1""",
        (*_columns(pairs), connection, company),
    )
    return {(row[0], row[1]): row[2] for row in await cursor.fetchall()}


async def _numbers(db: Db, connection: str, company: str, pairs: set[Pair]) -> dict[Pair, str]:
    if not pairs:
        return {}
    cursor = await db.execute(
        """select asked.entity, asked.id, r.number
             from unnest(%b::text[], %b::text[]) as asked(entity, id)
             join link l on l.entity = asked.entity and l.native_id = asked.id
             join record r on r.id = l.record_id
            where l.connection = %s and l.company = %s and r.number <> ''""",
        (*_columns(pairs), connection, company),
    )
    return {(row[0], row[1]): row[2] for row in await cursor.fetchall()}


def _columns(pairs: set[Pair]) -> tuple[list[str], list[str]]:
    ordered = sorted(pairs)
    return [pair[0] for pair in ordered], [pair[1] for pair in ordered]
