"""The example as it is: everything arrives once, what waits says why, and a second run writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from integration.cafm_business_central.bench import Site


async def test_the_sample_arrives_once(make_site: Callable[..., Site]) -> None:
    site = make_site()
    await site.run()
    assert site.messages("state = 'dead'") == []
    waits = {(row.flow, row.subject) for row in site.messages("state in ('held', 'waiting')")}
    assert waits == {("vendors", number) for number in ("503", "504", "V30000", "V40000")}
    [order] = site.of_finance("purchaseOrders")
    lines = [line for line in order["purchaseOrderLines"] if line["lineType"] == "Item"]
    assert [(line["lineObjectNumber"], line["unitOfMeasureCode"], line["receivedQuantity"]) for line in lines] == [
        ("1000", "BOX", 1), ("1001", "PCS", 5),
    ]  # fmt: skip
    assert sum(Decimal(str(line["quantity"])) * Decimal(str(line["directUnitCost"])) for line in lines) == Decimal(
        "202.30"
    )
    assert {row.state for row in site.messages("flow = 'stock-transactions'")} == {"saved"}
    assert {row["code"] for row in site.cafm.records("dimensionValues")} == {"HALL-A", "HALL-B"}
    assert site.of_cafm("items", "2000")["description"] == "LED tube 1200 mm"
    site.forget()
    site.finance.advance(3600)
    await site.run()
    assert site.changes() == ({}, 0)
