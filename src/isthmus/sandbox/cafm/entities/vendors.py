"""Vendors: kept by finance, or typed in by a user of the CAFM and waiting for approval."""

from __future__ import annotations

from isthmus.sandbox.cafm.entities.finance import ACTIVE
from isthmus.sandbox.cafm.entity import Entity, Field, Statuses
from isthmus.sandbox.cafm.kinds import ByCode, Choice, Code, Country, Record, Text

ADDRESS = Field(
    "address",
    members=(
        Field("line1", Text(100)),
        Field("line2", Text(100)),
        Field("city", Text(50)),
        Field("region", Text(50)),
        Field("postalCode", Text(20)),
        Field("country", Country()),
    ),
)

VENDORS = Entity(
    "vendors",
    (
        Field("code", Code(20), required=True),
        Field("name", Text(100), required=True),
        Field("contact", members=(Field("name", Text(100)), Field("phone", Text(30)), Field("email", Text(80)))),
        ADDRESS,
        Field("paymentTermsCode", ByCode("paymentTerms")),
        Field("currency", ByCode("currencies")),
        Field("taxNumber", Text(30)),
        ACTIVE,
        Field("blocked", Choice("none", "payment", "all"), default="none"),
        Field("approvalStatus"),
    ),
    unique=("code",),
    filters=("active", "taxNumber"),
    looked_up=("currency", "paymentTermsCode"),
    statuses=Statuses(
        {
            "draft": ("pending",),
            "pending": ("approved", "rejected", "draft"),
            "approved": ("pending",),
            "rejected": ("pending",),
        },
        field="approvalStatus",
        free=True,
    ),
    referenced=(("purchaseOrders", "vendorId", "id"), ("items", "preferredVendorId", "id")),
)


def usable(vendor: Record) -> str | None:
    """Why nothing may be ordered from a vendor; None when it may."""
    if not vendor["active"] or vendor["deletedAt"] is not None:
        return "is not active"
    if vendor["blocked"] == "all":
        return "is blocked"
    if vendor["approvalStatus"] != "approved":
        return f"is {vendor['approvalStatus']}, not approved"
    return None
