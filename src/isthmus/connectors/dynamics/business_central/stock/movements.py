"""A stock transaction as the lens writes it, checked and made ready: signs, base quantity, what cannot be done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from isthmus.contract.connector import NativeField
from isthmus.contract.operations import Operation
from isthmus.errors import Reject

#: Length of a document number (bc.json, itemLedgerEntries).
_NUMBER_LENGTH = 20
_TYPES = ("issue", "return", "adjustment", "transfer", "count")

#: The native form of a stock transaction; the service has no such set.
STOCK_DOCUMENT: tuple[NativeField, ...] = (
    NativeField(name="externalDocumentNumber", type="text", max_length=35),
    NativeField(name="type", type="enum"),
    NativeField(name="itemNumber", type="text", max_length=20),
    NativeField(name="quantity", type="decimal"),
    NativeField(name="baseQuantity", type="decimal"),
    NativeField(name="unitOfMeasureCode", type="text", max_length=10),
    NativeField(name="locationCode", type="text", max_length=10),
    NativeField(name="newLocationCode", type="text", max_length=10),
    NativeField(name="binCode", type="text", max_length=20),
    NativeField(name="lotNumber", type="text", max_length=50),
    NativeField(name="serialNumber", type="text", max_length=50),
    NativeField(name="postingDate", type="date"),
    NativeField(name="unitCost", type="decimal"),
    NativeField(name="workOrder", type="text"),
    NativeField(name="asset", type="text"),
    NativeField(name="shortcutDimension1Code", type="text", max_length=20),
    NativeField(name="shortcutDimension2Code", type="text", max_length=20),
    NativeField(name="description", type="text", max_length=100),
    NativeField(name="countedAs", type="decimal"),
)
#: Native field -> the canonical one a person knows it by.
_SPOKEN: Mapping[str, str] = MappingProxyType(
    {
        "itemNumber": "item",
        "baseQuantity": "base_quantity",
        "unitOfMeasureCode": "unit",
        "locationCode": "location",
        "newLocationCode": "to_location",
        "postingDate": "happened_on",
        "unitCost": "unit_cost",
        "countedAs": "counted_as",
    }
)


class Movement(Struct, frozen=True, kw_only=True):
    """One movement of one item. Codes are upper case, as the service keeps them (bc.md §4).

    number    document number: the operation's mark, by which it is found again
    quantity  in `unit`, below zero for what leaves; of a transfer what is moved, above zero
    base      the same in the item's base unit
    """

    key: str
    number: str
    type: str
    item: str
    quantity: Decimal
    base: Decimal
    posting_date: date
    external_number: str = ""
    unit: str = ""
    location: str = ""
    to_location: str = ""
    bin: str = ""
    lot: str = ""
    serial: str = ""
    unit_cost: Decimal | None = None
    description: str = ""
    dimensions: tuple[str, str] = ("", "")

    @property
    def is_transfer(self) -> bool:
        """Whether it moves between two locations."""
        return self.type == "transfer"


def parse(operation: Operation, base_unit: str | None = None) -> Movement:
    """The movement of an operation. `base_unit`: the item's, where it was read; None takes the unit on trust.

    Raises Reject naming the field that cannot be used.
    """
    native = operation.native
    number = operation.mark.upper()
    if not number or len(number) > _NUMBER_LENGTH:
        raise Reject(f"the mark {number!r} must have 1 to {_NUMBER_LENGTH} characters.", code="document_number")
    kind = _text(native.get("type"))
    if kind not in _TYPES:
        raise _bad("type", kind, f"must be one of {', '.join(_TYPES)}")
    item = _code(native.get("itemNumber"))
    if not item:
        raise _bad("itemNumber", "", "is missing")
    unit = _code(native.get("unitOfMeasureCode"))
    quantity, base = _quantities(kind, native, unit, base_unit)
    movement = Movement(
        key=operation.key,
        number=number,
        type=kind,
        item=item,
        quantity=quantity,
        base=base,
        posting_date=_day(native.get("postingDate")),
        external_number=_text(native.get("externalDocumentNumber")),
        unit=unit,
        location=_code(native.get("locationCode")),
        to_location=_code(native.get("newLocationCode")),
        bin=_code(native.get("binCode")),
        lot=_text(native.get("lotNumber")),
        serial=_text(native.get("serialNumber")),
        unit_cost=_number("unitCost", native.get("unitCost")),
        description=_text(native.get("description")),
        dimensions=(_code(native.get("shortcutDimension1Code")), _code(native.get("shortcutDimension2Code"))),
    )
    if movement.is_transfer and (not movement.to_location or movement.to_location == movement.location):
        raise _bad("newLocationCode", movement.to_location, "must be another location than the one it comes from")
    return movement


def refuse_untold(movement: Movement, tracking: str, warehouse_locations: tuple[str, ...]) -> None:
    """Raises Reject for what no standard call can tell: lots and serial numbers of an item that Business Central keeps
    them of (`tracking`, its tracking code), bins and warehouse documents of a location (bc.md §15).

    A lot, serial number or bin that Business Central does not ask for stays in operations.
    """
    hint = "Move it in Business Central, or let the connection use `stock: custom_action`."
    if tracking:
        raise Reject(
            f"item {movement.item} wants lot or serial numbers ({tracking}), which no standard call can give.",
            code="tracking_needed",
            field="item",
            value=movement.item,
            hint=hint,
        )
    for field, value in (("location", movement.location), ("to_location", movement.to_location)):
        if value and value in warehouse_locations:
            raise Reject(
                f"location {value} works with bins or warehouse documents, which no standard call can serve.",
                code="warehouse_location",
                field=field,
                value=value,
                hint=hint,
            )


def _quantities(kind: str, native: Mapping[str, Any], unit: str, base_unit: str | None) -> tuple[Decimal, Decimal]:
    quantity = _number("quantity", native.get("quantity"))
    base = _number("baseQuantity", native.get("baseQuantity"))
    if quantity is None:
        raise _bad("quantity", "", "is missing")
    if base is None:
        if unit and base_unit is not None and unit != base_unit:
            raise Reject(
                f"the quantity in base unit {base_unit} is not told, and {unit} is another unit.",
                code="base_quantity_missing",
                field="base_quantity",
                value=unit,
                hint="Give the factor on page Item Units of Measure, or as `uom` table, so that the flow can convert.",
            )
        base = quantity
    if (base > 0) is not (quantity > 0) or (base < 0) is not (quantity < 0):
        raise _bad("baseQuantity", base, f"must have the sign of the quantity {quantity}")
    if kind == "count":
        return _counted(native, quantity, base)
    if quantity == 0 or (quantity < 0 and kind != "adjustment"):
        raise _bad(
            "quantity", quantity, f"of a {kind} must be {'other than' if kind == 'adjustment' else 'above'} zero"
        )
    return (-quantity, -base) if kind == "issue" else (quantity, base)


def _counted(native: Mapping[str, Any], counted: Decimal, base: Decimal) -> tuple[Decimal, Decimal]:
    """What a count finds too many (or too few, below zero). Zero is nothing to book."""
    frozen = _number("countedAs", native.get("countedAs"))
    if frozen is None:
        raise _bad("countedAs", "", "is missing: what was expected when the stock was frozen")
    if base != counted:
        raise Reject(
            "a count must be in the item's base unit.",
            code="base_quantity_missing",
            field="unit",
            value=_text(native.get("unitOfMeasureCode")),
            hint="Let the flow convert count and expected stock to the base unit.",
        )
    return counted - frozen, counted - frozen


def _bad(field: str, value: object, what: str) -> Reject:
    spoken = _SPOKEN.get(field, field)
    said = f" {value}" if value != "" else ""
    return Reject(
        f"{spoken}{said} {what}.",
        code="stock_transaction",
        field=spoken,
        value=str(value),
        hint="Correct the transaction in the source, or the mapping.",
    )


def _number(field: str, value: object) -> Decimal | None:
    if isinstance(value, float):
        raise TypeError("a quantity must be a Decimal, not float")
    if value in (None, ""):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise _bad(field, _text(value), "is no number")
    return number


def _day(value: object) -> date:
    try:
        return date.fromisoformat(_text(value)[:10])
    except ValueError:
        raise _bad("postingDate", _text(value), "is no day of posting") from None


def _code(value: object) -> str:
    return _text(value).upper()


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
