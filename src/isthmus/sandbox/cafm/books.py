"""The CAFM's own books: what tests compare with, straight from its records."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from isthmus.sandbox.cafm.world import World


def totals(world: World) -> dict[str, Any]:
    """Numbers by entity and status, stock with its value, what was ordered, received and spent. Amounts are text."""
    return {
        "records": {name: len(table) for name, table in world.tables.items()},
        "statuses": _statuses(world),
        "stock": _stock(world),
        "orders": _orders(world),
        "work_order_costs": _work_order_costs(world),
        "stock_transactions": _stock_transactions(world),
    }


def _statuses(world: World) -> dict[str, dict[str, int]]:
    found = {}
    for name, table in world.tables.items():
        if table.entity.statuses is not None:
            field = table.entity.statuses.field
            counted = Counter(row[field] for row in table if row["deletedAt"] is None)
            found[name] = dict(sorted(counted.items()))
    return found


def _stock(world: World) -> list[dict[str, str]]:
    rows = []
    for item in world.tables["items"]:
        for place, quantity in world.stock.of(item["id"]).items():
            location = world.tables["locations"].rows[place]["code"]
            value = quantity * Decimal(item["unitCost"] or 0)
            rows.append(
                {"item": item["code"], "location": location, "quantity": f"{quantity:f}", "value": f"{value:.2f}"}
            )
    return rows


def _orders(world: World) -> list[dict[str, Any]]:
    return [
        {
            "number": order["number"],
            "status": order["status"],
            "total": order["total"],
            "lines": [
                {
                    "line": line["lineNumber"],
                    "ordered": line["quantity"],
                    "received": line["quantityReceived"],
                    "rejected": line["quantityRejected"],
                }
                for line in order["lines"]
            ],
        }
        for order in world.tables["purchaseOrders"]
        if order["deletedAt"] is None
    ]


def _work_order_costs(world: World) -> dict[str, str]:
    kinds = ("labour", "parts", "contractors", "total")
    sums = {kind: Decimal(0) for kind in kinds}
    for order in world.tables["workOrders"]:
        if order["deletedAt"] is None:
            for kind in kinds:
                sums[kind] += Decimal(order["costs"][kind])
    return {kind: f"{amount:.2f}" for kind, amount in sums.items()}


def _stock_transactions(world: World) -> dict[str, dict[str, str]]:
    """Number and worth of the movements by type."""
    counts: Counter[str] = Counter()
    amounts: dict[str, Decimal] = {}
    for row in world.tables["stockTransactions"]:
        counts[row["type"]] += 1
        amounts[row["type"]] = amounts.get(row["type"], Decimal(0)) + Decimal(row["amount"] or 0)
    return {kind: {"count": str(counts[kind]), "amount": f"{amounts[kind]:.2f}"} for kind in sorted(counts)}
