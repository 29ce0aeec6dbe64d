"""A requisition and the orders raised from it: whatever comes first, the goods are on order once."""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.sync.merge import Policy
from isthmus.sync.requisitions import compare_drafts, purchase_requisitions
from isthmus.sync.world import FlowSpec


class NoDesk:
    async def load(self, db: Any, companies: Any, states: Any = ()) -> None:
        del db, companies, states


def line(key: str, quantity: str, item: str = "I1") -> dict[str, Any]:
    return {"line": key, "item": item, "quantity": quantity}


@pytest.fixture
async def buying(bench: Any) -> Any:
    """A CAFM with requisitions and orders, a finance system with orders; both know the vendor."""
    bench.policies |= dict.fromkeys(("number", "requisition", "vendor", "lines", "lines.quantity"), Policy("latest"))
    bench.flow("vendor", match=(("number",),))
    bench.flow("purchase_order", source="cafm", target="finance", foreign="ignore")
    bench.flows["requisitions"] = FlowSpec(
        name="requisitions",
        source="cafm",
        source_entity="purchase_requisition",
        target="finance",
        target_entity="purchase_order",
        action="create",
        transition="submitted",
        route=lambda state: "",
        when=lambda state: state.get("status") in {"submitted", "ordered"},
        desk=NoDesk(),
        steps=purchase_requisitions(()),
        compare=compare_drafts,
        correct=lambda booked, work, serial: (),
        write_back=False,
    )
    for shelf, row_id in ((bench.finance, "f1"), (bench.cafm, "c1")):
        shelf.add("vendor", row_id, number="V1", name="Norton", phone="1", tax=None, terms="", blocked="none")
    await bench.open(bench.pool)
    await bench.turns(3)
    return bench


def ordered(bench: Any) -> dict[str, dict[str, str]]:
    """What is on order in finance: number -> item -> quantity."""
    return {
        row["number"]: {one["item"]: str(one["quantity"]) for one in row["lines"]}
        for row in bench.finance.rows["purchase_order"].values()
    }


def requisition(bench: Any, *lines: dict[str, Any], **more: Any) -> None:
    values = {"number": "PR-1", "status": "submitted", "vendor": "c1", "lines": list(lines)}
    bench.cafm.add("purchase_requisition", "r1", **(values | more))


def order(bench: Any, row_id: str, number: str, *lines: dict[str, Any], requisition: str | None = "PR-1") -> None:
    bench.cafm.add(
        "purchase_order", row_id, number=number, vendor="c1", requisition=requisition, lines=list(lines),
        own_number=None,
    )  # fmt: skip


async def test_requisition_then_order(buying: Any) -> None:
    requisition(buying, line("1", "3"))
    await buying.turns(3)
    assert ordered(buying) == {"PR-1": {"I1": "3"}}
    order(buying, "o1", "PO-1", line("1", "4"))
    await buying.turns(4)
    assert ordered(buying) == {"PO-1": {"I1": "4"}}
    assert [what for (what,) in await buying.ask("select what from audit where what = 'draft adopted'")] == [
        "draft adopted"
    ]


async def test_an_order_without_requisition(buying: Any) -> None:
    order(buying, "o1", "PO-1", line("1", "3"), requisition=None)
    await buying.turns(3)
    assert ordered(buying) == {"PO-1": {"I1": "3"}}


async def test_requisition_and_order_at_once(buying: Any) -> None:
    requisition(buying, line("1", "3"), status="ordered")
    order(buying, "o1", "PO-1", line("1", "3"))
    await buying.turns(5)
    assert ordered(buying) == {"PO-1": {"I1": "3"}}


async def test_one_requisition_split_in_two(buying: Any) -> None:
    requisition(buying, line("1", "3"), line("2", "5", "I2"))
    await buying.turns(3)
    order(buying, "o1", "PO-1", line("1", "3"))
    order(buying, "o2", "PO-2", line("2", "5", "I2"))
    await buying.turns(5)
    assert ordered(buying) == {"PO-1": {"I1": "3"}, "PO-2": {"I2": "5"}}


async def test_the_answer_to_the_draft_was_lost(buying: Any) -> None:
    """The order waits until it is known whether the draft is there."""
    buying.finance.lose = 1
    requisition(buying, line("1", "3"))
    await buying.turns(1, seconds=0.2)
    order(buying, "o1", "PO-1", line("1", "3"))
    await buying.turns(6)
    assert ordered(buying) == {"PO-1": {"I1": "3"}}
