"""Reads of a range of days: asked of the system where it can be, and held to in any case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from isthmus.connectors.rest.facts import Facts
from isthmus.connectors.rest.moments import day_form
from isthmus.connectors.rest.templates import spelt
from isthmus.contract.records import NativeRecord, ReadRequest


def days_of(facts: Facts, request: ReadRequest) -> Iterator[tuple[str, str]]:
    """Query parameters that ask for the days of a request."""
    known = facts.ranges.get(request.date_field) if request.date_field else None
    if known is None:
        return
    write = day_form(known.format)[1]
    for name, day in ((known.since, request.since), (known.until, request.until)):
        if name and day is not None:
            yield name, spelt(write(day))


def within(record: NativeRecord, request: ReadRequest) -> bool:
    """Whether a record belongs to the days of a request. One without a day belongs to none.

    Days of times are UTC days: the connector does not know whose calendar counts.
    """
    if not request.date_field:
        return True
    value = record.data.get(request.date_field)
    try:
        day = date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None:
        return False
    return (request.since is None or day >= request.since) and (request.until is None or day <= request.until)
