"""Stock transactions: whether a movement can be booked, and as what."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct, structs

from isthmus.controls.quantities import FIVE_PLACES, ItemUnits, QuantityRule
from isthmus.controls.tracking import tracking_findings
from isthmus.controls.wording import correction_text
from isthmus.model.entities.stock import InventoryTransaction
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell_decimal

_ZERO = Decimal(0)
#: Which movement takes another one back.
_OPPOSITE = {"issue": "return", "return": "issue"}


class Moved(Struct, frozen=True):
    """The movement as it is booked, in base units; None where it cannot be, or nothing moves. And all findings."""

    movement: InventoryTransaction | None
    findings: tuple[Finding, ...] = ()


def movement_of(told: InventoryTransaction, units: ItemUnits, *, rule: QuantityRule = FIVE_PLACES) -> Moved:
    """Check a stock transaction and say it in base units. A count becomes the adjustment it amounts to."""
    findings = list(_form(told))
    item = units.item(told.item)
    if item is None:
        findings.append(_no_item(told))
    elif item.type is not None and item.type != "stock":
        findings.append(_no_stock(told, item.type))
    quantity, more = _quantity(told, units, rule) if item is not None else (None, ())
    findings += more
    findings += tracking_findings("", item, told.lot, told.serial, quantity)
    if quantity is None or any(finding.severity == "error" for finding in findings):
        return Moved(None, tuple(findings))
    if not quantity:
        return Moved(None, (*findings, _nothing(told)))
    kind = "adjustment" if told.type == "count" else told.type
    movement = structs.replace(
        told, type=kind, quantity=quantity, unit=units.base_unit(told.item), counted_as=None,
        to_location=told.to_location if kind == "transfer" else None,
    )  # fmt: skip
    return Moved(movement, tuple(findings))


def counter_movement(movement: InventoryTransaction, number: str) -> InventoryTransaction:
    """The movement that takes a booked one back. Raises ValueError when `number` is its own."""
    if number == movement.number:
        raise ValueError(f"a counter movement needs a number of its own, not {number}")
    taken = structs.replace(movement, number=number, reason=correction_text(movement.number, movement.reason))
    if movement.type == "transfer":
        return structs.replace(taken, location=movement.to_location, to_location=movement.location)
    if movement.type in _OPPOSITE:
        return structs.replace(taken, type=_OPPOSITE[movement.type])
    return structs.replace(taken, quantity=-movement.quantity)


def _quantity(
    told: InventoryTransaction, units: ItemUnits, rule: QuantityRule
) -> tuple[Decimal | None, tuple[Finding, ...]]:
    amount = told.quantity
    if told.type == "count":
        if told.counted_as is None:
            return None, ()
        amount = told.quantity - told.counted_as
    converted = units.convert(amount, told.unit, None, told.item, rule=rule)
    return converted.quantity, converted.findings


def _form(told: InventoryTransaction) -> Iterator[Finding]:
    """What a movement of its kind must tell."""
    name = f"{told.type} {told.number}"
    if told.type in {"issue", "return", "transfer"} and told.quantity < 0:
        opposite = f" Tell a {_OPPOSITE[told.type]} instead." if told.type in _OPPOSITE else ""
        yield _quantity_finding(told, f"{name} is of {spell_decimal(told.quantity)}: it is told as a positive quantity",
                                f"Correct the quantity in its system.{opposite}")  # fmt: skip
    if told.type == "count" and told.quantity < 0:
        text = f"{name} counted {spell_decimal(told.quantity)}"
        yield _quantity_finding(told, text, "Correct the count in its system.")
    if told.type == "count" and told.counted_as is None:
        yield Finding(
            "count_expected",
            "error",
            f"{name} does not tell the stock that was expected, so there is no difference to book",
            field="counted_as",
            mend="Map the stock that was expected when the count was frozen.",
        )
    if told.type == "transfer":
        yield from _of_transfer(told, name)


def _of_transfer(told: InventoryTransaction, name: str) -> Iterator[Finding]:
    for field, value in (("location", told.location), ("to_location", told.to_location)):
        if not value:
            yield Finding(
                "transfer_location",
                "error",
                f"{name} does not tell {'where it goes' if field == 'to_location' else 'where it comes from'}",
                field=field,
                mend=f"Fill {field} in its system or in the mapping.",
            )
    if told.location and told.location == told.to_location:
        yield Finding(
            "transfer_location",
            "error",
            f"{name} goes from {told.location} to {told.to_location}: that is no transfer",
            field="to_location",
            value=told.to_location,
            mend="Correct the locations in its system.",
        )


def _quantity_finding(told: InventoryTransaction, text: str, mend: str) -> Finding:
    return Finding(
        "movement_quantity", "error", text, field="quantity", value=spell_decimal(told.quantity), mend=mend
    )  # fmt: skip


def _no_item(told: InventoryTransaction) -> Finding:
    return Finding(
        "item_missing",
        "wait",
        f"finance has no item {told.item} yet",
        field="item",
        value=told.item,
        mend="Create the item in finance, or translate its number in the mapping; it goes on by itself then.",
    )


def _no_stock(told: InventoryTransaction, kind: str) -> Finding:
    return Finding(
        "item_without_stock",
        "error",
        f"item {told.item} is of type {kind}: finance keeps no stock of it",
        field="item",
        value=told.item,
        mend="Change the type of the item in finance, or leave such items out by `when` of the flow.",
    )


def _nothing(told: InventoryTransaction) -> Finding:
    text = "the count agrees with the stock" if told.type == "count" else "nothing moves"
    return Finding("nothing_to_post", "skip", f"{told.type} {told.number}: {text}", field="quantity")
