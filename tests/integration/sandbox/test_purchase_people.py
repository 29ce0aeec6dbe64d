"""What people do with purchase documents, told by the dev API."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from integration.sandbox.purchasing import SETUP, Buyer, line, seed
from isthmus.sandbox.business_central.areas.purchase_setup import PurchaseSetup
from isthmus.sandbox.purchasers import Purchase
from isthmus.sandbox.server import Sandbox, SandboxError


@pytest.fixture
async def buy(market: Sandbox) -> Any:
    """`box.buy` of the market without waiting on the loop that serves nothing here."""

    async def act(do: str, number: str, **more: Any) -> dict[str, Any]:
        return await asyncio.to_thread(market.buy, do, number, **more)

    return act


async def test_somebody_receives_so_much_of_a_line(buyer: Buyer, buy: Any) -> None:
    order = await buyer.order(line(quantity=10), line("1007", 4))
    found = await buy("receive", order["number"], lines={"10000": "2.5"})
    assert [(one["ordered"], one["received"]) for one in found["lines"]] == [("10", "2.5"), ("4", "0")]
    assert [receipt["lines"] for receipt in found["receipts"]] == [{"10000": "2.5"}]
    rest = await buy("receive", order["number"])
    assert [(one["received"], one["invoiced"]) for one in rest["lines"]] == [("10.0", "0"), ("4", "0")]
    assert (await buyer.read(order))["fullyReceived"] is True


async def test_somebody_posts_an_order_in_full(buyer: Buyer, buy: Any) -> None:
    order = await buyer.order(line(quantity=2, directUnitCost=5))
    found = await buy("post", order["number"], vendor_number=f"P-{order['number']}")
    assert (found["status"], found["lines"]) == (None, [])
    (bill,) = found["invoices"]
    assert (bill["vendor_number"], bill["status"], bill["amount"]) == (f"P-{order['number']}", "Open", "10.00")


async def test_somebody_bills_what_came(buyer: Buyer, buy: Any) -> None:
    order = await buyer.order(line(quantity=10, directUnitCost=5))
    await buy("receive", order["number"], lines={"10000": 4})
    found = await buy("post", order["number"], receive=False, vendor_number=f"Q-{order['number']}")
    assert (found["lines"][0]["received"], found["lines"][0]["invoiced"], found["status"]) == ("4", "4", "Open")


async def test_somebody_edits_adds_and_removes(buyer: Buyer, buy: Any) -> None:
    order = await buyer.order(line(quantity=10), line("1007", 4))
    await buy("edit", order["number"], values={"orderDate": "2026-02-02"})
    await buy("edit", order["number"], line=10000, values={"quantity": "12", "directUnitCost": "3.3333"})
    await buy("add", order["number"], values={"lineType": "Item", "lineObjectNumber": "1000", "quantity": "1"})
    await buy("remove", order["number"], line=20000)
    after = await buyer.read(order)
    assert (after["orderDate"], after["totalAmountExcludingTax"]) == ("2026-02-02", 42.5)
    assert [(one["sequence"], one["quantity"]) for one in after["purchaseOrderLines"]] == [(10000, 12), (30000, 1)]
    gone = await buy("remove", order["number"])
    assert gone["status"] is None
    assert (await buyer.client.get(f"purchaseOrders({order['id']})")).status == 404


async def test_somebody_reopens_changes_and_releases(buyer: Buyer, buy: Any) -> None:
    order = await buyer.order(line(quantity=10))
    assert (await buy("release", order["number"]))["status"] == "Open"
    with pytest.raises(SandboxError, match="Status must be equal to 'Open'"):
        await buy("edit", order["number"], line=10000, values={"quantity": "8"})
    assert (await buy("reopen", order["number"]))["status"] == "Draft"
    assert (await buy("edit", order["number"], line=10000, values={"quantity": "8"}))["lines"][0]["ordered"] == "8"


async def test_a_draft_invoice_is_posted_by_a_person(buyer: Buyer, buy: Any) -> None:
    body = {
        "vendorNumber": "10000",
        "vendorInvoiceNumber": "HAND-1",
        "purchaseInvoiceLines": [line(quantity=1, unitCost=3)],
    }
    draft = (await buyer.client.post("purchaseInvoices", body)).body
    await buy("post", draft["number"], document="invoice")
    assert (await buyer.client.get(f"purchaseInvoices({draft['id']})")).body["status"] == "Open"


@pytest.mark.parametrize(
    ("do", "more", "text"),
    [
        ("receive", {"lines": {"99": 1}}, "line 99: order .* has 10000"),
        ("receive", {"lines": {"10000": 11}}, "You cannot receive more than 10 units."),
        ("edit", {"values": {"colour": "red"}}, "The property 'colour' does not exist"),
        ("reopen", {}, "reopen: order .* is Draft, not Open"),
        ("request_approval", {}, "no approval_workflow"),
        ("explode", {}, "Invalid enum value"),
        ("edit", {"document": "invoice"}, "has no such invoice"),
    ],
)
async def test_what_nobody_can_do(buyer: Buyer, buy: Any, do: str, more: dict[str, Any], text: str) -> None:
    order = await buyer.order(line(quantity=10))
    with pytest.raises(SandboxError, match=text):
        await buy(do, order["number"], **more)
    assert [one["received"] for one in buyer.client.box.purchase(order["number"])["lines"]] == ["0"]


def test_documents_outlive_the_process(tmp_path: Path) -> None:
    """Decimals, quantities waiting for a bill and the set-up come back exactly."""
    home = tmp_path / "home"
    accounts = {"interim_inventory_account": "2112", "interim_accrual_account": "5510"}
    given = seed(purchase_setup={"expected_cost_posting": True, **accounts})
    with Sandbox(given, home=home) as box:
        number = make_order(box)
        box.buy("receive", number, lines={"10000": "1.5"})
        before = box.purchase(number)
    with Sandbox(None, home=home) as box:
        assert box.purchase(number) == before
        box.buy("edit", number, line=10000, values={"invoiceQuantity": "3"})
        after = box.buy("post", number, vendor_number="V1")
        assert (after["status"], after["invoices"][0]["amount"]) == (None, "7.04")
        assert box.books()["accounts"] == {
            "2110": "7.04",
            "2112": "0.00",
            "5410": "-7.04",
            "5510": "0.00",
            "7110": "7.04",
            "7190": "-7.04",
        }


def make_order(box: Sandbox) -> str:
    """An order of three pieces at 2.3456, made over HTTP."""

    async def make() -> str:
        import ssl

        import aiohttp

        from integration.sandbox.conftest import FULL, Client

        context = ssl.create_default_context(cafile=str(box.ca))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
            client = Client(session, box, FULL)
            await client.sign_in()
            client.company = (await client.get("/companies")).value[0]["id"]
            return str((await Buyer(client).order(line(quantity=3, directUnitCost="2.3456")))["number"])

    return asyncio.run(make())


@pytest.mark.parametrize(
    ("setup", "text"),
    [
        ({"order_series": "NONE"}, "order_series: no number series 'NONE'"),
        ({"orders": "P-ORD"}, "unknown field `orders`"),
        ({"expected_cost_posting": True}, "expected_cost_posting needs interim_inventory_account"),
        ({"interim_accrual_account": "1"}, "no account '1'"),
        ({"default_qty_to_receive": "half"}, "Invalid enum value 'half'"),
    ],
)
def test_a_setup_that_cannot_be(tmp_path: Path, setup: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text), Sandbox(seed(purchase_setup=setup), home=tmp_path / "home"):
        pass


@pytest.mark.parametrize("name", [*PurchaseSetup.__struct_fields__, *get_args(get_type_hints(Purchase)["do"])])
def test_every_name_is_documented(name: str) -> None:
    text = (Path(__file__).parents[3] / "docs/sandbox.md").read_text("utf-8")
    assert f"`{name}`" in text.split("## Purchasing")[1].split("## Clock")[0]


def test_a_switch_keeps_the_rest_of_the_setup(market: Sandbox) -> None:
    market.set(company="CRONUS", purchase_setup={"ext_doc_no_mandatory": True})
    with pytest.raises(SandboxError, match="no number series"):
        market.set(company="CRONUS", purchase_setup={"receipt_series": "NONE"})
    market.set(company="CRONUS", purchase_setup={"receipt_series": SETUP["receipt_series"].lower()})
