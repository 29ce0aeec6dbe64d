"""Pages published as OData V4 web services (bc.md section 18)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from integration.sandbox.masters import Pages, company, seed
from isthmus.sandbox.server import Sandbox, SandboxError

SERVICES = {"Item_Units": 5404, "Dim_Values": 537, "Item_Journal": 40, "Reclass": 393, "Item_Card": 30}


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Sandbox]:
    given = seed() | {"published": SERVICES}
    given["companies"].append(company(name="O'Brien & (Söhne)/2"))
    async with Sandbox(given, home=tmp_path / "home") as box:
        yield box


@pytest.fixture
def pages(bc: Any) -> Pages:
    return Pages(bc)


# addresses


async def test_nothing_is_published_by_default(box: Sandbox, pages: Pages) -> None:
    assert (await pages.get("Item_Units")).status == 200
    box.publish(Item_Units=None)
    answer = await pages.get("Item_Units")
    assert (answer.status, answer.code) == (404, "BadRequest_ResourceNotFound")
    box.publish(Units_of_items=5404)
    assert (await pages.get("Units_of_items")).status == 200
    assert (await pages.get("item_units")).status == 404
    with pytest.raises(SandboxError, match="has no page 1; it has 30 Item Card"):
        box.publish(Other=1)
    with pytest.raises(SandboxError, match="not published"):
        box.publish(Item_Units=None)


async def test_a_default_environment_publishes_no_page(tmp_path: Path) -> None:
    with Sandbox(home=tmp_path) as box:
        assert box.publish() == {}


async def test_the_company_is_named_in_quotes(bc: Any) -> None:
    odd = Pages(bc, "O'Brien & (Söhne)/2")
    answer = await odd.get("Item_Units?$count=true&$top=1")
    assert (answer.status, answer.body["@odata.count"], len(answer.value)) == (200, 7, 1)
    assert (await odd.get("Item_Units(Item_No='1000',Code='BOX')")).body["Qty_per_Unit_of_Measure"] == 12
    made = await odd.post("Item_Units", {"Item_No": "1001", "Code": "KG", "Qty_per_Unit_of_Measure": 2})
    assert (await bc.get(made.headers["location"])).body["Code"] == "KG"
    for base in (f"{odd.root}/Company('NONE')", f"{odd.root}/Company(%27NONE%27)"):
        answer = await bc.get(f"{base}/Item_Units")
        assert (answer.status, answer.code) == (404, "Internal_CompanyNotFound")
    assert (await bc.get(f"{odd.root}/Company(NONE)/Item_Units")).status == 400
    assert (await bc.get(f"{odd.root}/Item_Units")).status == 404
    assert (await bc.get(f"{odd.root}/Company('CRONUS')/Item_Units(Item_No='1000')")).status == 400
    assert (await bc.get(f"{odd.root}/Company('CRONUS')/Item_Units(Item_No='1000',Code='NONE')")).status == 404


async def test_service_document_and_metadata(bc: Any, pages: Pages) -> None:
    found = await bc.get(f"{pages.root}/")
    assert {one["name"] for one in found.value} == set(SERVICES)
    tree = ElementTree.fromstring((await bc.get(f"{pages.root}/$metadata")).body)
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    types = {one.attrib["Name"]: one for one in tree.iter(f"{edm}EntityType")}
    assert set(types) == set(SERVICES)
    keys = [one.attrib["Name"] for one in types["Item_Journal"].iter(f"{edm}PropertyRef")]
    assert keys == ["Journal_Template_Name", "Journal_Batch_Name", "Line_No"]
    properties = {one.attrib["Name"]: one.attrib for one in types["Item_Journal"].iter(f"{edm}Property")}
    assert properties["Entry_Type"]["Type"] == "Edm.String"
    assert properties["Quantity"]["Type"] == "Edm.Decimal"
    assert properties["Document_No"]["MaxLength"] == "20"


async def test_faults_and_counts_know_services(box: Sandbox, pages: Pages) -> None:
    box.reset_calls()
    box.fault("status", code=503, match={"entity": "Item_Units"}, times=1)
    assert (await pages.get("Item_Units")).status == 503
    assert (await pages.get("Item_Units")).status == 200
    assert box.calls()["by_path"] == {"GET Company({id})/Item_Units": 2}
    box.fault("drift", set="Item_Units", field="Code", to="Unit_Code")
    assert "Unit_Code" in (await pages.get("Item_Units?$top=1")).value[0]


# reading and writing


async def test_rows_are_filtered_selected_and_paged(pages: Pages) -> None:
    found = await pages.get("Item_Units?$filter=Item_No eq '1000' and Qty_per_Unit_of_Measure gt 1")
    assert [row["Code"] for row in found.value] == ["BOX"]
    assert found.body["@odata.context"].endswith("/$metadata#Company('CRONUS')/Item_Units")
    assert set(found.value[0]) == {"@odata.etag", "Item_No", "Code", "Qty_per_Unit_of_Measure"}
    first = await pages.get("Item_Units?$select=Code&$orderby=Item_No desc", Prefer="odata.maxpagesize=4")
    assert (len(first.value), list(first.value[0])) == (4, ["@odata.etag", "Code"])
    rest = await pages.client.get(first.body["@odata.nextLink"])
    assert len(rest.value) == 3
    assert (await pages.get("Item_Units/$count")).body == "7"
    assert (await pages.get("Item_Units?$filter=Nothing eq '1'")).status == 400
    assert (await pages.get("Item_Card?$filter=Type eq 'Service'")).value[0]["No"] == "1003"


async def test_item_units_are_kept(pages: Pages) -> None:
    made = await pages.post("Item_Units", {"Item_No": "1000", "Code": "kg", "Qty_per_Unit_of_Measure": 0.5})
    assert (made.status, made.body["Code"], made.body["Qty_per_Unit_of_Measure"]) == (201, "KG", 0.5)
    assert made.body["@odata.context"].endswith("/$metadata#Company('CRONUS')/Item_Units/$entity")
    again = await pages.post("Item_Units", {"Item_No": "1000", "Code": "KG"})
    assert (again.status, again.code) == (400, "Internal_EntityWithSameKeyExists")
    path = "Item_Units(Item_No='1000',Code='KG')"
    assert (await pages.call("PATCH", path, {"Qty_per_Unit_of_Measure": 2})).code == "BadRequest_InvalidToken"
    changed = await pages.patch(path, {"Qty_per_Unit_of_Measure": 2}, made.body["@odata.etag"])
    assert (changed.status, changed.body["Qty_per_Unit_of_Measure"]) == (200, 2)
    stale = await pages.patch(path, {"Qty_per_Unit_of_Measure": 3}, made.body["@odata.etag"])
    assert (stale.status, stale.code) == (409, "Request_EntityChanged")
    put = await pages.call("PUT", path, {"Qty_per_Unit_of_Measure": 4}, If_Match="*")
    assert put.body["Qty_per_Unit_of_Measure"] == 4
    assert (await pages.call("DELETE", path, If_Match=made.body["@odata.etag"])).status == 409
    assert (await pages.call("DELETE", path)).status == 204
    assert (await pages.get(path)).code == "Internal_RecordNotFound"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"Item_No": "NONE", "Code": "PCS"},
            "contains a value (NONE) that cannot be found in the related table (Item)",
        ),
        ({"Item_No": "1000", "Code": "NONE"}, "in the related table (Unit of Measure)"),
        ({"Item_No": "1000", "Code": "KG", "Qty_per_Unit_of_Measure": 0}, "must be greater than 0"),
        ({"Item_No": "1000"}, "Code must have a value"),
        ({"Item_No": "1000", "Code": "KG", "Nothing": 1}, "'Nothing' does not exist"),
        ({"Item_No": "1000", "Code": "KG", "Lines": [{}]}, "'Lines' does not exist"),
        ({"Item_No": "1000", "Code": "x" * 11}, "less than or equal to 10 characters"),
    ],
)
async def test_a_wrong_item_unit_is_refused(pages: Pages, body: dict[str, Any], words: str) -> None:
    answer = await pages.post("Item_Units", body)
    assert answer.status == 400
    assert words in answer.text


async def test_the_base_unit_stays(pages: Pages) -> None:
    path = "Item_Units(Item_No='1000',Code='PCS')"
    assert (await pages.patch(path, {"Qty_per_Unit_of_Measure": 2})).status == 400
    assert (await pages.call("DELETE", path)).status == 400


async def test_dimension_values_are_made(box: Sandbox, bc: Any, pages: Pages) -> None:
    body = {"Dimension_Code": "AREA", "Code": "new", "Name": "New area", "Dimension_Value_Type": "Standard"}
    made = await pages.post("Dim_Values", body)
    assert (made.status, made.body["Code"], made.body["Blocked"]) == (201, "NEW", False)
    assert (await pages.post("Dim_Values", body)).code == "Internal_EntityWithSameKeyExists"
    seen = (await bc.get("dimensionValues?$filter=code eq 'NEW'")).value
    assert seen[0]["displayName"] == "New area"
    path = "Dim_Values(Dimension_Code='AREA',Code='NEW')"
    assert (await pages.patch(path, {"Blocked": True})).body["Blocked"] is True
    found = await pages.get("Dim_Values?$filter=Dimension_Code eq 'AREA' and Blocked eq true")
    assert [row["Code"] for row in found.value] == ["NEW"]
    assert (await pages.post("Dim_Values", {**body, "Dimension_Code": "NONE"})).status == 400
    assert (await pages.call("DELETE", path)).status == 204
    box.publish(Item_Journal=40)
    line = await pages.line("1000", 1, Shortcut_Dimension_1_Code="ADM")
    assert line.status == 201
    used = await pages.call("DELETE", "Dim_Values(Dimension_Code='DEPARTMENT',Code='ADM')")
    assert (used.status, "has been used" in used.text) == (400, True)


async def test_the_item_card_has_what_items_lacks(bc: Any, pages: Pages) -> None:
    row = (await bc.get("items?$filter=number eq '1000'")).value[0]
    card = await pages.get("Item_Card('1000')")
    assert (card.body["Type"], card.body["Costing_Method"], card.body["Inventory"]) == ("Inventory", "FIFO", 0)
    changed = await pages.patch("Item_Card('1000')", {"Reorder_Point": 12.5, "Safety_Stock_Quantity": 3})
    assert (changed.body["Reorder_Point"], changed.body["Safety_Stock_Quantity"]) == (12.5, 3)
    after = (await bc.get(f"items({row['id']})")).body
    assert after["lastModifiedDateTime"] > row["lastModifiedDateTime"]
    assert (await bc.patch(f"items({row['id']})", {"displayName": "x"}, row["@odata.etag"])).status == 409
    assert (await pages.patch("Item_Card('1000')", {"Inventory": 5})).code == "BadRequest_InvalidOperation"
    assert (await pages.patch("Item_Card('1000')", {"Type": "Non-Inventory"})).body["Type"] == "Non-Inventory"
    assert (await bc.get(f"items({row['id']})")).body["type"] == "Non_x002D_Inventory"
    wrong = await pages.patch("Item_Card('1000')", {"Type": "Non_x002D_Inventory"})
    assert (wrong.code, "Inventory,Service,Non-Inventory" in wrong.text) == ("Unknown", True)
    made = await pages.post("Item_Card", {"Description": "New", "Vendor_No": "10000", "Reorder_Point": 1})
    assert (made.body["No"], made.body["Vendor_No"], made.body["Reorder_Point"]) == ("I0001", "10000", 1)
    assert (await pages.patch("Item_Card('I0001')", {"Vendor_No": "NONE"})).code == "Internal_InvalidTableRelation"
    renamed = await pages.patch("Item_Card('I0001')", {"No": "I9"})
    assert renamed.body["No"] == "I9"
    assert (await pages.call("DELETE", "Item_Card('I9')")).status == 204
    assert (await bc.get("items?$filter=number eq 'I9'")).value == []


# the item journals


async def test_a_line_of_the_item_journal(pages: Pages) -> None:
    made = await pages.line("1000", 2, Location_Code="east", External_Document_No="wo-1", Unit_of_Measure_Code="BOX")
    assert made.status == 201, made.body
    line = made.body
    assert (line["Line_No"], line["Document_No"], line["Entry_Type"]) == (10000, "T00001", "Negative Adjmt.")
    assert (line["EntryType"], line["Location_Code"], line["External_Document_No"]) == (
        "Negative Adjmt.",
        "EAST",
        "WO-1",
    )
    assert (line["Unit_Cost"], line["Amount"], line["Description"]) == (30, 60, "Item 1000")
    assert (line["Gen_Prod_Posting_Group"], line["ItemDescription"]) == ("RETAIL", "Item 1000")
    second = (await pages.line("1000", 1, Document_No="D2", Posting_Date="2026-02-03")).body
    assert (second["Line_No"], second["Document_Date"]) == (20000, "2026-02-03")
    third = (await pages.line("1000", 1, Entry_Type="Positive Adjmt.", Unit_Amount=7)).body
    assert (third["Document_No"], third["Posting_Date"], third["Unit_Cost"]) == ("D2", "2026-02-03", 7)
    taken = await pages.line("1000", 1, Line_No=20000)
    assert (taken.status, taken.code) == (400, "Internal_EntityWithSameKeyExists")
    found = await pages.get("Item_Journal?$filter=Document_No eq 'D2'")
    assert [row["Line_No"] for row in found.value] == [20000, 30000]
    path = "Item_Journal(Journal_Template_Name='ITEM',Journal_Batch_Name='DEFAULT',Line_No=20000)"
    changed = await pages.patch(path, {"Quantity": 4}, second["@odata.etag"])
    assert (changed.body["Quantity"], changed.body["Amount"]) == (4, 10)
    assert (await pages.call("DELETE", path)).status == 204
    assert (await pages.get("Item_Journal/$count")).body == "2"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"Item_No": "NONE"}, "(NONE) that cannot be found in the related table (Item)"),
        ({"Item_No": "1002"}, "Blocked must be equal to 'No'"),
        ({"Journal_Batch_Name": "NONE"}, "(NONE) that cannot be found in the related table (Item Journal Batch)"),
        ({"Journal_Template_Name": "NONE"}, "in the related table (Item Journal Template)"),
        ({"Journal_Template_Name": "RECLASS"}, "in the related table (Item Journal Batch)"),
        ({"Location_Code": "NONE"}, "in the related table (Location)"),
        ({"Unit_of_Measure_Code": "KG"}, "in the related table (Item Unit of Measure)"),
        ({"Entry_Type": "Negative_x0020_Adjmt_x002E_"}, "is not an option"),
        ({"Entry_Type": "Transfer"}, "You cannot use entry type Transfer in this journal."),
        ({"Shortcut_Dimension_1_Code": "NONE"}, "(NONE) that cannot be found in the related table (Dimension Value)"),
        ({"Shortcut_Dimension_1_Code": "OLD"}, "Dimension Value DEPARTMENT - OLD is blocked."),
        ({"ShortcutDimCode3": "ADM"}, "not set up"),
        ({"Quantity": "many"}, "Unable to convert value to Decimal"),
    ],
)
async def test_a_wrong_line_is_refused(pages: Pages, more: dict[str, Any], words: str) -> None:
    answer = await pages.line("1000", 1, **more)
    assert answer.status == 400
    assert words in answer.text
    assert (await pages.get("Item_Journal")).value == []


async def test_transfers_have_a_journal_of_their_own(pages: Pages) -> None:
    body = {"Journal_Template_Name": "RECLASS", "Journal_Batch_Name": "DEFAULT", "Item_No": "1000", "Quantity": 3}
    places = {"Location_Code": "EAST", "New_Location_Code": "WEST", "New_Shortcut_Dimension_1_Code": "PROD"}
    made = await pages.post("Reclass", body | places)
    assert (made.status, made.body["Entry_Type"], made.body["New_Location_Code"]) == (201, "Transfer", "WEST")
    shortcuts = made.body["Shortcut_Dimension_1_Code"], made.body["New_Shortcut_Dimension_1_Code"]
    assert shortcuts == ("", "PROD")
    assert (await pages.get("Item_Journal")).value == []
    assert len((await pages.get("Reclass")).value) == 1
    key = "(Journal_Template_Name='RECLASS',Journal_Batch_Name='DEFAULT',Line_No=10000)"
    assert (await pages.get(f"Item_Journal{key}")).status == 404
    assert (await pages.get(f"Reclass{key}")).status == 200


async def test_no_call_posts_a_journal(bc: Any, pages: Pages) -> None:
    await pages.line("1000", 1)
    key = "(Journal_Template_Name='ITEM',Journal_Batch_Name='DEFAULT',Line_No=10000)"
    for action in ("NAV.post", "Microsoft.NAV.post", "NAV.Post"):
        assert (await pages.call("POST", f"Item_Journal{key}/{action}")).status == 404
    assert (await bc.get("itemLedgerEntries")).value == []


async def test_permissions_name_the_table(box: Sandbox, bc: Any, make_client: Callable[[dict[str, Any]], Any]) -> None:
    clerk = {
        "client_id": "11111111-0000-4000-8000-000000000008",
        "secret": "s",
        "permissions": ["items:read", "itemJournalLines:write"],
    }
    box.seed({"principals": [clerk]})
    client = make_client(clerk)
    await client.sign_in()
    pages = Pages(client)
    assert (await pages.get("Item_Card")).status == 200
    assert (await pages.patch("Item_Card('1000')", {"Reorder_Point": 1})).status == 403
    assert (await pages.get("Item_Journal")).status == 403
    assert (await pages.line("1000", 1)).status == 201
