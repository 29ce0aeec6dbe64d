"""Purchase orders are made whole, once, each under its mark (semantics.md §5, bc.md §8, §15)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

if TYPE_CHECKING:
    from integration.business_central.purchasing import Purchasing

MISSING = "11111111-1111-4111-8111-111111111111"


async def test_an_order_shows_itself_as_it_is_read_and_begins_with_its_mark(purchasing: Purchasing) -> None:
    made = await purchasing.made(1, await purchasing.line("1"), await purchasing.line("2", "SEAL", "4", "0.1234"))
    shown = await purchasing.shown(made)
    assert (made.native, made.version, made.number) == (shown.data, shown.version, shown.data["number"])
    assert (shown.data["operationsNumber"], shown.data["isthmusMark"]) == ("PO-1", "IS-0000000000000001")
    assert [line["lineKey"] for line in shown.data["purchaseOrderLines"]] == ["1", "2"]
    raw = await purchasing.person("GET", f"purchaseOrders({made.native_id})/purchaseOrderLines")
    first = min(raw["value"], key=lambda line: line["sequence"])
    assert (first["lineType"], first["description"]) == ("Comment", "ISTHMUS IS-0000000000000001 PO-1")


async def test_prices_of_four_decimals_and_keys_of_any_length_come_back_as_they_were(purchasing: Purchasing) -> None:
    keys = ["2147483655", "9007199254740991", "1", "a b=c%"]
    prices = ["0.1234", "1234.5678", "4.5", "0.0001"]
    lines = [await purchasing.line(key, price=price) for key, price in zip(keys, prices, strict=True)]
    made = await purchasing.made(1, *lines)
    found = await purchasing.lines(made)
    assert {key: line["directUnitCost"] for key, line in found.items()} == {
        key: Decimal(price) for key, price in zip(keys, prices, strict=True)
    }
    assert found["1"]["sequence"] == 10_000


async def test_sixty_orders_travel_in_few_requests_and_one_bad_one_stays_behind(purchasing: Purchasing) -> None:
    orders = [await purchasing.order(serial) for serial in range(60)]
    orders[17] = await purchasing.order(17, await purchasing.line("1", itemId=MISSING))
    purchasing.box.reset_calls()
    outcomes = await purchasing.write(purchasing.ours, *orders)
    assert {key for key, outcome in outcomes.items() if outcome.result != "done"} == {"order-17"}
    bad = outcomes["order-17"]
    assert (bad.result, bad.code, bad.field, bad.value) == ("reject", "item_unknown", "lines[0].item", MISSING)
    assert purchasing.box.calls()["by_path"]["POST $batch"] == 3
    assert len((await purchasing.read(purchasing.ours, "purchaseOrders")).records) == 59


@pytest.mark.parametrize(
    ("edit", "line", "header", "code", "field", "value"),
    [
        (("vendors", "20000", {"blocked": "All"}), {}, {}, "vendor_blocked", "vendor", "20000"),
        (("items", "SEAL", {"blocked": True}), {}, {}, "item_blocked", "lines[1].item", "SEAL"),
        (None, {"unitOfMeasureCode": "TON"}, {}, "unit_unknown", "lines[1].unit", "TON"),
        (None, {"locationId": MISSING}, {}, "location_unknown", "lines[1].location", MISSING),
        (None, {"description": "x" * 101}, {}, "too_long", "lines[1].description", "x" * 60),
        (None, {"itemId": None}, {}, "nothing_bought", "lines[1].item", "2"),
        (None, {"itemId": None, "accountId": MISSING}, {}, "account_missing", "lines[1].account", MISSING),
        (None, {}, {"vendorId": MISSING}, "vendor_unknown", "vendor", MISSING),
    ],
)
async def test_a_refusal_names_field_value_and_where_to_mend_it(
    purchasing: Purchasing, edit: Any, line: dict[str, Any], header: dict[str, Any], code: str, field: str, value: str
) -> None:
    bad = await purchasing.order(
        2, await purchasing.line("1"), await purchasing.line("2", "SEAL", **line), who="20000", **header
    )
    if edit:
        purchasing.box.edit(edit[0], edit[1], **edit[2])
    orders = [await purchasing.order(1), bad, await purchasing.order(3)]
    outcomes = await purchasing.write(purchasing.ours, *orders)
    refused = outcomes["order-2"]
    assert (refused.result, refused.code, refused.field, refused.value) == ("reject", code, field, value)
    assert refused.text
    assert refused.mend
    assert [outcomes[f"order-{serial}"].result for serial in (1, 3)] == ["done", "done"]
    assert len((await purchasing.read(purchasing.ours, "purchaseOrders")).records) == 2


async def test_a_look_up_finds_orders_by_their_mark_also_among_their_like(purchasing: Purchasing) -> None:
    orders = [await purchasing.order(serial) for serial in range(3)]
    undated = structs.replace(orders[2], native={n: v for n, v in orders[2].native.items() if n != "orderDate"})
    assert await purchasing.ours.look_up([*orders, undated]) == {}
    sent = await purchasing.write(purchasing.ours, orders[0], undated)
    other = purchasing.connector()
    found = await other.look_up([*orders[:2], undated])
    assert found == {key: structs.replace(outcome, memo=None) for key, outcome in sent.items()}
    assert sent["order-0"].memo == {"received": {}, "order": sent["order-0"].number}


async def test_a_batch_that_is_cut_in_the_middle_leaves_doubt_until_it_is_looked_up(purchasing: Purchasing) -> None:
    orders = [await purchasing.order(serial) for serial in range(5)]
    purchasing.box.fault("cut_mid_batch", after=2, match={"method": "POST"}, times=1)
    outcomes = await purchasing.write(purchasing.ours, *orders)
    assert {outcome.result for outcome in outcomes.values()} == {"uncertain"}
    found = await purchasing.ours.look_up(orders)
    assert {key: outcome.result for key, outcome in found.items()} == {"order-0": "done", "order-1": "done"}
    await purchasing.write(purchasing.ours, *orders[2:])
    numbers = [
        record.data["operationsNumber"] for record in (await purchasing.read(purchasing.ours, "purchaseOrders")).records
    ]
    assert sorted(numbers) == [f"PO-{serial}" for serial in range(5)]


async def test_an_answer_that_lied_is_not_believed(purchasing: Purchasing) -> None:
    purchasing.box.fault("lie_201", match={"method": "POST"}, times=1)
    operation = await purchasing.order(1)
    first = (await purchasing.write(purchasing.ours, operation))["order-1"]
    assert (first.result, first.code) == ("retry", "not_kept")
    assert (await purchasing.write(purchasing.ours, operation))["order-1"].result == "done"
    assert len((await purchasing.read(purchasing.ours, "purchaseOrders")).records) == 1


async def test_orders_of_people_are_read_under_their_own_number_without_comments(purchasing: Purchasing) -> None:
    lines = [
        {"lineType": "Comment", "description": "Gate 4"},
        {"itemId": await purchasing.id("items", "PUMP"), "quantity": 2},
        {"itemId": await purchasing.id("items", "PUMP"), "quantity": 3, "sequence": 25_000},
    ]
    body = {"vendorId": await purchasing.id("vendors", "10000"), "purchaseOrderLines": lines}
    made = await purchasing.person("POST", "purchaseOrders", body)
    [record] = (await purchasing.read(purchasing.ours, "purchaseOrders", fields=("operationsNumber",))).records
    assert (record.data["operationsNumber"], record.data["isthmusMark"]) == (made["number"], "")
    assert [(line["lineKey"], line["quantity"]) for line in record.data["purchaseOrderLines"]] == [("2", 2), ("2.5", 3)]


async def test_a_change_of_a_line_alone_is_seen_by_the_next_read(purchasing: Purchasing) -> None:
    made = await purchasing.made(1)
    first = await purchasing.read(purchasing.ours, "purchaseOrders")
    await purchasing.person_edits_line(made, "1", expectedReceiptDate="2026-05-01")
    page = await purchasing.read(purchasing.ours, "purchaseOrders", cursor=first.cursor)
    assert [record.id for record in page.records] == [made.native_id]
    assert page.records[0].version != made.version


async def test_the_mark_stands_in_your_reference_where_page_50_is_published(purchasing: Purchasing) -> None:
    purchasing.box.publish(PurchaseOrder=50)
    connector = purchasing.connector(services={"purchase_order": "PurchaseOrder"})
    operation = await purchasing.order(1)
    made = (await purchasing.write(connector, operation))["order-1"]
    assert (made.result, made.text) == ("done", "")
    await purchasing.person("PATCH", f"purchaseOrders({made.native_id})", {"orderDate": "2026-03-09"})
    assert (await purchasing.ours.look_up([operation])) == {}
    assert (await connector.look_up([operation]))["order-1"].number == made.number


async def test_what_is_not_published_is_told_and_keeps_no_order_back(purchasing: Purchasing) -> None:
    connector = purchasing.connector(services={"purchase_order": "Nowhere"})
    made = (await purchasing.write(connector, await purchasing.order(1)))["order-1"]
    assert made.result == "done"
    assert "Your Reference could not be set" in made.text
