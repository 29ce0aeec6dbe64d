"""Work orders with what they cost: labour, parts, contractors."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from isthmus.sandbox.cafm.entities.lines import amount, check_unit, default_unit
from isthmus.sandbox.cafm.entity import Entity, Field, Statuses, Work
from isthmus.sandbox.cafm.kinds import (
    DAY,
    DIMENSIONS,
    HOURS,
    MONEY,
    PRICE,
    QUANTITY,
    ByCode,
    ById,
    Choice,
    Reading,
    Record,
    Text,
    shown,
    total,
)
from isthmus.sandbox.cafm.problems import conflict
from isthmus.sandbox.cafm.stock_levels import factor

_FINAL = frozenset({"closed", "cancelled"})

LABOUR = Field(
    "labour",
    lines=(
        Field("technician", Text(50), required=True),
        Field("date", DAY, required=True),
        Field("hours", HOURS, required=True),
        Field("hourlyRate", PRICE, required=True),
        Field("activity", Text(50)),
        Field("amount"),
    ),
)
PARTS = Field(
    "parts",
    lines=(
        Field("itemId", ById("items"), required=True),
        Field("quantity", QUANTITY, required=True),
        Field("unit", ByCode("units")),
        Field("unitCost", PRICE),
        Field("locationId", ById("locations")),
        Field("amount"),
        Field("stockTransactionId"),
    ),
)
CONTRACTORS = Field(
    "contractors",
    lines=(
        Field("vendorId", ById("vendors"), required=True),
        Field("date", DAY),
        Field("description", Text(100)),
        Field("amount", MONEY, required=True),
        Field("invoiceNumber", Text(35)),
        Field("purchaseOrderId", ById("purchaseOrders")),
    ),
)


class _WorkOrders(Entity):
    """Work orders."""

    def complete(self, work: Work, record: Record, before: Record | None, reading: Reading) -> None:
        world = work.world
        record["currency"] = world.settings.base_currency
        if before is not None:
            _refuse_issued(before, record)
        for line in record["labour"]:
            line["amount"] = amount(world, None, line["hours"], line["hourlyRate"])
        for index, line in enumerate(record["parts"]):
            if line["stockTransactionId"] is None:
                self._part(work, line, reading, f"parts[{index}].")
        record["costs"] = costs(record)

    @staticmethod
    def _part(work: Work, line: Record, reading: Reading, at: str) -> None:
        default_unit(work.world, line)
        check_unit(reading, line, at)
        item = work.world.tables["items"].rows[line["itemId"]]
        units = factor(work.world, line["itemId"], line["unit"])
        if line["unitCost"] is None and item["unitCost"] is not None and units is not None:
            line["unitCost"] = shown(Decimal(item["unitCost"]) * units, 4)
        line["amount"] = amount(work.world, None, line["quantity"], line["unitCost"])

    def editable(self, record: Record, changed: frozenset[str]) -> None:
        if record["status"] in _FINAL and changed - {"externalId"}:
            raise conflict("not_editable", f"A work order that is {record['status']} is not changed.", "status")

    def deletable(self, work: Work, record: Record) -> None:
        if record["status"] not in {"open", "cancelled"}:
            raise conflict("not_editable", f"A work order that is {record['status']} is not deleted.", "status")

    def moving(self, work: Work, record: Record, status: str) -> None:
        if status == "inProgress":
            record["startedAt"] = record["startedAt"] or work.now
            record["completedAt"] = None
        elif status == "completed":
            record["completedAt"] = work.now
            record["completionCount"] += 1


def _refuse_issued(before: Record, record: Record) -> None:
    """A part that was issued from stock is changed by stock transactions alone."""
    kept = {line["id"]: line for line in record["parts"]}
    for line in before["parts"]:
        if line["stockTransactionId"] is not None and kept.get(line["id"]) != line:
            text = "This part was issued from stock; return it, or reverse the stock transaction."
            raise conflict("not_editable", text, "parts")


def costs(record: Record) -> dict[str, Any]:
    """Sums of the lines."""
    found = {kind: total([line["amount"] for line in record[kind]]) for kind in ("labour", "parts", "contractors")}
    return {**found, "total": total(list(found.values()))}


WORK_ORDERS = _WorkOrders(
    "workOrders",
    (
        Field("title", Text(100), required=True),
        Field("description", Text(1000)),
        Field("type", Choice("corrective", "preventive", "inspection", "project"), default="corrective"),
        Field("priority", Choice("low", "medium", "high", "critical"), default="medium"),
        Field("assetId", ById("assets")),
        Field("locationId", ById("locations")),
        Field("requestedBy", Text(50)),
        Field("dueOn", DAY),
        Field("startedAt"),
        Field("completedAt"),
        Field("completionCount", default=0),
        Field("accountCode", ByCode("accounts")),
        Field("dimensions", DIMENSIONS, default=[]),
        Field("currency"),
        LABOUR,
        PARTS,
        CONTRACTORS,
        Field("costs"),
        Field("status"),
    ),
    prefix="WO-",
    first_id=2_700_000_000_000_001,
    filters=("assetId", "locationId", "type"),
    since={"completed_since": "completedAt"},
    statuses=Statuses(
        {
            "open": ("inProgress", "onHold", "cancelled"),
            "inProgress": ("onHold", "completed", "cancelled"),
            "onHold": ("inProgress", "cancelled"),
            "completed": ("inProgress", "closed"),
            "closed": (),
            "cancelled": (),
        }
    ),
    referenced=(("stockTransactions", "workOrderId", "id"),),
)
