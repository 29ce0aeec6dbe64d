"""What finance owns and the CAFM only knows: accounts, dimensions, currencies and their rates, payment terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isthmus.sandbox.cafm.entity import Entity, Field
from isthmus.sandbox.cafm.kinds import DAY, FLAG, NOT_NEGATIVE, RATE, ByCode, Choice, Code, Integer, Record, Text

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World

ACTIVE = Field("active", FLAG, default=True)


class _Currencies(Entity):
    """Currencies, and which of them is the system's own."""

    def show(self, world: World, record: Record) -> Record:
        return {**record, "isBase": record["code"] == world.settings.base_currency}


CURRENCIES = _Currencies(
    "currencies",
    (
        Field("code", Code(3), required=True),
        Field("name", Text(50)),
        Field("symbol", Text(5)),
        Field("decimals", Integer(0, 2), default=2),
        ACTIVE,
        Field("isBase"),
    ),
    unique=("code",),
    filters=("active",),
    events=False,
    first_id=1,
    code_fixed=True,
    referenced=(("exchangeRates", "currency", "code"), ("vendors", "currency", "code")),
)

EXCHANGE_RATES = Entity(
    "exchangeRates",
    (
        Field("currency", ByCode("currencies"), required=True),
        Field("validFrom", DAY, required=True),
        Field("rate", RATE, required=True),
        Field("per", RATE, default="1.000000"),
    ),
    unique=("currency", "validFrom"),
    filters=("currency", "validFrom"),
    events=False,
    code_fixed=True,
)

PAYMENT_TERMS = Entity(
    "paymentTerms",
    (
        Field("code", Code(10), required=True),
        Field("description", Text(100)),
        Field("dueDays", Integer(0, 999)),
        Field("discountDays", Integer(0, 999)),
        Field("discountPercent", NOT_NEGATIVE),
        ACTIVE,
    ),
    unique=("code",),
    filters=("active",),
    events=False,
    first_id=1,
    code_fixed=True,
    referenced=(("vendors", "paymentTermsCode", "code"), ("purchaseOrders", "paymentTermsCode", "code")),
)

ACCOUNTS = Entity(
    "accounts",
    (
        Field("code", Code(20), required=True),
        Field("name", Text(100), required=True),
        Field("category", Choice("asset", "liability", "equity", "income", "expense", "costOfGoods")),
        Field("postable", FLAG, default=True),
        ACTIVE,
    ),
    unique=("code",),
    filters=("category", "active"),
    code_fixed=True,
)

DIMENSIONS = Entity(
    "dimensions",
    (Field("code", Code(20), required=True), Field("name", Text(50)), ACTIVE),
    unique=("code",),
    filters=("active",),
    first_id=1,
    code_fixed=True,
    referenced=(("dimensionValues", "dimensionCode", "code"),),
)

DIMENSION_VALUES = Entity(
    "dimensionValues",
    (
        Field("dimensionCode", ByCode("dimensions"), required=True),
        Field("code", Code(20), required=True),
        Field("name", Text(50)),
        ACTIVE,
    ),
    unique=("dimensionCode", "code"),
    filters=("dimensionCode", "active"),
    looked_up=("code",),
    code_fixed=True,
)
