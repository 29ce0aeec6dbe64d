"""Conversion between units of measure, by factors of an item or of time. A missing factor is a finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from isthmus.model.finding import Finding
from isthmus.model.money import round_amount
from isthmus.model.quantity import Quantity

_WIDE = Context(prec=34)
#: Units that convert into each other whatever the item: unit -> (group, size in the group's smallest unit). A day is
#: left out, because a working day and a calendar day differ.
_FIXED: Mapping[str, tuple[str, Decimal]] = {
    "minute": ("time", Decimal(1)),
    "hour": ("time", Decimal(60)),
    "m": ("length", Decimal(1)),
    "km": ("length", Decimal(1000)),
}


class UnitFactor(NamedTuple):
    """One `unit` of `item` is `per_unit` of the item's base unit. Item "" = every item."""

    item: str
    unit: str
    per_unit: Decimal


class Units:
    """Factors of items and of all items; an item's own factor wins.

    Args:
        factors: `UnitFactor("BOLT", "uom:BOX10", Decimal(10))` with the base unit in `bases`.
        bases: item -> base unit; items not named here have `each`.

    Raises ValueError for a factor that is not above zero.
    """

    def __init__(self, factors: Iterable[UnitFactor], bases: Mapping[str, str] | None = None) -> None:
        self._factors: dict[tuple[str, str], Decimal] = {}
        self._bases = dict(bases or {})
        for factor in factors:
            if factor.per_unit <= 0:
                raise ValueError(f"the factor of {factor.unit} must be above zero, not {factor.per_unit}")
            self._factors[factor.item, factor.unit] = factor.per_unit

    def convert(
        self, quantity: Quantity, to: str, item: str = "", *, rounding: str = ROUND_HALF_UP, places: int | None = None
    ) -> Quantity | Finding:
        """`quantity` in unit `to`, for this item. 34 digits unless `places` is given. Finding `factor_missing`."""
        if quantity.unit == to:
            return quantity
        sizes = [self._size(item, unit) for unit in (quantity.unit, to)]
        one, two = sizes
        if one is None or two is None or one[0] != two[0]:
            unknown = quantity.unit if one is None else to
            return _missing(item, quantity.unit, to, unknown)
        amount = _WIDE.divide(_WIDE.multiply(quantity.amount, one[1]), two[1])
        return Quantity(amount if places is None else round_amount(amount, places, rounding), to)

    def _size(self, item: str, unit: str) -> tuple[str, Decimal] | None:
        """(what it is measured in, how much of that)."""
        for owner in dict.fromkeys((item, "")):
            if (owner, unit) in self._factors:
                return "item", self._factors[owner, unit]
        if unit == self._bases.get(item, "each"):
            return "item", Decimal(1)
        return _FIXED.get(unit)


def _missing(item: str, source: str, target: str, unknown: str) -> Finding:
    of = f" for item {item}" if item else ""
    return Finding(
        "factor_missing",
        "error",
        f"{source} cannot be converted to {target}{of}: there is no factor for {unknown}.",
        field="unit",
        value=f"{source}/{target}",
        mend=f"Add the factor of {unknown} to the units of measure{of}.",
    )
