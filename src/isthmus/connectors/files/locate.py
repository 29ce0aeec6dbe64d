"""Single rows by native id: a pass over the file, by the same identity rules as reading."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager

from msgspec import Struct, structs

from isthmus.connectors.files.identity import align, align_groups, apart_family, family_in, native_id, short
from isthmus.connectors.files.lines import Lines
from isthmus.connectors.files.rows import ROW_ID, Row
from isthmus.connectors.files.scan import record
from isthmus.connectors.files.source import Source
from isthmus.connectors.files.table import Table
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
    doubled = [apart_family(family) for family, rows in found.items() if rows[0].apart and len(rows) > 1]
    held = await known([*found, *doubled]) if known is not None and found else {}
    result: dict[str, NativeRecord] = {}
    for family, rows in found.items():
        versions = [short(bytes.fromhex(row.record.version or "")) for row in rows]
        mine = held.get(family, {})
        grouped = bool(rows[0].apart)
        ordinals = (
            align_groups(versions, mine, held.get(apart_family(family), {})) if grouped else align(versions, mine)
        )
        for row, ordinal in zip(rows, ordinals, strict=True):
            native = row.at(ordinal)
            result[native.id] = native
    return result


class _Found(Struct, frozen=True):
    """A row of a family, before its ordinal is known. `apart`: what it is where groups of its key stand apart, as the
    record of the key (-1) and beside it (-2); empty where each row is a record."""

    record: NativeRecord
    apart: Mapping[int, NativeRecord]

    def at(self, ordinal: int) -> NativeRecord:
        """The record it is with that ordinal."""
        if ordinal < 0:
            found = self.apart[max(ordinal, -2)]
            return structs.replace(found, id=native_id(found.family, max(1, -1 - ordinal)))
        native = native_id(self.record.family, ordinal)
        data = {**self.record.data, ROW_ID: native} if self.record.data else self.record.data
        return structs.replace(self.record, id=native, data=data)


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
                key = {column: table.text(row, column) for column in source.config.key} if row.cells else {}
                found[family] = Keys(source.file, key, row.line)
                if not lines and len(found) == len(wanted):
                    return found
    return found


def _records(sources: Sequence[Source], wanted: set[str]) -> dict[str, list[_Found]]:
    families = _families(wanted)
    found: defaultdict[str, list[_Found]] = defaultdict(list)
    for source in sources:
        with _steady(source, families) as table:
            rows: Iterator[Row] = (row for row in table.rows() if row.family in families)
            for row in rows:
                apart = {ordinal: record(table, row, ordinal) for ordinal in (-1, -2) if table.list_name}
                found[row.family.hex()].append(_Found(record(table, row, 0), apart))
    return found


@contextmanager
def _steady(source: Source, families: Set[bytes] | None = None) -> Iterator[Table]:
    """Its table; with `families`, those of its records have their lines."""
    before = source.stamp()
    lines: Lines | None = source.read_lines(families) if families is not None else None
    try:
        with source.table(lines) as table:
            yield table
    finally:
        if lines is not None:
            lines.close()
    source.unchanged(before)


def _families(texts: Iterable[str]) -> set[bytes]:
    found = set()
    for text in texts:
        try:
            found.add(bytes.fromhex(text))
        except ValueError:
            continue  # no id of ours
    return found
