"""Movements of stock, and the parts they make of work orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.sandbox.cafm.facility import Answer, Client
from isthmus.sandbox.server import Sandbox


async def move(cafm: Client, kind: str, quantity: str, item: str = "1000", place: str = "STORE", **more: Any) -> Answer:
    body = {
        "type": kind,
        "quantity": quantity,
        "itemId": await cafm.id("items", item),
        "locationId": await cafm.id("locations", place),
    }
    return await cafm.post("/stockTransactions", body | more)


async def on_hand(cafm: Client, item: str = "1000") -> dict[str, str]:
    return {place["locationCode"]: place["quantity"] for place in (await cafm.one("items", code=item))["onHand"]}


async def test_an_issue_becomes_a_part_of_the_work_order(cafm: Client) -> None:
    order = await cafm.id("workOrders", "WO-1")
    made = (await move(cafm, "issue", "2", unit="BOX10", workOrderId=order, reason="Pump leaks")).data
    assert (made["number"], made["baseQuantity"], made["amount"]) == ("ST-000001", "-20.00000", "-90.00")
    assert (made["unitCost"], made["expected"]) == ("4.5000", None)
    back = (await move(cafm, "return", "3", workOrderId=order)).data
    assert (back["baseQuantity"], back["amount"]) == ("3.00000", "13.50")
    found = (await cafm.get(f"/workOrders/{order}")).data
    parts = [(part["quantity"], part["unit"], part["unitCost"], part["amount"]) for part in found["parts"]]
    assert parts == [("2.00000", "BOX10", "45.0000", "90.00"), ("-3.00000", "PCS", "4.5000", "-13.50")]
    assert found["parts"][0]["stockTransactionId"] == made["id"]
    assert (found["costs"]["parts"], found["costs"]["total"]) == ("76.50", "76.50")
    assert await on_hand(cafm) == {"STORE": "23.00000"}
    own = {"parts": [{"id": found["parts"][0]["id"], "quantity": "1"}]}
    assert (await cafm.patch(f"/workOrders/{order}", own)).refusal == (409, "not_editable", "parts")
    assert (await cafm.get(f"/stockTransactions?workOrderId={order}")).body["paging"]["total"] == 2


async def test_adjustments_counts_and_transfers(cafm: Client) -> None:
    van = await cafm.id("locations", "VAN")
    assert (await move(cafm, "adjustment", "-3", reason="Broken")).data["baseQuantity"] == "-3.00000"
    moved = (await move(cafm, "transfer", "1", unit="BOX10", toLocationId=van)).data
    assert (moved["baseQuantity"], moved["amount"]) == ("10.00000", "45.00")
    assert await on_hand(cafm) == {"STORE": "27.00000", "VAN": "10.00000"}
    counted = (await move(cafm, "count", "25")).data
    assert (counted["expected"], counted["baseQuantity"], counted["amount"]) == ("27.00000", "-2.00000", "-9.00")
    same = (await move(cafm, "count", "25")).data
    assert (same["baseQuantity"], same["amount"]) == ("0.00000", "0.00")
    assert await on_hand(cafm) == {"STORE": "25.00000", "VAN": "10.00000"}
    assert (await cafm.one("items", code="1000"))["onHandTotal"] == "35.00000"


async def test_costs_are_rounded_half_away_from_zero(cafm: Client) -> None:
    assert (await move(cafm, "adjustment", "1005", item="1001")).data["amount"] == "334.97"  # 334.9665
    assert (await move(cafm, "issue", "15", item="1001")).data["amount"] == "-5.00"  # -4.9995


async def test_movements_that_cannot_be(cafm: Client) -> None:
    order, van = await cafm.id("workOrders", "WO-1"), await cafm.id("locations", "VAN")
    store = await cafm.id("locations", "STORE")
    for answer, refusal in (
        (await move(cafm, "issue", "41"), (409, "insufficient_stock", "quantity")),
        (await move(cafm, "issue", "0"), (422, "out_of_range", "quantity")),
        (await move(cafm, "issue", "-1"), (422, "out_of_range", "quantity")),
        (await move(cafm, "adjustment", "0"), (422, "out_of_range", "quantity")),
        (await move(cafm, "issue", "1", item="S1"), (422, "inactive_reference", "itemId")),
        (await move(cafm, "issue", "1", place="ROOF"), (422, "inactive_reference", "locationId")),
        (await move(cafm, "issue", "1", unit="H"), (422, "unit_not_convertible", "unit")),
        (await move(cafm, "issue", "0.5"), (422, "too_many_decimals", "quantity")),
        (await move(cafm, "issue", "1", toLocationId=van), (422, "not_a_choice", "toLocationId")),
        (await move(cafm, "transfer", "1"), (422, "required", "toLocationId")),
        (await move(cafm, "transfer", "1", toLocationId=store), (422, "not_a_choice", "toLocationId")),
        (await move(cafm, "adjustment", "1", workOrderId=order), (422, "not_a_choice", "workOrderId")),
        (await move(cafm, "issue", "1", at="2999-01-01T00:00:00Z"), (422, "out_of_range", "at")),
    ):
        assert answer.refusal == refusal
    await cafm.move("workOrders", order, "completed", "closed")
    assert (await move(cafm, "issue", "1", workOrderId=order)).refusal == (409, "not_editable", "workOrderId")
    assert await on_hand(cafm) == {"STORE": "40.00000"}


async def test_a_movement_is_reversed_once(cafm: Client) -> None:
    order = await cafm.id("workOrders", "WO-1")
    made = (await move(cafm, "issue", "4", workOrderId=order)).data
    path = f"/stockTransactions/{made['id']}"
    assert (await cafm.patch(path, {"note": "x"})).refusal == (409, "immutable", "note")
    assert (await cafm.delete(path)).code == "immutable"
    assert (await cafm.patch(path, {"externalStatus": "saved"})).status == 200
    back = await cafm.post(f"{path}/reverse", {"reason": "Wrong order"})
    assert (back.status, back.data["type"], back.data["baseQuantity"]) == (201, "issue", "4.00000")
    assert (back.data["reversesId"], back.data["amount"], back.data["externalStatus"]) == (made["id"], "18.00", None)
    assert (await cafm.get(path)).data["reversedById"] == back.data["id"]
    assert (await cafm.post(f"{path}/reverse")).code == "not_editable"
    assert (await cafm.post(f"/stockTransactions/{back.data['id']}/reverse")).code == "not_editable"
    assert (await cafm.get(f"/workOrders/{order}")).data["costs"]["total"] == "0.00"
    assert await on_hand(cafm) == {"STORE": "40.00000"}
    moved = (await move(cafm, "transfer", "5", toLocationId=await cafm.id("locations", "VAN"))).data
    await cafm.post(f"/stockTransactions/{moved['id']}/reverse")
    assert await on_hand(cafm) == {"STORE": "40.00000"}


async def test_the_base_unit_is_fixed_by_the_first_movement(cafm: Client) -> None:
    new = (await cafm.post("/items", {"code": "N", "description": "New", "baseUnit": "PCS"})).data
    path = f"/items/{new['id']}"
    assert (await cafm.patch(path, {"baseUnit": "BOX10"})).status == 200
    await move(cafm, "adjustment", "1", item="N")
    assert (await cafm.patch(path, {"baseUnit": "PCS"})).refusal == (409, "not_editable", "baseUnit")


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["issue", "return", "adjustment", "count", "transfer", "reverse"]),
        st.integers(1, 60),
        st.sampled_from(["PCS", "BOX10"]),
        st.sampled_from(["STORE", "VAN"]),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
def test_what_is_on_hand_is_the_sum_of_the_movements(law_box: Sandbox, moves: Any) -> None:
    """Whatever is done and refused, the books agree with the movements, and nothing goes below zero."""
    code = f"L{len(law_box.records('items'))}"
    law_box.act("POST", "/items", {"code": code, "description": "x", "baseUnit": "PCS", "unitCost": "1"})
    law_box.act("POST", "/itemUnits", {"itemId": code, "unitCode": "BOX10", "factor": "10"})
    item = law_box.records("items", name=code)[0]["id"]
    last = 0
    for kind, quantity, unit, place in moves:
        if kind == "reverse":
            answer = law_box.act("POST", f"/stockTransactions/{last}/reverse")
        else:
            body = {"type": kind, "itemId": code, "quantity": str(quantity), "unit": unit, "locationId": place}
            other = {"toLocationId": "VAN" if place == "STORE" else "STORE"} if kind == "transfer" else {}
            answer = law_box.act("POST", "/stockTransactions", body | other)
        assert answer["status"] in {201, 404, 409}
        last = answer["body"]["data"]["id"] if answer["status"] == 201 else last
    held: dict[int, Decimal] = {}
    for row in law_box.records("stockTransactions"):
        if row["itemId"] == item:
            base = Decimal(row["baseQuantity"])
            if row["type"] == "transfer":
                held[row["toLocationId"]] = held.get(row["toLocationId"], Decimal(0)) + base
                base = -base
            held[row["locationId"]] = held.get(row["locationId"], Decimal(0)) + base
    shown = {
        place["locationId"]: Decimal(place["quantity"]) for place in law_box.records("items", id=item)[0]["onHand"]
    }
    assert shown == {place: quantity for place, quantity in held.items() if quantity}
    assert all(quantity > 0 for quantity in shown.values())
