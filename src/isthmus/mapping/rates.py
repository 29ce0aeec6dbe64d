"""Currency conversion by dated rates: pure arithmetic. A missing rate is a finding, never a guess."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from isthmus.model.entities.currencies import ExchangeRate
from isthmus.model.finding import Finding
from isthmus.model.money import Money, known_currency

#: Wide enough that nothing but the final rounding is seen.
_WIDE = Context(prec=60)
Pair = tuple[str, str]


class _Quote(NamedTuple):
    """`amount` units of the first currency are worth `relational` units of the second."""

    amount: Decimal
    relational: Decimal


class Rates:
    """Rates of one company.

    Args:
        rates: ExchangeRate records; an empty `base` means the company's own currency.
        base: the company's currency, ISO 4217; "" when it is not known, then only named pairs work.

    A rate holds from its first day until the next one of the same pair (bc.md, currencyExchangeRates). Two rates of one
    pair and day that differ are refused when they are needed.
    """

    def __init__(self, rates: Iterable[ExchangeRate], base: str = "") -> None:
        self.base = base
        quotes: dict[Pair, dict[date, _Quote]] = {}
        self._conflicts: set[tuple[Pair, date]] = set()
        for rate in rates:
            pair = (rate.currency, rate.base or base)
            quote = _Quote(rate.amount, rate.relational_amount)
            days = quotes.setdefault(pair, {})
            if days.setdefault(rate.starts_on, quote) != quote:
                self._conflicts.add((pair, rate.starts_on))
        self._quotes = {pair: sorted(days.items()) for pair, days in quotes.items()}

    def convert(
        self, money: Money, to: str, on: date, *, rounding: str = ROUND_HALF_UP, places: int | None = None
    ) -> Money | Finding:
        """`money` in currency `to` by the rates of day `on`, rounded once at the end.

        The latest rate on or before the day counts. The way is the pair itself, its inverse, or through the company's
        currency; no other triangulation. `places`: decimals of the result, None = those of the currency. A Finding
        `rate_missing` names the pair and the day.
        """
        if money.currency == to:
            return money.rounded(places, rounding)
        if not known_currency(to):
            return self._missing(money.currency, to, on, f"{to!r} is not an ISO 4217 currency code")
        amount = money.amount
        for source, target in self._way(money.currency, to):
            quote = self._quote(source, target, on)
            if isinstance(quote, Finding):
                return quote
            amount = _WIDE.divide(_WIDE.multiply(amount, quote.relational), quote.amount)
        return Money(amount, to).rounded(places, rounding)

    def _way(self, source: str, target: str) -> tuple[Pair, ...]:
        direct = (source, target) in self._quotes or (target, source) in self._quotes
        if direct or not self.base or self.base in (source, target):
            return ((source, target),)
        return (source, self.base), (self.base, target)

    def _quote(self, source: str, target: str, on: date) -> _Quote | Finding:
        found = self._latest((source, target), on)
        inverse = None if found is not None else self._latest((target, source), on)
        pair, entry = ((source, target), found) if found is not None else ((target, source), inverse)
        if entry is None:
            return self._missing(source, target, on, self._why(source, target))
        day, quote = entry
        if (pair, day) in self._conflicts:
            return self._missing(source, target, on, f"there are two different rates from {day} on")
        if quote.amount <= 0 or quote.relational <= 0:
            return self._missing(source, target, on, f"the rate from {day} on is zero or negative")
        return quote if found is not None else _Quote(quote.relational, quote.amount)

    def _latest(self, pair: Pair, on: date) -> tuple[date, _Quote] | None:
        days = self._quotes.get(pair)
        if not days:
            return None
        index = bisect_right(days, on, key=lambda entry: entry[0])
        return days[index - 1] if index else None

    def _why(self, source: str, target: str) -> str:
        first = [self._quotes[pair][0][0] for pair in ((source, target), (target, source)) if pair in self._quotes]
        return f"the first one is of {min(first)}" if first else "there is none at all"

    def _missing(self, source: str, target: str, on: date, why: str) -> Finding:
        foreign = target if source == self.base else source
        return Finding(
            "rate_missing",
            "error",
            f"There is no exchange rate {source} to {target} on {on.isoformat()}: {why}.",
            field="currency",
            value=f"{source}/{target} {on.isoformat()}",
            mend=f"Add a rate of {foreign} starting on or before {on.isoformat()} to the exchange rates of finance.",
        )
