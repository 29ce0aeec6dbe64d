"""`items` (bc.md section 13, bc.json items)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from isthmus.sandbox.business_central import errors, templates
from isthmus.sandbox.business_central.areas.units import put_item_unit
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import Navigation, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import NO_GUID, Field, Kind, Options, key, modified
from isthmus.sandbox.business_central.numbering import number_for, refuse_manual
from isthmus.sandbox.business_central.pairs import Pair
from isthmus.sandbox.business_central.records import MasterSet
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.seeding import member_of, put
from isthmus.sandbox.business_central.stock import Movement, check_movement, post_movement
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction, Values

TYPE = Options("Item Type", ("Inventory", "Service", "Non-Inventory"))
_SETUP = ("Item Nos.", "Inventory Setup")
_TEMPLATES = "item_templates"
_CATEGORY = Pair(
    "itemCategoryId",
    "itemCategoryCode",
    "itemCategories",
    no_id='The "itemCategoryId" does not match to a specific Item Category group.',
    no_code='The "itemCategoryCode" does not match to a Item Category.',
    differ="The item categories values do not match to a specific item category.",
)
_UNIT = Pair(
    "baseUnitOfMeasureId",
    "baseUnitOfMeasureCode",
    "unitsOfMeasure",
    no_id='The "baseUnitOfMeasureId" does not match to a Unit of Measure.',
    differ="The unit of measure values do not match to a specific Unit of Measure.",
    caption="Base Unit of Measure",
    title="Item",
)
# The page has no texts of its own for the posting groups: what a wrong id raises is assumed.
_PRODUCT = Pair(
    "generalProductPostingGroupId",
    "generalProductPostingGroupCode",
    "generalProductPostingGroups",
    no_id='The "generalProductPostingGroupId" does not match to a Gen. Product Posting Group.',
    caption="Gen. Prod. Posting Group",
    title="Item",
)
_INVENTORY = Pair(
    "inventoryPostingGroupId",
    "inventoryPostingGroupCode",
    "inventoryPostingGroups",
    no_id='The "inventoryPostingGroupId" does not match to a Inventory Posting Group.',
    caption="Inventory Posting Group",
    title="Item",
)
#: Properties that entries hold, by their captions.
_HELD_BY_ENTRIES = {"unitCost": "Unit Cost", "type": "Type", "baseUnitOfMeasureCode": "Base Unit of Measure"}
COSTING_METHODS = ("fifo", "lifo", "specific", "average", "standard")
_PAIRS = (_CATEGORY, _UNIT, _PRODUCT, _INVENTORY)


class Items(MasterSet):
    """Items in order of their number. Hidden: purchasing_blocked (bool), tracking (blank, lot or serial),
    costing_method, vat_prod_posting_group, vendor_number, vendor_item_number, and as Decimal reorder_point,
    reorder_quantity, safety_stock.
    """

    name = "items"
    entity = "item"
    title = "Item"
    table_id = 27
    order = ("number",)
    key_name = "number"
    storage = Storage(
        "Item",
        unique=(("number",),),
        captions=(("number", "No."),),
        hidden_decimals=("reorder_point", "reorder_quantity", "safety_stock"),
    )
    navigations = (
        Navigation("defaultDimensions", "defaultDimensions"),
        Navigation("inventoryPostingGroup", "inventoryPostingGroups", by="inventoryPostingGroupId"),
        Navigation("generalProductPostingGroup", "generalProductPostingGroups", by="generalProductPostingGroupId"),
        Navigation("unitOfMeasure", "unitsOfMeasure", by="baseUnitOfMeasureId"),
        Navigation("itemCategory", "itemCategories", by="itemCategoryId"),
    )
    fields = (
        key(),
        Field("number", Kind.CODE, 20),
        Field("displayName", Kind.TEXT, 100),
        Field("displayName2", Kind.TEXT, 50),
        Field("type", Kind.ENUM, options=TYPE),
        Field("itemCategoryId", Kind.GUID),
        Field("itemCategoryCode", Kind.CODE, 20),
        Field("blocked", Kind.BOOL),
        Field("gtin", Kind.CODE, 14),
        Field("inventory", Kind.DECIMAL),
        Field("unitPrice", Kind.DECIMAL, least=Decimal(0)),
        Field("priceIncludesTax", Kind.BOOL),
        Field("unitCost", Kind.DECIMAL, least=Decimal(0)),
        Field("taxGroupId", Kind.GUID),
        Field("taxGroupCode", Kind.CODE, 20),
        Field("baseUnitOfMeasureId", Kind.GUID),
        Field("baseUnitOfMeasureCode", Kind.CODE, 10),
        Field("generalProductPostingGroupId", Kind.GUID),
        Field("generalProductPostingGroupCode", Kind.CODE, 20),
        Field("inventoryPostingGroupId", Kind.GUID),
        Field("inventoryPostingGroupCode", Kind.CODE, 20),
        modified(),
    )

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        company = call.company
        if "inventory" in values:
            raise errors.dialog("Inventory cannot be changed during on insert.")
        if values.get("number"):
            refuse_manual(company, company.setup.item_series)
        else:
            series = company.setup.item_series
            values["number"] = number_for(company, call.tx, self.table(call), series, _SETUP)
        whole = {**values, **_resolved(company, values)}
        given = templates.given_by(company, _TEMPLATES, {**self.blank, **whole})
        groups = {name: given.get(name, "") for name in ("general_product_posting_group", "inventory_posting_group")}
        hidden = {**blank_hidden(), "vat_prod_posting_group": given.get("vat_prod_posting_group", "")}
        whole |= _from_template(company, whole, groups)
        row = super().create(call, parent, whole)
        row.hidden = hidden
        _base_unit(call, row)
        return row

    def change(self, call: Call, row: Row, values: Values) -> Row:
        changed = {name: value for name, value in values.items() if row.values[name] != value}
        if "number" in changed and not changed["number"]:
            raise errors.must_have_value("No.", f"Item: No.={row.values['number']}")
        wanted = changed.pop("inventory", None)
        changed |= _resolved(call.company, changed)
        _refuse_with_entries(call.company, row, changed)
        found = super().change(call, row, changed)
        if "baseUnitOfMeasureCode" in changed:
            _base_unit(call, found)
        if wanted is not None:
            _adjust(call, found, wanted)
        return found


def _refuse_with_entries(company: Company, row: Row, changed: Values) -> None:
    """What cannot change any more once there are entries. The rule and the text are the item table's (Microsoft's base
    application); that the cost is free under standard costing too.
    """
    held = {caption for name, caption in _HELD_BY_ENTRIES.items() if name in changed}
    if row.hidden["costing_method"] == "standard":
        held.discard("Unit Cost")
    if held and company.tables["itemLedgerEntries"].group("itemNumber", row.values["number"]):
        text = f"You cannot change {min(held)} because there are one or more ledger entries for this item."
        raise errors.dialog(text)


def _adjust(call: Call, item: Row, wanted: Decimal) -> None:
    """What PATCH of `inventory` does: an adjustment on today's date, at the blank location, under the item's number
    and at its cost (bc.md section 13).
    """
    company = call.company
    quantity = wanted - item.values["inventory"]
    number = item.values["number"]
    movement = Movement(
        item=item,
        kind="Positive Adjmt." if quantity > 0 else "Negative Adjmt.",
        quantity=quantity,
        cost=company.round(quantity * item.values["unitCost"]),
        posting_date=call.stamp[:10],
        document_number=number,
        record="Item Journal Line: Journal Template Name=, Journal Batch Name=, Line No.=0",
        description=item.values["displayName"],
    )
    check_movement(company, movement)
    post_movement(company, call.tx, movement, company.count("transaction"), call.stamp)


def blank_hidden() -> Values:
    """What the API does not show of an item, before anything is set."""
    return {
        "purchasing_blocked": False,
        "tracking": "",
        "costing_method": "fifo",
        "vat_prod_posting_group": "",
        "vendor_number": "",
        "vendor_item_number": "",
        "reorder_point": Decimal(0),
        "reorder_quantity": Decimal(0),
        "safety_stock": Decimal(0),
    }


def _resolved(company: Company, given: Values) -> Values:
    found: Values = {}
    for pair in _PAIRS:
        found |= pair.resolve(company, given)
    # Tax groups are not simulated, so none can be meant.
    if given.get("taxGroupId", NO_GUID) != NO_GUID:
        raise errors.dialog('The "taxGroupId" does not match to a Tax Group.')
    if given.get("taxGroupCode"):
        raise errors.dialog('The "taxGroupCode" does not match to a Tax Group.')
    return found


def _from_template(company: Company, values: Values, groups: dict[str, str]) -> Values:
    """Groups of the template where the call gave none (that it does not overwrite is assumed)."""
    found: Values = {}
    for pair, code in (
        (_PRODUCT, groups["general_product_posting_group"]),
        (_INVENTORY, groups["inventory_posting_group"]),
    ):
        if code and not values.get(pair.code_name):
            found |= pair.resolve(company, {pair.code_name: code})
    return found


def _base_unit(call: Call, row: Row) -> None:
    """The base unit is a unit of the item, one of itself."""
    code = row.values["baseUnitOfMeasureCode"]
    if code:
        put_item_unit(call.company, call.tx, row.values["number"], code, Decimal(1))


class ItemSeed(msgspec.Struct, forbid_unknown_fields=True):
    """An item of a seed file. `tracking` lot or serial: it cannot be posted without such numbers. `units` maps further
    units to how many base units they are.
    """

    number: str
    name: str = ""
    name2: str = ""
    type: str = "Inventory"
    category: str = ""
    unit: str = ""
    units: dict[str, Decimal] = {}
    unit_cost: Decimal = Decimal(0)
    unit_price: Decimal = Decimal(0)
    blocked: bool = False
    purchasing_blocked: bool = False
    tracking: str = ""
    costing_method: str = "fifo"
    gtin: str = ""
    general_product_posting_group: str = ""
    inventory_posting_group: str = ""
    vat_prod_posting_group: str = ""
    vendor: str = ""
    vendor_item_number: str = ""
    reorder_point: Decimal = Decimal(0)
    reorder_quantity: Decimal = Decimal(0)
    safety_stock: Decimal = Decimal(0)


class ItemTemplateSeed(msgspec.Struct, forbid_unknown_fields=True):
    """What an item made by the API gets, where its properties are as `when` says; the first that fits."""

    when: dict[str, str] = {}
    general_product_posting_group: str = ""
    inventory_posting_group: str = ""
    vat_prod_posting_group: str = ""


def _seed_templates(company: Company, tx: Transaction, given: list[ItemTemplateSeed]) -> None:
    templates.settle(company, _TEMPLATES, [msgspec.structs.asdict(one) for one in given])


def _seed(company: Company, tx: Transaction, items: list[ItemSeed]) -> None:
    for item in items:
        _refuse_unknown(item)
        number = item.number.strip().upper()
        known = company.tables["items"].one(("number",), number)
        values: Values = {
            "number": number,
            "displayName": item.name or item.number,
            "displayName2": item.name2,
            "type": member_of(TYPE, item.type),
            "blocked": item.blocked,
            "gtin": item.gtin.upper(),
            "inventory": known.values["inventory"] if known is not None else Decimal(0),
            "unitCost": item.unit_cost,
            "unitPrice": item.unit_price,
        }
        asked = {
            "itemCategoryCode": item.category.upper(),
            "baseUnitOfMeasureCode": item.unit.strip().upper(),
            "generalProductPostingGroupCode": item.general_product_posting_group.upper(),
            "inventoryPostingGroupCode": item.inventory_posting_group.upper(),
        }
        put(company, tx, "items", values | _resolved(company, asked), _seeded_hidden(item))
        for unit, quantity in {asked["baseUnitOfMeasureCode"]: Decimal(1), **item.units}.items():
            if unit:
                put_item_unit(company, tx, number, unit.strip().upper(), quantity)


def _refuse_unknown(item: ItemSeed) -> None:
    for name, known in (("tracking", ("", "lot", "serial")), ("costing_method", COSTING_METHODS)):
        if getattr(item, name).lower() not in known:
            choices = ", ".join(filter(None, known))
            raise ValueError(f"item {item.number!r}: {name} {getattr(item, name)!r}; use one of {choices}")


def _seeded_hidden(item: ItemSeed) -> Values:
    return {
        "purchasing_blocked": item.purchasing_blocked,
        "tracking": item.tracking.lower(),
        "costing_method": item.costing_method.lower(),
        "vat_prod_posting_group": item.vat_prod_posting_group.upper(),
        "vendor_number": item.vendor.strip().upper(),
        "vendor_item_number": item.vendor_item_number,
        "reorder_point": item.reorder_point,
        "reorder_quantity": item.reorder_quantity,
        "safety_stock": item.safety_stock,
    }


AREA = Area(
    sets=(Items(),),
    seeds={"item_templates": (list[ItemTemplateSeed], _seed_templates), "items": (list[ItemSeed], _seed)},
    after=(
        "units_of_measure",
        "item_categories",
        "inventory_posting_groups",
        "general_product_posting_groups",
        "number_series",
    ),
)
