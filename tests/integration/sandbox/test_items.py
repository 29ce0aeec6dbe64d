"""Items: what renaming and entries mean for them, units, groups, templates (bc.md section 13, bc.json items)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from integration.sandbox.masters import one, seed
from isthmus.sandbox.server import Sandbox, SandboxError


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(seed(), home=tmp_path / "home") as box:
        yield box


# renaming and deleting


async def test_a_renumbered_item_takes_its_belongings_along(box: Sandbox, bc: Any) -> None:
    box.publish(Item_Units=5404)
    row = await one(bc, "items?$filter=number eq '1000'")
    await bc.patch(f"items({row['id']})", {"inventory": 7})
    renamed = await bc.patch(f"items({row['id']})", {"number": "2000"})
    assert (renamed.status, renamed.body["number"], renamed.body["inventory"]) == (200, "2000", 7)
    assert (await one(bc, "itemLedgerEntries"))["itemNumber"] == "2000"
    assert box.stock()["items"] == {"2000": {"": "7"}}
    taken = await bc.patch(f"items({row['id']})", {"number": "1001"})
    assert (taken.status, taken.code) == (400, "Internal_EntityWithSameKeyExists")
    assert box.edit("items", "2000", number="3000")["number"] == "3000"
    await bc.patch(f"items({row['id']})", {"inventory": 9})
    assert box.stock()["items"] == {"3000": {"": "9"}}


async def test_a_renamed_location_or_unit_is_known_by_its_new_code(box: Sandbox, bc: Any) -> None:
    stock = [{"item": "1000", "quantity": 3, "location": "EAST", "date": "2026-01-01"}]
    box.seed({"companies": [{"name": "CRONUS", "stock": stock}]})
    east = await one(bc, "locations?$filter=code eq 'EAST'")
    assert (await bc.patch(f"locations({east['id']})", {"code": "ORIENT"})).status == 200
    assert box.stock()["items"] == {"1000": {"ORIENT": "3"}}
    box.seed({"companies": [{"name": "CRONUS", "stock": [stock[0] | {"location": "ORIENT"}]}]})
    assert box.books("CRONUS")["accounts"] == {"2111": "15.00", "7170": "-15.00"}
    pieces = await one(bc, "unitsOfMeasure?$filter=code eq 'PCS'")
    await bc.patch(f"unitsOfMeasure({pieces['id']})", {"code": "EA"})
    found = await one(bc, "items?$filter=number eq '1000'&$expand=unitOfMeasure")
    assert (found["baseUnitOfMeasureCode"], found["unitOfMeasure"]["code"]) == ("EA", "EA")


async def test_default_dimensions_go_with_their_vendor(box: Sandbox, bc: Any) -> None:
    rules = [{"vendor": "10000", "dimension": "AREA", "value": "30"}, {"item": "1000", "dimension": "AREA"}]
    box.seed({"companies": [{"name": "CRONUS", "default_dimensions": rules}]})
    assert len((await bc.get("defaultDimensions")).value) == 2
    box.remove("vendors", "10000")
    assert [row["parentType"] for row in (await bc.get("defaultDimensions")).value] == ["Item"]


async def test_an_item_with_entries_stays(box: Sandbox, bc: Any) -> None:
    row = await one(bc, "items?$filter=number eq '1000'")
    path = f"items({row['id']})"
    await bc.patch(path, {"inventory": 1})
    answer = await bc.call("DELETE", path)
    assert (answer.status, answer.code) == (400, "Application_DialogException")
    assert "has ledger entries in a fiscal year that has not been closed yet" in answer.text
    for name, value, caption in (("unitCost", 9, "Unit Cost"), ("type", "Service", "Type")):
        answer = await bc.patch(path, {name: value})
        assert f"You cannot change {caption} because there are one or more ledger entries for this item." == answer.text
    assert (await bc.patch(path, {"unitPrice": 9})).status == 200
    with pytest.raises(SandboxError, match="ledger entries"):
        box.remove("items", "1000")
    box.remove("items", "1004")
    assert (await bc.get("items?$filter=number eq '1004'")).value == []


async def test_under_standard_costing_the_cost_may_change(bc: Any) -> None:
    row = await one(bc, "items?$filter=number eq '1004'")
    await bc.patch(f"items({row['id']})", {"inventory": 1})
    assert (await bc.patch(f"items({row['id']})", {"unitCost": 3.75})).body["unitCost"] == 3.75


# items


async def test_units_groups_and_category_go_by_id_or_code(bc: Any) -> None:
    unit = await one(bc, "unitsOfMeasure?$filter=code eq 'KG'")
    category = await one(bc, "itemCategories")
    made = await bc.post(
        "items",
        {
            "displayName": "Grease",
            "type": "Non_x002D_Inventory",
            "baseUnitOfMeasureId": unit["id"],
            "itemCategoryCode": "parts",
            "generalProductPostingGroupCode": "RETAIL",
            "unitCost": 4.25,
        },
    )
    assert made.status == 201, made.body
    assert (made.body["baseUnitOfMeasureCode"], made.body["itemCategoryId"]) == ("KG", category["id"])
    assert (made.body["type"], made.body["unitCost"]) == ("Non_x002D_Inventory", 4.25)
    group = await one(bc, "generalProductPostingGroups?$filter=code eq 'RETAIL'")
    assert made.body["generalProductPostingGroupId"] == group["id"]
    path = f"items({made.body['id']})"
    changed = await bc.patch(path, {"baseUnitOfMeasureCode": "BOX"})
    assert changed.body["baseUnitOfMeasureId"] != unit["id"]
    both = await bc.patch(path, {"baseUnitOfMeasureCode": "PCS", "baseUnitOfMeasureId": unit["id"]})
    assert both.text == "The unit of measure values do not match to a specific Unit of Measure."
    unknown = await bc.patch(path, {"baseUnitOfMeasureCode": "NONE"})
    assert (unknown.code, unknown.text) == (
        "Internal_InvalidTableRelation",
        "The field Base Unit of Measure of table Item contains a value (NONE) that cannot be found in the related "
        "table (Unit of Measure).",
    )
    expanded = await bc.get(f"{path}?$expand=unitOfMeasure,itemCategory,generalProductPostingGroup")
    assert expanded.body["unitOfMeasure"]["code"] == "BOX"


async def test_a_template_gives_what_the_call_left_out(bc: Any) -> None:
    assert (await bc.post("items", {})).body["generalProductPostingGroupCode"] == "MISC"
    own = await bc.post("items", {"generalProductPostingGroupCode": "RETAIL"})
    assert own.body["generalProductPostingGroupCode"] == "RETAIL"
    assert (await bc.post("items", {"type": "Service"})).body["generalProductPostingGroupCode"] == ""


async def test_a_price_or_cost_is_not_negative(bc: Any) -> None:
    for name in ("unitCost", "unitPrice"):
        answer = await bc.post("items", {name: -0.01})
        assert (answer.status, answer.code) == (400, "Application_FieldValidationException")
        assert name in answer.text
    assert (await bc.post("paymentTerms", {"code": "X", "discountPercent": 101})).status == 400


async def test_inventory_cannot_be_given_on_insert(bc: Any) -> None:
    answer = await bc.post("items", {"inventory": 0})
    assert (answer.status, answer.code) == (400, "Application_DialogException")
    assert answer.text == "Inventory cannot be changed during on insert."
