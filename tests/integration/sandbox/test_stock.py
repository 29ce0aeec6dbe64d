"""Stock: the item ledger, item journals that people post, values in the general ledger, and seeds from CSV files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.sandbox.masters import Pages, company, item, seed
from isthmus.sandbox import seed as seeds
from isthmus.sandbox.clock import Clock
from isthmus.sandbox.server import Sandbox, SandboxError
from isthmus.sandbox.systems import open_system

SERVICES = {"Item_Journal": 40, "Reclass": 393}


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(seed() | {"published": SERVICES}, home=tmp_path / "home") as box:
        yield box


@pytest.fixture
def pages(bc: Any) -> Pages:
    return Pages(bc)


async def entries(bc: Any) -> list[dict[str, Any]]:
    return list((await bc.get("itemLedgerEntries")).value)


async def adjust(bc: Any, number: str, quantity: Any) -> Any:
    row = (await bc.get(f"items?$filter=number eq '{number}'")).value[0]
    return await bc.patch(f"items({row['id']})", {"inventory": quantity})


# PATCH inventory


async def test_patching_inventory_posts_an_adjustment(box: Sandbox, bc: Any) -> None:
    box.advance(40 * 24 * 3600)
    await bc.sign_in()
    today = box.clock()["now"][:10]
    assert (await adjust(bc, "1000", 8)).body["inventory"] == 8
    assert (await adjust(bc, "1000", 5.5)).body["inventory"] == 5.5
    first, second = await entries(bc)
    assert (first["entryType"], first["quantity"], first["costAmountActual"]) == ("Positive_x0020_Adjmt_x002E_", 8, 20)
    assert (second["entryType"], second["quantity"]) == ("Negative_x0020_Adjmt_x002E_", -2.5)
    assert second["costAmountActual"] == -6.25
    assert {row["documentNumber"] for row in (first, second)} == {"1000"}
    assert {row["postingDate"] for row in (first, second)} == {today}
    assert (first["documentType"], first["sourceType"], first["itemNumber"]) == ("_x0020_", "_x0020_", "1000")
    assert box.stock()["items"] == {"1000": {"": "5.5"}}
    assert (await bc.get("items?$filter=inventory gt 5")).value[0]["number"] == "1000"
    assert (await adjust(bc, "1000", 5.5)).status == 200
    assert len(await entries(bc)) == 2


async def test_the_value_goes_to_the_general_ledger(box: Sandbox, bc: Any) -> None:
    await adjust(bc, "1000", 8)
    booked = (await bc.get("generalLedgerEntries?$filter=documentNumber eq '1000'")).value
    assert [(row["accountNumber"], row["debitAmount"], row["creditAmount"]) for row in booked] == [
        ("2110", 20, 0),
        ("7170", 0, 20),
    ]
    await adjust(bc, "1000", 6)
    assert box.books("CRONUS")["accounts"] == {"2110": "15.00", "7170": "-15.00"}


async def test_without_accounts_nothing_is_booked(tmp_path: Path) -> None:
    given = seed(inventory_posting_setup=[], stock=[{"item": "1000", "quantity": 3, "date": "2026-01-01"}])
    with Sandbox(given, home=tmp_path) as box:
        assert box.stock()["items"] == {"1000": {"": "3"}}
        assert box.books()["entries"] == 0


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("1001", "You must assign a lot number for item 1001."),
        ("1002", "Blocked must be equal to 'No'  in Item: No.=1002. Current value is 'Yes'."),
        ("1003", "Type must be equal to 'Inventory'"),
        ("1005", "The General Posting Setup does not exist."),
    ],
)
async def test_what_cannot_be_posted_leaves_nothing(box: Sandbox, bc: Any, number: str, words: str) -> None:
    answer = await adjust(bc, number, 5)
    assert answer.status == 400
    assert words in answer.text
    assert await entries(bc) == []
    assert box.books("CRONUS")["entries"] == 0
    assert (await bc.get(f"items?$filter=number eq '{number}'")).value[0]["inventory"] == 0


async def test_set_up_decides_about_dates_locations_and_negative_stock(box: Sandbox, bc: Any) -> None:
    await adjust(bc, "1000", 1)
    box.set(company="CRONUS", prevent_negative_inventory=True)
    assert (await adjust(bc, "1000", -1)).text == "You have insufficient quantity of Item 1000 on inventory."
    box.set(company="CRONUS", prevent_negative_inventory=False)
    assert (await adjust(bc, "1000", -1)).status == 200
    box.set(company="CRONUS", location_mandatory=True)
    assert (await adjust(bc, "1000", 1)).text.startswith("Location Code must have a value in Item Journal Line")
    box.set(company="CRONUS", location_mandatory=False, allow_posting_to="2026-01-01")
    refused = await adjust(bc, "1000", 1)
    assert refused.text.startswith(
        "Posting Date is not within your range of allowed posting dates in Item Journal Line"
    )


async def test_a_batch_takes_adjustments_back(bc: Any) -> None:
    row = (await bc.get("items?$filter=number eq '1000'")).value[0]
    answer = await bc.batch(
        bc.part("PATCH", f"items({row['id']})", {"inventory": 4}, headers={"If-Match": "*"}),
        bc.part("PATCH", f"items({row['id']})", {"inventory": 9}, headers={"If-Match": "*"}),
        bc.part("POST", "vendors", {"number": "10000"}),
        Isolation="snapshot",
    )
    assert [part["status"] for part in answer.body["responses"]] == [200, 200, 400]
    assert await entries(bc) == []
    assert bc.box.stock()["items"].get("1000", {}) == {}
    assert (await bc.get(f"items({row['id']})")).body["inventory"] == 0


# journals


async def test_a_person_posts_what_was_saved(box: Sandbox, bc: Any, pages: Pages) -> None:
    await pages.line("1000", 10, "Positive Adjmt.", Document_No="IN-1", Posting_Date="2026-03-01", Location_Code="EAST")
    await pages.line(
        "1000",
        1,
        Document_No="WO-77",
        Unit_of_Measure_Code="BOX",
        Location_Code="EAST",
        Shortcut_Dimension_1_Code="ADM",
    )
    assert box.stock()["unposted_lines"] == 2
    assert await entries(bc) == []
    assert box.post_item_journal() == {"lines": 2, "entries": 2, "documents": ["IN-1", "WO-77"]}
    received, issued = await entries(bc)
    assert (received["quantity"], received["costAmountActual"]) == (10, 25)
    assert (issued["entryType"], issued["quantity"]) == ("Negative_x0020_Adjmt_x002E_", -12)
    assert (issued["costAmountActual"], issued["postingDate"]) == (-30, "2026-03-01")
    assert box.stock()["items"] == {"1000": {"EAST": "-2"}}
    assert box.stock()["unposted_lines"] == 0
    assert box.books("CRONUS")["accounts"] == {"2111": "-5.00", "7170": "5.00"}
    booked = (await bc.get("generalLedgerEntries?$filter=documentNumber eq 'WO-77'&$expand=dimensionSetLines")).value
    assert booked[0]["dimensionSetLines"][0]["valueCode"] == "ADM"
    assert [
        row["documentNumber"] for row in (await bc.get("itemLedgerEntries?$filter=documentNumber eq 'WO-77'")).value
    ]
    last = issued["entryNumber"]
    await adjust(bc, "1000", 0)
    after = (await bc.get(f"itemLedgerEntries?$filter=entryNumber gt {last}")).value
    assert [row["quantity"] for row in after] == [2]


async def test_a_batch_is_posted_whole_or_not_at_all(box: Sandbox, bc: Any, pages: Pages) -> None:
    with pytest.raises(SandboxError, match="There is nothing to post"):
        box.post_item_journal()
    await pages.line("1000", 3)
    await pages.line("1001", 1)
    with pytest.raises(SandboxError, match="You must assign a lot number for item 1001"):
        box.post_item_journal()
    assert await entries(bc) == []
    assert box.books("CRONUS")["entries"] == 0
    key = "(Journal_Template_Name='ITEM',Journal_Batch_Name='DEFAULT',Line_No=20000)"
    await pages.patch(f"Item_Journal{key}", {"Lot_No": "L1"})
    box.post_item_journal()
    assert len(await entries(bc)) == 2
    with pytest.raises(SandboxError, match="no item journal batch ITEM/NONE"):
        box.post_item_journal(batch="NONE")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"Quantity": 0}, "Quantity must have a value"),
        ({"Location_Code": "BINS"}, "Bin Code must have a value"),
        ({"Document_No": ""}, "Document No. must have a value"),
        ({"Posting_Date": "0001-01-01"}, "Posting Date must have a value"),
        ({"Item_No": "1005"}, "The General Posting Setup does not exist"),
        ({"Item_No": "1000", "Location_Code": "WEST"}, "The Inventory Posting Setup does not exist"),
    ],
)
async def test_a_line_that_cannot_be_posted(box: Sandbox, pages: Pages, more: dict[str, Any], words: str) -> None:
    assert (await pages.line("1000", 1, **more)).status == 201
    with pytest.raises(SandboxError, match=words):
        box.post_item_journal()


async def test_dimensions_of_an_item_are_minded(box: Sandbox, pages: Pages) -> None:
    rules = [{"item": "1000", "dimension": "DEPARTMENT", "rule": "code_mandatory"}]
    box.seed({"companies": [{"name": "CRONUS", "default_dimensions": rules}]})
    await pages.line("1000", 1)
    with pytest.raises(
        SandboxError, match="Select a Dimension Value Code for the Dimension Code DEPARTMENT for Item 1000"
    ):
        box.post_item_journal()
    rules[0] |= {"rule": "same_code", "value": "PROD"}
    box.seed({"companies": [{"name": "CRONUS", "default_dimensions": rules}]})
    line = await pages.line("1000", 1)
    assert line.body["Shortcut_Dimension_1_Code"] == "PROD"


async def test_a_transfer_moves_stock_and_its_value(box: Sandbox, bc: Any, pages: Pages) -> None:
    setup = [{"group": "RESALE", "location": "WEST", "inventory_account": "2110"}]
    stock = [{"item": "1000", "quantity": 10, "location": "EAST", "date": "2026-01-01"}]
    box.seed({"companies": [{"name": "CRONUS", "inventory_posting_setup": setup, "stock": stock}]})
    body = {"Journal_Template_Name": "RECLASS", "Journal_Batch_Name": "DEFAULT", "Item_No": "1000", "Quantity": 4}
    await pages.post("Reclass", body | {"Location_Code": "EAST", "New_Location_Code": "WEST", "Document_No": "T1"})
    assert box.post_item_journal(template="RECLASS")["entries"] == 2
    assert box.stock()["items"] == {"1000": {"EAST": "6", "WEST": "4"}}
    assert [row["quantity"] for row in (await entries(bc))[1:]] == [-4, 4]
    assert {row["entryType"] for row in (await entries(bc))[1:]} == {"Transfer"}
    assert box.books("CRONUS")["accounts"] == {"2110": "10.00", "2111": "15.00", "7170": "-25.00"}
    assert (await bc.get("items?$filter=number eq '1000'")).value[0]["inventory"] == 10


async def test_a_posting_number_series_renumbers(box: Sandbox, bc: Any, pages: Pages) -> None:
    journals = [{"template": "ITEM", "batch": "OTHER", "no_series": "IJNL", "posting_no_series": "VEND"}]
    box.seed({"companies": [{"name": "CRONUS", "item_journals": journals}]})
    line = await pages.line("1000", 1, Journal_Batch_Name="OTHER")
    assert line.body["Document_No"] == "T00001"
    assert box.post_item_journal(batch="OTHER")["documents"] == ["V0001"]
    assert (await entries(bc))[0]["documentNumber"] == "V0001"
    await pages.line("1000", 1)
    box.post_item_journal()
    assert (await pages.line("1000", 1)).body["Document_No"] == "T00002"


_MOVES = st.lists(
    st.tuples(
        st.sampled_from(["Positive Adjmt.", "Negative Adjmt.", "Purchase", "Sale", "adjust", "transfer"]),
        st.sampled_from(["1000", "1004"]),
        st.sampled_from(["EAST", ""]),
        st.decimals(min_value="0.001", max_value=500, places=3),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@given(moves=_MOVES)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_ledger_stock_and_books_always_agree(standing_stock: Pages, moves: list[Any]) -> None:
    """Whatever is moved: stock is the sum of entries, the books are the sum of their costs, per location's account."""
    pages, box, bc = standing_stock, standing_stock.client.box, standing_stock.client
    for kind, number, location, quantity, use_box in moves:
        if kind == "adjust":
            assert (await adjust(bc, number, float(quantity))).status == 200
        elif kind == "transfer":
            body = {"Journal_Template_Name": "RECLASS", "Journal_Batch_Name": "DEFAULT", "Item_No": number}
            places = {
                "Location_Code": location,
                "New_Location_Code": "EAST",
                "Document_No": "T",
                "Quantity": str(quantity),
            }
            assert (await pages.post("Reclass", body | places)).status == 201
            await asyncio.to_thread(box.post_item_journal, template="RECLASS")
        else:
            more = {"Unit_of_Measure_Code": "BOX"} if use_box and number == "1000" else {}
            line = await pages.line(number, str(quantity), kind, Location_Code=location, Document_No="D", **more)
            assert line.status == 201, line.body
            await asyncio.to_thread(box.post_item_journal)
    found = await entries(bc)
    seen = await asyncio.to_thread(box.stock)
    for number in ("1000", "1004"):
        total = sum((Decimal(str(row["quantity"])) for row in found if row["itemNumber"] == number), Decimal(0))
        places = seen["items"].get(number, {})
        assert sum(map(Decimal, places.values()), Decimal(0)) == total
        row = (await bc.get(f"items?$filter=number eq '{number}'")).value[0]
        assert Decimal(str(row["inventory"])) == total
    books = (await asyncio.to_thread(box.books, "CRONUS"))["accounts"]
    costs = sum((Decimal(str(row["costAmountActual"])) for row in found), Decimal(0))
    stocked = Decimal(books.get("2110", "0")) + Decimal(books.get("2111", "0"))
    assert stocked == costs == -Decimal(books.get("7170", "0"))


@pytest.fixture
def standing_stock(pages: Pages) -> Pages:
    return pages


# seeds from files

_ITEMS = 'ProductID,Number,Name,Cost,Active\n1,a-1,Bolt,1.25,1\n2,B-2,Nut  ,.50,0\n3,C-3,"Wheel, large",12,1\n'
_STOCK = "ProductID,Place,Quantity\n1,6,408\n3,6,10\n3,50,0\n2,50,7.5\n"


def _files(folder: Path, **more: Any) -> Path:
    """A seed that names CSV files in the folder `data` beside it, by a variable."""
    data = folder / "data"
    data.mkdir()
    (data / "items.csv").write_text(_ITEMS, "utf-8")
    (data / "stock.csv").write_text(_STOCK, "utf-8")
    text = """
tenant: 0f6d8c52-6f0e-4b55-9e3b-3c1d1b0f7a10
companies:
  - name: CRONUS
    units_of_measure: [{code: PCS}]
    locations: [{code: L6}, {code: L50}]
    items:
      csv: ${data}/items.csv
      columns:
        number: Number
        name: Name
        unit: {value: PCS}
        unit_cost: Cost
        blocked: {column: Active, map: {"1": "false", "*": "true"}}
    stock:
      - {item: A-1, quantity: 1, date: 2026-01-01}
      - csv: data/stock.csv
        where: {Quantity: ["408", "7.5", "0"]}
        columns:
          item: {column: ProductID, file: items.csv, key: ProductID, take: Number}
          location: {column: Place, map: {"6": L6, "50": L50}}
          quantity: Quantity
          date: {value: 2026-01-31}
"""
    for old, new in more.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "seed.yaml"
    path.write_text(text, "utf-8")
    return path


def test_records_come_from_csv_files(tmp_path: Path) -> None:
    given = seeds.read(_files(tmp_path), {"data": str(tmp_path / "data")})
    with Sandbox(given, home=tmp_path / "home") as box:
        assert box.state()["companies"][0]["rows"]["items"] == 3
        assert box.stock()["items"] == {"A-1": {"": "1", "L6": "408"}, "B-2": {"L50": "7.5"}}
        assert box.stock()["costs"] == {"A-1": "511.25", "B-2": "3.75"}
        assert box.edit("items", "B-2")["displayName"] == "Nut"
        assert box.edit("items", "B-2")["blocked"] is True


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"${data}": "${date}"}, "there is no variable 'date'; there are: data"),
        ({"${data}/items.csv": "${data}/none.csv"}, "none.csv cannot be read"),
        ({"unit_cost: Cost": "unit_cost: Price"}, "has no column 'Price'; it has ProductID, Number"),
        ({'"50": L50': '"51": L50'}, "Place '50': `map` has neither it nor \\*"),
        ({"take: Number": "take: Nothing"}, "has no column 'Nothing'"),
        ({"unit_cost: Cost": "unit_cost: {colum: Cost}"}, "company 'CRONUS', items: .*colum"),
    ],
)
def test_a_wrong_table_says_where(tmp_path: Path, changed: dict[str, str], words: str) -> None:
    path = _files(tmp_path, **changed)
    with pytest.raises(seeds.SeedError, match=words):
        seeds.read(path, {"data": str(tmp_path / "data")})


def test_a_look_up_that_finds_nothing_is_refused(tmp_path: Path) -> None:
    path = _files(tmp_path)
    (tmp_path / "data/stock.csv").write_text("ProductID,Place,Quantity\n9,6,408\n", "utf-8")
    with pytest.raises(seeds.SeedError, match="ProductID '9' is not in column ProductID of"):
        seeds.read(path, {"data": str(tmp_path / "data")})
    (tmp_path / "data/stock.csv").write_text("ProductID,Place,Quantity\n9,6\n", "utf-8")
    with pytest.raises(seeds.SeedError, match="line 2: 2 values for 3 columns"):
        seeds.read(path, {"data": str(tmp_path / "data")})


def test_thousands_of_records_are_seeded_at_once(tmp_path: Path) -> None:
    """A warehouse of real size: what costs more than a few seconds here would make each start a wait."""
    numbers = [f"P{number:05d}" for number in range(4000)]
    stock = [{"item": number, "quantity": 5, "location": "EAST", "date": "2026-01-01"} for number in numbers]
    given = company(items=[item(number) for number in numbers], stock=stock)
    start = time.process_time()
    system = open_system(tmp_path, {"companies": [given]}, Clock())
    assert time.process_time() - start < 6
    assert len(system.encode()) > 1_000_000  # none was left out
