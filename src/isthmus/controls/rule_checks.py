"""What is wrong with a posting table before anything is posted: overlaps, sources without offset, dead accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations

from msgspec import Struct

from isthmus.controls.book import Book
from isthmus.controls.chart import account_findings, dimension_value_findings
from isthmus.controls.rules import CONDITIONS, COST_SOURCES, RuleRow, RuleTable
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document
from isthmus.model.finding import Finding

_Region = Mapping[str, frozenset[str]]


class Overlap(Struct, frozen=True):
    """Two rows of equal specificity that fit the same costs; `region` holds the values both fit."""

    first: RuleRow
    second: RuleRow
    region: _Region

    def error(self, document: Document) -> ConfigurationError:
        """The problem, pointing at the second row."""
        both = ", ".join(
            f"{name} {' or '.join(sorted(self.region[name]))}" for name in CONDITIONS if name in self.region
        )
        return ConfigurationError(
            f"rows {self.first.name!r} (line {self.first.line}) and {self.second.name!r} both fit "
            f"{both or 'every cost'}, and neither is more specific.",
            hint="Narrow one of them, or add a row that names all of these values.",
            file=document.file,
            line=self.second.line,
        )


def overlaps(rows: Sequence[RuleRow]) -> Iterator[Overlap]:
    """All pairs that leave the choice open. A pair is settled where a more specific row covers all they share."""
    for first, second in combinations(rows, 2):
        if first.specificity != second.specificity:
            continue
        region = _shared(first, second)
        if region is not None and not any(_covers(row, first, second, region) for row in rows):
            yield Overlap(first, second, region)


def coverage(table: RuleTable, on: date | None = None) -> tuple[Finding, ...]:
    """Whether every cost source lands somewhere with both sides, by the rows in force on `on` (all rows without it)."""
    rows = [row for row in table.rows if on is None or row.in_force(on)]
    findings: list[Finding] = []
    for source in COST_SOURCES:
        fitting = [row for row in rows if source in row.when.get("source", COST_SOURCES)]
        if not fitting:
            findings.append(
                Finding(
                    "source_unruled",
                    "error",
                    f"no row fits costs of source {source}",
                    field="source",
                    value=source,
                    mend=f"Add a row for source {source} with account and offset to {table.file}.",
                )
            )
        findings += [offset_missing(table, row, source) for row in fitting if not row.offset and not row.no_posting]
    return tuple(findings)


def offset_missing(table: RuleTable, row: RuleRow, source: str) -> Finding:
    """A row that names an account but not who bears the other side."""
    return Finding(
        "offset_missing",
        "error",
        f"row {row.name!r} has no offset for costs of source {source}",
        field="offset",
        value=source,
        mend=f"Add `offset:` to the row ({table.place(row.line)}).",
    )


def check_table(table: RuleTable, book: Book, on: date | None = None) -> tuple[Finding, ...]:
    """`coverage`, and every account and literal dimension value of the table against the company's books."""
    findings = list(coverage(table, on))
    if table.rounding is not None:
        what = f"the rounding account ({table.place(table.rounding_line)})"
        findings += account_findings(table.rounding.account, what, book)
    for row in table.rows:
        if on is not None and not row.in_force(on):
            continue
        what = f"row {row.name!r} ({table.place(row.line)})"
        for account in (row.account, row.offset):
            findings += account_findings(account, what, book) if account else ()
        for code, source in [*row.dimensions.items(), *row.offset_dimensions.items()]:
            if source.literal:
                findings += dimension_value_findings(code, source, source.literal, what, book)
    return tuple(dict.fromkeys(findings))


def _shared(first: RuleRow, second: RuleRow) -> _Region | None:
    """What both rows fit, None when nothing or never at the same time."""
    if not _meet_in_time(first, second):
        return None
    region: dict[str, frozenset[str]] = {}
    for name in {*first.when, *second.when}:
        values = first.when.get(name, second.when.get(name, frozenset())) & second.when.get(
            name, first.when.get(name, frozenset())
        )
        if not values:
            return None
        region[name] = values
    return region


def _span(row: RuleRow) -> tuple[date, date]:
    return row.valid_from or date.min, row.valid_until or date.max


def _meet_in_time(first: RuleRow, second: RuleRow) -> bool:
    (begins, ends), (starts, stops) = _span(first), _span(second)
    return begins <= stops and starts <= ends


def _covers(row: RuleRow, first: RuleRow, second: RuleRow, region: _Region) -> bool:
    if row.specificity <= first.specificity:
        return False
    (begins, ends), (starts, stops) = _span(first), _span(second)
    start, stop = _span(row)
    in_time = start <= max(begins, starts) and min(ends, stops) <= stop
    return in_time and all(name in region and region[name] <= values for name, values in row.when.items())
