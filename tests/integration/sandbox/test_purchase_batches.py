"""Purchase documents in batches and under faults: what is kept, what is taken back, what happens twice (bc.md sections
6, 7 and 19).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from integration.sandbox.purchasing import Buyer, line, seed
from isthmus.sandbox.server import Sandbox

SNAPSHOT = {"Isolation": "snapshot"}
ANY = {"headers": {"If-Match": "*"}}


@pytest.fixture
async def box(tmp_path: Path) -> Any:
    async with Sandbox(seed(), home=tmp_path / "home") as box:
        yield box


@pytest.fixture
def own(bc: Any) -> Buyer:
    return Buyer(bc)


def statuses(answer: Any) -> list[int]:
    return [part["status"] for part in answer.body["responses"]]


async def count(buyer: Buyer, set_name: str) -> int:
    return int((await buyer.client.get(f"{set_name}/$count")).body)


def new(buyer: Buyer, *lines: dict[str, Any], vendor: str = "10000") -> dict[str, Any]:
    return dict(
        buyer.client.part("POST", "purchaseOrders", {"vendorNumber": vendor, "purchaseOrderLines": list(lines)})
    )


async def test_parts_stand_alone_without_snapshot(buyer: Buyer) -> None:
    before = await count(buyer, "purchaseOrders")
    answer = await buyer.client.batch(new(buyer, line()), new(buyer, line("NONE")), new(buyer, line()))
    assert statuses(answer) == [201, 400, 201]
    assert await count(buyer, "purchaseOrders") == before + 2


async def test_a_snapshot_takes_orders_back_and_says_201(buyer: Buyer) -> None:
    before = await count(buyer, "purchaseOrders")
    answer = await buyer.client.batch(new(buyer, line()), new(buyer, line("NONE")), new(buyer), **SNAPSHOT)
    assert statuses(answer) == [201, 400]
    lost = answer.body["responses"][0]["body"]["id"]
    assert await count(buyer, "purchaseOrders") == before
    assert (await buyer.client.get(f"purchaseOrders({lost})")).status == 404
    number = int(answer.body["responses"][0]["body"]["number"])
    assert int((await buyer.order())["number"]) == number


async def test_a_posting_commits_what_stood_before_it(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=10))
    one = order["purchaseOrderLines"][0]["id"]
    before = await count(buyer, "purchaseOrders")
    part = buyer.client.part
    answer = await buyer.client.batch(
        new(buyer, line()),
        part("PATCH", f"purchaseOrderLines({one})", {"receiveQuantity": 4}, **ANY),
        part("PATCH", f"purchaseOrderLines({one})", {"invoiceQuantity": 0}, **ANY),
        part("POST", f"purchaseOrders({order['id']})/Microsoft.NAV.receiveAndInvoice", {}),
        part("PATCH", f"purchaseOrders({order['id']})", {"purchaser": "NOBODY"}, **ANY),
        **SNAPSHOT,
    )
    assert statuses(answer) == [201, 200, 200, 204, 400]
    assert await count(buyer, "purchaseOrders") == before + 1
    assert (await buyer.lines(order))[0]["receivedQuantity"] == 4


async def test_a_refused_posting_has_committed_what_stood_before_it(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=10))
    one = order["purchaseOrderLines"][0]["id"]
    answer = await buyer.client.batch(
        buyer.client.part("PATCH", f"purchaseOrderLines({one})", {"receiveQuantity": 4}, **ANY),
        buyer.client.part("POST", f"purchaseOrders({order['id']})/Microsoft.NAV.receiveAndInvoice", {}),
        **SNAPSHOT,
    )
    assert statuses(answer) == [200, 400]
    now = (await buyer.lines(order))[0]
    assert (now["receiveQuantity"], now["receivedQuantity"]) == (4, 0)
    assert (await buyer.client.get(f"purchaseReceipts?$filter=orderNumber eq '{order['number']}'")).value == []


async def test_two_lines_of_one_sequence_do_not_kill_the_batch(buyer: Buyer) -> None:
    order = await buyer.order()
    path = f"purchaseOrders({order['id']})/purchaseOrderLines"
    parts = [buyer.client.part("POST", path, line(sequence=number)) for number in (10000, 10000, 20000)]
    assert statuses(await buyer.client.batch(*parts)) == [201, 400, 201]


async def test_an_order_sent_twice_is_two_orders(buyer: Buyer) -> None:
    before = await count(buyer, "purchaseOrders")
    for _ in range(2):
        await buyer.order({"description": "ISTHMUS twice"}, line())
    assert await count(buyer, "purchaseOrders") == before + 2


# faults


async def test_an_order_whose_answer_is_lost_is_there(box: Sandbox, own: Buyer) -> None:
    box.fault("lose_after", match={"entity": "purchaseOrders", "method": "POST"}, times=1)
    with pytest.raises(aiohttp.ClientError):
        await own.order({"description": "ISTHMUS lost"}, line())
    rows = (await own.client.get("purchaseOrders?$expand=purchaseOrderLines")).value
    assert [row["purchaseOrderLines"][0]["description"] for row in rows] == ["ISTHMUS lost"]


async def test_a_receipt_whose_answer_is_lost_came(box: Sandbox, own: Buyer) -> None:
    order = await own.order(line(quantity=10))
    box.fault("lose_after", match={"action": "receiveAndInvoice"}, times=1)
    with pytest.raises(aiohttp.ClientError):
        await own.receive(order, 4)
    assert (await own.lines(order))[0]["receivedQuantity"] == 4


async def test_a_late_receipt_takes_the_quantities_of_then(box: Sandbox, own: Buyer) -> None:
    order = await own.order(line(quantity=10))
    box.fault("late_commit", seconds=60, match={"action": "receiveAndInvoice"}, times=1)
    with pytest.raises(aiohttp.ClientError):
        await own.receive(order, 4)
    one = (await own.lines(order))[0]
    assert (one["receivedQuantity"], one["receiveQuantity"]) == (0, 4)
    box.clear_faults()
    assert (await own.act(order)).status == 204
    # The second call has set what is to be received to the rest and what is to be invoiced to what came: the late one
    # is refused for want of a number, and nothing comes twice.
    box.advance(120)
    assert [receipt["lines"] for receipt in box.purchase(order["number"])["receipts"]] == [{"10000": "4"}]
    await own.client.sign_in()
    third = await own.order(line(quantity=3))
    box.fault("late_commit", seconds=60, match={"action": "receiveAndInvoice"}, times=1)
    with pytest.raises(aiohttp.ClientError):
        await own.receive(third, 2)
    box.advance(61)
    assert [receipt["lines"] for receipt in box.purchase(third["number"])["receipts"]] == [{"10000": "2"}]


async def test_posted_and_answered_400(box: Sandbox, own: Buyer) -> None:
    order = await own.order(line(quantity=10))
    box.fault("posted_but_400", match={"action": "receiveAndInvoice"}, times=1)
    assert (await own.receive(order, 4)).status == 400
    assert (await own.lines(order))[0]["receivedQuantity"] == 4


async def test_faults_of_one_part(box: Sandbox, own: Buyer) -> None:
    box.fault("lock_409", match={"entity": "purchaseOrders", "nth": 2}, times=1)
    box.fault("lie_201", match={"entity": "purchaseOrders", "nth": 2}, times=1)  # of those the first rule left
    answer = await own.client.batch(new(own, line()), new(own, line()), new(own, line()))
    assert statuses(answer) == [201, 409, 201]
    assert await count(own, "purchaseOrders") == 1


async def test_a_batch_cut_in_the_middle(box: Sandbox, own: Buyer) -> None:
    for headers, kept in (({}, 2), (SNAPSHOT, 2)):
        box.fault("cut_mid_batch", after=2, times=1)
        with pytest.raises(aiohttp.ClientError):
            await own.client.batch(new(own, line()), new(own, line()), new(own, line()), **headers)
        assert await count(own, "purchaseOrders") == kept


async def test_drift_of_a_line(box: Sandbox, own: Buyer) -> None:
    box.fault("drift", set="purchaseOrderLines", field="receiveQuantity", to="quantityToReceive")
    order = await own.order(line(quantity=3))
    one = order["purchaseOrderLines"][0]
    assert one["quantityToReceive"] == 3
    assert (await own.set_line(one, receiveQuantity=1)).code == "BadRequest"
    assert (await own.set_line(one, quantityToReceive=1)).body["invoiceQuantity"] == 1


async def test_a_reader_may_not_buy(box: Sandbox, own: Buyer) -> None:
    rights = ["D365 READ", "purchaseOrders:write", "purchaseOrderLines:write"]
    box.seed({"principals": [{**own.client.principal, "permissions": rights}]})
    order = await own.order(line())
    await own.set_line(order["purchaseOrderLines"][0], invoiceQuantity=0)
    refused = await own.act(order)
    assert (refused.status, refused.code) == (403, "Internal_ServerError")
    assert "Purchase Order Entity Buffer" in refused.text
