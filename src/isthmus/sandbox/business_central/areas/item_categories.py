"""`itemCategories`."""

from __future__ import annotations

import msgspec

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.fields import Field, Kind, Writing, key, modified
from isthmus.sandbox.business_central.records import MasterSet
from isthmus.sandbox.business_central.registry import Area, Reference
from isthmus.sandbox.business_central.seeding import put
from isthmus.sandbox.business_central.tables import Storage, Transaction


class ItemCategories(MasterSet):
    """Categories in order of their code."""

    name = "itemCategories"
    entity = "itemCategory"
    title = "Item Category"
    table_id = 5722
    order = ("code",)
    storage = Storage("Item Category", unique=(("code",),), captions=(("code", "Code"),))
    fields = (
        key(),
        Field("code", Kind.CODE, 20, required=True),
        Field("displayName", Kind.TEXT, 100),
        modified(Writing.IGNORED),
    )


class CategorySeed(msgspec.Struct, forbid_unknown_fields=True):
    """An item category of a seed file."""

    code: str
    name: str = ""


def _seed(company: Company, tx: Transaction, categories: list[CategorySeed]) -> None:
    for one in categories:
        put(company, tx, "itemCategories", {"code": one.code.upper(), "displayName": one.name or one.code})


AREA = Area(
    sets=(ItemCategories(),),
    references=(Reference("itemCategories", "items", "itemCategoryCode"),),
    seeds={"item_categories": (list[CategorySeed], _seed)},
)
