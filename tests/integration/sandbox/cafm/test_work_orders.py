"""Work orders, their costs and their life; assets; locations."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from integration.sandbox.cafm.facility import Client


async def test_costs_are_the_sum_of_the_lines(cafm: Client) -> None:
    vendor, item = await cafm.id("vendors", "V1"), await cafm.id("items", "1000")
    body = {
        "title": "Pump",
        "labour": [{"technician": "Kim", "date": "2026-11-02", "hours": "1.25", "hourlyRate": "61.3"}],
        "parts": [{"itemId": item, "quantity": "2"}, {"itemId": item, "quantity": "-1", "unitCost": "4"}],
        "contractors": [{"vendorId": vendor, "amount": "183.05", "invoiceNumber": "R-1"}],
        "dimensions": [{"dimension": "DEPARTMENT", "value": "PROD"}],
    }
    made = (await cafm.post("/workOrders", body)).data
    assert made["number"] == "WO-000001"
    assert made["costs"] == {"labour": "76.63", "parts": "5.00", "contractors": "183.05", "total": "264.68"}
    assert [line["amount"] for line in made["parts"]] == ["9.00", "-4.00"]
    assert made["currency"] == "EUR"
    less = {"contractors": [{"id": made["contractors"][0]["id"], "delete": True}]}
    after = (await cafm.patch(f"/workOrders/{made['id']}", less)).data
    assert (after["costs"]["total"], after["version"]) == ("81.63", 2)
    again = await cafm.post("/workOrders", {"title": "x", "labour": [{"technician": "Kim", "hours": "1"}]})
    told = [(one["code"], one["field"]) for one in again.error["details"]]
    assert told == [("required", "labour[0].date"), ("required", "labour[0].hourlyRate")]


async def test_an_order_is_completed_opened_again_and_completed_again(cafm: Client) -> None:
    order = await cafm.id("workOrders", "WO-1")
    first = (await cafm.move("workOrders", order, "completed")).data
    assert (first["completionCount"], first["completedAt"]) == (1, first["updatedAt"])
    cafm.box.advance(60)
    again = (await cafm.move("workOrders", order, "inProgress")).data
    assert (again["completedAt"], again["startedAt"]) == (None, first["startedAt"])
    second = (await cafm.move("workOrders", order, "completed")).data
    assert second["completionCount"] == 2
    assert second["completedAt"] > first["completedAt"]
    found = (await cafm.get(f"/workOrders?completed_since={second['completedAt']}")).data
    assert [row["id"] for row in found] == [order]
    late = {"labour": [{"technician": "Kim", "date": "2026-11-02", "hours": "1", "hourlyRate": "10"}]}
    assert (await cafm.patch(f"/workOrders/{order}", late)).data["costs"]["total"] == "10.00"
    await cafm.move("workOrders", order, "closed")
    assert (await cafm.patch(f"/workOrders/{order}", {"title": "x"})).refusal == (409, "not_editable", "status")
    assert (await cafm.delete(f"/workOrders/{order}")).refusal == (409, "not_editable", "status")


async def test_an_asset_lives_and_ends(cafm: Client) -> None:
    body = {
        "code": "A9",
        "name": "Chiller",
        "parentId": await cafm.id("assets", "A1"),
        "acquisitionCost": "12500",
        "depreciationMethod": "straightLine",
        "usefulLifeMonths": 120,
    }
    made = (await cafm.post("/assets", body)).data
    assert (made["status"], made["acquisitionCost"], made["inServiceDate"]) == ("planned", "12500.00", None)
    running = (await cafm.move("assets", made["id"], "inService")).data
    today = datetime.fromisoformat(running["updatedAt"]).astimezone(ZoneInfo("Europe/Berlin")).date()
    assert running["inServiceDate"] == today.isoformat()
    path = f"/assets/{made['id']}"
    assert (await cafm.patch(path, {"parentId": made["id"]})).refusal == (422, "unknown_reference", "parentId")
    await cafm.patch(path, {"disposedOn": "2026-12-31", "disposalProceeds": "100"})
    ended = (await cafm.move("assets", made["id"], "disposed")).data
    assert ended["disposedOn"] == "2026-12-31"
    assert (await cafm.patch(path, {"name": "x"})).refusal == (409, "not_editable", "status")
    assert (await cafm.patch(path, {"externalNumber": "FA000010"})).data["externalNumber"] == "FA000010"
    assert (await cafm.get("/assets?status=disposed")).body["paging"]["total"] == 1


async def test_the_day_is_that_of_the_time_zone(cafm: Client) -> None:
    cafm.box.advance(_until_half_past_eleven(cafm))
    made = (await cafm.post("/assets", {"code": "A8", "name": "At night", "status": "inService"})).data
    assert made["createdAt"][:10] < made["inServiceDate"]


def _until_half_past_eleven(cafm: Client) -> float:
    """Seconds to 23:30 UTC, when it is tomorrow in Berlin all the year round."""
    now = datetime.fromisoformat(cafm.box.clock()["now"])
    evening = now.replace(hour=23, minute=30, second=0, microsecond=0)
    return max(0.0, (evening - now).total_seconds())
