"""A goods receipt against its order: what of it is booked, in the units of the order, and what speaks against it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal

from msgspec import Struct, structs

from isthmus.controls.quantities import FIVE_PLACES, ItemUnits, QuantityRule
from isthmus.controls.tracking import tracking_findings
from isthmus.model.entities.purchasing import PurchaseOrder, PurchaseOrderLine, Receipt, ReceiptLine
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell_decimal

_NOTHING: Mapping[str, Decimal] = {}
_ZERO = Decimal(0)


class Accepted(Struct, frozen=True):
    """Lines to book, those that accept nothing left out, each in the unit of its order line; and all findings."""

    lines: tuple[ReceiptLine, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def total(self) -> Decimal:
        """The sum of what is accepted."""
        return sum((line.accepted for line in self.lines), _ZERO)


def accept(
    receipt: Receipt, order: PurchaseOrder, units: ItemUnits, *, coming: Mapping[str, Decimal] = _NOTHING,
    rule: QuantityRule = FIVE_PLACES,
) -> Accepted:  # fmt: skip
    """Check a receipt against its order.

    Args:
        receipt: what came; only what was accepted is booked, and accepted = received - rejected where both are told.
        order: the order it belongs to, with what finance counts as received so far.
        units: items and units of the company.
        coming: order line -> accepted by earlier receipts of the order that finance does not count yet.
        rule: how a quantity is rounded that was converted.
    """
    ordered = {line.key: line for line in order.lines}
    lines: list[ReceiptLine] = []
    findings: list[Finding] = []
    for index, line in enumerate(receipt.lines):
        place = f"lines[{index}]"
        findings += _differences(place, line)
        wanted = ordered.get(line.order_line)
        if wanted is None:
            findings.append(_unordered(place, line, order))
            continue
        findings += _of_item(place, line, wanted, order)
        item = wanted.item or line.item
        converted = units.convert(
            line.accepted, line.unit or wanted.unit, wanted.unit, item, field=f"{place}.accepted", rule=rule
        )
        findings += converted.findings
        if converted.quantity is None:
            continue
        findings += tracking_findings(
            place, units.item(item), line.lot, line.serial,
            units.convert(converted.quantity, wanted.unit, None, item).quantity,
        )  # fmt: skip
        if converted.quantity:
            lines.append(structs.replace(line, accepted=converted.quantity, unit=wanted.unit))
    findings += _against_order(lines, order, coming)
    if not lines and all(finding.severity == "notice" for finding in findings):
        findings.append(_nothing(receipt))
    return Accepted(tuple(lines), tuple(findings))


def _differences(place: str, line: ReceiptLine) -> Iterator[Finding]:
    """accepted = received - rejected."""
    if line.received is None or line.rejected is None:
        return
    if line.received - line.rejected != line.accepted:
        text = f"{spell_decimal(line.received)} received less {spell_decimal(line.rejected)} rejected"
        yield Finding(
            "accepted_differs",
            "error",
            f"line {line.key}: {text} is not {spell_decimal(line.accepted)} accepted",
            field=f"{place}.accepted",
            value=spell_decimal(line.accepted),
            mend="Correct the quantities of the receipt in its system.",
        )


def _unordered(place: str, line: ReceiptLine, order: PurchaseOrder) -> Finding:
    return Finding(
        "order_line_unknown",
        "error",
        f"line {line.key} is of line {line.order_line} of order {order.number}, which the order does not have",
        field=f"{place}.order_line",
        value=line.order_line,
        mend="Correct the line of the receipt, or add the line to the order and run `isthmus retry`.",
    )


def _of_item(place: str, line: ReceiptLine, wanted: PurchaseOrderLine, order: PurchaseOrder) -> Iterator[Finding]:
    if line.item and wanted.item and line.item != wanted.item:
        yield Finding(
            "item_differs",
            "error",
            f"line {line.key}: {line.item} came, line {wanted.key} of order {order.number} is of {wanted.item}",
            field=f"{place}.item",
            value=line.item,
            mend="Correct the item in the receipt, or the line it belongs to.",
        )


def _against_order(lines: list[ReceiptLine], order: PurchaseOrder, coming: Mapping[str, Decimal]) -> Iterator[Finding]:
    """More than was ordered, or more taken back than came: per order line, all lines of the receipt together."""
    accepted: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        accepted[line.order_line] += line.accepted
    for wanted in order.lines:
        now = accepted.get(wanted.key, _ZERO)
        before = (wanted.received or _ZERO) + coming.get(wanted.key, _ZERO)
        if now > 0 and before + now > wanted.quantity:
            yield Finding(
                "more_than_ordered",
                "hold",
                f"line {wanted.key} of order {order.number}: {spell_decimal(now)} accepted and "
                f"{spell_decimal(before)} before, where {spell_decimal(wanted.quantity)} are ordered",
                field="lines",
                value=wanted.key,
                mend="Raise the quantity of the order line and run `isthmus retry`, or correct the receipt.",
            )
        elif now < 0 and before + now < 0:
            yield Finding(
                "taken_back_too_much",
                "error",
                f"line {wanted.key} of order {order.number}: {spell_decimal(-now)} are taken back, "
                f"where {spell_decimal(before)} were received",
                field="lines",
                value=wanted.key,
                mend="Correct the receipt in its system.",
            )


def _nothing(receipt: Receipt) -> Finding:
    return Finding("nothing_to_post", "skip", f"receipt {receipt.number} accepts nothing", field="lines")
