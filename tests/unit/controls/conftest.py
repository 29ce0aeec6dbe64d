"""Builders shared by the tests of controls. Session-wide and stateless, so that properties may use them too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from textwrap import dedent
from typing import Any

import pytest

from isthmus.controls.book import Book
from isthmus.controls.posting import Posting, post_costs
from isthmus.controls.rule_reading import parse_rules
from isthmus.controls.rules import RuleTable
from isthmus.model.document import parse_document
from isthmus.model.entities.ledger_accounts import Account
from isthmus.model.entities.work_orders import CostLine, WorkOrder
from isthmus.model.finding import Finding
from isthmus.model.money import Money

MAINTENANCE = """
rules: maintenance-costs
rounding: {account: "8990", limit: 0.05}
rows:
  - name: corrective labour
    when: {category: [PM01, PM02], source: payroll}
    account: "8450"
    offset: "2370"
    dimensions: {COSTCENTRE: cost_centre, ASSET: asset, DEPARTMENT: "=MAINT"}
  - name: parts from stock
    when: {source: stock}
    account: "8460"
    offset: "5410"
    dimensions: {COSTCENTRE: cost_centre}
  - name: contractors
    when: {source: invoice}
    account: "8470"
    offset: "2350"
    dimensions: {COSTCENTRE: cost_centre}
    offset_dimensions: {VENDOR: lines.vendor}
  - name: fees
    when: {source: direct}
    account: "8480"
    offset: "1010"
"""

CHART = ("8450", "8460", "8470", "8480", "8990", "2370", "5410", "2350", "1010")
VALUES = frozenset({"COSTCENTRE/CC1", "COSTCENTRE/CC2", "ASSET/EX-7", "DEPARTMENT/MAINT", "VENDOR/V10"})


def no_rate(money: Money, currency: str, on: date) -> Money | Finding:
    return Finding("rate_missing", "wait", f"no rate {money.currency} -> {currency} on {on}")


@pytest.fixture(scope="session")
def read_rules() -> Callable[[str], RuleTable]:
    return lambda text: parse_rules(parse_document(dedent(text), "rules/maintenance.yaml"))


@pytest.fixture(scope="session")
def table(read_rules: Callable[[str], RuleTable]) -> RuleTable:
    return read_rules(MAINTENANCE)


@pytest.fixture(scope="session")
def make_book() -> Callable[..., Book]:
    def make(**changes: Any) -> Book:
        known: dict[str, Any] = {
            "company": "CRONUS",
            "currency": "USD",
            "time_zone": "America/Los_Angeles",
            "posting_from": date(2026, 1, 1),
            "posting_to": date(2026, 12, 31),
            "accounts": {number: Account(number=number, type="posting", direct_posting=True) for number in CHART},
            "dimension_values": VALUES,
        }
        return Book(**known | changes)

    return make


@pytest.fixture(scope="session")
def make_line() -> Callable[..., CostLine]:
    def make(key: str, amount: str | Decimal, source: str = "direct", **changes: Any) -> CostLine:
        return CostLine(key=key, amount=Decimal(amount), **{"kind": "other", "source": source} | changes)

    return make


@pytest.fixture(scope="session")
def make_order() -> Callable[..., WorkOrder]:
    def make(*lines: CostLine, **changes: Any) -> WorkOrder:
        known: dict[str, Any] = {
            "number": "WO-1",
            "category": "PM01",
            "asset": "EX-7",
            "cost_centre": "CC1",
            "completed_on": date(2026, 3, 10),
            "currency": "USD",
        }
        return WorkOrder(lines=lines, **known | changes)

    return make


@pytest.fixture(scope="session")
def post(table: RuleTable, make_book: Callable[..., Book]) -> Callable[..., Posting]:
    def run(order: WorkOrder, **changes: Any) -> Posting:
        known: dict[str, Any] = {"document_number": "IS-1", "convert": no_rate}
        known |= changes
        return post_costs(order, known.pop("table", table), known.pop("book", make_book()), **known)

    return run
