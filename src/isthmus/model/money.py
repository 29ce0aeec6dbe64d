"""Money: a Decimal with its currency. No float ever, rounding always explicit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel.core import get_global
from msgspec import Struct

_ROUNDINGS = frozenset({"ROUND_HALF_UP", "ROUND_HALF_EVEN", "ROUND_UP", "ROUND_DOWN", "ROUND_FLOOR", "ROUND_CEILING"})


@cache
def currency_digits(currency: str) -> int:
    """Decimal places of a currency by CLDR (Babel): USD 2, JPY 0, KWD 3."""
    fractions = get_global("currency_fractions")
    digits = fractions.get(currency, fractions["DEFAULT"])[0]
    return int(digits)


@cache
def known_currency(code: str) -> bool:
    """Whether ISO 4217 (as CLDR lists it) knows the code."""
    return code in get_global("all_currencies")


def require_decimal(value: object, what: str) -> Decimal:
    """Return `value` if it is a finite Decimal. Raises TypeError for a float or anything else, ValueError for NaN."""
    if not isinstance(value, Decimal):
        raise TypeError(f"{what} must be a Decimal, not {type(value).__name__}")
    if not value.is_finite():
        raise ValueError(f"{what} must be a finite number")
    return value


class Money(Struct, frozen=True, order=False):
    """An amount in one currency. `currency` is an ISO 4217 code in upper case.

    Raises TypeError for a float amount, ValueError for an unknown currency or a non-finite amount.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        require_decimal(self.amount, "amount")
        if not known_currency(self.currency):
            raise ValueError(f"unknown currency {self.currency!r}: expected an ISO 4217 code such as USD")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def rounded(self, places: int | None = None, rounding: str = ROUND_HALF_UP) -> Money:
        """Rounded to `places` decimals (default: the currency's own)."""
        return Money(round_amount(self.amount, _digits(self.currency, places), rounding), self.currency)

    def _same(self, other: Money) -> None:
        if other.currency != self.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}: convert at the document's date")

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


def _digits(currency: str, places: int | None) -> int:
    return currency_digits(currency) if places is None else places


def round_amount(amount: Decimal, places: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    """`amount` quantised to `places` decimals. Raises ValueError for an unknown rounding name."""
    if rounding not in _ROUNDINGS:
        raise ValueError(f"unknown rounding {rounding!r}: one of {', '.join(sorted(_ROUNDINGS))}")
    return require_decimal(amount, "amount").quantize(Decimal(1).scaleb(-places), rounding=rounding)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """Sum of amounts of one currency; zero of `currency` when there are none. Raises ValueError on a mix."""
    result = Money(Decimal(0), currency)
    for money in amounts:
        result = result + money
    return result
