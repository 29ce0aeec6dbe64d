"""Two quarries of a test's own: a copy of the example, and what its list should come to in the books.

That is worked out from the rows alone. Accounts, rates and time zones are told here once more, so that a test does not
ask the code what is right.
"""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from integration.work_order_costs.bench import Mine

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "cost-lines"
WEST, SOUTH = "STONE WEST", "STONE SOUTH"
COMPANY_OF = {"DEN": WEST, "AKL": SOUTH}
CURRENCY_OF = {WEST: "USD", SOUTH: "NZD"}
ZONE_OF = {WEST: ZoneInfo("America/Denver"), SOUTH: ZoneInfo("Pacific/Auckland")}
CENTRE_OF = {"CR-01": "CRUSHING", "CV-02": "CRUSHING", "LD-05": "HAULAGE", "CR-11": "CRUSHING", "TR-14": "HAULAGE"}
#: kind of cost -> account that is charged, and the one that somebody else clears
ACCOUNTS_OF = {
    "part": ("6210", "1490"),
    "labour": ("6220", "6290"),
    "contractor": ("6230", "2150"),
    "fee": ("6250", "1930"),
}
INSPECTION, ROUNDING = "6240", "6990"
CHARGED = ("6210", "6220", "6230", "6240", "6250")
#: what 1 EUR is worth from that day on
EUR_IN = {
    WEST: {date(2026, 1, 1): "1.04", date(2026, 1, 15): "1.085", date(2026, 2, 1): "1.1025"},
    SOUTH: {date(2026, 1, 1): "1.764", date(2026, 2, 1): "1.8195"},
}

Row = Mapping[str, str]
#: account and dimension values -> amount, debit positive
Split = dict[tuple[str, tuple[tuple[str, str], ...]], Decimal]


class Quarries(Mine):
    """`lines` is the list with its header, as text."""

    def __init__(self, place: Path, url: str | None = None) -> None:
        super().__init__(place, url)
        shutil.rmtree(self.project)
        shutil.copytree(EXAMPLE, self.project)
        self.list = place / "data" / "cost_lines.csv"
        self.lines = (EXAMPLE / "sample" / "cost_lines.csv").read_text("utf-8").splitlines()

    @property
    def environ(self) -> dict[str, str]:
        """What a command finds in its environment."""
        return super().environ | {"ISTHMUS_DATA": str(self.list.parent)}

    def rows(self) -> list[Row]:
        """The list as it is, parsed."""
        return list(csv.DictReader(self.lines))

    def order(self, number: str) -> list[Row]:
        return [row for row in self.rows() if row["OrderNo"] == number]

    def number_of(self, order: str) -> str:
        """Document number of an order that is booked once."""
        return self.only("subject = %s and state = 'done'", order).number

    def split(self, company: str) -> Split:
        """The simulator's own books of a company."""
        return {
            (part["account"], tuple(sorted(part["dimensions"].items()))): Decimal(part["amount"])
            for part in self.books(company)["by_dimensions"]
            if Decimal(part["amount"])
        }

    def posted_once(self) -> bool:
        """Whether every document that is done was posted by one call, in its company."""
        done = self.messages("state = 'done'")
        return all(self.box.document(row.number, row.company)["postings"] == 1 for row in done)

    def entries(self, order: str, company: str) -> dict[str, Decimal]:
        """Account -> amount of the order's document in the simulator's own books."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for entry in self.box.document(self.number_of(order), company)["entries"]:
            found[entry["account"]] += Decimal(entry["amount"])
        return dict(found)

    def days(self, order: str, company: str) -> set[str]:
        """Posting dates of the order's document."""
        return {entry["date"] for entry in self.box.document(self.number_of(order), company)["entries"]}


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def posted_on(rows: Sequence[Row], company: str) -> date:
    return datetime.fromisoformat(rows[0]["Completed"]).astimezone(ZONE_OF[company]).date()


def rate_of(rows: Sequence[Row], company: str) -> Decimal:
    if rows[0]["Currency"] == CURRENCY_OF[company]:
        return Decimal(1)
    assert rows[0]["Currency"] == "EUR"
    day = posted_on(rows, company)
    return Decimal(EUR_IN[company][max(start for start in EUR_IN[company] if start <= day)])


def order_split(rows: Sequence[Row], company: str) -> Split:
    """What one order should put where."""
    found: Split = defaultdict(Decimal)
    rate = rate_of(rows, company)
    branch = ("BRANCH", rows[0]["Branch"])
    here = (branch, ("COSTCENTRE", CENTRE_OF[rows[0]["Asset"]]))
    exact, lines = Decimal(0), Decimal(0)
    largest = max(rows, key=lambda row: abs(Decimal(row["Amount"])))
    for row in rows:
        account, offset = ACCOUNTS_OF[row["Kind"]]
        account = INSPECTION if (row["Kind"], row["Category"]) == ("contractor", "INSP") else account
        amount = cents(Decimal(row["Amount"]) * rate)
        found[account, here] += amount
        found[offset, here if row["Kind"] == "labour" else (branch,)] -= amount
        exact, lines = exact + Decimal(row["Amount"]) * rate, lines + amount
    difference = cents(exact) - lines
    found[ROUNDING, here] += difference
    found[ACCOUNTS_OF[largest["Kind"]][1], (branch,)] -= difference
    return {place: amount for place, amount in found.items() if amount}


def company_split(rows: Iterable[Row], company: str) -> Split:
    """What all orders of a list should put where in one company."""
    orders: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if COMPANY_OF.get(row["Branch"]) == company:
            orders[row["OrderNo"]].append(row)
    found: Split = defaultdict(Decimal)
    for order in orders.values():
        for place, amount in order_split(order, company).items():
            found[place] += amount
    return {place: amount for place, amount in found.items() if amount}
