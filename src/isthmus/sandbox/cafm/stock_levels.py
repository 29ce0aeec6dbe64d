"""What is on hand, per item and location, in base units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World


class StockLevels:
    """Quantities other than zero, and which items were ever moved."""

    def __init__(self) -> None:
        self._held: dict[int, dict[int, Decimal]] = {}

    def of(self, item: int) -> Mapping[int, Decimal]:
        """Quantities of an item by location."""
        return {place: quantity for place, quantity in self._held.get(item, {}).items() if quantity}

    def at(self, item: int, location: int) -> Decimal:
        return self._held.get(item, {}).get(location, Decimal(0))

    def moved(self, item: int) -> bool:
        return item in self._held

    def add(self, item: int, location: int, quantity: Decimal) -> None:
        """Change what is on hand; a negative quantity takes away."""
        places = self._held.setdefault(item, {})
        places[location] = places.get(location, Decimal(0)) + quantity

    def dump(self) -> list[tuple[int, int, str]]:
        return [(item, place, f"{quantity:f}") for item, held in self._held.items() for place, quantity in held.items()]

    def load(self, saved: Sequence[Sequence[Any]]) -> None:
        self._held.clear()
        for item, place, quantity in saved:
            self.add(item, place, Decimal(quantity))


def factor(world: World, item: int, unit: str) -> Decimal | None:
    """How many base units one of this unit is, None when nobody has said so."""
    row = world.tables["items"].rows[item]
    if row["baseUnit"] == unit:
        return Decimal(1)
    found = world.tables["itemUnits"].by_key(("itemId", "unitCode"), item, unit)
    return Decimal(found["factor"]) if found is not None and found["active"] else None
