"""Single rows by native id: a pass over the file, by the same identity rules as reading."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct, structs

from isthmus.connectors.files.identity import align, family_in, native_id, short
from isthmus.connectors.files.places import stamp, unchanged
from isthmus.connectors.files.scan import Source, record
from isthmus.connectors.files.table import ROW_ID, Row, Table, open_table
from isthmus.contract.records import Known, NativeRecord


class Keys(Struct, frozen=True):
    """What people know a row by: its file and its key values as text; `line` where it is the only row of its family."""

    file: str
    key: Mapping[str, str]
    line: int | None


async def locate(sources: Sequence[Source], ids: Iterable[str], known: Known | None) -> dict[str, NativeRecord]:
    """Native id -> record, for those that are there.

    Rows equal in the key are told apart by what the hub holds of them; where it cannot be asked (`known` is None), by
    order of appearance, as in a first reading. Raises Retry when a file is not there or moves.
    """
    wanted = {family_in(native) for native in ids}
    found = await asyncio.to_thread(_records, sources, wanted)
    held = await known(list(found)) if known is not None and found else {}
    result: dict[str, NativeRecord] = {}
    for family, rows in found.items():
        versions = [short(bytes.fromhex(row.version or "")) for row in rows]
        for row, ordinal in zip(rows, align(versions, held.get(family, {})), strict=True):
            native = native_id(family, ordinal)
            data = {**row.data, ROW_ID: native} if row.data else row.data
            result[native] = structs.replace(row, id=native, data=data)
    return result


def find_keys(sources: Sequence[Source], ids: Iterable[str], *, lines: bool) -> dict[str, Keys]:
    """Family -> keys. A family has one set of key values, so the first row tells them; `lines` needs the whole file.

    Raises Retry when a file is not there or moves.
    """
    wanted = _families(family_in(native) for native in ids)
    found: dict[str, Keys] = {}
    for source in sources:
        with _steady(source) as table:
            for row in table.rows():
                if row.family not in wanted:
                    continue
                family = row.family.hex()
                if family in found:
                    found[family] = structs.replace(found[family], line=None)
                    continue
                key = {} if row.problem else {column: table.text(row, column) for column in source.config.key}
                found[family] = Keys(source.file, key, row.line)
                if not lines and len(found) == len(wanted):
                    return found
    return found


def _records(sources: Sequence[Source], wanted: set[str]) -> dict[str, list[NativeRecord]]:
    families = _families(wanted)
    found: defaultdict[str, list[NativeRecord]] = defaultdict(list)
    for source in sources:
        with _steady(source) as table:
            rows: Iterator[Row] = (row for row in table.rows() if row.family in families)
            for row in rows:
                found[row.family.hex()].append(record(table, row, 0))
    return found


@contextmanager
def _steady(source: Source) -> Iterator[Table]:
    before = stamp(source.path)
    with open_table(source.name, source.path, source.file, source.config) as table:
        yield table
    unchanged(source.path, before)


def _families(texts: Iterable[str]) -> set[bytes]:
    found = set()
    for text in texts:
        try:
            found.add(bytes.fromhex(text))
        except ValueError:
            continue  # no id of ours
    return found
