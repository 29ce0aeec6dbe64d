"""Changing master records under their etag (bc.md §6), and planning fields of items on page 30."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from isthmus.contract.connector import Connector
from isthmus.contract.operations import Operation
from isthmus.contract.records import NativeRecord

if TYPE_CHECKING:
    from integration.business_central.stockroom import Stockroom

NO_GUID = "00000000-0000-0000-0000-000000000000"


async def one(stockroom: Stockroom, connector: Connector, native: str, **equals: str) -> NativeRecord:
    page = await stockroom.read(connector, native, equals={name: (value,) for name, value in equals.items()})
    return page.records[0]


def edit(stockroom: Stockroom, entity: str, record: NativeRecord, key: str = "e", **native: Any) -> Operation:
    return stockroom.op(entity, key, native, "update", native_id=record.id, version=record.version)


async def test_only_what_was_sent_changes_and_the_new_version_is_told(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    vendor = await one(stockroom, connector, "vendors", number="10000")
    change = edit(stockroom, "vendor", vendor, displayName="London Post", phoneNumber="+44 1", blocked="All")
    outcome = (await stockroom.write(connector, change))["e"]
    after = (await connector.fetch("vendors", "CRONUS", [vendor.id]))[0]
    assert (outcome.result, outcome.native, outcome.version) == ("done", after.data, after.version)
    changed = {name for name, value in after.data.items() if value != vendor.data[name]}
    assert changed == {"displayName", "phoneNumber", "blocked", "lastModifiedDateTime"}
    assert after.version != vendor.version


async def test_what_was_emptied_is_written_in_the_services_own_words(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    vendor = await one(stockroom, connector, "vendors", number="10000")
    assert vendor.data["paymentTermsId"] != NO_GUID
    change = edit(stockroom, "vendor", vendor, paymentTermsId=None, city=None, blocked=None)
    outcome = (await stockroom.write(connector, change))["e"]
    assert outcome.result == "done", outcome.text
    assert outcome.native is not None
    assert (outcome.native["paymentTermsId"], outcome.native["city"], outcome.native["blocked"]) == (
        NO_GUID,
        "",
        "_x0020_",
    )


async def test_a_record_somebody_changed_is_stale_and_left_alone(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    vendor = await one(stockroom, connector, "vendors", number="10000")
    stockroom.box.edit("vendors", "10000", "CRONUS", displayName="Edited by a person")
    outcome = (await stockroom.write(connector, edit(stockroom, "vendor", vendor, displayName="Ours")))["e"]
    assert (outcome.result, outcome.code) == ("stale", "Request_EntityChanged")
    assert (await stockroom.rows("vendors"))[0]["displayName"] == "Edited by a person"


async def test_a_record_that_is_gone_is_told(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    vendor = await one(stockroom, connector, "vendors", number="10000")
    stockroom.box.remove("vendors", "10000", "CRONUS")
    change = edit(stockroom, "vendor", vendor, displayName="Ours")
    assert ((await stockroom.write(connector, change))["e"].code, (await connector.look_up([change]))["e"].code) == (
        "gone",
        "gone",
    )


async def test_a_lost_answer_is_found_by_what_the_record_shows(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    vendor = await one(stockroom, connector, "vendors", number="10000")
    change = edit(stockroom, "vendor", vendor, displayName="London Post", country="gb")
    assert await connector.look_up([change]) == {}
    stockroom.box.fault("lose_after", match={"method": "POST"}, times=1)
    with pytest.raises(Exception, match="may have taken effect"):
        await stockroom.write(connector, change)
    found = (await connector.look_up([change]))["e"]
    assert (found.result, (found.native or {})["displayName"], (found.native or {})["country"]) == (
        "done",
        "London Post",
        "GB",
    )


async def test_renumbering_is_an_edit_and_keeps_the_id(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    vendor = await one(stockroom, connector, "vendors", number="10000")
    outcome = (await stockroom.write(connector, edit(stockroom, "vendor", vendor, number="10000A")))["e"]
    assert (outcome.result, outcome.number, outcome.native_id) == ("done", "10000A", vendor.id)


async def test_stock_of_an_item_is_never_written_by_an_edit(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    item = await one(stockroom, connector, "items", number="1000")
    outcome = (await stockroom.write(connector, edit(stockroom, "item", item, inventory=Decimal(7))))["e"]
    assert (outcome.result, outcome.code) == ("reject", "field_not_written")
    assert await stockroom.rows("itemLedgerEntries") == []


async def test_a_refused_edit_names_the_field(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    item = await one(stockroom, connector, "items", number="1000")
    outcome = (await stockroom.write(connector, edit(stockroom, "item", item, itemCategoryCode="NONE")))["e"]
    assert (outcome.result, outcome.code, outcome.field) == ("reject", "reference_unknown", "itemCategoryCode")


# page 30


async def test_planning_fields_travel_with_the_item(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    item = await one(stockroom, connector, "items", number="1000")
    assert (item.data["reorderPoint"], item.data["safetyStockQuantity"]) == (0, 0)
    change = edit(stockroom, "item", item, displayName="Seal", reorderPoint=Decimal("12.5"))
    outcome = (await stockroom.write(connector, change))["e"]
    assert outcome.result == "done", outcome.text
    seen = await one(stockroom, connector, "items", number="1000")
    assert (seen.data["displayName"], seen.data["reorderPoint"]) == ("Seal", Decimal("12.5"))
    shown = dict(outcome.native or {})
    assert {name for name, value in seen.data.items() if shown[name] != value} <= {"lastModifiedDateTime"}
    # the version told is of the record before the card's change: the next read looks at it again
    assert seen.version != outcome.version
    assert (await connector.look_up([change]))["e"].result == "done"


async def test_a_card_alone_is_guarded_by_the_items_version(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    item = await one(stockroom, connector, "items", number="1000")
    fine = (await stockroom.write(connector, edit(stockroom, "item", item, safetyStockQuantity=Decimal(3))))["e"]
    assert (fine.result, (fine.native or {})["safetyStockQuantity"]) == ("done", 3)
    stale = (await stockroom.write(connector, edit(stockroom, "item", item, safetyStockQuantity=Decimal(9))))["e"]
    assert stale.result == "stale"
    assert (await one(stockroom, connector, "items", number="1000")).data["safetyStockQuantity"] == 3


async def test_an_item_is_made_with_its_card(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    native = {"number": "7000", "displayName": "Belt", "baseUnitOfMeasureCode": "PCS", "reorderPoint": Decimal(4)}
    made = stockroom.op("item", "i", native)
    # the second writing call is the card's
    stockroom.box.fault("status", code=503, match={"method": "PATCH"}, times=1)
    broken = (await stockroom.write(connector, made))["i"]
    assert (broken.result, broken.code) == ("uncertain", "unavailable")
    assert await connector.look_up([made]) == {}
    outcome = (await stockroom.write(connector, made))["i"]
    assert (outcome.result, (outcome.native or {})["reorderPoint"]) == ("done", 4)
    assert [row["number"] for row in await stockroom.rows("items")].count("7000") == 1
    assert (await connector.look_up([made]))["i"].result == "done"


async def test_without_page_30_planning_fields_are_absent_and_the_rest_works(stockroom: Stockroom) -> None:
    connector = stockroom.connector(services={})
    item = await one(stockroom, connector, "items", number="1000")
    assert "reorderPoint" not in item.data
    both = edit(stockroom, "item", item, displayName="Seal", reorderPoint=Decimal(4))
    outcome = (await stockroom.write(connector, both))["e"]
    assert (outcome.result, outcome.text[:20]) == ("done", "without reorderPoint")
    native = {"number": "7000", "displayName": "Belt", "baseUnitOfMeasureCode": "PCS", "reorderPoint": Decimal(4)}
    made = (await stockroom.write(connector, stockroom.op("item", "i", native)))["i"]
    assert (made.result, made.text[:20]) == ("done", "without reorderPoint")
    only_card = edit(stockroom, "item", item, reorderPoint=Decimal(4))
    refused = (await stockroom.write(connector, only_card))["e"]
    assert (refused.result, refused.code) == ("reject", "service_not_named")
    assert "page 30" in refused.text


async def test_a_page_that_is_named_but_not_published_is_waited_for(stockroom: Stockroom) -> None:
    stockroom.box.publish(ItemCard=None)
    connector = stockroom.connector()
    with pytest.raises(Exception, match="no web service ItemCard is published"):
        await stockroom.read(connector, "items")
    stockroom.box.publish(ItemCard=30)
    assert len((await stockroom.read(connector, "items")).records) == 4
