"""From a requisition to an order to receipts and their corrections."""

from __future__ import annotations

from typing import Any

from integration.sandbox.cafm.facility import Answer, Client


async def requisition(cafm: Client, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = await cafm.post("/requisitions", {"requestedBy": "Kim", "lines": list(lines), **more})
    return dict(made.data)


async def receive(cafm: Client, order: dict[str, Any], *lines: dict[str, Any], **more: Any) -> Answer:
    return await cafm.post("/receipts", {"purchaseOrderId": order["id"], "lines": list(lines), **more})


async def order_of(cafm: Client, number: str = "PO-1") -> dict[str, Any]:
    return await cafm.one("purchaseOrders", number=number)


async def on_hand(cafm: Client, item: str = "1000") -> dict[str, str]:
    return {place["locationCode"]: place["quantity"] for place in (await cafm.one("items", code=item))["onHand"]}


async def test_a_requisition_becomes_an_order(cafm: Client) -> None:
    item, vendor = await cafm.id("items", "1000"), await cafm.id("vendors", "V1")
    made = await requisition(
        cafm,
        {"itemId": item, "quantity": "2", "unit": "BOX10", "estimatedUnitPrice": "39.905", "suggestedVendorId": vendor},
        {"description": "Crane for a day", "quantity": "1", "accountCode": "8430", "estimatedUnitPrice": "500"},
        justification="Pump leaks",
    )
    assert made["number"] == "PR-000001"
    assert [(line["description"], line["unit"], line["amount"]) for line in made["lines"]] == [
        ("Seal", "BOX10", "79.81"),
        ("Crane for a day", None, "500.00"),
    ]
    assert made["total"] == "579.81"
    path = f"/requisitions/{made['id']}"
    assert (await cafm.post(f"{path}/convert", {})).code == "invalid_transition"
    await cafm.move("requisitions", made["id"], "submitted", "approved")
    assert (await cafm.post(f"{path}/convert", {})).refusal == (422, "required", "vendorId")
    first = await cafm.post(f"{path}/convert", {"lineIds": [made["lines"][0]["id"]]})
    order = first.data
    assert (first.status, order["vendorCode"], order["status"]) == (201, "V1", "draft")
    assert (order["requisitionNumber"], order["requisitionId"]) == ("PR-000001", made["id"])
    assert order["lines"][0]["requisitionLineId"] == made["lines"][0]["id"]
    assert (order["lines"][0]["unitPrice"], order["total"]) == ("39.9050", "79.81")
    again = await cafm.post(f"{path}/convert", {"vendorId": vendor, "lineIds": [made["lines"][0]["id"]]})
    assert again.refusal == (422, "unknown_reference", "lineIds[0]")
    second = (await cafm.post(f"{path}/convert", {"vendorId": vendor})).data
    assert [line["type"] for line in second["lines"]] == ["account"]
    after = (await cafm.get(path)).data
    assert (after["status"], after["purchaseOrderIds"]) == ("converted", [order["id"], second["id"]])
    assert [line["purchaseOrderId"] for line in after["lines"]] == [order["id"], second["id"]]
    assert (await cafm.get(f"/purchaseOrders?requisitionId={made['id']}")).body["paging"]["total"] == 2


async def test_a_requisition_keeps_its_rules(cafm: Client) -> None:
    made = await requisition(cafm)
    path = f"/requisitions/{made['id']}"
    empty = await cafm.post(f"{path}/status", {"status": "submitted"})
    assert empty.refusal == (422, "required", "lines")
    assert (await cafm.patch(path, {"lines": [{"quantity": "1"}]})).refusal == (422, "required", "lines[0].description")
    line = {"description": "Rope", "quantity": "3"}
    await cafm.patch(path, {"lines": [line]})
    await cafm.move("requisitions", made["id"], "submitted")
    assert (await cafm.patch(path, {"justification": "x"})).refusal == (409, "not_editable", "status")
    assert (await cafm.delete(path)).refusal == (409, "not_editable", "status")
    assert (await cafm.patch(path, {"externalMessage": "Held: no vendor."})).status == 200
    rejected = (await cafm.post(f"{path}/status", {"status": "rejected", "reason": "Too dear"})).data
    assert (rejected["status"], rejected["statusReason"]) == ("rejected", "Too dear")


async def test_lines_are_changed_by_their_ids(cafm: Client) -> None:
    item, vendor = await cafm.id("items", "1000"), await cafm.id("vendors", "V1")
    lines = [{"itemId": item, "quantity": str(at), "unitPrice": "1.2345"} for at in (1, 2, 3)]
    order = (await cafm.post("/purchaseOrders", {"vendorId": vendor, "lines": lines})).data
    ids = [line["id"] for line in order["lines"]]
    assert [line["lineNumber"] for line in order["lines"]] == [10, 20, 30]
    assert (order["total"], order["paymentTermsCode"], order["revision"]) == ("7.40", "30D", 1)
    path = f"/purchaseOrders/{order['id']}"
    body = {
        "lines": [{"id": ids[1], "delete": True}, {"id": ids[2], "quantity": "5"}, {"itemId": item, "quantity": "9"}]
    }
    changed = (await cafm.patch(path, body)).data
    assert [(line["id"] in ids, line["lineNumber"], line["quantity"]) for line in changed["lines"]] == [
        (True, 10, "1.00000"),
        (True, 30, "5.00000"),
        (False, 40, "9.00000"),
    ]
    strange = await cafm.patch(path, {"lines": [{"id": 17, "quantity": "1"}]})
    assert strange.refusal == (422, "unknown_reference", "lines[0].id")
    broken = await cafm.patch(path, {"lines": [{"id": ids[0], "quantity": "0.5"}]})
    assert broken.refusal == (422, "too_many_decimals", "lines[0].quantity")  # PCS has none
    dozen = await cafm.patch(path, {"lines": [{"id": ids[0], "unit": "H"}]})
    assert dozen.refusal == (422, "unit_not_convertible", "lines[0].unit")
    assert (await cafm.get(path)).data == changed


async def test_an_order_is_approved_and_revised(cafm: Client) -> None:
    good, new, blocked = [await cafm.id("vendors", code) for code in ("V1", "V2", "V3")]
    order = (await cafm.post("/purchaseOrders", {"vendorId": new})).data
    path = f"/purchaseOrders/{order['id']}"
    assert order["currency"] == "USD"
    pending = {"status": "pending"}
    assert (await cafm.post(f"{path}/status", pending)).refusal == (422, "required", "lines")
    item = await cafm.id("items", "1000")
    await cafm.patch(path, {"lines": [{"itemId": item, "quantity": "1"}]})
    for vendor in (new, blocked):
        await cafm.patch(path, {"vendorId": vendor})
        assert (await cafm.post(f"{path}/status", pending)).refusal == (422, "vendor_not_usable", "vendorId")
    await cafm.patch(path, {"vendorId": good})
    approved = (await cafm.move("purchaseOrders", order["id"], "pending", "approved")).data
    line = approved["lines"][0]["id"]
    assert (await cafm.patch(path, {"lines": [{"id": line, "quantity": "2"}]})).refusal == (
        409,
        "not_editable",
        "lines",
    )
    assert (await cafm.patch(path, {"vendorId": new})).refusal == (409, "not_editable", "vendorId")
    later = await cafm.patch(path, {"note": "By Friday", "lines": [{"id": line, "requiredOn": "2026-12-24"}]})
    assert later.data["lines"][0]["requiredOn"] == "2026-12-24"
    assert (await cafm.move("purchaseOrders", order["id"], "draft")).data["revision"] == 2
    refused = await cafm.move("purchaseOrders", order["id"], "received")
    assert refused.error["allowed"] == ["pending", "cancelled"]


async def test_receipts_add_up(cafm: Client) -> None:
    order = await order_of(cafm)
    goods, service = [line["id"] for line in order["lines"]]
    first = (
        await receive(cafm, order, {"orderLineId": goods, "received": "6", "rejected": "1"}, deliveryNote="D1")
    ).data
    assert first["lines"][0] | {"accepted": "5.00000", "unit": "BOX10"} == first["lines"][0]
    assert first["locationId"] == order["locationId"]
    after = await order_of(cafm)
    assert (after["status"], after["lines"][0]["quantityReceived"]) == ("partlyReceived", "5.00000")
    assert after["lines"][0]["quantityRejected"] == "1.00000"
    assert await on_hand(cafm) == {"STORE": "90.00000"}  # 40 and five boxes of ten
    item = await cafm.one("items", code="1000")
    assert item["version"] == 1  # a movement of stock is no change of the item
    await receive(cafm, order, {"orderLineId": goods, "received": "5"})
    assert (await order_of(cafm))["status"] == "partlyReceived"
    done = await receive(cafm, order, {"orderLineId": service, "received": "2"}, kind="service")
    assert done.status == 201
    assert (await order_of(cafm))["status"] == "received"
    assert (await cafm.get("/receipts?received_since=2020-01-01T00:00:00Z")).body["paging"]["total"] == 3
    assert (await cafm.get(f"/stockTransactions?itemId={item['id']}")).data == []
    closed = (await cafm.move("purchaseOrders", order["id"], "closed")).data
    late = await receive(cafm, closed, {"orderLineId": goods, "received": "1"})
    assert late.refusal == (409, "not_editable", None)


async def test_receipts_that_cannot_be(cafm: Client) -> None:
    order = await order_of(cafm)
    goods, service = [line["id"] for line in order["lines"]]
    line = {"orderLineId": goods, "received": "1"}
    roof = await cafm.id("locations", "ROOF")
    for lines, more, code, field in (
        ([], {}, "required", "lines"),
        ([line | {"received": "12"}], {}, "over_receipt", "lines[0].accepted"),
        ([line | {"rejected": "1", "accepted": "1"}], {}, "quantities_do_not_add_up", "lines[0].received"),
        ([line | {"received": "-1"}], {}, "out_of_range", "lines[0].received"),
        ([line | {"received": "0"}], {}, "out_of_range", "lines[0].received"),
        ([line, line], {}, "duplicate_line", "lines[1].orderLineId"),
        ([line | {"orderLineId": 17}], {}, "unknown_reference", "lines[0].orderLineId"),
        ([line | {"orderLineId": 10}], {}, "unknown_reference", "lines[0].orderLineId"),
        ([line | {"orderLineId": service}], {}, "not_a_choice", "lines[0].orderLineId"),
        ([line], {"kind": "service"}, "not_a_choice", "lines[0].orderLineId"),
        ([line], {"locationId": roof}, "inactive_reference", "locationId"),
        ([line], {"receivedAt": "2999-01-01T00:00:00Z"}, "out_of_range", "receivedAt"),
    ):
        assert (await receive(cafm, order, *lines, **more)).refusal == (422, code, field), (lines, more)
    assert (await receive(cafm, order, line | {"received": "11"})).status == 201  # ten and ten per cent
    assert (await receive(cafm, order, line)).code == "over_receipt"


async def test_corrections_take_back(cafm: Client) -> None:
    order = await order_of(cafm)
    goods = order["lines"][0]["id"]
    first = (await receive(cafm, order, {"orderLineId": goods, "received": "5", "rejected": "2"})).data
    path = f"/receipts/{first['id']}"
    assert (await cafm.patch(path, {"note": "x"})).refusal == (409, "immutable", "note")
    assert (await cafm.delete(path)).refusal == (409, "immutable", None)
    assert (await cafm.patch(path, {"externalNumber": "PR-77"})).data["externalNumber"] == "PR-77"

    def back(received: str, **more: str) -> dict[str, Any]:
        return {"orderLineId": goods, "received": received, **more}

    correcting = {"correctsReceiptId": first["id"]}
    assert (await receive(cafm, order, back("1"), **correcting)).code == "out_of_range"
    assert (await receive(cafm, order, back("-4"), **correcting)).refusal[1:] == (
        "over_correction",
        "lines[0].accepted",
    )
    second = (await receive(cafm, order, back("-2", rejected="-1"), **correcting)).data
    after = await order_of(cafm)
    assert after["lines"][0]["quantityReceived"] == "2.00000"
    assert after["lines"][0]["quantityRejected"] == "1.00000"
    assert await on_hand(cafm) == {"STORE": "60.00000"}
    assert (await receive(cafm, order, back("-3"), **correcting)).code == "over_correction"
    twice = await receive(cafm, order, back("-1"), correctsReceiptId=second["id"])
    assert twice.refusal == (422, "over_correction", "correctsReceiptId")
    assert (await cafm.move("purchaseOrders", order["id"], "cancelled")).code == "invalid_transition"
    await receive(cafm, order, back("-2"), **correcting)
    assert (await order_of(cafm))["status"] == "sent"
    assert (await cafm.get(f"/receipts?correctsReceiptId={first['id']}")).body["paging"]["total"] == 2


async def test_what_was_issued_is_not_taken_back(cafm: Client) -> None:
    order = await order_of(cafm)
    goods = order["lines"][0]["id"]
    first = (await receive(cafm, order, {"orderLineId": goods, "received": "1"})).data
    body = {
        "type": "issue",
        "itemId": await cafm.id("items", "1000"),
        "quantity": "45",
        "locationId": await cafm.id("locations", "STORE"),
    }
    assert (await cafm.post("/stockTransactions", body)).status == 201
    back = {"orderLineId": goods, "received": "-1"}
    refused = await receive(cafm, order, back, correctsReceiptId=first["id"])
    assert refused.refusal == (409, "insufficient_stock", "lines")
    assert await on_hand(cafm) == {"STORE": "5.00000"}
