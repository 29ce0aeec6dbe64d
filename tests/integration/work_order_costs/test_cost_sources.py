"""An order with parts from stock, own hours and a contractor: each cost is an expense once, and its other side goes to
the account that whoever books it too will clear."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integration.work_order_costs.bench import Mine

HEADER = "OrderNo,Done,Asset,Category,Kind,Source,Amount"
MAPPING = """\
entity: work_order
native: work_orders
way: read
fields:
  number:       {at: OrderNo}
  category:     {at: Category}
  asset:        {at: Asset}
  cost_centre:  {at: Asset, lookup: cost_centre_of_asset}
  status:       {value: completed}
  completed_on: {at: Done, via: date}
  currency:     {value: USD}
  lines:
    each: lines
    key: key
    fields:
      key:    {at: _ordinal}
      kind:   {at: Kind}
      source: {at: Source}
      amount: {at: Amount}
"""
ORDER = (
    "4711,2025-04-02,D,PM01,part,stock,112.40",
    "4711,2025-04-02,D,PM01,part,stock,38.15",
    "4711,2025-04-02,D,PM01,part,stock,7.99",
    "4711,2025-04-02,D,PM01,labour,payroll,130.00",
    "4711,2025-04-02,D,PM01,contractor,invoice,2450.00",
)
PLACE = {"ASSET": "D", "COSTCENTRE": "PIT-SOUTH"}


@pytest.fixture
def shop(mine: Mine) -> Mine:
    """A mine whose list has a row per cost line."""
    mine.edit("isthmus.yaml", "key: [BscStartDate, Asset, OriginalShorttext, PMType]", "key: [OrderNo]")
    mine.edit("isthmus.yaml", "        mode: snapshot", "        rows: lines\n        mode: snapshot")
    mine.write("mappings/work_order.yaml", MAPPING)
    return mine


async def lists(mine: Mine, *rows: str) -> None:
    mine.lines = [HEADER, *rows]
    mine.save()
    await mine.run()


def by_account(mine: Mine) -> dict[str, Decimal]:
    return {account: Decimal(amount) for account, amount in mine.books()["accounts"].items() if Decimal(amount)}


async def test_each_source_has_its_expense_and_its_own_other_side(shop: Mine) -> None:
    await lists(shop, *ORDER)
    assert by_account(shop) == {
        "8470": Decimal("158.54"),  # parts: the three of them
        "2140": Decimal("-158.54"),  # inventory adjustment, cleared by the item entries
        "8430": Decimal("130.00"),  # own hours
        "8120": Decimal("-130.00"),  # absorbed from wages
        "8480": Decimal("2450.00"),  # contractor
        "5410": Decimal("-2450.00"),  # accrual, cleared by the vendor's bill
    }
    message = shop.only("state = 'done'")
    assert message.amount == Decimal("2738.54")
    entries = shop.box.document(message.number, "PIT MINING")["entries"]
    assert len(entries) == 10
    assert all(entry["dimensions"] == PLACE for entry in entries if entry["account"].startswith("84"))
    assert shop.postings() == {message.number: 1}


async def test_parts_that_the_item_entry_expenses_by_itself_are_left_out(shop: Mine) -> None:
    shop.edit("rules/maintenance-costs.yaml", '    account: "8470"\n    offset: "2140"\n', "    no_posting: true\n")
    text = (shop.project / "rules" / "maintenance-costs.yaml").read_text("utf-8")
    head, _, tail = text.partition("    no_posting: true\n")
    shop.write("rules/maintenance-costs.yaml", head + "    no_posting: true\n" + tail.split("\n", 1)[1])
    await lists(shop, *ORDER)
    assert by_account(shop).keys() == {"8430", "8120", "8480", "5410"}
    assert shop.only("state = 'done'").amount == Decimal("2580.00")


async def test_half_an_order_is_never_booked(shop: Mine) -> None:
    """One line nobody can read stops the whole order, the other orders go on."""
    await lists(shop, *ORDER[:4], ORDER[4].replace("2450.00", "n/a"), "4712,2025-04-02,A,PM01,other,direct,20.00")
    assert by_account(shop) == {"8410": Decimal("20.00"), "2910": Decimal("-20.00")}
    dead = shop.only("state = 'dead'")
    assert "lines 2-6" in dead.place
    assert "n/a" in dead.reason


async def test_a_line_added_to_a_booked_order_is_a_change_of_it(shop: Mine) -> None:
    await lists(shop, *ORDER)
    await lists(shop, *ORDER, "4711,2025-04-02,D,PM01,part,stock,50.00")
    held = shop.only("state = 'held'")
    assert "change of 2738.54 -> 2788.54" in held.reason
    await shop.act("correct", held)
    assert by_account(shop)["8470"] == Decimal("208.54")
    assert by_account(shop)["2140"] == Decimal("-208.54")


async def test_a_line_that_moves_from_store_to_vendor_is_a_change_of_the_same_sum(shop: Mine) -> None:
    await lists(shop, *ORDER)
    await lists(shop, ORDER[0].replace("part,stock", "contractor,invoice"), *ORDER[1:])
    held = shop.only("state = 'held'")
    assert "already booked as" in held.reason
    await shop.act("correct", held)
    assert by_account(shop)["8470"] == Decimal("46.14")
    assert by_account(shop)["5410"] == Decimal("-2562.40")


async def test_a_line_taken_out_while_its_order_was_unreadable_is_gone(shop: Mine) -> None:
    """What cannot be read tells nothing, also not that there was nothing."""
    await lists(shop, *ORDER)
    await lists(shop, *ORDER[:4], ORDER[4] + ",one cell too many")
    assert "changed since" in shop.only("state = 'held'").reason
    await lists(shop, *ORDER[:4])
    held = shop.only("state = 'held'")
    assert held.reason.endswith("change of 2738.54 -> 288.54, account 5410 and 8480 -> (none)")
    await shop.act("correct", held)
    assert by_account(shop).keys() == {"8470", "2140", "8430", "8120"}
