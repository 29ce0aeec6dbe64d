"""`currencies` (full access) and `currencyExchangeRates` (read only). The company's own currency is not among them."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import READ_WRITE, EntitySet
from isthmus.sandbox.business_central.fields import NO_TIME, Field, Kind, Writing, key, modified, shown
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction


class Currencies(EntitySet):
    """Foreign currencies in order of their code."""

    name = "currencies"
    entity = "currency"
    title = "Currency"
    table_id = 4
    methods = READ_WRITE
    order = ("code",)
    storage = Storage("Currency", unique=(("code",),), captions=(("code", "Code"),))
    fields = (
        key(),
        Field("code", Kind.CODE, 10, required=True),
        Field("displayName", Kind.TEXT, 30),
        Field("symbol", Kind.TEXT, 10),
        Field("amountDecimalPlaces", Kind.TEXT, 5, default="2:2"),
        Field("amountRoundingPrecision", Kind.DECIMAL, default=Decimal("0.01")),
        modified(Writing.IGNORED),
    )


class CurrencyExchangeRates(EntitySet):
    """Rates by currency and starting date: `exchangeRateAmount` of it are `relationalExchangeRateAmount` of the
    relational one.
    """

    name = "currencyExchangeRates"
    entity = "currencyExchangeRate"
    title = "Currency Exchange Rate"
    table_id = 330
    order = ("currencyCode", "startingDate")
    storage = Storage("Currency Exchange Rate", unique=(("currencyCode", "startingDate"),), groups=("currencyCode",))
    fields = (
        key(),
        shown("currencyCode", Kind.CODE, 10),
        shown("startingDate", Kind.DATE),
        shown("exchangeRateAmount", Kind.DECIMAL),
        shown("relationalCurrencyCode", Kind.CODE, 10),
        shown("relationalExchangeRateAmount", Kind.DECIMAL),
        modified(),
    )


class CurrencySeed(msgspec.Struct, forbid_unknown_fields=True):
    """A currency of a seed file."""

    code: str
    name: str = ""
    symbol: str = ""
    decimal_places: str = "2:2"
    rounding_precision: Decimal = Decimal("0.01")


class RateSeed(msgspec.Struct, forbid_unknown_fields=True):
    """An exchange rate of a seed file: from `start` on, `amount` of `currency` are `relational_amount` of the
    company's currency.
    """

    currency: str
    start: str
    relational_amount: Decimal
    amount: Decimal = Decimal(1)


def _put(company: Company, tx: Transaction, set_name: str, values: dict[str, object]) -> None:
    table = company.tables[set_name]
    found = table.rows.get(str(values["id"]))
    if found is None:
        table.insert(tx, Row(values))
    else:
        table.update(tx, found, values)


def _seed_currencies(company: Company, tx: Transaction, currencies: list[CurrencySeed]) -> None:
    for currency in currencies:
        values: dict[str, object] = {
            "id": company.seeded_id("currencies", currency.code.upper()),
            "code": currency.code.upper(),
            "displayName": currency.name or currency.code,
            "symbol": currency.symbol,
            "amountDecimalPlaces": currency.decimal_places,
            "amountRoundingPrecision": currency.rounding_precision,
            "lastModifiedDateTime": NO_TIME,
        }
        _put(company, tx, "currencies", values)


def _seed_rates(company: Company, tx: Transaction, rates: list[RateSeed]) -> None:
    for rate in rates:
        values: dict[str, object] = {
            "id": company.seeded_id("currencyExchangeRates", rate.currency.upper(), rate.start),
            "currencyCode": rate.currency.upper(),
            "startingDate": rate.start,
            "exchangeRateAmount": rate.amount,
            "relationalCurrencyCode": "",
            "relationalExchangeRateAmount": rate.relational_amount,
            "lastModifiedDateTime": NO_TIME,
        }
        _put(company, tx, "currencyExchangeRates", values)


AREA = Area(
    sets=(Currencies(), CurrencyExchangeRates()),
    seeds={"currencies": (list[CurrencySeed], _seed_currencies), "exchange_rates": (list[RateSeed], _seed_rates)},
)
