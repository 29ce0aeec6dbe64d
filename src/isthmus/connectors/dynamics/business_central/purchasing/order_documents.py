"""A purchase order as the lens writes it, checked and made ready for the service (bc.md §4, §8, §15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from isthmus.connectors.dynamics.business_central.entities import BLANK_GUID
from isthmus.connectors.dynamics.business_central.purchasing.marks import (
    MARK_SEQUENCE,
    TEXT_LENGTH,
    allot,
    key_texts,
    mark_text,
    place_of,
)
from isthmus.connectors.dynamics.business_central.purchasing.orders import KEY, LINES, MARK, NUMBER
from isthmus.contract.operations import Operation
from isthmus.errors import Reject

#: How the service writes "nothing" (bc.md §4).
_BLANKS = (None, "", BLANK_GUID, "0001-01-01")
#: What only the service decides (bc.json); a lens shows it, it is not written.
_HEADER_KEPT = frozenset({"id", "number", "status", "fullyReceived", "lastModifiedDateTime", LINES, NUMBER, MARK})
_LINE_KEPT = frozenset(
    {"id", "documentId", "sequence", KEY, "receivedQuantity", "invoicedQuantity", "receiveQuantity", "invoiceQuantity"}
)
#: Longest texts (bc.json); longer ones would be refused without a word of which field it was (bc.md §4).
_LENGTHS: Mapping[str, int] = MappingProxyType(
    {
        "description": TEXT_LENGTH, "description2": 50, "lineObjectNumber": 20, "unitOfMeasureCode": 10, "taxCode": 50,
        "vendorNumber": 20, "purchaser": 20, "shipToName": 100, "shipToContact": 100, "shipToAddressLine1": 100,
        "shipToAddressLine2": 50, "shipToCity": 30, "shipToState": 30, "shipToCountry": 10, "shipToPostCode": 20,
    }
)  # fmt: skip
#: What operations call a field, where it is something else.
_NAMES: Mapping[str, str] = MappingProxyType(
    {"directUnitCost": "unit_cost", "unitOfMeasureCode": "unit", "lineObjectNumber": "item", "vendorNumber": "vendor"}
)
_OBJECTS = frozenset({"itemId", "accountId"})
#: Most characters of a value that a refusal shows.
_SHOWN = 60
_NUMBERS = frozenset({"quantity", "directUnitCost", "discountAmount", "discountPercent"})
#: Code fields: the service keeps them in upper case (bc.md §4).
_CODES = frozenset(
    {"lineObjectNumber", "unitOfMeasureCode", "taxCode", "vendorNumber", "currencyCode", "purchaser", "lineType"}
)


class WantedLine(Struct, frozen=True, kw_only=True):
    """A line as it should be. `fields`: native fields told of it, blanks included; `place`: where it stands in the
    document, for texts."""

    key: str
    place: str
    fields: Mapping[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        """What to make the line of: blanks are left to the service."""
        return {name: value for name, value in self.fields.items() if not is_blank(value)}

    @property
    def quantity(self) -> Decimal | None:
        """The quantity asked for, None where it was not told."""
        value = self.fields.get("quantity")
        return None if value is None else Decimal(str(value))

    @property
    def object(self) -> tuple[str, str]:
        """What is bought, as field and value: an order line cannot be given another thing later (bc.md §15)."""
        for name in ("itemId", "accountId", "lineObjectNumber"):
            if not is_blank(self.fields.get(name)):
                return name, str(self.fields[name])
        return "", ""


class OrderDocument(Struct, frozen=True, kw_only=True):
    """What is wanted of an order. `lines` None: nothing was said of them. `number`: None the same."""

    key: str
    header: Mapping[str, Any]
    lines: tuple[WantedLine, ...] | None
    number: str | None


def parse_order(operation: Operation) -> OrderDocument:
    """The document of a create or update. Raises Reject naming the field that cannot be used."""
    native = operation.native
    header = {name: value for name, value in native.items() if name not in _HEADER_KEPT}
    _check(header, "")
    lines = _lines(native[LINES]) if LINES in native else None
    number = None if is_blank(native.get(NUMBER)) else str(native[NUMBER]).strip()
    if number is not None and len(mark_text(operation.mark, number)) > TEXT_LENGTH:
        raise _refused("the number is too long to stand beside our mark.", "too_long", "number", number)
    return OrderDocument(key=operation.key, header=header, lines=lines, number=number)


def to_create(document: OrderDocument, mark: str) -> dict[str, Any]:
    """The deep insert of a new order: our comments, then the lines, each with its line number (bc.md §8)."""
    if not (document.header.get("vendorId") or document.header.get("vendorNumber")):
        raise _refused("the order has no vendor.", "no_vendor", "vendor")
    if not document.lines:
        raise _refused("the order has no lines.", "no_lines", "lines")
    for line in document.lines:
        if not line.object[0]:
            raise nothing_bought(line)
    sequences = allot([line.key for line in document.lines], (MARK_SEQUENCE,))
    body = {name: value for name, value in document.header.items() if not is_blank(value)}
    body[LINES] = [
        comment_body(MARK_SEQUENCE, mark_text(mark, document.number or "")),
        *key_comments(sequences, MARK_SEQUENCE + 1),
        *({**line.body, "sequence": sequences[line.key]} for line in document.lines),
    ]
    return body


def comment_body(sequence: int, text: str) -> dict[str, Any]:
    """A comment line."""
    return {"sequence": sequence, "lineType": "Comment", "description": text}


def key_comments(sequences: Mapping[str, int], first: int) -> list[dict[str, Any]]:
    """Comments for those keys that do not follow from line numbers. Raises Reject for one that is too long."""
    keys = {sequence: key for key, sequence in sequences.items() if place_of(sequence) != key}
    try:
        texts = key_texts(keys)
    except ValueError as error:
        text = "a key is too long to be kept in Business Central; map a shorter field to it."
        raise _refused(text, "line_key", "lines.key", str(error)) from None
    return [comment_body(first + index, text) for index, text in enumerate(texts)]


def nothing_bought(line: WantedLine) -> Reject:
    """The refusal of a new line without item and account."""
    return _refused("the line names neither an item nor an account.", "nothing_bought", f"{line.place}.item", line.key)


def is_blank(value: object) -> bool:
    """Whether a value means nothing to the service."""
    return value in _BLANKS


def same(field: str, one: Any, other: Any) -> bool:
    """Whether two values of a field mean the same to the service."""
    if is_blank(one) or is_blank(other):
        return is_blank(one) and is_blank(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return bool(one == other)
    if isinstance(one, int | Decimal) or isinstance(other, int | Decimal):
        try:
            return Decimal(str(one)) == Decimal(str(other))
        except InvalidOperation:
            return False
    first, second = (value.isoformat() if isinstance(value, date) else str(value) for value in (one, other))
    if field.endswith("Id") or field in _CODES:
        return first.upper() == second.upper()
    return first == second


def _lines(raw: Any) -> tuple[WantedLine, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise _refused("the lines are not a list.", "no_lines", "lines")
    found: dict[str, WantedLine] = {}
    for index, native in enumerate(raw):
        line = _line(index, native)
        if line.key in found:
            raise _refused("two lines have the same key.", "line_key", f"{line.place}.key", line.key)
        found[line.key] = line
    return tuple(found.values())


def _line(index: int, native: Mapping[str, Any]) -> WantedLine:
    place = f"lines[{index}]"
    key = str(native.get(KEY) or "").strip()
    if not key:
        raise _refused("a line has no key.", "line_key", f"{place}.key")
    fields = {
        name: value
        for name, value in native.items()
        # A blank one of the two says nothing, and would be taken for a second object (bc.md §15).
        if name not in _LINE_KEPT and not (name in _OBJECTS and is_blank(value))
    }
    if fields.keys() >= _OBJECTS:
        text = "a line names an item and an account; it can be bought on one only."
        raise _refused(text, "item_and_account", f"{place}.account", key)
    _check(fields, f"{place}.")
    return WantedLine(key=key, place=place, fields=fields)


def _check(fields: Mapping[str, Any], prefix: str) -> None:
    for name, value in fields.items():
        field = prefix + _NAMES.get(name, name)
        longest = _LENGTHS.get(name)
        if longest is not None and isinstance(value, str) and len(value) > longest:
            text = f"Business Central takes {longest} characters there, and it has {len(value)}."
            raise _refused(text, "too_long", field, value)
        if name in _NUMBERS and value is not None:
            _check_number(field, value)


def _check_number(field: str, value: object) -> None:
    if isinstance(value, float):
        raise TypeError("a quantity or price must be a Decimal, not float")
    try:
        usable = Decimal(str(value)).is_finite()
    except InvalidOperation:
        usable = False
    if not usable:
        raise _refused("it is not a number.", "bad_number", field, str(value))


def _refused(text: str, code: str, field: str, value: str = "") -> Reject:
    hint = "Correct it at its source, or in the mapping of the purchase order."
    return Reject(f"{field}: {text}", code=code, field=field, value=value[:_SHOWN], hint=hint)
