"""Currencies and exchange rates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from isthmus.model.entity import Record, about, entity


@entity("currency", scope="company", number="code", title="Currency")
class Currency(Record, frozen=True, kw_only=True):
    """A currency as finance keeps it, with the precision amounts are rounded to."""

    code: Annotated[str, about("ISO 4217 code", owner="finance", key=True)]
    name: Annotated[str | None, about("Name", owner="finance")] = None
    amount_precision: Annotated[Decimal | None, about("Smallest amount step, e.g. 0.01", owner="finance")] = None


@entity("exchange_rate", scope="company", number="key", title="Exchange rate")
class ExchangeRate(Record, frozen=True, kw_only=True):
    """One rate from a day on: `amount` units of `currency` are worth `relational_amount` units of `base`.

    Business Central keeps rates in this two-number form (bc.md, currencyExchangeRates); dividing early loses digits.
    """

    key: Annotated[str, about("CURRENCY/YYYY-MM-DD", owner="finance", key=True)]
    currency: Annotated[str, about("Foreign currency, ISO 4217", owner="finance")]
    base: Annotated[str | None, about("Base currency; empty means the company's own", owner="finance")] = None
    starts_on: Annotated[date, about("First day the rate holds", owner="finance")]
    amount: Annotated[Decimal, about("Units of the foreign currency", owner="finance")]
    relational_amount: Annotated[Decimal, about("Units of the base currency they are worth", owner="finance")]
