"""Records of purchase orders and posted receipts, as `read` and `fetch` give them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from isthmus.connectors.dynamics._client import ODataClient, guid
from isthmus.connectors.dynamics._odata import Row, any_of, chunks, literal
from isthmus.connectors.dynamics.business_central.cursor import parse_moment
from isthmus.connectors.dynamics.business_central.purchasing.access import READ_AT_ONCE, SET
from isthmus.connectors.dynamics.business_central.purchasing.orders import Order
from isthmus.connectors.dynamics.business_central.purchasing.posted_receipts import receipt_record
from isthmus.contract.records import NativeRecord


def order_records(rows: Sequence[Row]) -> list[NativeRecord]:
    """Orders with their lines."""
    return [_of_order(Order(row.data, row.etag)) for row in rows]


async def receipt_records(client: ODataClient, company: str, rows: Sequence[Row]) -> list[NativeRecord]:
    """Posted receipts with their lines, and the ids of their orders; "" where the order is gone."""
    ids = await _order_ids(client, company, {str(row.data.get("orderNumber") or "") for row in rows} - {""})
    return [
        NativeRecord(
            id=str(row.data.get("id", "")),
            data=receipt_record(row, ids.get(str(row.data.get("orderNumber") or ""), "")),
            version=row.etag,
            modified_at=parse_moment(row.data.get("lastModifiedDateTime")),
        )
        for row in rows
    ]


def _of_order(order: Order) -> NativeRecord:
    return NativeRecord(
        id=order.id,
        data=order.record(),
        version=order.version,
        modified_at=parse_moment(order.header.get("lastModifiedDateTime")),
    )


async def _order_ids(client: ODataClient, company: str, numbers: Iterable[str]) -> Mapping[str, str]:
    """Number -> id of orders that still stand. Raises what the reading raises."""
    found: dict[str, str] = {}
    for group in chunks(sorted(numbers), READ_AT_ONCE):
        options = {"$filter": any_of("number", map(literal, group)), "$select": "id,number"}
        rows = await client.all(f"{company}/{SET}", options)
        found |= {str(row.data["number"]): guid(str(row.data["id"])) for row in rows}
    return found
