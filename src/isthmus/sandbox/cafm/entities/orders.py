"""Purchase orders: made by the CAFM, answered by the ERP, fulfilled by receipts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from isthmus.sandbox.cafm.entities.lines import EXTERNAL, EXTERNAL_NAMES, amount, check_unit, default_unit
from isthmus.sandbox.cafm.entities.vendors import usable
from isthmus.sandbox.cafm.entity import Entity, Field, Statuses, Work
from isthmus.sandbox.cafm.kinds import (
    DAY,
    DIMENSIONS,
    POSITIVE,
    PRICE,
    ByCode,
    ById,
    Choice,
    Reading,
    Record,
    Text,
    shown,
    total,
)
from isthmus.sandbox.cafm.problems import Problem, conflict
from isthmus.sandbox.cafm.writing import touch

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World

LINES = Field(
    "lines",
    lines=(
        Field("type", Choice("item", "service", "account"), default="item"),
        Field("itemId", ById("items")),
        Field("accountCode", ByCode("accounts")),
        Field("description", Text(100)),
        Field("quantity", POSITIVE, required=True),
        Field("unit", ByCode("units")),
        Field("unitPrice", PRICE, default="0.0000"),
        Field("requiredOn", DAY),
        Field("dimensions", DIMENSIONS, default=[]),
        Field("workOrderId", ById("workOrders")),
        Field("amount"),
        Field("requisitionLineId"),
        Field("quantityReceived", default="0.00000"),
        Field("quantityRejected", default="0.00000"),
    ),
)
#: Statuses in which goods may be received, and to which a correction may lead back.
RECEIVING = frozenset({"approved", "sent", "partlyReceived", "received"})
_EDITABLE = EXTERNAL_NAMES | {"requiredOn", "note"}


class _PurchaseOrders(Entity):
    """Purchase orders."""

    def complete(self, work: Work, record: Record, before: Record | None, reading: Reading) -> None:
        vendor = work.world.tables["vendors"].rows[record["vendorId"]]
        if before is None:
            record["orderedOn"] = record["orderedOn"] or work.world.today(work.now)
            record["currency"] = record["currency"] or vendor["currency"]
            record["paymentTermsCode"] = record["paymentTermsCode"] or vendor["paymentTermsCode"]
        for index, line in enumerate(record["lines"]):
            _line(work.world, line, reading, f"lines[{index}].")
            line["amount"] = amount(work.world, record["currency"], line["quantity"], line["unitPrice"])
        record["total"] = total([line["amount"] for line in record["lines"]])
        if before is not None and before["status"] != "draft":
            _refuse_other_lines(before, record)

    def editable(self, record: Record, changed: frozenset[str]) -> None:
        if record["status"] != "draft" and changed - _EDITABLE - {"lines"}:
            raise _fixed(record, min(changed - _EDITABLE - {"lines"}))

    def deletable(self, work: Work, record: Record) -> None:
        if record["status"] != "draft":
            raise conflict("not_editable", f"An order that is {record['status']} is not deleted.", "status")

    def moving(self, work: Work, record: Record, status: str) -> None:
        before = work.world.tables[self.name].rows[record["id"]]["status"]
        if status == "pending":
            if not record["lines"]:
                raise Problem(422, "required", "lines: an order without lines is not submitted.", "lines")
            vendor = work.world.tables["vendors"].rows[record["vendorId"]]
            reason = usable(vendor)
            if reason is not None:
                text = f"vendorId: vendor {vendor['code']} {reason}."
                raise Problem(422, "vendor_not_usable", text, "vendorId")
        if status == "draft" and before == "approved":
            record["revision"] += 1
        if status == "cancelled" and any(Decimal(line["quantityReceived"]) for line in record["lines"]):
            raise conflict("invalid_transition", "Something was received already.", "status", allowed=["closed"])

    def show(self, world: World, record: Record) -> Record:
        vendor = world.tables["vendors"].rows[record["vendorId"]]
        return {**record, "vendorCode": vendor["code"]}


def _fixed(record: Record, field: str) -> Problem:
    return conflict("not_editable", f"{field}: an order that is {record['status']} keeps it.", field)


def _refuse_other_lines(before: Record, record: Record) -> None:
    """After draft a line keeps everything but its date."""
    kept = [{**line, "requiredOn": None} for line in before["lines"]]
    if [{**line, "requiredOn": None} for line in record["lines"]] != kept:
        raise _fixed(before, "lines")


def _line(world: World, line: Record, reading: Reading, at: str) -> None:
    item = world.tables["items"].rows.get(line["itemId"])
    if line["type"] == "item" and item is None:
        reading.wrong("required", f"{at}itemId", "a line of type item needs an item.")
    if line["type"] == "account" and line["accountCode"] is None:
        reading.wrong("required", f"{at}accountCode", "a line of type account needs an account.")
    if line["description"] is None and item is not None:
        line["description"] = item["description"]
    if line["description"] is None:
        reading.wrong("required", f"{at}description", "a line without item needs a description.")
    default_unit(world, line)
    check_unit(reading, line, at)


def received(work: Work, order_id: int, quantities: dict[int, tuple[Decimal, Decimal]]) -> None:
    """Add what a receipt accepted and rejected, by line, and let the status follow."""
    before = work.world.tables["purchaseOrders"].rows[order_id]
    record = dict(before)
    record["lines"] = [_with(line, quantities.get(line["id"])) for line in before["lines"]]
    sums = [(Decimal(line["quantityReceived"]), Decimal(line["quantity"])) for line in record["lines"]]
    if not any(accepted for accepted, _ in sums):
        record["status"] = "sent"
    else:
        record["status"] = "received" if all(accepted >= ordered for accepted, ordered in sums) else "partlyReceived"
    touch(work, PURCHASE_ORDERS, record, before, "updated")


def _with(line: Record, quantities: tuple[Decimal, Decimal] | None) -> Record:
    if quantities is None:
        return line
    accepted, rejected = quantities
    return {
        **line,
        "quantityReceived": shown(Decimal(line["quantityReceived"]) + accepted, 5),
        "quantityRejected": shown(Decimal(line["quantityRejected"]) + rejected, 5),
    }


PURCHASE_ORDERS = _PurchaseOrders(
    "purchaseOrders",
    (
        Field("revision", default=1),
        Field("requisitionId"),
        Field("requisitionNumber"),
        Field("vendorId", ById("vendors"), required=True),
        Field("vendorCode"),
        Field("status"),
        Field("statusReason"),
        Field("buyer", Text(50)),
        Field("orderedOn", DAY),
        Field("requiredOn", DAY),
        Field("locationId", ById("locations")),
        Field("paymentTermsCode", ByCode("paymentTerms")),
        Field("currency", ByCode("currencies")),
        Field("note", Text(500)),
        LINES,
        Field("total", default="0.00"),
        *EXTERNAL,
    ),
    prefix="PO-",
    filters=("vendorId", "requisitionId"),
    looked_up=("paymentTermsCode",),
    statuses=Statuses(
        {
            "draft": ("pending", "cancelled"),
            "pending": ("approved", "rejected", "draft", "cancelled"),
            "rejected": ("draft", "cancelled"),
            "approved": ("sent", "draft", "cancelled"),
            "sent": ("cancelled", "closed"),
            "partlyReceived": ("closed",),
            "received": ("closed",),
            "closed": (),
            "cancelled": (),
        }
    ),
    referenced=(("receipts", "purchaseOrderId", "id"),),
)
