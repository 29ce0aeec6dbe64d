"""Planning fields of items: page 30 beside the standard set, which lacks them (semantics.md §5).

Both show the same row of the same table, so that the etag of the one tells of changes in the other as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from isthmus.connectors.dynamics._odata import Row
from isthmus.connectors.dynamics.business_central.entities import CARD_FIELDS
from isthmus.connectors.dynamics.business_central.published import Published

#: Our name -> property of the page.
_PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        "reorderPoint": "Reorder_Point",
        "safetyStockQuantity": "Safety_Stock_Quantity",
        "itemTrackingCode": "Item_Tracking_Code",
    }
)
CARD_NAMES = frozenset(field.name for field in CARD_FIELDS)
_WRITTEN = frozenset(field.name for field in CARD_FIELDS if field.writable)


def on_the_card(fields: Iterable[str]) -> bool:
    """Whether any of these native fields stands on the card only."""
    return not CARD_NAMES.isdisjoint(fields)


def card_part(native: Mapping[str, Any]) -> dict[str, Any]:
    """What of an item is written to the card; a quantity that was emptied is zero there."""
    return {_PROPERTIES[name]: value or Decimal(0) for name, value in native.items() if name in _WRITTEN}


def shown(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card's fields by our names."""
    return {name: card[told] for name, told in _PROPERTIES.items() if told in card}


def left_out(native: Mapping[str, Any]) -> str:
    """What is told of an item that was written without its card, because the connection names no page 30."""
    names = " and ".join(name for name in native if name in _WRITTEN)
    return f"without {names}: the connection names no page 30 as a web service." if names else ""


class ItemCards:
    """Cards of one environment; without the service there are none, and the fields stay absent."""

    def __init__(self, published: Published) -> None:
        self._published = published

    @property
    def published(self) -> bool:
        """Whether the connection names the service."""
        return self._published.has("item_card")

    async def of(self, company: str, numbers: Iterable[str]) -> dict[str, Row]:
        """Cards by item number, with what is used of them: the page calculates many figures that are not."""
        wanted = {"No", *_PROPERTIES.values()} & await self._published.properties("item_card")
        rows = await self._published.rows_by(company, "item_card", "No", numbers, select=sorted(wanted))
        return {str(row.data.get("No", "")): row for row in rows}

    async def change(self, company: str, number: str, body: Mapping[str, Any], etag: str) -> Row:
        """Change one card. Raises Stale when it was changed since `etag`."""
        return await self._published.change(company, "item_card", {"No": number}, body, etag=etag)
