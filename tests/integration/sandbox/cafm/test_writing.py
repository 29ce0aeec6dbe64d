"""Creating, changing, deleting: what is taken, what is refused, and with which words."""

from __future__ import annotations

from typing import Any

import pytest

from integration.sandbox.cafm.facility import Client


async def test_a_created_record_can_be_read_where_it_says(cafm: Client) -> None:
    body = {
        "code": "N1",
        "name": "Neu & Söhne 株式会社",
        "address": {"city": "Köln", "country": "DE"},
        "externalId": "bc-1",
    }
    made = await cafm.post("/vendors", body)
    assert made.status == 201
    assert made.data == (await cafm.get(made.headers["location"])).data
    record = made.data
    assert (record["version"], record["createdBy"], record["approvalStatus"]) == (1, "key:isthmus", "draft")
    assert record["address"] == {
        "line1": None, "line2": None, "city": "Köln", "region": None, "postalCode": None, "country": "DE",
    }  # fmt: skip
    assert (await cafm.one("vendors", externalId="bc-1"))["name"] == "Neu & Söhne 株式会社"


ITEM = {"code": "NEW", "description": "New", "baseUnit": "PCS"}


@pytest.mark.parametrize(
    ("entity", "body", "code", "field"),
    [
        ("items", {"unitCost": 4.5}, "wrong_type", "unitCost"),
        ("items", {"unitCost": 4}, "wrong_type", "unitCost"),
        ("items", {"unitCost": "4,5"}, "wrong_format", "unitCost"),
        ("items", {"unitCost": "1e3"}, "wrong_format", "unitCost"),
        ("items", {"unitCost": "4.50001"}, "too_many_decimals", "unitCost"),
        ("items", {"unitCost": "-1"}, "out_of_range", "unitCost"),
        ("items", {"code": "N" * 21}, "too_long", "code"),
        ("items", {"code": " N"}, "wrong_format", "code"),
        ("items", {"code": None}, "required", "code"),
        ("items", {"description": ""}, "required", "description"),
        ("items", {"baseUnit": "DOZEN"}, "unknown_reference", "baseUnit"),
        ("items", {"type": "thing"}, "not_a_choice", "type"),
        ("items", {"active": "true"}, "wrong_type", "active"),
        ("items", {"preferredVendorId": 17}, "unknown_reference", "preferredVendorId"),
        ("items", {"preferredVendorId": "V1"}, "wrong_type", "preferredVendorId"),
        ("items", {"preferredVendorId": True}, "wrong_type", "preferredVendorId"),
        ("assets", {"acquisitionDate": "21.11.2026"}, "wrong_format", "acquisitionDate"),
        ("assets", {"acquisitionDate": "2026-02-30"}, "wrong_format", "acquisitionDate"),
        ("assets", {"acquisitionDate": "2026-W47-6"}, "wrong_format", "acquisitionDate"),
        ("assets", {"accountCode": "8999"}, "inactive_reference", "accountCode"),
        ("assets", {"usefulLifeMonths": 0}, "out_of_range", "usefulLifeMonths"),
        ("assets", {"dimensions": [{"dimension": "DEPARTMENT", "value": "X"}]}, "unknown_reference", "dimensions"),
        ("assets", {"dimensions": [{"dimension": "SITE", "value": "ADM"}] * 2}, "duplicate_line", "dimensions"),
        ("vendors", {"address": {"country": "de"}}, "wrong_format", "address.country"),
        ("vendors", {"contact": "Kim"}, "wrong_type", "contact"),
        ("vendors", {"approvalStatus": "liked"}, "not_a_choice", "approvalStatus"),
    ],
)
async def test_a_wrong_field_is_named(cafm: Client, entity: str, body: dict[str, Any], code: str, field: str) -> None:
    whole: dict[str, Any] = dict(ITEM) if entity == "items" else {"code": "NEW", "name": "New"}
    answer = await cafm.post(f"/{entity}", whole | body)
    assert answer.refusal == (422, code, field)
    assert answer.error["message"].startswith(f"{field}: ")
    assert (await cafm.get(f"/{entity}?code=NEW")).data == []


async def test_everything_wrong_is_listed(cafm: Client) -> None:
    body = {"code": "N1", "name": "x" * 101, "currency": "QQQ", "contact": {"phone": "1" * 31}}
    answer = await cafm.post("/vendors", body)
    told = [(one["code"], one["field"]) for one in answer.error["details"]]
    assert told == [("too_long", "name"), ("unknown_reference", "currency"), ("too_long", "contact.phone")]


async def test_bodies_that_are_none(cafm: Client) -> None:
    assert (await cafm.post("/vendors", b"{")).refusal == (400, "invalid_json", None)
    assert (await cafm.post("/vendors", [])).refusal == (400, "invalid_json", None)
    assert (await cafm.call("POST", "/vendors")).refusal == (400, "invalid_json", None)
    plain = await cafm.call("POST", "/vendors", b"{}", Content_Type="text/plain")
    assert plain.refusal == (415, "unsupported_media_type", None)
    assert (await cafm.post("/vendors", b'"' + b"x" * 4_200_000 + b'"')).refusal == (413, "too_large", None)
    assert (await cafm.post("/vendors", {"code": "A", "nom": "x"})).refusal == (400, "unknown_field", "nom")
    line = {"technicien": "Kim"}
    answer = await cafm.post("/workOrders", {"title": "x", "labour": [line]})
    assert answer.refusal == (400, "unknown_field", "labour[0].technicien")


async def test_a_taken_code_names_who_has_it(cafm: Client) -> None:
    taken = await cafm.id("vendors", "V1")
    answer = await cafm.post("/vendors", {"code": "v1", "name": "Again"})
    assert (answer.refusal, answer.error["existingId"]) == ((409, "duplicate", "code"), taken)
    second = await cafm.id("vendors", "V2")
    assert (await cafm.patch(f"/vendors/{second}", {"code": "V1"})).refusal == (409, "duplicate", "code")
    rate = {"currency": "USD", "validFrom": "2026-01-01", "rate": "0.92"}
    assert (await cafm.post("/exchangeRates", rate)).data["per"] == "1.000000"
    assert (await cafm.post("/exchangeRates", rate | {"rate": "0.93"})).refusal == (409, "duplicate", "validFrom")
    assert (await cafm.post("/dimensionValues", {"dimensionCode": "SITE", "code": "PROD"})).status == 201


async def test_a_patch_changes_what_it_names(cafm: Client) -> None:
    found = await cafm.one("vendors", code="V1")
    path = f"/vendors/{found['id']}"
    cafm.box.advance(1)
    body = {"contact": {"email": "a@b.example", "name": "Kim"}, "taxNumber": "DE1"}
    first = (await cafm.patch(path, body)).data
    assert (first["version"], first["name"], first["paymentTermsCode"]) == (2, "Pump Parts", "30D")
    assert first["updatedAt"] > found["updatedAt"]
    second = (await cafm.patch(path, {"contact": {"email": None}, "taxNumber": ""})).data
    assert second["contact"] == {"name": "Kim", "phone": None, "email": None}
    assert (second["taxNumber"], second["version"]) == (None, 3)


async def test_what_was_read_can_be_sent_back(cafm: Client) -> None:
    for entity in ("vendors", "items", "assets", "workOrders", "purchaseOrders", "currencies", "locations", "accounts"):
        for found in await cafm.all(f"/{entity}?limit=200"):
            answer = await cafm.patch(f"/{entity}/{found['id']}", found)
            assert answer.data == found, entity  # same version, same time


async def test_stale_versions_are_refused(cafm: Client) -> None:
    found = await cafm.one("vendors", code="V1")
    path = f"/vendors/{found['id']}"
    assert (await cafm.patch(path, {"name": "Two"}, If_Match="1")).status == 200
    stale = await cafm.patch(path, {"name": "Three"}, If_Match='"1"')
    assert (stale.refusal, stale.error["currentVersion"]) == ((409, "stale_version", None), 2)
    assert (await cafm.delete(path, If_Match="1")).code == "stale_version"
    assert (await cafm.post(f"{path}/status", {"status": "pending"}, If_Match="1")).code == "stale_version"
    assert (await cafm.patch(path, {"name": "Three"}, If_Match='"2"')).data["version"] == 3
    assert (await cafm.patch(path, {"name": "Four"})).data["version"] == 4  # without the header the last one wins


async def test_codes_that_others_name_are_fixed(cafm: Client) -> None:
    unit = await cafm.id("units", "PCS")
    assert (await cafm.patch(f"/units/{unit}", {"code": "EA"})).refusal == (409, "not_editable", "code")
    vendor = await cafm.id("vendors", "V1")
    assert (await cafm.patch(f"/vendors/{vendor}", {"code": "V100"})).data["code"] == "V100"
    assert (await cafm.one("purchaseOrders", number="PO-1"))["vendorCode"] == "V100"


async def test_deleting_frees_the_code_and_can_be_taken_back(cafm: Client) -> None:
    made = (await cafm.post("/vendors", {"code": "T1", "name": "Temporary"})).data
    path = f"/vendors/{made['id']}"
    assert (await cafm.delete(path)).status == 204
    assert (await cafm.delete(path)).refusal == (410, "deleted", None)
    assert (await cafm.patch(path, {"name": "x"})).status == 410
    other = (await cafm.post("/vendors", {"code": "T1", "name": "Another"})).data
    assert other["id"] != made["id"]
    assert (await cafm.post(f"{path}/restore")).refusal == (409, "duplicate", "code")
    await cafm.delete(f"/vendors/{other['id']}")
    back = (await cafm.post(f"{path}/restore")).data
    assert (back["deletedAt"], back["version"]) == (None, 3)


@pytest.mark.parametrize(
    ("entity", "code"),
    [
        ("vendors", "V1"),
        ("units", "PCS"),
        ("items", "1000"),
        ("paymentTerms", "30D"),
        ("assets", "A1"),
        ("dimensions", "SITE"),
    ],
)
async def test_what_is_in_use_stays(cafm: Client, entity: str, code: str) -> None:
    assert (await cafm.delete(f"/{entity}/{await cafm.id(entity, code)}")).refusal == (409, "in_use", None)


async def test_inactive_references_are_for_old_documents_only(cafm: Client) -> None:
    asset = await cafm.id("assets", "A1")
    account = await cafm.id("accounts", "8430")
    await cafm.patch(f"/assets/{asset}", {"accountCode": "8430"})
    await cafm.patch(f"/accounts/{account}", {"postable": False})
    assert (await cafm.patch(f"/assets/{asset}", {"accountCode": "8430", "name": "Pump 2"})).data["name"] == "Pump 2"
    answer = await cafm.post("/assets", {"code": "A2", "name": "New", "accountCode": "8430"})
    assert answer.refusal == (422, "inactive_reference", "accountCode")


async def test_the_answer_of_the_erp_is_shown(cafm: Client) -> None:
    order = await cafm.one("purchaseOrders", number="PO-1")
    path = f"/purchaseOrders/{order['id']}"
    note = {"state": "accepted", "text": "Saved in Business Central.", "number": "106001"}
    shown = (await cafm.post(f"{path}/integration", note)).data
    assert {name: shown["integration"][name] for name in note} == note
    assert shown["integration"]["by"] == "key:isthmus"
    assert (shown["externalNumber"], shown["externalStatus"]) == ("106001", "accepted")
    assert (await cafm.post(f"{path}/integration", note)).data["version"] == shown["version"]
    later = (await cafm.post(f"{path}/integration", {"state": "rejected", "text": "Period closed."})).data
    assert (later["integration"]["number"], later["externalNumber"]) == ("106001", "106001")
    assert later["externalMessage"] == "Period closed."
    assert (await cafm.get("/purchaseOrders?externalNumber=106001")).body["paging"]["total"] == 1
    assert (await cafm.post(f"{path}/integration", {"state": "good"})).refusal == (422, "not_a_choice", "state")
    assert (await cafm.post(f"{path}/integration", {})).refusal == (422, "required", "state")
    assert (await cafm.post(f"{path}/integration", {"stat": "x"})).refusal == (400, "unknown_field", "stat")
    vendor = await cafm.id("vendors", "V1")
    told = (await cafm.post(f"/vendors/{vendor}/integration", {"state": "posted"})).data
    assert (told["integration"]["state"], told["version"]) == ("posted", 2)


async def test_a_status_has_its_ways(cafm: Client) -> None:
    vendor = await cafm.id("vendors", "V2")
    path = f"/vendors/{vendor}"
    assert (await cafm.patch(path, {"approvalStatus": "approved"})).refusal == (422, "use_action", "approvalStatus")
    refused = await cafm.post(f"{path}/status", {"status": "approved"})
    assert (refused.refusal, refused.error["allowed"]) == ((409, "invalid_transition", "approvalStatus"), ["pending"])
    assert (await cafm.post(f"{path}/status", {"status": "rich"})).refusal == (422, "not_a_choice", "status")
    assert (await cafm.post(f"{path}/status", {})).refusal == (422, "required", "status")
    moved = (await cafm.move("vendors", vendor, "pending", "approved")).data
    assert (moved["approvalStatus"], moved["version"]) == ("approved", 3)
    assert (await cafm.move("vendors", vendor, "approved")).data["version"] == 3  # nothing to do
    made = (await cafm.post("/vendors", {"code": "BC", "name": "From finance", "approvalStatus": "approved"})).data
    assert made["approvalStatus"] == "approved"
    order = {"vendorId": vendor, "status": "sent"}
    assert (await cafm.post("/purchaseOrders", order)).refusal == (422, "use_action", "status")
