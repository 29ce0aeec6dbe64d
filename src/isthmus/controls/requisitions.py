"""From a purchase requisition to the order it asks for. The API of Business Central has none: a draft order is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Context
from typing import Literal

from msgspec import Struct

from isthmus.model.entities.purchasing import (
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseRequisition,
    RequisitionLine,
    RequisitionStatus,
)
from isthmus.model.finding import Finding

_EXACT = Context(prec=100)
_STANDING: Mapping[RequisitionStatus, Literal["wait", "skip"]] = {
    "draft": "wait",
    "rejected": "skip",
    "cancelled": "skip",
    "ordered": "skip",
}


class Requested(Struct, frozen=True):
    """The order a requisition asks for, None where there can be none, and what is to be said of it."""

    order: PurchaseOrder | None
    findings: tuple[Finding, ...] = ()


def order_of(requisition: PurchaseRequisition) -> Requested:
    """A draft order with the same lines; each names the line of the requisition it comes from.

    Lines keep their keys, so that the order raised from it later is recognised line by line. A requisition that is not
    submitted yet waits; one that was rejected, cancelled or ordered already is skipped. Amounts are quantity times
    price, not rounded; where the price is not told, the amount of the line is taken as it is.
    """
    findings = tuple(_findings(requisition))
    if any(finding.severity in {"skip", "wait"} for finding in findings):
        return Requested(None, findings)
    order = PurchaseOrder(
        number=requisition.number,
        requisition=requisition.number,
        description=requisition.description,
        status="draft",
        vendor=requisition.vendor,
        ordered_on=requisition.requested_on,
        expected_on=requisition.needed_on,
        currency=requisition.currency,
        location=requisition.location,
        lines=tuple(_line(requisition, line) for line in requisition.lines),
    )
    return Requested(order, findings)


def _line(requisition: PurchaseRequisition, line: RequisitionLine) -> PurchaseOrderLine:
    exact = _EXACT.multiply(line.quantity, line.unit_cost) if line.unit_cost is not None else line.amount
    return PurchaseOrderLine(
        key=line.key,
        item=line.item,
        account=line.account,
        description=line.description,
        quantity=line.quantity,
        unit=line.unit,
        unit_cost=line.unit_cost,
        amount=exact,
        location=line.location or requisition.location,
        expected_on=line.needed_on or requisition.needed_on,
        requisition_line=line.key,
    )


def _findings(requisition: PurchaseRequisition) -> Iterator[Finding]:
    name = f"requisition {requisition.number}"
    standing = _STANDING.get(requisition.status) if requisition.status is not None else None
    if standing == "wait":
        yield Finding(
            "requisition_pending",
            "wait",
            f"{name} is {requisition.status}",
            field="status",
            mend="Nothing: it goes when it is submitted in its system.",
        )
    elif standing == "skip":
        yield Finding("requisition_off", "skip", f"{name} is {requisition.status}", field="status")
    if not requisition.vendor:
        yield Finding(
            "requisition_vendor",
            "hold",
            f"{name} proposes no vendor, and finance has no order without one",
            field="vendor",
            mend="Name the vendor in the requisition; it goes on by itself then.",
        )
    if not requisition.lines:
        mend = "Add what is asked for in its system."
        yield Finding("requisition_empty", "error", f"{name} has no lines", field="lines", mend=mend)
    for index, line in enumerate(requisition.lines):
        yield from _of_line(f"lines[{index}]", name, line)


def _of_line(place: str, name: str, line: RequisitionLine) -> Iterator[Finding]:
    if not line.item and not line.account:
        yield Finding(
            "requisition_line",
            "error",
            f"line {line.key} of {name} names neither an item nor an account",
            field=f"{place}.item",
            mend="Name the item, or map an account for what is bought without one.",
        )
    if line.quantity <= 0:
        yield Finding(
            "requisition_line",
            "error",
            f"line {line.key} of {name} asks for {line.quantity}: a quantity above zero is wanted",
            field=f"{place}.quantity",
            value=str(line.quantity),
            mend="Correct the quantity in the requisition.",
        )
