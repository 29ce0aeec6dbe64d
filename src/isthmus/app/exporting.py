"""Exports: rows as CSV that no spreadsheet can be tricked by, or as JSON lines, one at a time."""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol, TextIO

import msgspec

from isthmus.model.spelling import spell

Format = Literal["csv", "jsonl"]
#: A spreadsheet takes a cell that begins so for a formula and would run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_ENCODER = msgspec.json.Encoder(decimal_format="string")


class Sink(Protocol):
    """Where rows go."""

    def row(self, cells: Sequence[Any]) -> None:
        """Write one row, cells in the order of the columns."""


class CsvSink:
    """CSV by RFC 4180 in UTF-8, a header first. What a spreadsheet would run as a formula gets a quote in front."""

    def __init__(self, stream: TextIO, columns: Sequence[str]) -> None:
        self._writer = csv.writer(stream, lineterminator="\r\n")
        self._writer.writerow(columns)

    def row(self, cells: Sequence[Any]) -> None:
        self._writer.writerow([safe_cell(cell) for cell in cells])


class JsonLinesSink:
    """One object per line; values as they are, Decimals as text."""

    def __init__(self, stream: TextIO, columns: Sequence[str]) -> None:
        self._stream = stream
        self._columns = columns

    def row(self, cells: Sequence[Any]) -> None:
        values = dict(zip(self._columns, (_plain(cell) for cell in cells), strict=True))
        self._stream.write(_ENCODER.encode(values).decode() + "\n")


def sink(form: Format, stream: TextIO, columns: Sequence[str]) -> Sink:
    """The sink of a format."""
    return CsvSink(stream, columns) if form == "csv" else JsonLinesSink(stream, columns)


def safe_cell(value: Any) -> str:
    """A value as a CSV cell. Numbers stay numbers, `=1+1` becomes `'=1+1`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(_plain(value))
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _plain(value: Any) -> Any:
    return spell(value) if isinstance(value, Decimal | datetime | date) else value


async def write_all(rows: Iterable[Sequence[Any]] | AsyncIterator[Sequence[Any]], into: Sink) -> int:
    """Write all rows; how many there were."""
    number = 0
    if isinstance(rows, AsyncIterator):
        async for row in rows:
            into.row(row)
            number += 1
    else:
        for row in rows:
            into.row(row)
            number += 1
    return number
