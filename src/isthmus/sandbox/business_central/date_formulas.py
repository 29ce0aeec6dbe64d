"""AL date formulas, such as the due dates of payment terms: 30D, CM+10D, 1M-1D."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

_TERM = re.compile(r"(?P<sign>[+-]?)(?P<current>C?)(?P<count>\d*)(?P<unit>[DWMQY])")


def reckoned(day: date, formula: str) -> date:
    """A day moved by a formula; a blank formula leaves it. Terms this sandbox does not know (weekdays, calendars) are
    passed over.
    """
    for term in _TERM.finditer(formula.upper()):
        back = term["sign"] == "-"
        if term["current"]:
            day = _edge(day, term["unit"], first=back)
        else:
            day = _moved(day, term["unit"], int(term["count"] or 1) * (-1 if back else 1))
    return day


def _moved(day: date, unit: str, count: int) -> date:
    if unit in "DW":
        return day + timedelta(days=count * (7 if unit == "W" else 1))
    months = count * {"M": 1, "Q": 3, "Y": 12}[unit]
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _edge(day: date, unit: str, *, first: bool) -> date:
    """The last day of the period the day is in, or its first."""
    if unit == "D":
        return day
    if unit == "W":
        return day - timedelta(days=day.weekday()) if first else day + timedelta(days=6 - day.weekday())
    months = {"M": 1, "Q": 3, "Y": 12}[unit]
    start = (day.month - 1) // months * months + 1
    if first:
        return date(day.year, start, 1)
    end = start + months - 1
    return date(day.year, end, calendar.monthrange(day.year, end)[1])
