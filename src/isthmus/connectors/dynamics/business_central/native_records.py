"""From a row on the wire to the native record the core gets, with the fields we add (bc.md §14, §17)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from isthmus.connectors._http.decode import encode
from isthmus.connectors.dynamics._odata import Row
from isthmus.connectors.dynamics.business_central.cursor import parse_moment
from isthmus.contract.records import NativeRecord


def native_record(row: Row, added: Mapping[str, Any], *, composed: bool = False, native_id: str = "") -> NativeRecord:
    """The record of a row. `composed`: part of it comes from another record, which the row's etag does not cover."""
    data = {**row.data, **added}
    version = row.etag
    if composed or not version:
        version = hashlib.sha256(encode([version, dict(added)] if version else data)).hexdigest()[:32]
    return NativeRecord(
        id=native_id or str(data.get("id", "")),
        data=data,
        version=version,
        modified_at=parse_moment(data.get("lastModifiedDateTime")),
    )


def entry_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """Signed amount, and dimensions as a map. `dimensionSetLines` stays as the service shows it."""
    added: dict[str, Any] = {}
    if "debitAmount" in data or "creditAmount" in data:
        added["amount"] = decimal_of(data.get("debitAmount")) - decimal_of(data.get("creditAmount"))
    lines = data.get("dimensionSetLines")
    if isinstance(lines, list):
        added["dimensions"] = {str(line.get("code")): str(line.get("valueCode")) for line in lines}
    return added


def decimal_of(value: object) -> Decimal:
    """A wire number as Decimal; blank is zero."""
    return Decimal(str(value)) if value not in (None, "") else Decimal(0)
