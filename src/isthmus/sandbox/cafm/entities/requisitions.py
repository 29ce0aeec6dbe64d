"""Requisitions: what somebody wants bought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isthmus.sandbox.cafm.entities.lines import EXTERNAL, EXTERNAL_NAMES, amount, check_unit, default_unit
from isthmus.sandbox.cafm.entities.orders import PURCHASE_ORDERS
from isthmus.sandbox.cafm.entity import Entity, Field, Statuses, Work
from isthmus.sandbox.cafm.kinds import (
    DAY,
    DIMENSIONS,
    POSITIVE,
    PRICE,
    ByCode,
    ById,
    Reading,
    Record,
    Text,
    total,
)
from isthmus.sandbox.cafm.problems import Problem, bad_request, conflict
from isthmus.sandbox.cafm.writing import create, touch

LINES = Field(
    "lines",
    lines=(
        Field("itemId", ById("items")),
        Field("description", Text(100)),
        Field("quantity", POSITIVE, required=True),
        Field("unit", ByCode("units")),
        Field("estimatedUnitPrice", PRICE),
        Field("requiredOn", DAY),
        Field("suggestedVendorId", ById("vendors")),
        Field("accountCode", ByCode("accounts")),
        Field("dimensions", DIMENSIONS, default=[]),
        Field("workOrderId", ById("workOrders")),
        Field("amount"),
        Field("purchaseOrderId"),
    ),
)


class _Requisitions(Entity):
    """Requisitions."""

    def complete(self, work: Work, record: Record, before: Record | None, reading: Reading) -> None:
        for index, line in enumerate(record["lines"]):
            at = f"lines[{index}]."
            if line["itemId"] is not None and line["description"] is None:
                line["description"] = work.world.tables["items"].rows[line["itemId"]]["description"]
            if line["description"] is None:
                reading.wrong("required", f"{at}description", "a line without item needs a description.")
            default_unit(work.world, line)
            check_unit(reading, line, at)
            line["amount"] = amount(work.world, record["currency"], line["quantity"], line["estimatedUnitPrice"])
        record["total"] = total([line["amount"] for line in record["lines"]])

    def editable(self, record: Record, changed: frozenset[str]) -> None:
        if record["status"] != "draft" and changed - EXTERNAL_NAMES:
            raise conflict("not_editable", f"A requisition that is {record['status']} is not changed.", "status")

    def deletable(self, work: Work, record: Record) -> None:
        if record["status"] != "draft":
            raise conflict("not_editable", f"A requisition that is {record['status']} is not deleted.", "status")

    def moving(self, work: Work, record: Record, status: str) -> None:
        if status == "submitted" and not record["lines"]:
            raise Problem(422, "required", "lines: a requisition without lines is not submitted.", "lines")
        if status == "cancelled" and record["purchaseOrderIds"]:
            raise conflict("invalid_transition", "There is an order for it already.", "status", allowed=[])


def convert(work: Work, before: Record, body: Mapping[str, Any]) -> tuple[Entity, Record]:
    """The action `convert`: an order in draft of the lines that are left, or of those named. Raises Problem."""
    unknown = set(body) - {"vendorId", "lineIds", "orderedOn"}
    if unknown:
        raise bad_request("unknown_field", f"{min(unknown)}: there is no such field.", min(unknown))
    if before["status"] != "approved":
        raise conflict("invalid_transition", "Only an approved requisition is converted.", "status", allowed=[])
    lines = _chosen(before, body.get("lineIds"))
    order = create(
        work,
        PURCHASE_ORDERS,
        {
            "vendorId": body.get("vendorId") or _suggested(lines),
            "orderedOn": body.get("orderedOn"),
            "requiredOn": before["requiredOn"],
            "locationId": before["locationId"],
            "currency": before["currency"],
            "buyer": before["requestedBy"],
            "lines": [_order_line(work, line) for line in lines],
        },
        {"requisitionId": before["id"], "requisitionNumber": before["number"]},
    )
    orders = work.world.tables["purchaseOrders"]
    from_lines = zip(order["lines"], lines, strict=True)
    order = {**order, "lines": [{**made, "requisitionLineId": line["id"]} for made, line in from_lines]}
    orders.put(order)
    taken = {line["id"] for line in lines}
    record = dict(before)
    record["lines"] = [
        {**line, "purchaseOrderId": order["id"]} if line["id"] in taken else line for line in before["lines"]
    ]
    record["purchaseOrderIds"] = [*before["purchaseOrderIds"], order["id"]]
    if all(line["purchaseOrderId"] is not None for line in record["lines"]):
        record["status"] = "converted"
    touch(work, REQUISITIONS, record, before, "updated")
    return PURCHASE_ORDERS, order


def _chosen(record: Record, ids: Any) -> list[Record]:
    left = [line for line in record["lines"] if line["purchaseOrderId"] is None]
    if ids is None:
        return left
    if not isinstance(ids, list) or not ids:
        raise Problem(422, "wrong_type", "lineIds: this takes a list of ids of lines.", "lineIds")
    known = {line["id"] for line in left}
    for index, one in enumerate(ids):
        if not isinstance(one, int) or one not in known:
            at = f"lineIds[{index}]"
            raise Problem(422, "unknown_reference", f"{at}: there is no line {one!r} left to convert.", at)
    return [line for line in left if line["id"] in ids]


def _suggested(lines: list[Record]) -> int:
    vendors = {line["suggestedVendorId"] for line in lines}
    if len(vendors) != 1 or None in vendors:
        raise Problem(422, "required", "vendorId: the lines do not suggest one vendor; name it.", "vendorId")
    return int(vendors.pop())


def _order_line(work: Work, line: Record) -> dict[str, Any]:
    item = work.world.tables["items"].rows.get(line["itemId"])
    if item is not None:
        kind = "service" if item["type"] == "service" else "item"
    else:
        kind = "account" if line["accountCode"] is not None else "service"
    copied = ("itemId", "accountCode", "description", "quantity", "unit", "requiredOn", "dimensions", "workOrderId")
    price = line["estimatedUnitPrice"] or "0.0000"
    made = {name: line[name] for name in copied}
    return {**made, "type": kind, "unitPrice": price}


REQUISITIONS = _Requisitions(
    "requisitions",
    (
        Field("status"),
        Field("statusReason"),
        Field("requestedBy", Text(50), required=True),
        Field("requiredOn", DAY),
        Field("locationId", ById("locations")),
        Field("workOrderId", ById("workOrders")),
        Field("justification", Text(250)),
        Field("currency", ByCode("currencies")),
        LINES,
        Field("total", default="0.00"),
        Field("purchaseOrderIds", default=[]),
        *EXTERNAL,
    ),
    prefix="PR-",
    filters=("workOrderId", "locationId"),
    statuses=Statuses(
        {
            "draft": ("submitted", "cancelled"),
            "submitted": ("approved", "rejected", "draft", "cancelled"),
            "approved": ("cancelled",),
            "rejected": ("draft", "cancelled"),
            "converted": (),
            "cancelled": (),
        }
    ),
)
REQUISITIONS.actions["convert"] = convert
