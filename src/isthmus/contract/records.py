"""What travels between the core and a connector when reading."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct


class NativeRecord(Struct, frozen=True, kw_only=True):
    """One thing as a system shows it.

    id        the system's own id, always text
    data      field -> value as decoded from the wire: str, bool, int, Decimal, None, list, dict. Never float
    version   etag or content digest; equal versions mean equal data
    modified_at  the system's own record time, aware UTC, where it has one
    deleted   the system tells that it is gone; data may be empty
    origin    where a person finds it: `work_orders.csv line 3454`
    family    for systems whose ids we assign (files): what ids of the same declared key share; else ""
    external_id  id the other side knows it by, where the system keeps one
    problem   set when the thing could not be read as a record at all (torn row): what is wrong, for a person
    mend      how to mend the problem
    """

    id: str
    data: Mapping[str, Any] = {}
    version: str | None = None
    modified_at: datetime | None = None
    deleted: bool = False
    origin: str = ""
    family: str = ""
    external_id: str = ""
    problem: str = ""
    mend: str = ""


class Page(Struct, frozen=True, kw_only=True):
    """One page of a read.

    cursor     where the next read of this stream goes on; opaque text of the connector, stored with the page's commit
    more       the connector has further records right now
    scan       non-empty while the page belongs to a full scan: the scan's id
    scan_done  this page ends the scan: records of the stream that no page of the scan showed are gone
    moment     the source's time up to which this page is complete, where it has one
    """

    records: tuple[NativeRecord, ...] = ()
    cursor: str | None = None
    more: bool = False
    scan: str = ""
    scan_done: bool = False
    moment: datetime | None = None


class ReadRequest(Struct, frozen=True, kw_only=True):
    """What to read.

    native   the system's name of the set (`generalLedgerEntries`, `work_orders`)
    company  partition of the connection, "" where it has none
    cursor   what the last page returned; None starts from the beginning
    limit    most records wanted in one page
    fields   native fields needed ($select); empty means all
    since/until  only records whose `date_field` lies in this range of days, both inclusive (backfill)
    equals   native field -> allowed values: a narrow read of single records (at most some 50 values)
    """

    native: str
    company: str = ""
    cursor: str | None = None
    limit: int = 500
    fields: tuple[str, ...] = ()
    date_field: str = ""
    since: date | None = None
    until: date | None = None
    equals: Mapping[str, tuple[str, ...]] = {}


#: families -> {family: {native id: version}} of what the hub holds of this stream. Connectors without ids of their own
#: (files) align new rows with it.
Known = Callable[[Sequence[str]], Awaitable[Mapping[str, Mapping[str, str | None]]]]
