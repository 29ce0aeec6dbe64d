"""A purchase order as the service shows it, and the record made of it (bc.json, purchaseOrders, purchaseOrderLines).

The record holds what was ordered. Comments stay in Business Central; lines of ours that take goods back are counted in
the line they take back from, so that its received and invoiced quantities are those that remain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from isthmus.connectors._http.decode import encode
from isthmus.connectors.dynamics._client import guid
from isthmus.connectors.dynamics._odata import row
from isthmus.connectors.dynamics.business_central.purchasing.marks import Marks, place_of, read_marks, read_take_back
from isthmus.contract.connector import NativeField

LINES = "purchaseOrderLines"
#: Fields of the record that the service does not have.
NUMBER, MARK, KEY = "operationsNumber", "isthmusMark", "lineKey"

ORDER_FIELDS: tuple[NativeField, ...] = (
    NativeField(name=NUMBER, type="text", max_length=70),
    NativeField(name=MARK, type="text", writable=False, max_length=20),
)
LINE_FIELDS: tuple[NativeField, ...] = (NativeField(name=KEY, type="text"),)


class OrderLine:
    """One line. Quantities are in the line's unit; `etag` is "" where it was not told."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.etag = str(data.get("@odata.etag") or "")
        self.data = row(data).data
        self.id = guid(str(data["id"]))
        self.sequence = int(data["sequence"])
        self.type = str(data.get("lineType") or "")
        self.text = str(data.get("description") or "")
        self.item = str(data.get("lineObjectNumber") or "")

    def number(self, field: str) -> Decimal:
        """A quantity or price; blank is zero."""
        value = self.data.get(field)
        return Decimal(str(value)) if value not in (None, "") else Decimal(0)

    @property
    def quantity(self) -> Decimal:
        return self.number("quantity")

    @property
    def received(self) -> Decimal:
        return self.number("receivedQuantity")

    @property
    def is_comment(self) -> bool:
        return self.type == "Comment"


class Order:
    """An order with all its lines, made of an answer with or without annotations."""

    def __init__(self, data: Mapping[str, Any], etag: str | None = None) -> None:
        self.etag = etag or str(data.get("@odata.etag") or "")
        lines = data.get(LINES)
        self.every_line = sorted(
            (OrderLine(line) for line in (lines if isinstance(lines, list) else [])), key=lambda line: line.sequence
        )
        self.header: Mapping[str, Any] = {name: value for name, value in row(data).data.items() if name != LINES}
        self.id = guid(str(data["id"]))
        self.number = str(data.get("number") or "")
        self.marks: Marks = read_marks((line.sequence, line.text) for line in self.every_line if line.is_comment)

    @cached_property
    def taking_back(self) -> Mapping[int, tuple[str, int]]:
        """Line number of a line of ours that takes goods back -> mark of its receipt, line number it takes from."""
        found = {line.sequence: read_take_back(line.text) for line in self.every_line if not line.is_comment}
        return {sequence: told for sequence, told in found.items() if told is not None}

    @cached_property
    def lines(self) -> Sequence[OrderLine]:
        """What was ordered: neither comments nor lines of ours that take goods back."""
        return [line for line in self.every_line if not line.is_comment and line.sequence not in self.taking_back]

    @cached_property
    def receivable(self) -> Sequence[OrderLine]:
        """Everything that posting the order could receive."""
        return [line for line in self.every_line if not line.is_comment]

    def key(self, sequence: int) -> str:
        """What operations call a line."""
        return self.marks.keys.get(sequence) or place_of(sequence)

    @cached_property
    def by_key(self) -> Mapping[str, OrderLine]:
        """The lines by what operations call them."""
        return {self.key(line.sequence): line for line in self.lines}

    @cached_property
    def received(self) -> Mapping[int, Decimal]:
        """Received quantity by line number, zeros left out."""
        return {line.sequence: line.received for line in self.receivable if line.received}

    @property
    def is_released(self) -> bool:
        """Whether Business Central counts it as released, as every order is of which something was posted."""
        return self.header.get("status") == "Open"

    @property
    def version(self) -> str:
        """The header's etag, which follows the totals, and a digest of the lines: a changed day moves no total."""
        lines = hashlib.sha256(encode([line.data for line in self.every_line])).hexdigest()[:16]
        return f"{self.etag} {lines}"

    def record(self) -> dict[str, Any]:
        """The record `read` gives."""
        back: dict[int, list[OrderLine]] = {}
        for line in self.every_line:
            if line.sequence in self.taking_back:
                back.setdefault(self.taking_back[line.sequence][1], []).append(line)
        return {
            **self.header,
            NUMBER: self.marks.number or self.number,
            MARK: self.marks.mark,
            LINES: [self._line(line, back.get(line.sequence, [])) for line in self.lines],
        }

    def _line(self, line: OrderLine, back: Sequence[OrderLine]) -> dict[str, Any]:
        shown = {**line.data, KEY: self.key(line.sequence)}
        for field in ("receivedQuantity", "invoicedQuantity"):
            if back and field in shown:
                shown[field] = sum((other.number(field) for other in back), line.number(field))
        return shown
