"""Currencies of documents: by which property they are named, to what they round, what they are worth in the company's
own currency.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.fields import NO_DATE
from isthmus.sandbox.business_central.pairs import Pair
from isthmus.sandbox.business_central.tables import Values

_CURRENCY = Pair(
    "currencyId",
    "currencyCode",
    "currencies",
    no_id='The "currencyId" does not match to a Currency.',
    no_code='The "currencyCode" does not match to a Currency.',
    differ="The currency values do not match to a specific Currency.",
)


def currency(company: Company, given: Values) -> Values:
    """Both properties of a currency, where one is given. The company's own is stored blank and shown by its code (bc.md
    section 4). Raises Refusal.
    """
    local, asked = company.setup.currency, dict(given)
    if "currencyCode" in asked:
        code = asked["currencyCode"].strip().upper()
        asked["currencyCode"] = "" if code == local else code
    found = _CURRENCY.resolve(company, asked)
    if found and not found["currencyCode"]:
        found["currencyCode"] = local
    return found


def precision(company: Company, code: str) -> Decimal:
    """To what amounts of a currency round."""
    if code == company.setup.currency:
        return company.setup.amount_precision
    found: Decimal = company.tables["currencies"].the(("code",), code).values["amountRoundingPrecision"]
    return found


def rounded(amount: Decimal, step: Decimal) -> Decimal:
    """Half away from zero, in steps; shown with the digits of the step."""
    return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def factor(company: Company, code: str, day: str) -> Decimal:
    """What one unit of a currency is worth on a day, in the company's own. Raises Refusal when no rate is there; that
    the text is that of bc.md section 9 for a record within a filter is assumed.
    """
    if code == company.setup.currency:
        return Decimal(1)
    rates = company.tables["currencyExchangeRates"].group("currencyCode", code).values()
    known = [row.values for row in rates if row.values["startingDate"] <= day]
    if not known:
        shown = "''" if day == NO_DATE else day
        text = (
            "There is no Currency Exchange Rate within the filter.\r\n\r\n"
            f"Filters: Currency Code: {code}, Starting Date: ..{shown}"
        )
        raise Refusal(400, "Internal_DataNotFoundFilter", text)
    rate = max(known, key=lambda values: str(values["startingDate"]))
    worth: Decimal = rate["relationalExchangeRateAmount"] / rate["exchangeRateAmount"]
    return worth
