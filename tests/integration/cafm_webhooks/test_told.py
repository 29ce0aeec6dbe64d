"""Orders approved and goods taken in at the CAFM reach Business Central by webhooks; own writes cause no echo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integration.cafm_webhooks.bench import CAFM, FINANCE, Halls, Told, told
from integration.webhooks.bench import Doorway

MONTH = 31 * 86_400


async def test_an_approved_order_is_told_and_made_at_once(listening: Told) -> None:
    halls, joined = listening.mine, set(listening.hints())
    order = await listening.does(halls.order, "10")
    assert set(listening.hints()) - joined == {'[["purchase_order","",[]]]'}
    await listening.turn(CAFM)
    await listening.turn(FINANCE)
    await listening.turn(CAFM)
    made = halls.in_finance(order)
    assert [one["ordered"] for one in made["lines"] if one["item"]] == ["10"]
    reads = {path: n for path, n in halls.cafm.calls()["by_path"].items() if path.startswith("GET")}
    assert set(reads) <= {"GET /purchaseOrders"}  # nothing else was named, nothing else was read


async def test_a_draft_is_told_and_stays_where_it_is(listening: Told) -> None:
    halls = listening.mine
    line = {"itemId": "1000", "quantity": "1", "unitPrice": "4.50"}
    body = {"vendorId": "V1", "locationId": "STORE", "lines": [line]}
    order = await listening.does(halls.act, "POST", "/purchaseOrders", body)
    await listening.settle()
    assert halls.writes() == {CAFM: 0, FINANCE: 0}
    for status in ("pending", "approved"):
        await listening.does(halls.act, "POST", f"/purchaseOrders/{order['id']}/status", {"status": status})
    await listening.settle()
    assert halls.in_finance(order)["number"]


def _asked(halls: Halls) -> dict[str, int]:
    """What Business Central was asked to change, by method and last word of the address."""
    calls = halls.box.calls()
    found: dict[str, int] = {}
    for path, count in (*calls["by_path"].items(), *calls["parts_by_path"].items()):
        method, _, address = path.partition(" ")
        if method != "GET" and "batch" not in address and "subscriptions" not in address:
            name = f"{method} {address.rpartition('/')[2].partition('(')[0]}"
            found[name] = found.get(name, 0) + count
    return found


async def test_own_writes_come_back_and_cause_no_echo(listening: Told) -> None:
    """Each edit of a person makes exactly the writes it needs, though every write of ours is told to us again."""
    halls = listening.mine
    orders = [await listening.does(halls.order, quantity) for quantity in ("10", "20")]
    await listening.settle()
    await listening.does(halls.act, "PATCH", f"/purchaseOrders/{orders[0]['id']}", {"requiredOn": "2026-12-24"})
    await listening.settle()
    for order, quantity in ((orders[0], "3"), (orders[0], "4"), (orders[1], "20")):
        await listening.does(halls.receive, order, quantity)
        await listening.settle()

    needed = {
        FINANCE: {"POST purchaseOrders": 2, "PATCH purchaseOrders": 1, "POST Microsoft.NAV.receiveAndInvoice": 3},
        CAFM: {"numbers of orders": 2, "what became of orders": 2, "what became of receipts": 3},
    }
    lines = "PATCH purchaseOrderLines"  # quantities to receive, which no receipt can be posted without

    def counted() -> dict[str, int]:
        written = _asked(halls)
        return {FINANCE: sum(written.values()) - written[lines], CAFM: halls.writes()[CAFM]}

    print("real edits to carry over:", {side: sum(edits.values()) for side, edits in needed.items()})
    print("writes counted at the simulators:", counted())
    assert {name: count for name, count in _asked(halls).items() if name != lines} == needed[FINANCE]
    assert counted() == {side: sum(edits.values()) for side, edits in needed.items()}
    # each of ours came back, and was taken for what it was
    echoes = halls.changed_by_us()
    assert sum(echoes.values()) == sum(needed[CAFM].values())
    assert halls.cafm.hooks()["delivered"] >= sum(echoes.values())
    before = counted()
    await listening.wait(MONTH)  # the poll reads everything once more
    await listening.settle()
    assert counted() == before


TWENTY = [str(1 + at % 5) for at in range(20)]
FOUR = 4


def _received(halls: Halls, orders: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Quantities posted in Business Central, order by order, oldest receipt first."""
    return [[one["lines"]["10000"] for one in halls.in_finance(order)["receipts"]] for order in orders]


async def _twenty(halls: Halls, told: Told, orders: Sequence[Mapping[str, Any]]) -> None:
    """Twenty receipts are entered, by turns for four orders."""
    for at, quantity in enumerate(TWENTY):
        await told.does(halls.receive, orders[at % FOUR], quantity)


async def test_twenty_receipts_are_told_and_posted_while_no_time_passes(listening: Told) -> None:
    halls = listening.mine
    orders = [await listening.does(halls.order, "100") for _ in range(FOUR)]
    await listening.settle()
    before = halls.box.clock()["offset"]
    await _twenty(halls, listening, orders)
    await listening.turn(CAFM)
    await listening.turn(FINANCE)
    assert _received(halls, orders) == [TWENTY[at::FOUR] for at in range(FOUR)]
    assert halls.box.clock()["offset"] == before  # nobody waited for anything


async def test_twenty_receipts_are_posted_after_one_poll_where_nobody_tells(halls: Halls) -> None:
    halls.poll_only()
    with Doorway() as nobody:
        async with told(halls, nobody) as polling:
            orders = [await polling.does(halls.order, "100") for _ in range(FOUR)]
            await polling.settle(wait=61)
            await _twenty(halls, polling, orders)
            await polling.wait(61)  # one poll; five minutes are what is promised
            await polling.turn(CAFM)
            await polling.turn(FINANCE)
            assert _received(halls, orders) == [TWENTY[at::FOUR] for at in range(FOUR)]
            assert halls.ask("select count(*) from inbox") == [(0,)]
