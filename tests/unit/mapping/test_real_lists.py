"""The shipped and example mappings compile; a real list is read to the cent, dirt and all, and fast."""

from __future__ import annotations

import csv
import time
from decimal import Decimal
from pathlib import Path

import pytest

from isthmus.mapping.compiler import compile_lens
from isthmus.mapping.lens import Lens
from isthmus.model.document import parse_document

ROOT = Path(__file__).parents[3]
DATA = ROOT / ".." / "shared" / "data" / "excavators" / "work_orders.csv"

MAPPING = """entity: work_order
native: work_orders
fields:
  number: {at: row}
  description: {at: OriginalShorttext, via: trim}
  category: {at: PMType}
  asset: {at: Asset}
  status: {value: completed}
  currency: {value: USD}
  completed_on: {at: BscStartDate, via: date}
  lines:
    each: self
    fields:
      key: {value: cost}
      kind: {value: other}
      source: {value: direct}
      amount: {at: Cost}
"""


@pytest.fixture(name="lens")
def lens_fixture() -> Lens:
    return compile_lens(parse_document(MAPPING, "work_order.yaml"))


def test_the_excavators_add_up(lens: Lens) -> None:
    if not DATA.exists():
        pytest.skip("the real list is not beside this checkout")
    with DATA.open(newline="", encoding="utf-8") as file:
        rows = [{**row, "row": str(index)} for index, row in enumerate(csv.DictReader(file))]
    readings = [lens.read(row) for row in rows]
    findings = [finding for reading in readings for finding in reading.findings]
    assert [(finding.field, finding.value) for finding in findings] == [("Cost", "PM01")]
    amounts = [line["amount"] for reading in readings for line in reading.state["lines"] if "amount" in line]
    assert (len(amounts), sum(map(Decimal, amounts))) == (5484, Decimal("17506068.13"))


def test_twenty_thousand_records_are_read_in_moments(lens: Lens) -> None:
    """About 0.2 s on one quiet core; the limit is generous because test machines are not quiet."""
    row = {"OriginalShorttext": "SWAP BUCKET", "PMType": "PM01", "Asset": "A", "BscStartDate": "2004-07-01"}
    rows = [{**row, "row": str(index), "Cost": f"{index}.{index % 90 + 10}"} for index in range(20_000)]
    started = time.process_time()
    readings = [lens.read(row) for row in rows]
    took = time.process_time() - started
    assert len(readings) == 20_000
    assert took < 1.5


@pytest.mark.parametrize(
    "path",
    sorted([*ROOT.glob("src/isthmus/connectors/**/lenses/*.yaml"), *ROOT.glob("examples/*/mappings/*.yaml")]),
    ids=lambda path: path.stem,
)
def test_mappings_in_the_repository_compile(path: Path) -> None:
    lens = compile_lens(parse_document(path.read_text(encoding="utf-8"), path.name))
    assert lens.sheet()
