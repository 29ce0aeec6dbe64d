"""From any number people know a document by to the records and messages it stands for. Reads only, by index.

A number may be the document's, the booked one, the work order's, `M-123`, the key of a message, a place in a file
(`work_orders.csv:3454`, `work_orders.csv line 3454`), an id of one of the systems, or a delivery. Case does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from isthmus.ledger.types import Db

_MESSAGE = re.compile(r"m-(\d{1,18})", re.IGNORECASE)
_RECORD = re.compile(r"r-(\d{1,18})", re.IGNORECASE)
_PLACE = re.compile(r"(?P<file>\S.*?)(?::|\s+(?P<where>\S.*?)\s+)(?P<line>\d+)")
_DELIVERY = re.compile(r"[0-9a-f]{24}", re.IGNORECASE)
_LARGEST = 2**63 - 1
_LONGEST_LINE = 9


class Hit(Struct, frozen=True, kw_only=True):
    """One thing a number stands for: a record of a source with its messages, or messages without a record.

    how  what the number is of it: number, document, place, native id, message, key, delivery
    """

    record_id: int | None
    entity: str
    number: str
    place: str
    message_ids: tuple[int, ...]
    how: str


async def find(db: Db, text: str, limit: int = 50) -> list[Hit]:
    """Everything `text` may stand for, records of sources first; at most `limit`."""
    text = text.strip()
    records: dict[int, str] = {}
    messages: dict[int, str] = {}
    if match := _MESSAGE.fullmatch(text):
        _note(messages, await _messages_by_id(db, int(match[1])), "message")
    elif match := _RECORD.fullmatch(text):
        _note(records, await _record_by_id(db, int(match[1])), "record")
    if not messages and not records:
        await _by_names(db, text, records, messages)
    if not messages and not records and (match := _PLACE.fullmatch(text)):
        _note(records, await _by_place(db, _places(match)) or await _by_span(db, match), "place")
    if not messages and not records and _DELIVERY.fullmatch(text):
        _note(messages, await _by_delivery(db, text.lower()), "delivery")
    return await _hits(db, records, messages, limit)


def _note(found: dict[int, str], ids: Iterable[int], how: str) -> None:
    for item in ids:
        found.setdefault(item, how)


async def _by_names(db: Db, text: str, records: dict[int, str], messages: dict[int, str]) -> None:
    cursor = await db.execute(
        "select kind, record_id, message_id from alias where upper(value) = upper(%s) limit 200", (text,)
    )
    for kind, record_id, message_id in await cursor.fetchall():
        if message_id is not None:
            messages.setdefault(message_id, kind)
        elif record_id is not None:
            records.setdefault(record_id, kind)
    spellings = list(dict.fromkeys((text, text.upper(), text.lower())))
    cursor = await db.execute(
        "select id from message where (number = any(%b::text[]) and number <> '') or key = any(%b::text[]) limit 200",
        (spellings, spellings),
    )
    _note(messages, [row[0] for row in await cursor.fetchall()], "document")
    cursor = await db.execute("select record_id from link where native_id = any(%b::text[]) limit 200", (spellings,))
    _note(records, [row[0] for row in await cursor.fetchall()], "native id")


async def _messages_by_id(db: Db, message_id: int) -> list[int]:
    if message_id > _LARGEST:
        return []
    cursor = await db.execute("select id from message where id = %s", (message_id,))
    return [row[0] for row in await cursor.fetchall()]


async def _record_by_id(db: Db, record_id: int) -> list[int]:
    if record_id > _LARGEST:
        return []
    cursor = await db.execute("select id from record where id = %s", (record_id,))
    return [row[0] for row in await cursor.fetchall()]


def _places(match: re.Match[str]) -> list[str]:
    """The spellings a place may have in the ledger: sources write `FILE line N` and `FILE SHEET row N`."""
    words = [match["where"]] if match["where"] else ["line", "row"]
    return [f"{match['file']} {word} {match['line']}" for word in words]


async def _by_place(db: Db, places: list[str]) -> list[int]:
    cursor = await db.execute(
        "select record_id from link where upper(place) = any(%b::text[]) and place <> '' limit 200",
        ([place.upper() for place in places],),
    )
    return [row[0] for row in await cursor.fetchall()]


async def _by_span(db: Db, match: re.Match[str]) -> list[int]:
    """Records of several rows: `FILE lines 12-17` is the place of line 14."""
    prefixes = [f"{place.rpartition(' ')[0]}s ".upper() for place in _places(match)]
    if len(match["line"]) > _LONGEST_LINE:
        return []
    cursor = await db.execute(
        r"""select record_id from link join unnest(%b::text[]) as prefix on starts_with(upper(place), prefix)
             where substring(place from '(\d{1,9})-\d{1,9}$')::int <= %s
               and substring(place from '-(\d{1,9})$')::int >= %s
             limit 200""",
        (prefixes, int(match["line"]), int(match["line"])),
    )
    return [row[0] for row in await cursor.fetchall()]


async def _by_delivery(db: Db, delivery: str) -> list[int]:
    cursor = await db.execute(
        "select id from message where delivery = %s or %s = any(earlier) order by id limit 200", (delivery, delivery)
    )
    return [row[0] for row in await cursor.fetchall()]


async def _hits(db: Db, records: dict[int, str], messages: dict[int, str], limit: int) -> list[Hit]:
    """Messages lead to their records; a document of the target leads to the messages that made it."""
    cursor = await db.execute(
        """select id, record_id from message where id = any(%b::bigint[])
           union
           select id, record_id from message where record_id = any(%b::bigint[])
           union
           select m.id, m.record_id from record r join message m on m.number = r.number and m.number <> ''
            where r.id = any(%b::bigint[]) and r.number <> ''
            order by id""",
        (list(messages), list(records), list(records)),
    )
    of_record: dict[int | None, list[int]] = {}
    how: dict[int | None, str] = {}
    for message_id, record_id in await cursor.fetchall():
        of_record.setdefault(record_id, []).append(message_id)
        how.setdefault(record_id, messages.get(message_id) or records.get(record_id or 0) or "document")
    made = await _made_by_messages(db, list(records), [r for r in of_record if r is not None])
    wanted = [r for r in dict.fromkeys((*of_record, *records)) if r is not None and r not in made][:limit]
    cursor = await db.execute(
        """select r.id, r.entity, r.number, coalesce((select min(place) from link where record_id = r.id), '')
             from record r where r.id = any(%b::bigint[]) order by r.id""",
        (wanted,),
    )
    hits = [
        Hit(record_id=row[0], entity=row[1], number=row[2], place=row[3],
            message_ids=tuple(sorted(of_record.get(row[0], ()))), how=how.get(row[0]) or records.get(row[0], "number"))
        for row in await cursor.fetchall()
    ]  # fmt: skip
    if loose := of_record.get(None):
        hits.append(
            Hit(record_id=None, entity="", number="", place="", message_ids=tuple(sorted(loose)), how="message")
        )
    return hits


async def _made_by_messages(db: Db, records: list[int], sources: list[int]) -> set[int]:
    """Records that are documents our messages made: their story is that of the source record."""
    cursor = await db.execute(
        """select r.id from record r
            where r.id = any(%b::bigint[]) and r.id <> all(%b::bigint[]) and r.number <> ''
              and exists (select 1 from message m where m.number = r.number and m.number <> '')""",
        (records, sources),
    )
    return {row[0] for row in await cursor.fetchall()}
