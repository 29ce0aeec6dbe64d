"""One company: its setup, its tables, its counters and number series."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from isthmus.sandbox.business_central.fields import NO_DATE, named_guid
from isthmus.sandbox.business_central.tables import Storage, Table, Versions


class Setup(msgspec.Struct, forbid_unknown_fields=True):
    """What finance sets up in General Ledger Setup, and how this sandbox posts. Dates are ISO texts, 0001-01-01 is
    blank.
    """

    currency: str = "EUR"
    currency_symbol: str = "€"
    amount_precision: Decimal = Decimal("0.01")
    allow_posting_from: str = NO_DATE
    allow_posting_to: str = NO_DATE
    post_with_job_queue: bool = False
    #: Sandbox seconds until the job queue has posted.
    job_queue_seconds: float = 5.0
    shortcut_dimensions: list[str] = []
    #: Pairs of dimension codes, or of CODE=VALUE, that must not meet on one line.
    blocked_combinations: list[tuple[str, str]] = []
    #: Number series of new vendors and items (Purchases & Payables Setup, Inventory Setup); blank: none is set up.
    vendor_series: str = ""
    item_series: str = ""
    #: Inventory Setup: stock must not become negative; every movement names a location.
    prevent_negative_inventory: bool = False
    location_mandatory: bool = False

    def allows_posting(self, day: str) -> bool:
        """Whether the day is in the range of allowed posting dates."""
        return day >= self.allow_posting_from and (self.allow_posting_to == NO_DATE or day <= self.allow_posting_to)


class Company:
    """A partition of the environment. Posting and numbering never cross it."""

    def __init__(
        self, name: str, company_id: str, setup: Setup, storages: Mapping[str, Storage], versions: Versions
    ) -> None:
        self.name = name
        self.id = company_id
        self.setup = setup
        self.tables = {set_name: Table(storage, versions) for set_name, storage in storages.items()}
        self.counters: dict[str, int] = {}
        #: Number series: code -> number last used (the first one still to come is `start`).
        self.series: dict[str, dict[str, str]] = {}
        #: What an area keeps that is no set of the API, by section; plain JSON data.
        self.settings: dict[str, Any] = {}
        self._namespace = uuid.UUID(company_id)

    def count(self, what: str) -> int:
        """The next of a running number. Never taken back, like an Entry No. whose transaction failed."""
        self.counters[what] = number = self.counters.get(what, 0) + 1
        return number

    def new_id(self) -> str:
        return str(uuid.uuid5(self._namespace, str(self.count("id"))))

    def seeded_id(self, *names: str) -> str:
        return named_guid(self.name, *names)

    def round(self, amount: Decimal) -> Decimal:
        """To the company's amount precision, half away from zero."""
        step = self.setup.amount_precision
        return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step

    def peek_number(self, code: str) -> str:
        """The number a series would give next, without taking it."""
        series = self.series[code]
        return incremented(series["last"]) if series["last"] else series["start"]

    def take_number(self, code: str) -> str:
        number = self.peek_number(code)
        self.series[code]["last"] = number
        return number

    def dump(self) -> dict[str, Any]:
        setup = msgspec.to_builtins(self.setup)
        return {
            "name": self.name,
            "id": self.id,
            "setup": setup,
            "counters": self.counters,
            "series": self.series,
            "settings": self.settings,
        }

    def load(self, saved: Mapping[str, Any]) -> None:
        self.counters = dict(saved["counters"])
        self.series = {code: dict(series) for code, series in saved["series"].items()}
        self.settings = dict(saved["settings"])
        for name, rows in saved["tables"].items():
            self.tables[name].load(rows)


def incremented(number: str) -> str:
    """AL's IncStr: the last group of digits plus one, its width kept; blank when there is no digit."""
    groups = list(re.finditer(r"\d+", number))
    if not groups:
        return ""
    last = groups[-1]
    digits = str(int(last.group()) + 1).zfill(len(last.group()))
    return number[: last.start()] + digits + number[last.end() :]
