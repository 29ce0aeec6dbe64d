"""A journal entry as the lens writes it, checked and made ready to become journal lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from isthmus.contract.operations import Operation
from isthmus.errors import Reject

#: Lengths of the service (bc.json, journalLines).
NUMBER_LENGTH = 20
_DESCRIPTION_LENGTH = 100


class Line(Struct, frozen=True, kw_only=True):
    """One line. Debit above zero, credit below (bc.md §14)."""

    account: str
    amount: Decimal
    description: str = ""
    dimensions: Mapping[str, str] = {}


class Document(Struct, frozen=True, kw_only=True):
    """A journal entry: lines of one number and one date. Codes are upper case, as the service keeps them (bc.md §4)."""

    key: str
    number: str
    posting_date: date
    lines: tuple[Line, ...]
    external_number: str = ""

    @property
    def debits(self) -> Decimal:
        """Sum of the debit lines: what a look-up compares with the books."""
        return sum((line.amount for line in self.lines if line.amount > 0), Decimal(0))

    @property
    def balance(self) -> Decimal:
        """Zero for a document that can be posted."""
        return sum((line.amount for line in self.lines), Decimal(0))


def parse(operation: Operation) -> Document:
    """The document of an operation. Raises Reject naming the field that cannot be used."""
    native = operation.native
    number = _text(native.get("documentNumber")).upper()
    if not number or len(number) > NUMBER_LENGTH:
        raise Reject(
            f"the document number {number!r} must have 1 to {NUMBER_LENGTH} characters.",
            code="document_number",
            field="number",
            value=number,
        )
    raw = native.get("journalLines")
    lines: Sequence[Mapping[str, Any]] = raw if isinstance(raw, list | tuple) else ()
    if not lines:
        raise Reject("the document has no lines.", code="no_lines", field="lines")
    dates = {_text(line.get("postingDate") or native.get("postingDate")) for line in lines}
    if len(dates) != 1:
        raise Reject("the lines have different posting dates.", code="posting_date", field="posting_date")
    common = _text(native.get("description"))
    return Document(
        key=operation.key,
        number=number,
        posting_date=_date(dates.pop()),
        external_number=_text(native.get("externalDocumentNumber")),
        lines=tuple(_line(index, line, common) for index, line in enumerate(lines)),
    )


def _line(index: int, native: Mapping[str, Any], common: str) -> Line:
    account = _text(native.get("accountNumber")).upper()
    if not account:
        raise Reject("a line has no account.", code="account_missing", field=f"lines[{index}].account")
    dimensions = native.get("dimensions") or {}
    if not isinstance(dimensions, Mapping):
        raise Reject("dimensions must be a map.", code="dimensions", field=f"lines[{index}].dimensions")
    return Line(
        account=account,
        amount=_amount(index, native.get("amount")),
        # Longer texts are refused with Application_StringExceededLength; a cut text harms nobody.
        description=(_text(native.get("description")) or common)[:_DESCRIPTION_LENGTH],
        dimensions={
            str(code).strip().upper(): str(value).strip().upper()
            for code, value in dimensions.items()
            if value not in (None, "")
        },
    )


def _amount(index: int, value: object) -> Decimal:
    if isinstance(value, float):
        raise TypeError("an amount must be a Decimal, not float")
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise Reject("a line has no usable amount.", code="amount", field=f"lines[{index}].amount")
    return amount


def _date(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Reject(
            f"{value!r} is not a posting date.", code="posting_date", field="posting_date", value=value
        ) from None


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
