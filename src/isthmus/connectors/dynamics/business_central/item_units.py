"""Units of items: page 5404 as a web service (bc.md §18). Rows have no id; item and unit are their key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from isthmus.connectors.dynamics._odata import Row
from isthmus.connectors.dynamics.business_central.native_records import native_record
from isthmus.connectors.dynamics.business_central.published import Published
from isthmus.contract.records import NativeRecord

NATIVE = "itemUnitsOfMeasure"
KIND = "item_units"


def unit_id(data: Mapping[str, Any]) -> str:
    """Native id of a row: ITEM/UNIT, each part percent-encoded so that a / within tells itself from the one between."""
    return "/".join(quote(str(data.get(name, "")), safe="") for name in ("Item_No", "Code"))


def key_of(native_id: str) -> tuple[str, str]:
    """Item and unit of a native id."""
    item, _, unit = native_id.partition("/")
    return unquote(item), unquote(unit)


def unit_record(row: Row) -> NativeRecord:
    """The record of a row."""
    return native_record(row, {}, native_id=unit_id(row.data))


async def units_by(published: Published, company: str, equals: Mapping[str, tuple[str, ...]]) -> list[NativeRecord]:
    """The units that fit: by our id, or by fields of the page. All conditions must hold."""
    if "id" in equals:
        keys = {key_of(native_id) for native_id in equals["id"]}
        rows = await published.rows_by(company, KIND, "Item_No", {item for item, _ in keys})
    else:
        field, values = next(iter(equals.items()))
        rows = await published.rows_by(company, KIND, field, values)
    found = [unit_record(row) for row in rows]
    return [record for record in found if _fits(record, equals)]


def _fits(record: NativeRecord, equals: Mapping[str, Sequence[str]]) -> bool:
    return all((record.id if name == "id" else str(record.data.get(name))) in values for name, values in equals.items())
