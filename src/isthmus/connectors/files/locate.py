"""Single rows by native id: a pass over the file, by the same identity rules as reading."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from isthmus.connectors.files.identity import align, family_in, native_id, short
from isthmus.connectors.files.places import stamp, unchanged
from isthmus.connectors.files.raw import spelled
from isthmus.connectors.files.scan import Source, record
from isthmus.connectors.files.table import open_table
from isthmus.contract.records import Known, NativeRecord


class Located(Struct, frozen=True):
    """A row found again: its record, the file and line it stands in, and its key values as text."""

    record: NativeRecord
    file: str
    line: int
    key: Mapping[str, str]


async def locate(sources: Sequence[Source], ids: Iterable[str], known: Known | None) -> dict[str, Located]:
    """Native id -> row, for those that are there.

    Rows equal in the key are told apart by what the hub holds of them; where it cannot be asked (`known` is None), by
    order of appearance, as in a first reading. Raises Retry when a file is not there or moves.
    """
    wanted = {family_in(native) for native in ids}
    found = await asyncio.to_thread(_collect, sources, wanted)
    held = await known(list(found)) if known is not None and found else {}
    result: dict[str, Located] = {}
    for family, rows in found.items():
        versions = [short(bytes.fromhex(row.record.version or "")) for row in rows]
        for row, ordinal in zip(rows, align(versions, held.get(family, {})), strict=True):
            native = native_id(family, ordinal)
            named = NativeRecord(
                id=native,
                data=row.record.data,
                version=row.record.version,
                origin=row.record.origin,
                family=family,
                problem=row.record.problem,
                mend=row.record.mend,
            )
            result[native] = Located(named, row.file, row.line, row.key)
    return result


def _collect(sources: Sequence[Source], wanted: set[str]) -> dict[str, list[Located]]:
    families = {bytes.fromhex(family) for family in wanted if _is_family(family)}
    found: defaultdict[str, list[Located]] = defaultdict(list)
    for source in sources:
        before = stamp(source.path)
        with open_table(source.name, source.path, source.file, source.config) as table:
            for row in table.rows():
                if row.family not in families:
                    continue
                one = record(table, row, 0)
                key = {column: spelled(one.data[column]) for column in source.config.key if column in one.data}
                found[one.family].append(Located(one, source.file, row.line, key))
        unchanged(source.path, before)
    return found


def _is_family(text: str) -> bool:
    try:
        return bool(bytes.fromhex(text))
    except ValueError:
        return False
