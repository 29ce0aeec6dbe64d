"""What the lines of a purchase document amount to, and their sum.

A unit price stays exact; the amount of a line is rounded to the amount precision of the currency. VAT is rounded line
by line (assumed: Business Central rounds it by group and spreads the rest over the lines).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from isthmus.sandbox.business_central.money import rounded
from isthmus.sandbox.business_central.tables import Row, Values

_ZERO = Decimal(0)
_STEP = Decimal("0.00001")
_TOTALS = {
    "totalAmountExcludingTax": "netAmount",
    "totalTaxAmount": "netTaxAmount",
    "totalAmountIncludingTax": "netAmountIncludingTax",
}


def gross(line: Values, price: str, step: Decimal) -> Decimal:
    """Quantity times price, rounded. `price` is the name of the price's property."""
    return rounded(line["quantity"] * line[price], step)


def quantity_of(value: Decimal) -> Decimal:
    """To five decimals, as quantities are kept (bc.json, 0 : 5), and without zeros at the end."""
    return trimmed(rounded(value, _STEP))


def percent_of(discount: Decimal, whole: Decimal) -> Decimal:
    return trimmed(rounded(discount / whole * 100, _STEP)) if whole else _ZERO


def trimmed(value: Decimal) -> Decimal:
    """Without zeros at the end, and never as 1E+1."""
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()


def amounts(line: Values, price: str, step: Decimal, *, including_tax: bool) -> Values:
    """The computed amounts of a line; its discountAmount and invoiceDiscountAllocation are taken as they are."""
    whole = gross(line, price, step) - line["discountAmount"]
    net = whole - line["invoiceDiscountAllocation"]
    excluding, tax, including = _split(whole, line["taxPercent"], step, including_tax)
    net_excluding, net_tax, net_including = _split(net, line["taxPercent"], step, including_tax)
    return {
        "amountExcludingTax": excluding,
        "totalTaxAmount": tax,
        "amountIncludingTax": including,
        "netAmount": net_excluding,
        "netTaxAmount": net_tax,
        "netAmountIncludingTax": net_including,
    }


def _split(amount: Decimal, percent: Decimal, step: Decimal, including_tax: bool) -> tuple[Decimal, Decimal, Decimal]:
    """An amount without, of and with tax."""
    if not percent:
        return amount, rounded(_ZERO, step), amount
    if including_tax:
        excluding = rounded(amount / (1 + percent / 100), step)
        return excluding, amount - excluding, amount
    tax = rounded(amount * percent / 100, step)
    return amount, tax, amount + tax


def totals(lines: Iterable[Row]) -> Values:
    """Totals of a header from all its lines."""
    found = list(lines)
    return {total: sum((line.values[name] for line in found), _ZERO) for total, name in _TOTALS.items()}


def moved_totals(header: Values, before: Values | None, after: Values | None) -> Values:
    """Totals of a header when one line changed from `before` to `after`; None is no line."""
    found = {}
    for total, name in _TOTALS.items():
        found[total] = header[total] + (after[name] if after else _ZERO) - (before[name] if before else _ZERO)
    return found


def shares(discount: Decimal, wholes: list[Decimal], step: Decimal) -> list[Decimal]:
    """An invoice discount spread over lines in proportion; the last line that has an amount takes the rest."""
    total = sum(wholes, _ZERO)
    if not total or not discount:
        return [rounded(_ZERO, step)] * len(wholes)
    found, left = [], discount
    last = max(place for place, whole in enumerate(wholes) if whole)
    for place, whole in enumerate(wholes):
        share = left if place == last else rounded(discount * whole / total, step)
        found.append(share if place <= last else rounded(_ZERO, step))
        left -= found[-1]
    return found
