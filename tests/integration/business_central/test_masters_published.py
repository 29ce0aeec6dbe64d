"""Units of items on page 5404 and dimension values on page 537 (bc.md §18)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from isthmus.app.registry import shipped_lenses
from isthmus.mapping.compiler import compile_lens
from isthmus.testing.ways import read_stream

if TYPE_CHECKING:
    from integration.business_central.stockroom import Stockroom


def unit(item: str = "1000", code: str = "PALLET", factor: str = "480") -> dict[str, Any]:
    return {"Item_No": item, "Code": code, "Qty_per_Unit_of_Measure": Decimal(factor)}


async def test_units_of_items_are_read_as_a_scan_and_deletions_are_seen(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    first = await read_stream(connector, "itemUnitsOfMeasure", "CRONUS", limit=2)
    assert "1000/BOX" in first.ids
    lens = compile_lens(shipped_lenses("business_central")["item_unit"])
    box = next(record for record in first.records if record.id == "1000/BOX")
    assert lens.read(box.data).state == {"item": "1000", "unit": "BOX", "factor": "12", "key": "1000/BOX"}
    stockroom.seed(items=[{"number": "A/B 7", "name": "Odd", "unit": "PCS", "units": {"BOX": 3}}])
    second = await read_stream(connector, "itemUnitsOfMeasure", "CRONUS", cursor=first.cursor, limit=2)
    assert set(second.ids) - set(first.ids) == {"A%2FB%207/PCS", "A%2FB%207/BOX"}
    assert second.pages[-1].scan_done
    found = await connector.fetch("itemUnitsOfMeasure", "CRONUS", ["A%2FB%207/BOX", "1000/NONE"])
    assert [(record.id, record.deleted) for record in found] == [("A%2FB%207/BOX", False), ("1000/NONE", True)]


async def test_a_unit_of_an_item_is_made_once_and_changed_under_its_etag(stockroom: Stockroom) -> None:
    stockroom.seed(units_of_measure=[{"code": "PALLET"}])
    connector = stockroom.connector()
    made = stockroom.op("item_unit", "u", unit())
    assert await connector.look_up([made]) == {}
    done = (await stockroom.write(connector, made))["u"]
    assert (done.result, done.native_id, (done.native or {})["Qty_per_Unit_of_Measure"]) == ("done", "1000/PALLET", 480)
    assert (await stockroom.write(connector, made))["u"].native_id == done.native_id
    other = (await stockroom.write(connector, stockroom.op("item_unit", "x", unit(factor="500"))))["x"]
    assert (other.result, other.code) == ("reject", "number_taken")
    changes = {"Qty_per_Unit_of_Measure": Decimal(500)}
    change = stockroom.op("item_unit", "c", changes, "update", native_id=done.native_id, version=done.version)
    assert await connector.look_up([change]) == {}
    assert (await stockroom.write(connector, change))["c"].result == "done"
    assert (await connector.look_up([change]))["c"].result == "done"
    assert (await stockroom.write(connector, change))["c"].result == "stale"
    renamed = stockroom.op("item_unit", "r", {"Code": "BOX"}, "update", native_id=done.native_id)
    assert (await stockroom.write(connector, renamed))["r"].code == "key_changed"


async def test_a_unit_or_item_nobody_knows_is_named(stockroom: Stockroom) -> None:
    ton, ghost = stockroom.op("item_unit", "u", unit(code="TON")), stockroom.op("item_unit", "i", unit(item="9"))
    outcomes = await stockroom.write(stockroom.connector(), ton, ghost)
    assert [(outcomes[key].code, outcomes[key].field, outcomes[key].value) for key in ("u", "i")] == [
        ("reference_unknown", "Code", "TON"),
        ("reference_unknown", "Item_No", "9"),
    ]
    zero = stockroom.op("item_unit", "z", unit(code="BOX", factor="0") | {"Item_No": "1001"})
    refused = (await stockroom.write(stockroom.connector(), zero))["z"]
    assert (refused.result, refused.mend[:32]) == ("reject", "Mend it on page Item Units of Me")


async def test_without_the_service_nothing_of_it_is_offered(stockroom: Stockroom) -> None:
    connector = stockroom.connector(services={})
    assert "item_unit" not in connector.capabilities.entities
    assert connector.capabilities.entities["dimension_value"].actions == frozenset()
    outcome = (await stockroom.write(connector, stockroom.op("item_unit", "u", unit())))["u"]
    assert (outcome.result, outcome.code) == ("reject", "service_not_named")
    assert "5404" in outcome.mend


async def test_a_dimension_value_is_made_read_and_renamed(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    native = {"dimensionCode": "PROJECT", "code": "P900", "displayName": "New wing"}
    made = stockroom.op("dimension_value", "d", native)
    assert await connector.look_up([made]) == {}
    done = (await stockroom.write(connector, made))["d"]
    assert (done.result, done.number) == ("done", "PROJECT/P900")
    assert (await connector.fetch("dimensionValues", "CRONUS", [done.native_id or ""]))[0].version == done.version
    assert (await stockroom.write(connector, made))["d"].native_id == done.native_id
    other = stockroom.op("dimension_value", "o", {**native, "displayName": "Old wing"})
    assert (await stockroom.write(connector, other))["o"].code == "number_taken"
    rename = {"displayName": "West wing"}
    change = stockroom.op("dimension_value", "c", rename, "update", native_id=done.native_id, version=done.version)
    changed = (await stockroom.write(connector, change))["c"]
    assert (changed.result, (changed.native or {})["displayName"]) == ("done", "West wing")
    assert (await stockroom.write(connector, change))["c"].result == "stale"


async def test_a_dimension_that_does_not_exist_is_refused(stockroom: Stockroom) -> None:
    native = {"dimensionCode": "NONE", "code": "P900", "displayName": "New wing"}
    outcome = (await stockroom.write(stockroom.connector(), stockroom.op("dimension_value", "d", native)))["d"]
    assert (outcome.result, outcome.code, outcome.field) == ("reject", "reference_unknown", "dimensionCode")


@pytest.mark.parametrize("fault", ["lose_after", "lose_before"])
async def test_a_lost_answer_of_a_published_page_is_looked_up(stockroom: Stockroom, fault: str) -> None:
    stockroom.seed(units_of_measure=[{"code": "PALLET"}])
    connector = stockroom.connector()
    made = stockroom.op("item_unit", "u", unit())
    stockroom.box.fault(fault, match={"method": "POST"}, times=1)
    assert (await stockroom.write(connector, made))["u"].result == "uncertain"
    assert set(await connector.look_up([made])) == ({"u"} if fault == "lose_after" else set())
