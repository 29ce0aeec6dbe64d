"""Vendors, items and what belongs to them, by bc.md sections 4, 13 and 17 and bc.json."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from integration.sandbox.masters import NO_GUID, PRINCIPAL, item, one, seed
from isthmus.sandbox.server import Sandbox, SandboxError


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(seed(), home=tmp_path / "home") as box:
        yield box


# numbers


async def test_a_blank_number_comes_from_the_series(bc: Any) -> None:
    assert (await bc.post("vendors", {"number": "V0002", "displayName": "By hand"})).status == 201
    first = await bc.post("vendors", {"displayName": "First"})
    second = await bc.post("vendors", {"number": "", "displayName": "Second"})
    assert (first.status, first.body["number"], second.body["number"]) == (201, "V0001", "V0003")
    refused = await bc.post("vendors", {"paymentTermsId": "11111111-1111-1111-1111-111111111111"})
    assert refused.status == 400
    assert (await bc.post("vendors", {})).body["number"] == "V0004"


async def test_a_number_by_hand_needs_a_series_that_allows_it(bc: Any) -> None:
    answer = await bc.post("items", {"number": "X1"})
    assert (answer.status, answer.code) == (400, "Application_DialogException")
    assert answer.text == (
        "You may not enter numbers manually. If you want to enter numbers manually, please activate Manual Nos. in No. "
        "Series ITEM."
    )
    assert (await bc.post("items", {"displayName": "Bolt"})).body["number"] == "I0001"


async def test_without_a_series_a_blank_number_is_refused(box: Sandbox, bc: Any) -> None:
    box.set(company="CRONUS", vendor_series="", item_series="")
    answer = await bc.post("vendors", {"displayName": "x"})
    assert (answer.status, answer.code) == (400, "Application_FieldValidationException")
    assert answer.text.startswith("Vendor Nos. must have a value in Purchases & Payables Setup")
    assert (await bc.post("items", {"number": "anything "})).body["number"] == "ANYTHING"


async def test_a_number_that_is_taken(bc: Any) -> None:
    answer = await bc.post("vendors", {"number": "10000"})
    assert (answer.status, answer.code) == (400, "Internal_EntityWithSameKeyExists")
    assert answer.text == "The Vendor already exists. Identification fields and values: No.='10000'"


# vendors


async def test_a_vendor_is_kept_as_its_fields_allow(bc: Any) -> None:
    terms = (await one(bc, "paymentTerms"))["id"]
    body = {
        "number": " ab-1 ",
        "displayName": "Ämter & Co",
        "country": "de",
        "postalCode": "d-10115",
        "paymentTermsId": terms,
        "blocked": "Payment",
        "currencyCode": "usd",
        "balance": 99,
    }
    made = await bc.post("vendors", body)
    assert made.status == 201, made.body
    found = made.body
    assert (found["number"], found["country"], found["postalCode"]) == ("AB-1", "DE", "D-10115")
    assert (found["displayName"], found["blocked"], found["balance"]) == ("Ämter & Co", "Payment", 0)
    assert (found["currencyCode"], found["currencyId"]) == ("USD", (await one(bc, "currencies"))["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["lastModifiedDateTime"])
    shown = await bc.get(f"vendors({found['id']})?$expand=paymentTerm,currency,paymentMethod")
    assert shown.body["paymentTerm"]["dueDateCalculation"] == "30D"
    assert (shown.body["currency"]["code"], shown.body["paymentMethod"]) == ("USD", None)


async def test_the_own_currency_is_stored_blank(bc: Any) -> None:
    usd = (await one(bc, "currencies"))["id"]
    made = (await bc.post("vendors", {"currencyCode": "EUR"})).body
    assert (made["currencyCode"], made["currencyId"]) == ("EUR", NO_GUID)
    path = f"vendors({made['id']})"
    assert (await bc.patch(path, {"currencyId": usd})).body["currencyCode"] == "USD"
    assert (await bc.patch(path, {"currencyCode": "EUR"})).body["currencyId"] == NO_GUID
    assert (await bc.post("vendors", {"currencyCode": "USD", "currencyId": usd})).status == 201


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (
            {"displayName": "x" * 101},
            "Application_StringExceededLength",
            "The length of the string is 101, but it must",
        ),
        ({"addressLine2": "x" * 51}, "Application_StringExceededLength", "less than or equal to 50 characters."),
        ({"number": "x" * 21}, "Application_StringExceededLength", "less than or equal to 20 characters."),
        (
            {"blocked": "Everything"},
            "Unknown",
            "'Everything' is not an option. The existing options are:  ,Payment,All",
        ),
        ({"id": NO_GUID}, "BadRequest_InvalidOperation", "Control 'id' is read-only"),
        ({"postingGroup": "X"}, "BadRequest", "'postingGroup' does not exist"),
        ({"paymentTermsId": "1" * 8 + "-1111-1111-1111-" + "1" * 12}, "Application_DialogException", "paymentTermsId"),
        ({"currencyCode": "ZZZ"}, "Application_DialogException", 'The "currencyCode" does not match to a Currency.'),
    ],
)
async def test_a_wrong_vendor_is_refused(bc: Any, body: dict[str, Any], code: str, words: str) -> None:
    answer = await bc.post("vendors", body)
    assert (answer.status, answer.code) == (400, code)
    assert words in answer.text
    assert len((await bc.get("vendors")).value) == 1


async def test_posting_groups_come_from_the_template_that_fits(box: Sandbox, bc: Any) -> None:
    """The API neither shows nor takes them; a person sees them on the card."""
    for country, group, business in (("US", "FOREIGN", ""), ("DE", "DOMESTIC", "DOMESTIC")):
        made = (await bc.post("vendors", {"country": country})).body
        assert group not in str(made)
        seen = box.edit("vendors", made["number"], vat_bus_posting_group="EU")
        groups = (seen["vendor_posting_group"], seen["gen_bus_posting_group"], seen["vat_bus_posting_group"])
        assert groups == (group, business, "EU")


async def test_a_vendor_is_changed_under_its_etag(bc: Any) -> None:
    vendor = await one(bc, "vendors")
    path = f"vendors({vendor['id']})"
    missing = await bc.call("PATCH", path, {"displayName": "x"})
    assert (missing.status, missing.code) == (400, "BadRequest_InvalidToken")
    same = await bc.patch(path, {"displayName": "London Postmaster", "number": "10000"}, vendor["@odata.etag"])
    assert same.body["@odata.etag"] == vendor["@odata.etag"]
    changed = await bc.patch(path, {"displayName": "New name"}, vendor["@odata.etag"])
    assert (changed.status, changed.body["displayName"]) == (200, "New name")
    assert changed.body["lastModifiedDateTime"] > vendor["lastModifiedDateTime"]
    stale = await bc.patch(path, {"displayName": "Other"}, vendor["@odata.etag"])
    assert (stale.status, stale.code) == (409, "Request_EntityChanged")
    assert (await bc.call("DELETE", path)).status == 204
    assert (await bc.get(path)).code == "Internal_RecordNotFound"


async def test_reading_by_number_and_time(box: Sandbox, bc: Any) -> None:
    assert (await one(bc, "vendors?$filter=number eq '10000'"))["displayName"] == "London Postmaster"
    assert (await bc.get("vendors?$filter=number eq 'NONE'")).value == []
    vendor = await one(bc, "vendors")
    assert (await one(bc, f"vendors?$filter=id eq {vendor['id'].upper()}"))["number"] == "10000"
    assert (await bc.get(f"vendors?$filter=id eq {NO_GUID}")).value == []
    since = box.clock()["now"]
    box.advance(1)
    box.edit("vendors", "10000", displayName="Changed")
    found = await bc.get(f"vendors?$filter=lastModifiedDateTime gt {since}")
    assert [row["number"] for row in found.value] == ["10000"]
    box.advance(1)
    since = box.clock()["now"]
    box.seed({"companies": [{"name": "CRONUS", "vendors": [{"number": "20000"}]}]})
    assert [row["number"] for row in (await bc.get(f"vendors?$filter=lastModifiedDateTime gt {since}")).value] == [
        "20000"
    ]


# ids and codes that mean nothing


def _unmatched() -> list[tuple[str, str, str]]:
    """Set, property and text of every refusal of an id or code that means nothing, as recorded from the real API."""
    path = Path(__file__).parents[3] / "../shared/reference/bc.json"
    resources = json.loads(path.read_text("utf-8"))["resources"] if path.exists() else {}
    return [
        (name, fact["name"], text)
        for name in ("vendors", "items")
        for fact in resources.get(name, {"properties": ()})["properties"]
        for text in fact.get("validateErrors", ())
        if text.startswith(f'The "{fact["name"]}" does not match')
    ]


@pytest.mark.parametrize(("set_name", "name", "text"), _unmatched())
async def test_an_id_or_code_that_means_nothing(bc: Any, set_name: str, name: str, text: str) -> None:
    value = "11111111-2222-3333-4444-555555555555" if name.endswith("Id") else "NONE"
    answer = await bc.post(set_name, {name: value})
    assert (answer.status, answer.code, answer.text) == (400, "Application_DialogException", text)


# belongings


async def test_default_dimensions_of_a_vendor(bc: Any) -> None:
    vendor = await one(bc, "vendors")
    dimensions = {row["code"]: row["id"] for row in (await bc.get("dimensions")).value}
    values = {row["code"]: row["id"] for row in (await bc.get("dimensionValues")).value}
    path = f"vendors({vendor['id']})/defaultDimensions"
    body = {"dimensionId": dimensions["DEPARTMENT"], "dimensionValueId": values["PROD"]}
    wrong = await bc.post(path, {**body, "dimensionValueId": values["30"]})
    assert wrong.text == 'The "dimensionId" and "dimensionValueId" match to different Dimension records.'
    blocked = await bc.post(path, {**body, "dimensionValueId": values["OLD"]})
    assert blocked.text == "Dimension Value DEPARTMENT - OLD is blocked."
    made = await bc.post(path, {**body, "postingValidation": "Same_x0020_Code"})
    assert made.status == 201, made.body
    assert (made.body["parentType"], made.body["dimensionCode"]) == ("Vendor", "DEPARTMENT")
    assert (await bc.post(path, body)).code == "Internal_EntityWithSameKeyExists"
    assert (await bc.get(f"vendors({vendor['id']})?$expand=defaultDimensions")).body["defaultDimensions"][0][
        "dimensionValueCode"
    ] == "PROD"
    flat = await bc.post("defaultDimensions", body)
    assert flat.text == "You must get to the parent first to get to the default dimensions."
    changed = await bc.patch(f"defaultDimensions({made.body['id']})", {"dimensionValueId": values["ADM"]})
    assert changed.body["dimensionValueCode"] == "ADM"
    assert (await bc.call("DELETE", f"defaultDimensions({made.body['id']})")).status == 204
    assert (await bc.get("defaultDimensions")).value == []


async def test_code_tables_are_read_and_written(bc: Any) -> None:
    for name, body in (
        ("unitsOfMeasure", {"code": "hr", "displayName": "Hour", "internationalStandardCode": "hur"}),
        ("paymentTerms", {"code": "cm", "dueDateCalculation": "cm+10d"}),
        ("paymentMethods", {"code": "cash"}),
        ("itemCategories", {"code": "tools"}),
        ("locations", {"code": "north", "displayName": "North", "country": "no"}),
    ):
        made = await bc.post(name, body)
        assert (made.status, made.body["code"]) == (201, body["code"].upper()), name
        blank = await bc.post(name, {"displayName": "x"})
        assert (blank.status, blank.code) == (400, "BadRequest_RequiredParamNotProvided")
        path = f"{name}({made.body['id']})"
        assert (await bc.patch(path, {"displayName": "New"})).body["displayName"] == "New"
        assert (await bc.call("DELETE", path)).status == 204
    wrong = await bc.post("paymentTerms", {"code": "X", "dueDateCalculation": "soon"})
    assert (wrong.status, wrong.code) == (400, "Application_EvaluateException")


# people and permissions


async def test_a_person_edits_what_the_api_does_not_show(box: Sandbox, bc: Any) -> None:
    assert box.edit("items", "1000", purchasing_blocked=True, blocked=True)["purchasing_blocked"] is True
    assert (await one(bc, "items?$filter=number eq '1000'"))["blocked"] is True
    assert box.edit("locations", "EAST", require_receive=True)["require_receive"] is True
    assert box.edit("vendors", "10000", blocked="All")["blocked"] == "All"
    for wrong, words in (
        (("vendors", "NONE"), "no record 'NONE'"),
        (("nothing", "1"), "no set 'nothing'"),
        (("companies", "CRONUS"), "no set 'companies'"),
    ):
        with pytest.raises(SandboxError, match=words):
            box.edit(*wrong, displayName="x")
    with pytest.raises(SandboxError, match="no field 'nonsense'"):
        box.edit("vendors", "10000", displayName="taken back", nonsense=1)
    with pytest.raises(SandboxError, match="purchasing_blocked"):
        box.edit("items", "1000", purchasing_blocked="perhaps")
    assert (await one(bc, "vendors"))["displayName"] == "London Postmaster"


async def test_permissions_are_by_set(box: Sandbox, bc: Any, make_client: Callable[[dict[str, Any]], Any]) -> None:
    buyer = {"client_id": "11111111-0000-4000-8000-000000000009", "secret": "s", "permissions": ["vendors:read"]}
    box.seed({"principals": [buyer]})
    client = make_client(buyer)
    await client.sign_in()
    client.company = bc.company
    assert (await client.get("vendors")).status == 200
    assert (await client.post("vendors", {})).status == 403
    assert (await client.get("items")).status == 403


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"vendors": [{"number": "1", "blocked": "odd"}]}, "'odd' is no Vendor Blocked"),
        ({"vendors": [{"number": "1", "payment_terms": "NONE"}]}, "no Payment Terms 'NONE'"),
        ({"items": [item("1", tracking="odd")]}, "tracking 'odd'"),
        ({"items": [item("1", costing_method="odd")]}, "costing_method 'odd'"),
        ({"items": [item("1", unit="NONE")]}, "NONE"),
        ({"stock": [{"item": "NONE", "quantity": 1, "date": "2026-01-01"}]}, "no item 'NONE'"),
        ({"stock": [{"item": "1003", "quantity": 1, "date": "2026-01-01"}]}, "type Service"),
        ({"item_journals": [{"template": "A", "batch": "B", "type": "odd"}]}, "type 'odd'"),
        ({"inventory_posting_setup": [{"group": "RESALE", "inventory_account": "1"}]}, "no account '1'"),
        ({"default_dimensions": [{"vendor": "10000", "dimension": "AREA", "value": "99"}]}, "no value '99'"),
    ],
)
def test_a_wrong_seed_says_what(tmp_path: Path, section: dict[str, Any], words: str) -> None:
    with Sandbox(seed(), home=tmp_path) as box, pytest.raises(SandboxError, match=words):
        box.seed({"companies": [{"name": "CRONUS", **section}]})


def test_records_survive_a_restart(tmp_path: Path) -> None:
    with Sandbox(seed(), home=tmp_path) as box:
        box.edit("items", "1000", reorder_point="5.5")
        box.publish(Item_Units=5404)
        before = box.state()
    with Sandbox(home=tmp_path) as box:
        assert box.state() == before
        assert box.edit("items", "1000", safety_stock="2")["safety_stock"] == 2
    assert PRINCIPAL["client_id"] in before["principals"]
