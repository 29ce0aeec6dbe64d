"""Posting groups of products and the posting set-up behind them: which accounts stock is booked on. v2.0 shows the
groups, not the set-up.
"""

from __future__ import annotations

from typing import Any

import msgspec

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import EntitySet
from isthmus.sandbox.business_central.fields import Kind, key, modified, shown
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.seeding import put
from isthmus.sandbox.business_central.tables import Storage, Transaction


class InventoryPostingGroups(EntitySet):
    """Read only."""

    name = "inventoryPostingGroups"
    entity = "inventoryPostingGroup"
    title = "Inventory Posting Group"
    table_id = 94
    order = ("code",)
    storage = Storage("Inventory Posting Group", unique=(("code",),), captions=(("code", "Code"),))
    fields = (key(), shown("code", Kind.CODE, 20), shown("description", Kind.TEXT, 100), modified())


class GeneralProductPostingGroups(EntitySet):
    """Read only."""

    name = "generalProductPostingGroups"
    entity = "generalProductPostingGroup"
    title = "Gen. Product Posting Group"
    table_id = 251
    order = ("code",)
    storage = Storage("Gen. Product Posting Group", unique=(("code",),), captions=(("code", "Code"),))
    fields = (
        key(),
        shown("code", Kind.CODE, 20),
        shown("description", Kind.TEXT, 100),
        shown("defaultVATProductPostingGroup", Kind.CODE, 20),
        shown("autoInsertDefault", Kind.BOOL),
        modified(),
    )


class GroupSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A posting group of a seed file."""

    code: str
    description: str = ""


class ProductGroupSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A general product posting group of a seed file, with the VAT group it brings."""

    code: str
    description: str = ""
    vat_group: str = ""


class GeneralSetupSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A line of General Posting Setup: accounts by business and product group. Either may be blank."""

    product: str
    business: str = ""
    purchase_account: str = ""
    inventory_adjustment_account: str = ""
    direct_cost_applied_account: str = ""


class InventorySetupSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A line of Inventory Posting Setup: the account of stock by location (blank too) and inventory group."""

    group: str
    inventory_account: str
    location: str = ""


def general_setup(company: Company, business: str, product: str) -> dict[str, str] | None:
    """Accounts of General Posting Setup: purchase_account, inventory_adjustment_account, direct_cost_applied_account;
    None where there is no such line.
    """
    found: dict[str, str] | None = company.settings.get("general_posting_setup", {}).get(f"{business}|{product}")
    return found


def inventory_account(company: Company, location: str, group: str) -> str | None:
    """The account number of Inventory Posting Setup; None where there is no such line."""
    found: str | None = company.settings.get("inventory_posting_setup", {}).get(f"{location}|{group}")
    return found


def rename_location(company: Company, tx: Transaction, old: str, new: str) -> None:
    """Let Inventory Posting Setup follow a location that has another code now."""
    before: dict[str, str] = company.settings.get("inventory_posting_setup", {})
    if not before:
        return
    renamed = {}
    for pair, account in before.items():
        location, _, group = pair.partition("|")
        renamed[f"{new if location == old else location}|{group}"] = account
    company.settings["inventory_posting_setup"] = renamed
    tx.note(lambda: company.settings.update({"inventory_posting_setup": before}))


def _seed_inventory(company: Company, tx: Transaction, groups: list[GroupSeed]) -> None:
    for group in groups:
        put(company, tx, "inventoryPostingGroups", {"code": group.code.upper(), "description": group.description})


def _seed_product(company: Company, tx: Transaction, groups: list[ProductGroupSeed]) -> None:
    for group in groups:
        values = {
            "code": group.code.upper(),
            "description": group.description,
            "defaultVATProductPostingGroup": group.vat_group.upper(),
            "autoInsertDefault": True,
        }
        put(company, tx, "generalProductPostingGroups", values)


def _seed_general_setup(company: Company, tx: Transaction, lines: list[GeneralSetupSeed]) -> None:
    setup: dict[str, Any] = company.settings.setdefault("general_posting_setup", {})
    for line in lines:
        accounts = msgspec.structs.asdict(line)
        business, product = accounts.pop("business").upper(), accounts.pop("product").upper()
        _refuse_unknown(company, f"general_posting_setup {business}|{product}", *accounts.values())
        setup[f"{business}|{product}"] = accounts


def _seed_inventory_setup(company: Company, tx: Transaction, lines: list[InventorySetupSeed]) -> None:
    setup: dict[str, Any] = company.settings.setdefault("inventory_posting_setup", {})
    for line in lines:
        name = f"{line.location.upper()}|{line.group.upper()}"
        _refuse_unknown(company, f"inventory_posting_setup {name}", line.inventory_account)
        setup[name] = line.inventory_account


def _refuse_unknown(company: Company, place: str, *accounts: str) -> None:
    for number in accounts:
        if number and company.tables["accounts"].one(("number",), number) is None:
            raise ValueError(f"{place}: no account {number!r}")


AREA = Area(
    sets=(InventoryPostingGroups(), GeneralProductPostingGroups()),
    seeds={
        "inventory_posting_groups": (list[GroupSeed], _seed_inventory),
        "general_product_posting_groups": (list[ProductGroupSeed], _seed_product),
        "general_posting_setup": (list[GeneralSetupSeed], _seed_general_setup),
        "inventory_posting_setup": (list[InventorySetupSeed], _seed_inventory_setup),
    },
    after=("accounts", "locations"),
)
