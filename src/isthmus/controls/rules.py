"""Posting rules: a flat table of rows. The most specific row that fits a cost line decides where it lands.

The value types and the choice; `rule_reading` makes a table from YAML, `rule_checks` says what is wrong with one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import get_args

from msgspec import Struct

from isthmus.model.entities.work_orders import CostKind, CostLine, CostSource, WorkOrder

#: Conditions of a row in the order people read them. The first seven look at the order, the others at its cost line.
CONDITIONS = ("category", "type", "branch", "asset", "location", "cost_centre", "currency", "source", "kind")
_OF_THE_ORDER = CONDITIONS[:7]
COST_SOURCES: tuple[str, ...] = get_args(CostSource)
COST_KINDS: tuple[str, ...] = get_args(CostKind)

Facts = Mapping[str, str | None]


class DimensionSource(Struct, frozen=True):
    """Where the value of a dimension comes from: a canonical path, or a literal code."""

    path: str = ""
    literal: str = ""
    #: a value from a personal field never stands in a finding
    personal: bool = False


class RuleRow(Struct, frozen=True, kw_only=True):
    """One row. `when` holds only the conditions that name values; `offset` is "" where none is declared yet.

    `valid_from` and `valid_until` are inclusive and speak of the posting date.
    """

    name: str
    when: Mapping[str, frozenset[str]]
    account: str = ""
    offset: str = ""
    dimensions: Mapping[str, DimensionSource] = {}
    offset_dimensions: Mapping[str, DimensionSource] = {}
    valid_from: date | None = None
    valid_until: date | None = None
    #: the cost is booked elsewhere (a stock issue values itself): no line at all
    no_posting: bool = False
    line: int | None = None

    @property
    def specificity(self) -> int:
        """How many conditions name values."""
        return len(self.when)

    def in_force(self, on: date) -> bool:
        """Whether the row holds on this posting date."""
        begun = self.valid_from is None or self.valid_from <= on
        return begun and (self.valid_until is None or on <= self.valid_until)

    def fits(self, facts: Facts) -> bool:
        """Whether the facts meet every condition; a fact that is not told meets none that names values."""
        return all(facts.get(name) in values for name, values in self.when.items())

    def misfits(self, facts: Facts) -> tuple[str, ...]:
        """The conditions the facts do not meet."""
        return tuple(name for name, values in self.when.items() if facts.get(name) not in values)


class Rounding(Struct, frozen=True):
    """The account that takes what rounding the lines leaves over, and how much of it per document is believable."""

    account: str
    limit: Decimal


class RuleTable(Struct, frozen=True, kw_only=True):
    """A parsed table: `rows` as written in `file`."""

    name: str
    file: str
    rows: tuple[RuleRow, ...]
    rounding: Rounding | None = None
    rounding_line: int | None = None

    def place(self, line: int | None) -> str:
        """`file:line` for people."""
        return f"{self.file}:{line}" if line else self.file


class Choice(Struct, frozen=True):
    """The row that decides, None when no row fits, and in words why."""

    row: RuleRow | None
    why: str


def facts_of(order: WorkOrder, line: CostLine) -> dict[str, str | None]:
    """What the conditions look at."""
    facts: dict[str, str | None] = {name: getattr(order, name) for name in _OF_THE_ORDER}
    return facts | {"source": line.source, "kind": line.kind}


def choose(table: RuleTable, facts: Facts, on: date) -> Choice:
    """The most specific row in force on the posting date `on`. The order of rows never matters.

    Reading a table refuses rows of equal specificity that fit the same line; if such a table was built otherwise, the
    name decides, so that the answer stays the same.
    """
    fitting = [row for row in table.rows if row.fits(facts) and row.in_force(on)]
    if not fitting:
        return Choice(None, _why_none(table, facts, on))
    fitting.sort(key=lambda row: (-row.specificity, row.name))
    row = fitting[0]
    matched = ", ".join(f"{name} {facts[name]}" for name in CONDITIONS if name in row.when) or "every cost"
    beaten = ", ".join(repr(other.name) for other in fitting[1:])
    return Choice(
        row,
        f"row {row.name!r} ({table.place(row.line)}) fits {matched}"
        + (f"; more specific than {beaten}" * bool(beaten)),
    )


def _why_none(table: RuleTable, facts: Facts, on: date) -> str:
    if not table.rows:
        return f"{table.file} has no rows"
    nearest = min(table.rows, key=lambda row: (len(row.misfits(facts)), -row.specificity, row.name))
    where = f"row {nearest.name!r} ({table.place(nearest.line)})"
    if not (wanted := nearest.misfits(facts)):
        return f"{where} would fit, but holds {_validity(nearest)} and the posting date is {on}"
    return f"nearest is {where}, which asks for " + ", ".join(
        f"{name} {' or '.join(sorted(nearest.when[name]))}" for name in wanted
    )


def _validity(row: RuleRow) -> str:
    parts = [f"from {row.valid_from}"] if row.valid_from else []
    return " ".join([*parts, f"until {row.valid_until}"] if row.valid_until else parts)
