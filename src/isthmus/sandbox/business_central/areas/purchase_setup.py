"""Purchases & Payables Setup and the posting set-up of vendors and VAT. No set of v2.0 shows any of it; posting obeys
it (bc.md section 15).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import msgspec

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.tables import Transaction

_SETUP = "purchase_setup"
_VENDOR_GROUPS = "vendor_posting_groups"
_VAT = "vat_posting_setup"
_SERIES = {
    "order_series": "Order Nos.",
    "invoice_series": "Invoice Nos.",
    "credit_memo_series": "Credit Memo Nos.",
    "receipt_series": "Posted Receipt Nos.",
    "posted_invoice_series": "Posted Invoice Nos.",
    "posted_credit_memo_series": "Posted Credit Memo Nos.",
}


class PurchaseSetup(msgspec.Struct, forbid_unknown_fields=True):
    """How a company buys. Every number series is blank until it is set up; a document that needs one is refused."""

    order_series: str = ""
    invoice_series: str = ""
    credit_memo_series: str = ""
    receipt_series: str = ""
    posted_invoice_series: str = ""
    posted_credit_memo_series: str = ""
    #: A document of the vendor must have the vendor's number; on unless it was turned off (InitValue true).
    ext_doc_no_mandatory: bool = True
    default_qty_to_receive: Literal["remainder", "blank"] = "remainder"
    #: A workflow must release an order before it can be posted; nobody but a person can do that.
    approval_workflow: bool = False
    #: Before v24 a receipt without invoice was posted and answered 400.
    receive_only_answers_400: bool = False
    #: Whether the properties of a line are validated in the order of the body instead of that of the page (unknown).
    validate_in_body_order: bool = False
    #: What was received and not invoiced is booked on the interim accounts.
    expected_cost_posting: bool = False
    interim_inventory_account: str = ""
    interim_accrual_account: str = ""
    #: The data upgrade of purchaseCreditMemos never ran: every call of the set is refused.
    credit_memos_need_upgrade: bool = False


def purchase_setup(company: Company) -> PurchaseSetup:
    """The set-up as it is now."""
    return msgspec.convert(company.settings.get(_SETUP, {}), PurchaseSetup)


def series_caption(name: str) -> tuple[str, str]:
    """Field and table where a series is set up, for the refusal when it is not."""
    return _SERIES[name], "Purchases & Payables Setup"


class VendorGroupSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A vendor posting group of a seed file: where its vendors' debts are booked."""

    code: str
    payables_account: str


class VatSetupSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A line of VAT Posting Setup: the rate of a business and a product group. Normal VAT only."""

    product: str
    business: str = ""
    percent: Decimal = Decimal(0)
    purchase_vat_account: str = ""
    blocked: bool = False


class VatRate(msgspec.Struct):
    """What VAT Posting Setup says of a pair of groups; `account` may be blank where the rate is zero."""

    percent: Decimal
    account: str
    blocked: bool


def books_purchases(company: Company) -> bool:
    """Whether invoices go into the general ledger: a company whose seed has no vendor_posting_groups books none."""
    return bool(company.settings.get(_VENDOR_GROUPS))


def payables_account(company: Company, group: str) -> str | None:
    """The account number of a vendor posting group; None when there is no such group."""
    found: str | None = company.settings.get(_VENDOR_GROUPS, {}).get(group)
    return found


def knows_vat(company: Company) -> bool:
    """Whether VAT is set up at all: a company whose seed has no vat_posting_setup buys without."""
    return bool(company.settings.get(_VAT))


def vat_rate(company: Company, business: str, product: str) -> VatRate | None:
    """The line of VAT Posting Setup; None when there is none."""
    found = company.settings.get(_VAT, {}).get(f"{business}|{product}")
    return None if found is None else msgspec.convert(found, VatRate, strict=False)


def vat_products(company: Company) -> set[str]:
    """The VAT product posting groups that are set up."""
    return {key.partition("|")[2] for key in company.settings.get(_VAT, {})}


def _seed_setup(company: Company, tx: Transaction, given: dict[str, Any]) -> None:
    _merge(company, given)


def _merge(company: Company, given: dict[str, Any]) -> None:
    """Put settings on top of those there are. Raises ValueError for a series or an account that is not there."""
    try:
        setup = msgspec.convert(company.settings.get(_SETUP, {}) | given, PurchaseSetup, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    for name in _SERIES:
        code = getattr(setup, name).upper()
        if code and code not in company.series:
            raise ValueError(f"{name}: no number series {code!r}; seed it under number_series")
        setattr(setup, name, code)
    for number in (setup.interim_inventory_account, setup.interim_accrual_account):
        _refuse_unknown(company, "interim account", number)
    if setup.expected_cost_posting and not (setup.interim_inventory_account and setup.interim_accrual_account):
        raise ValueError("expected_cost_posting needs interim_inventory_account and interim_accrual_account")
    company.settings[_SETUP] = msgspec.to_builtins(setup)


def _seed_vendor_groups(company: Company, tx: Transaction, groups: list[VendorGroupSeed]) -> None:
    kept: dict[str, str] = company.settings.setdefault(_VENDOR_GROUPS, {})
    for group in groups:
        _refuse_unknown(company, f"vendor posting group {group.code!r}", group.payables_account)
        kept[group.code.upper()] = group.payables_account


def _seed_vat(company: Company, tx: Transaction, lines: list[VatSetupSeed]) -> None:
    kept: dict[str, Any] = company.settings.setdefault(_VAT, {})
    for line in lines:
        name = f"{line.business.upper()}|{line.product.upper()}"
        _refuse_unknown(company, f"vat_posting_setup {name}", line.purchase_vat_account)
        kept[name] = {
            "percent": str(line.percent),
            "account": line.purchase_vat_account,
            "blocked": line.blocked,
        }


def _refuse_unknown(company: Company, place: str, number: str) -> None:
    if number and company.tables["accounts"].one(("number",), number.upper()) is None:
        raise ValueError(f"{place}: no account {number!r}")


def _switch(company: Company, tx: Transaction, given: dict[str, Any]) -> None:
    before = company.settings.get(_SETUP, {})
    _merge(company, given)
    tx.note(lambda: company.settings.update({_SETUP: before}))


AREA = Area(
    seeds={
        _SETUP: (dict[str, Any], _seed_setup),
        _VENDOR_GROUPS: (list[VendorGroupSeed], _seed_vendor_groups),
        _VAT: (list[VatSetupSeed], _seed_vat),
    },
    after=("accounts", "number_series"),
    switches={_SETUP: (dict[str, Any], _switch)},
)
