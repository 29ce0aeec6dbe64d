"""Cells of a CSV export: whatever the source holds, a spreadsheet shows it and runs nothing."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.app.exporting import CsvSink, JsonLinesSink, safe_cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30 1234", "'+49 30 1234"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        (Decimal("-212.40"), "-212.4"),
        ("-212.4", "-212.4"),
        (None, ""),
        (True, "yes"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00Z"),
        ("pump", "pump"),
    ],
)
def test_cells(value: object, cell: str) -> None:
    assert safe_cell(value) == cell


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_cell_begins_like_a_formula_and_rows_survive_the_round_trip(values: list[str]) -> None:
    stream = io.StringIO(newline="")
    CsvSink(stream, [f"c{index}" for index in range(len(values))]).row(values)
    [_, *rest] = list(csv.reader(io.StringIO(stream.getvalue(), newline="")))
    [cells] = rest or [[""]]
    for value, cell in zip(values, cells, strict=False):
        assert cell in {value, f"'{value}"}
        assert not cell.startswith(("=", "+", "@", "\t", "\r"))
        assert not cell.startswith("-") or Decimal(cell) <= 0


def test_json_lines_keep_values_as_they_are() -> None:
    stream = io.StringIO()
    JsonLinesSink(stream, ["text", "amount", "none"]).row(["=1+1", Decimal("10.50"), None])
    assert json.loads(stream.getvalue()) == {"text": "=1+1", "amount": "10.5", "none": None}
