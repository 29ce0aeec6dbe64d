"""Quantities of an item from one unit into another, by the factors finance keeps. A missing factor is a finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal

from msgspec import Struct

from isthmus.model.entities.items import Item, ItemUnit
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell_decimal

#: Digits of what is calculated before it is rounded, far more than any quantity has.
_WIDE = Context(prec=100)
_MEND = "on page Item Units of Measure of the item"


class QuantityRule(Struct, frozen=True):
    """How a quantity is rounded. Business Central keeps five decimals (bc.json, purchaseOrderLines.quantity)."""

    places: int = 5
    rounding: str = ROUND_HALF_UP


FIVE_PLACES = QuantityRule()


class Converted(Struct, frozen=True):
    """A quantity in the unit asked for, None where it cannot be said, and what is to be said of it."""

    quantity: Decimal | None
    findings: tuple[Finding, ...] = ()


class ItemUnits:
    """Base units and factors of items.

    Args:
        items: items as finance has them.
        units: their units; the base unit need not be among them.
    """

    def __init__(self, items: Iterable[Item], units: Iterable[ItemUnit]) -> None:
        self._items: Mapping[str, Item] = {item.number: item for item in items}
        self._factors: Mapping[tuple[str, str], Decimal] = {(unit.item, unit.unit): unit.factor for unit in units}

    def item(self, number: str | None) -> Item | None:
        """The item of a number, None when finance has none, or none is named."""
        return self._items.get(number) if number else None

    def base_unit(self, number: str | None) -> str | None:
        """The unit its stock is kept in, None when it is not known."""
        item = self.item(number)
        return item.base_unit if item is not None else None

    def convert(
        self, quantity: Decimal, unit: str | None, to: str | None, item: str | None, *, field: str = "quantity",
        rule: QuantityRule = FIVE_PLACES,
    ) -> Converted:  # fmt: skip
        """`quantity` of `unit` in the unit `to`; a unit that is not named is the item's base unit.

        Rounded once, at the end, by `rule`; the notice `quantity_rounded` says so. Error `factor_missing` where a
        factor is not known or not above zero: nothing is ever taken to be one to one.
        """
        base = self.base_unit(item)
        source, target = unit or base, to or base
        if source == target:
            return _rounded(quantity, quantity, source, field, rule)
        one, other = self._size(item, source, base), self._size(item, target, base)
        if one is None or other is None:
            unknown = None if source is None or target is None else source if one is None else target
            return Converted(None, (_missing(item, source, target, unknown, field),))
        exact = _WIDE.divide(_WIDE.multiply(quantity, one), other)
        return _rounded(exact, quantity, target, field, rule)

    def _size(self, item: str | None, unit: str | None, base: str | None) -> Decimal | None:
        """Base units in one `unit`."""
        if unit is None or not item:
            return None
        factor = self._factors.get((item, unit))
        if factor is not None:
            return factor if factor > 0 else None
        return Decimal(1) if unit == base else None


def _rounded(exact: Decimal, told: Decimal, unit: str | None, field: str, rule: QuantityRule) -> Converted:
    quantity = exact.quantize(Decimal(1).scaleb(-rule.places), rounding=rule.rounding, context=_WIDE)
    quantity = Decimal(spell_decimal(quantity))
    if quantity == exact:
        return Converted(quantity)
    named = f" {unit}" if unit else ""
    return Converted(
        quantity,
        (
            Finding(
                "quantity_rounded",
                "notice",
                f"{field}: {spell_decimal(told)} is rounded to {spell_decimal(quantity)}{named}",
                field=field,
                value=spell_decimal(told),
            ),
        ),
    )


def _missing(item: str | None, source: str | None, target: str | None, name: str | None, field: str) -> Finding:
    words = f"{source or 'an unnamed unit'} cannot be converted to {target or 'the base unit'}"
    if not item:
        text, mend = f"{words}: only units of items have factors", "Name the same unit as the order does."
    elif name is None:
        text = f"{words}: finance has no base unit of item {item}"
        mend = f"Set the base unit of item {item} in finance, or name the unit in the source."
    else:
        text = f"{words}: there is no factor above zero for {name} of item {item}"
        mend = f"Add {name} to item {item} {_MEND}, or translate the unit in the mapping."
    return Finding("factor_missing", "error", f"{field}: {text}", field=field, value=name or "", mend=mend)
