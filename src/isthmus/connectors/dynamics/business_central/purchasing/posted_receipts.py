"""Posted receipts: read only, found by the number of their order (bc.md §15).

A posted line does not tell which line of the order it belongs to. Assumed: it keeps the line number of the order's line
and its text, and comments are copied with it, as the order's lines are transferred when they are posted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics._odata import Row, any_of, chunks, literal
from isthmus.connectors.dynamics.business_central.purchasing.access import READ_AT_ONCE
from isthmus.connectors.dynamics.business_central.purchasing.marks import (
    Marks,
    place_of,
    read_marks,
    read_take_back,
)
from isthmus.connectors.dynamics.business_central.purchasing.orders import KEY, OrderLine
from isthmus.connectors.dynamics.business_central.purchasing.receipt_documents import (
    ORDER,
    ORDER_LINE,
    RECEIPT_LINES,
)
from isthmus.errors import IsthmusError

SET = "purchaseReceipts"
#: How a posted comment line is typed (bc.json, purchaseReceiptLines.lineType).
_COMMENT = "_x0020_"


class PostedReceipts:
    """Posted receipts of one company."""

    def __init__(self, client: ODataClient, company: str) -> None:
        self._client = client
        self._path = f"{company}/{SET}"

    async def of_orders(self, wanted: Iterable[tuple[str, date]]) -> dict[tuple[str, date], list[Row] | IsthmusError]:
        """Receipts with their lines by order number and posting date; why not, where they could not be read."""
        found: dict[tuple[str, date], list[Row] | IsthmusError] = {}
        days: dict[date, list[str]] = {}
        for number, day in sorted(set(wanted)):
            days.setdefault(day, []).append(number)
        for day, numbers in days.items():
            for group in chunks(numbers, READ_AT_ONCE):
                found |= await self._of_day(group, day)
        return found

    async def _of_day(self, numbers: Sequence[str], day: date) -> dict[tuple[str, date], list[Row] | IsthmusError]:
        try:
            rows = await self._client.all(self._path, _options(numbers, day))
        except IsthmusError as error:
            return {(number, day): error for number in numbers}
        return {(number, day): [row for row in rows if row.data.get("orderNumber") == number] for number in numbers}

    async def of_order(self, number: str) -> list[Row]:
        """All receipts of one order, oldest first."""
        return await self._client.all(self._path, _options([number], None))


def receipt_record(receipt: Row, order_id: str) -> dict[str, Any]:
    """The record `read` gives: what was received, without comments and lines of which nothing came."""
    marks = _marks(receipt.data)
    lines = [line for line in _lines(receipt.data) if line.type != _COMMENT and line.quantity]
    return {
        **receipt.data,
        ORDER: order_id,
        RECEIPT_LINES: [
            {**line.data, KEY: _key(marks, line.sequence), ORDER_LINE: _key(marks, _order_line(line))} for line in lines
        ],
    }


def pick(receipts: Sequence[Row], order_lines: Sequence[OrderLine], receive: Mapping[int, Decimal]) -> Row | None:
    """The youngest receipt that holds exactly these quantities of these items."""
    items = {line.sequence: line.item for line in order_lines}
    wanted = sorted((items.get(sequence, ""), quantity) for sequence, quantity in receive.items())
    fitting = [receipt for receipt in receipts if _content(receipt) == wanted]
    return max(fitting, key=_age, default=None)


def received_by_line(receipts: Sequence[Row]) -> dict[int, Decimal]:
    """Sum of what was received by line number of the order, zeros left out."""
    total: dict[int, Decimal] = {}
    for receipt in receipts:
        for line in _lines(receipt.data):
            total[line.sequence] = total.get(line.sequence, Decimal(0)) + line.quantity
    return {sequence: quantity for sequence, quantity in total.items() if quantity}


def sequences_by_key(receipts: Sequence[Row]) -> dict[str, int]:
    """What operations call the lines -> line number of the order, as the receipts' comments tell."""
    found: dict[str, int] = {}
    for receipt in receipts:
        marks = _marks(receipt.data)
        found |= {_key(marks, line.sequence): line.sequence for line in _lines(receipt.data) if line.type != _COMMENT}
    return found


def _content(receipt: Row) -> list[tuple[str, Decimal]]:
    lines = _lines(receipt.data)
    return sorted((line.item, line.quantity) for line in lines if line.type != _COMMENT and line.quantity)


def _age(receipt: Row) -> tuple[str, str]:
    return str(receipt.data.get("lastModifiedDateTime") or ""), str(receipt.data.get("number") or "")


def _options(numbers: Sequence[str], day: date | None) -> dict[str, str]:
    conditions = [any_of("orderNumber", map(literal, numbers))]
    if day is not None:
        conditions.append(f"postingDate eq {literal(day)}")
    return {"$filter": " and ".join(conditions), "$expand": RECEIPT_LINES}


def _lines(data: Mapping[str, Any]) -> list[OrderLine]:
    lines = data.get(RECEIPT_LINES)
    return [OrderLine(line) for line in (lines if isinstance(lines, list) else [])]


def _marks(data: Mapping[str, Any]) -> Marks:
    return read_marks((line.sequence, line.text) for line in _lines(data) if line.type == _COMMENT)


def _key(marks: Marks, sequence: int) -> str:
    return marks.keys.get(sequence) or place_of(sequence)


def _order_line(line: OrderLine) -> int:
    back = read_take_back(line.text)
    return back[1] if back else line.sequence
