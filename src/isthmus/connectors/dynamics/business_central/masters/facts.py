"""What is known of each kind of master record: its number, what tells it, what it refers to (bc.json, bc.md §13)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


class Reference(Struct, frozen=True):
    """A field that must name a record of another set: the set, the field of it that is named, and its page."""

    set: str
    by: str
    page: str


class Master(Struct, frozen=True, kw_only=True):
    """One kind of master record.

    number      field it is numbered by: unique in the company
    told_by     fields that tell one from another where the number does not; the first is always sent
    page        where people keep it
    series      page where its number series is set up, "" where it has none
    references  fields that must name something that exists
    refused     fields that may not be written, with what to do instead
    """

    native: str
    number: str
    told_by: tuple[str, ...]
    page: str
    series: str = ""
    references: Mapping[str, Reference] = MappingProxyType({})
    refused: Mapping[str, str] = MappingProxyType({})


_COUNTRY = Reference("countriesRegions", "code", "Countries/Regions")

MASTERS: Mapping[str, Master] = MappingProxyType(
    {
        "vendor": Master(
            native="vendors",
            number="number",
            told_by=("displayName", "taxRegistrationNumber", "postalCode"),
            page="Vendors",
            series="Purchases & Payables Setup, Vendor Nos.",
            references={
                "currencyCode": Reference("currencies", "code", "Currencies"),
                "currencyId": Reference("currencies", "id", "Currencies"),
                "paymentTermsId": Reference("paymentTerms", "id", "Payment Terms"),
                "paymentMethodId": Reference("paymentMethods", "id", "Payment Methods"),
                "country": _COUNTRY,
            },
        ),
        "item": Master(
            native="items",
            number="number",
            told_by=("displayName", "gtin"),
            page="Items",
            series="Inventory Setup, Item Nos.",
            references={
                "baseUnitOfMeasureId": Reference("unitsOfMeasure", "id", "Units of Measure"),
                "baseUnitOfMeasureCode": Reference("unitsOfMeasure", "code", "Units of Measure"),
                "itemCategoryId": Reference("itemCategories", "id", "Item Categories"),
                "itemCategoryCode": Reference("itemCategories", "code", "Item Categories"),
                "inventoryPostingGroupCode": Reference("inventoryPostingGroups", "code", "Inventory Posting Groups"),
                "generalProductPostingGroupCode": Reference(
                    "generalProductPostingGroups", "code", "Gen. Product Posting Groups"
                ),
            },
            refused={"inventory": "Writing it posts an adjustment (bc.md §13): move stock by stock transactions."},
        ),
        "unit_of_measure": Master(
            native="unitsOfMeasure", number="code", told_by=("displayName",), page="Units of Measure"
        ),
        "payment_terms": Master(native="paymentTerms", number="code", told_by=("displayName",), page="Payment Terms"),
        "location": Master(
            native="locations",
            number="code",
            told_by=("displayName",),
            page="Locations",
            references={"country": _COUNTRY},
        ),
    }
)
