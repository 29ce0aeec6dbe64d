"""Vendors and the terms they are paid by: owned by finance."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from isthmus.model.entity import Record, about, entity
from isthmus.model.values import Address

#: payment: no payment is made; all: nothing is posted either (Business Central, bc.md §13).
VendorBlocked = Literal["none", "payment", "all"]
ApprovalStatus = Literal["draft", "pending", "approved", "rejected"]


class Contact(Record, frozen=True, kw_only=True):
    """How to reach a business partner."""

    name: Annotated[str | None, about("Contact person", owner="finance", sensitivity="personal")] = None
    phone: Annotated[str | None, about("Telephone", owner="finance", sensitivity="personal")] = None
    email: Annotated[str | None, about("E-mail", owner="finance", sensitivity="personal")] = None
    website: Annotated[str | None, about("Web site", owner="finance")] = None


@entity("vendor", scope="company", number="number", title="Vendor")
class Vendor(Record, frozen=True, kw_only=True):
    """Somebody goods and services are bought from."""

    number: Annotated[str, about("Vendor number", owner="finance", key=True)]
    name: Annotated[str | None, about("Name", owner="finance")] = None
    address: Annotated[Address | None, about("Postal address", owner="finance")] = None
    contact: Annotated[Contact | None, about("How to reach them", owner="finance")] = None
    tax_number: Annotated[str | None, about("Tax registration number", owner="finance")] = None
    currency: Annotated[str | None, about("Currency they bill in, ISO 4217", owner="finance")] = None
    payment_terms: Annotated[str | None, about("Code of the payment terms", owner="finance")] = None
    blocked: Annotated[VendorBlocked | None, about("What they are blocked for", owner="finance")] = None
    approval: Annotated[ApprovalStatus | None, about("Approval as a supplier", owner="finance")] = None


@entity("payment_terms", scope="company", number="code", title="Payment terms")
class PaymentTerms(Record, frozen=True, kw_only=True):
    """When a bill is due."""

    code: Annotated[str, about("Code", owner="finance", key=True)]
    name: Annotated[str | None, about("Name", owner="finance")] = None
    due: Annotated[str | None, about("Due date formula, e.g. 30D or CM+1M", owner="finance")] = None
    discount: Annotated[str | None, about("Formula of the last day for cash discount", owner="finance")] = None
    discount_percent: Annotated[Decimal | None, about("Cash discount in percent", owner="finance")] = None
