"""What the settle time is for with orders and receipts: a call that was cut off may still take effect, once."""

from __future__ import annotations

import pytest

from crash.bought import Bought, check, end_state
from crash.buyer import DETAILS, Buyer
from crash.conftest import Untroubled

ORDERS, SEED = 24, 2
#: Cut off at once, carried out half a minute later: the request with all orders; the first that posts receipts.
ORDERS_LATE = {"kind": "late_commit", "seconds": 30, "match": {"entity": "$batch", "nth": 1}}
RECEIPTS_LATE = {"kind": "late_commit", "seconds": 30, "match": {"action": "receiveAndInvoice", "nth": 1}}


async def bought_late(buyer: Buyer, *faults: dict[str, object]) -> None:
    buyer.order_goods(ORDERS, SEED)
    for fault in faults:
        buyer.box.fault(**fault)
    await buyer.run()
    buyer.box.advance(3600)  # whatever was still to come has come


@pytest.mark.parametrize("faults", [(ORDERS_LATE,), (RECEIPTS_LATE,), (ORDERS_LATE, RECEIPTS_LATE)])
async def test_what_comes_late_is_waited_for(
    buyer: Buyer, untroubled: Untroubled, faults: tuple[dict[str, object], ...]
) -> None:
    await bought_late(buyer, *faults)
    check(buyer)
    assert end_state(buyer) == await untroubled(ORDERS, SEED)


async def test_without_the_settle_time_late_orders_are_made_twice(buyer: Buyer) -> None:
    """The proof that the faults above are real ones: one look that finds nothing is believed at once."""
    buyer.more_environ["ISTHMUS_SETTLE"] = "off"
    await bought_late(buyer, ORDERS_LATE)
    assert len(Bought(buyer).doubled) >= 10
    assert buyer.ask("select count(*) from message where entity = 'purchase_order' and state <> 'done'") == [(0,)]


async def test_a_late_posting_names_an_order_that_has_moved_on(buyer: Buyer, untroubled: Untroubled) -> None:
    """Receipts have a second guard: the etag a posting names. Without the settle time it alone keeps them from doubling
    (assumed of Business Central, bc.md §6; the simulator does so)."""
    buyer.more_environ["ISTHMUS_SETTLE"] = "off"
    await bought_late(buyer, RECEIPTS_LATE)
    check(buyer)
    assert end_state(buyer) == await untroubled(ORDERS, SEED)


async def test_goods_of_an_order_that_was_read_before_it_was_looked_up(buyer: Buyer) -> None:
    """For a while the hub has such an order twice. Goods that come meanwhile are those of the source's."""
    buyer.order_goods(ORDERS, SEED)
    await buyer.run()
    check(buyer)
    with buyer.ledger() as connection:
        connection.execute(
            """insert into record (entity, scope, number, data, amount, currency, origin, created_at, changed_at)
               select entity, scope, number, data, amount, currency, 'finance', created_at, changed_at
                 from record where entity = 'purchase_order' and number = '6'"""
        )
    row = next(row for row in buyer.files.of("2", "4") if row["PurchaseOrderID"] == "6")
    was = f"{row['LineTotal']},0.00,0.00,0.00,"
    buyer.change(DETAILS, was, was.replace("0.00,0.00,0.00", "5.00,0.00,5.00"))
    await buyer.run()
    check(buyer)
    assert [row.state for row in buyer.messages("subject = 'GR-6'")] == ["done"]
