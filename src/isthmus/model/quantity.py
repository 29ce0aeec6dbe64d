"""Quantity: a Decimal with its unit of measure."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from isthmus.model.money import require_decimal

#: Units that exist without master data: time and the plain piece. All others come as `unit_of_measure` records.
BUILT_IN_UNITS = frozenset({"each", "hour", "minute", "day", "km", "m", "kg", "l"})


class Quantity(Struct, frozen=True):
    """How much of what unit. `unit` is one of BUILT_IN_UNITS or `uom:CODE` for a unit of the master data.

    Raises TypeError for a float, ValueError for an unknown unit.
    """

    amount: Decimal
    unit: str

    def __post_init__(self) -> None:
        require_decimal(self.amount, "quantity")
        if self.unit not in BUILT_IN_UNITS and not (self.unit.startswith("uom:") and len(self.unit) > 4):
            known = ", ".join(sorted(BUILT_IN_UNITS))
            raise ValueError(f"unknown unit {self.unit!r}: one of {known}, or uom:CODE for a unit of the master data")
