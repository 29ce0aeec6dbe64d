"""`paymentTerms`, and `paymentMethods` beside them."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.fields import Field, Kind, Writing, key, modified
from isthmus.sandbox.business_central.records import MasterSet
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.seeding import put
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction, Values

#: An AL date formula such as 30D, CM+10D or 1M(8D); that only these letters are taken is assumed.
_FORMULA = re.compile(r"([+-]?\d*(C?[DWMQY]|WD\d?|\(\d+D\)))*", re.IGNORECASE)
_FORMULAS = ("dueDateCalculation", "discountDateCalculation")


class PaymentTerms(MasterSet):
    """Due dates and discounts are date formulas, kept as text."""

    name = "paymentTerms"
    entity = "paymentTerm"
    title = "Payment Terms"
    table_id = 3
    order = ("code",)
    storage = Storage("Payment Terms", unique=(("code",),), captions=(("code", "Code"),))
    fields = (
        key(),
        Field("code", Kind.CODE, 10, required=True),
        Field("displayName", Kind.TEXT, 100),
        Field("dueDateCalculation", Kind.TEXT),
        Field("discountDateCalculation", Kind.TEXT),
        Field("discountPercent", Kind.DECIMAL, least=Decimal(0), most=Decimal(100)),
        Field("calculateDiscountOnCreditMemos", Kind.BOOL),
        modified(Writing.IGNORED),
    )

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        return super().create(call, parent, _checked(values))

    def change(self, call: Call, row: Row, values: Values) -> Row:
        return super().change(call, row, _checked(values))


def _checked(values: Values) -> Values:
    formulas = {name: values[name].strip().upper() for name in _FORMULAS if name in values}
    for text in formulas.values():
        if not _FORMULA.fullmatch(text):
            # The code is in bc.md section 9, the wording is assumed.
            words = f'The value "{text}" can\'t be evaluated into type DateFormula.'
            raise Refusal(400, "Application_EvaluateException", words)
    return {**values, **formulas}


class PaymentMethods(MasterSet):
    """Ways of paying in order of their code."""

    name = "paymentMethods"
    entity = "paymentMethod"
    title = "Payment Method"
    table_id = 289
    order = ("code",)
    storage = Storage("Payment Method", unique=(("code",),), captions=(("code", "Code"),))
    fields = (
        key(),
        Field("code", Kind.CODE, 10, required=True),
        Field("displayName", Kind.TEXT, 100),
        modified(Writing.IGNORED),
    )


class TermsSeed(msgspec.Struct, forbid_unknown_fields=True):
    """Payment terms of a seed file; `due` and `discount_date` are date formulas."""

    code: str
    name: str = ""
    due: str = ""
    discount_date: str = ""
    discount_percent: Decimal = Decimal(0)


class MethodSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A payment method of a seed file."""

    code: str
    name: str = ""


def _seed_terms(company: Company, tx: Transaction, terms: list[TermsSeed]) -> None:
    for one in terms:
        values: Values = {
            "code": one.code.upper(),
            "displayName": one.name or one.code,
            "dueDateCalculation": one.due,
            "discountDateCalculation": one.discount_date,
            "discountPercent": one.discount_percent,
        }
        put(company, tx, "paymentTerms", _checked(values))


def _seed_methods(company: Company, tx: Transaction, methods: list[MethodSeed]) -> None:
    for one in methods:
        put(company, tx, "paymentMethods", {"code": one.code.upper(), "displayName": one.name or one.code})


AREA = Area(
    sets=(PaymentTerms(), PaymentMethods()),
    seeds={"payment_terms": (list[TermsSeed], _seed_terms), "payment_methods": (list[MethodSeed], _seed_methods)},
)
