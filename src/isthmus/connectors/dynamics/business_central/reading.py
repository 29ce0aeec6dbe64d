"""Reading sets of a company: rounds by watermark or entry number, scans, narrow reads (bc.md §5, §12)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from isthmus.connectors._http.decode import encode
from isthmus.connectors.dynamics._client import ODataClient, guid
from isthmus.connectors.dynamics._odata import Row, any_of, chunks, literal
from isthmus.connectors.dynamics.business_central.companies import Companies
from isthmus.connectors.dynamics.business_central.cursor import (
    ENTRY_OVERLAP,
    TIME_OVERLAP,
    Cursor,
    advance,
    load,
    milliseconds,
    moment_at,
    parse_moment,
    restart,
    save,
)
from isthmus.connectors.dynamics.business_central.entities import SETS, SetFacts
from isthmus.contract.clock import Clock
from isthmus.contract.records import NativeRecord, Page, ReadRequest
from isthmus.errors import ConfigurationError, Reject

#: Values of one same-field `or`; keeps addresses near 1,000 characters.
_VALUES_PER_FILTER = 20
#: Fields we add -> fields of the service they are made from, where those are plain ones.
_MADE_FROM: Mapping[str, tuple[str, ...]] = {"amount": ("debitAmount", "creditAmount")}
_DIMENSIONS = "dimensionSetLines"


class Reading:
    """Reads of one connection."""

    def __init__(self, client: ODataClient, companies: Companies, clock: Clock, page_size: int) -> None:
        self._client = client
        self._companies = companies
        self._clock = clock
        self._page_size = page_size

    async def read(self, request: ReadRequest) -> Page:
        """One page of a stream, or all records of a narrow read."""
        facts = _facts(request.native)
        if request.equals:
            return Page(records=tuple(await self._narrow(facts, request)))
        if facts.native == "dimensionValues":
            return await self._scan_dimension_values(request)
        if facts.native == "generalLedgerSetup":
            records = await self._rows(facts, request, [])
            return Page(records=tuple(records), cursor=save(Cursor()), scan=self._scan_id(), scan_done=True)
        return await self._round(facts, request)

    async def fetch(self, native: str, company: str, ids: Sequence[str]) -> list[NativeRecord]:
        """Single records by id; those that are gone are marked deleted."""
        found: dict[str, NativeRecord] = {}
        if ids:
            request = ReadRequest(native=native, company=company, equals={"id": tuple(ids)})
            found = {record.id: record for record in await self._narrow(_facts(native), request)}
        return [found.get(item) or found.get(item.lower()) or NativeRecord(id=item, deleted=True) for item in ids]

    async def _round(self, facts: SetFacts, request: ReadRequest) -> Page:
        cursor = load(request.cursor)
        size = max(1, min(request.limit, self._page_size))
        by_number = facts.native == "generalLedgerEntries"
        overlap = ENTRY_OVERLAP if by_number else TIME_OVERLAP
        if cursor.link:
            try:
                rows, link = await self._client.follow(cursor.link, size=size)
            except Reject:
                cursor = restart(cursor)
                rows, link = await self._first_page(facts, request, cursor, size)
        else:
            rows, link = await self._first_page(facts, request, cursor, size)
        positioned = []
        for row in rows:
            record = await self._record(facts, row, request)
            positioned.append((record, _position(record, by_number=by_number)))
        delivered, after = advance(cursor, positioned, link, overlap)
        reached = None if by_number or link or not after.since else moment_at(after.since)
        return Page(records=delivered, cursor=save(after), more=bool(link), moment=reached)

    async def _first_page(
        self, facts: SetFacts, request: ReadRequest, cursor: Cursor, size: int
    ) -> tuple[list[Row], str | None]:
        by_number = facts.native == "generalLedgerEntries"
        order = "entryNumber" if by_number else "lastModifiedDateTime"
        filters = _range(request)
        if cursor.since is not None:
            since = (
                literal(cursor.since - ENTRY_OVERLAP) if by_number else literal(moment_at(cursor.since - TIME_OVERLAP))
            )
            filters.append(f"{order} gt {since}")
        options = _options(facts, request, filters) | {"$orderby": order}
        return await self._client.page(await self._path(facts, request.company), options, size=size)

    async def _rows(self, facts: SetFacts, request: ReadRequest, filters: list[str]) -> list[NativeRecord]:
        path = await self._path(facts, request.company)
        rows = await self._client.all(path, _options(facts, request, filters))
        return [await self._record(facts, row, request) for row in rows]

    async def _narrow(self, facts: SetFacts, request: ReadRequest) -> list[NativeRecord]:
        ours = _added(facts)
        own = {field: values for field, values in request.equals.items() if field not in ours}
        if not own:
            groups: list[list[str]] = [_range(request)]
        else:
            (first, values), *others = own.items()
            fixed = [any_of(field, _literals(facts, field, allowed)) for field, allowed in others]
            groups = [
                [any_of(first, _literals(facts, first, part)), *fixed, *_range(request)]
                for part in chunks(values, _VALUES_PER_FILTER)
            ]
        found: dict[str, NativeRecord] = {}
        for filters in groups:
            if facts.native == "dimensionValues":
                for dimension, code in await self._dimensions(request):
                    for record in await self._values_of(request, dimension, code, filters):
                        found[record.id] = record
                continue
            for record in await self._rows(facts, request, filters):
                found[record.id] = record
        made = {field: values for field, values in request.equals.items() if field in ours}
        return [
            record
            for record in found.values()
            if all(str(record.data.get(field)) in values for field, values in made.items())
        ]

    async def _scan_dimension_values(self, request: ReadRequest) -> Page:
        """Values dimension by dimension: the set has no order and no deletions of its own to follow."""
        cursor = load(request.cursor)
        rest = cursor.rest if cursor.scan else tuple(await self._dimensions(request))
        scan = cursor.scan or self._scan_id()
        records: list[NativeRecord] = []
        while rest and len(records) < request.limit:
            (dimension, code), *later = rest
            records += await self._values_of(request, dimension, code, [])
            rest = tuple(later)
        after = Cursor(scan=scan, rest=rest) if rest else Cursor()
        return Page(records=tuple(records), cursor=save(after), more=bool(rest), scan=scan, scan_done=not rest)

    async def _dimensions(self, request: ReadRequest) -> list[tuple[str, str]]:
        wanted = request.equals.get("dimensionCode")
        company = await self._companies.path(request.company)
        rows = await self._client.all(f"{company}/dimensions", {"$select": "id,code"})
        found = [(guid(str(row.data["id"])), str(row.data["code"])) for row in rows]
        return [(item, code) for item, code in found if wanted is None or code in wanted]

    async def _values_of(
        self, request: ReadRequest, dimension: str, code: str, filters: list[str]
    ) -> list[NativeRecord]:
        facts = SETS["dimensionValues"]
        company = await self._companies.path(request.company)
        path = f"{company}/dimensions({dimension})/dimensionValues"
        rows = await self._client.all(path, _options(facts, request, filters))
        return [_native(row, {"dimensionCode": code}, composed=True) for row in rows]

    async def _path(self, facts: SetFacts, company: str) -> str:
        return f"{await self._companies.path(company)}/{facts.native}"

    async def _record(self, facts: SetFacts, row: Row, request: ReadRequest) -> NativeRecord:
        added: dict[str, Any] = {}
        if facts.native == "generalLedgerSetup":
            return _native(row, {"companyName": request.company}, composed=True)
        if facts.native == "generalLedgerEntries":
            added |= _entry_fields(row.data)
            if not request.fields or "currencyCode" in request.fields:
                added["currencyCode"] = await self._companies.currency(request.company)
        return _native(row, added)

    def _scan_id(self) -> str:
        return self._clock.now().isoformat()


def _facts(native: str) -> SetFacts:
    if native not in SETS:
        raise ConfigurationError(
            f"the set {native!r} cannot be read from Business Central.", hint=f"Use one of {', '.join(SETS)}."
        )
    return SETS[native]


def _options(facts: SetFacts, request: ReadRequest, filters: Sequence[str]) -> dict[str, str]:
    options = {"$filter": " and ".join(filters)}
    entries = facts.native == "generalLedgerEntries"
    if request.fields:
        needed = {"id": None, "lastModifiedDateTime": None} | ({"entryNumber": None} if entries else {})
        for field in request.fields:
            if field in _added(facts):
                needed |= dict.fromkeys(_MADE_FROM.get(field, ()))
            elif field != _DIMENSIONS:
                needed[field] = None
        options["$select"] = ",".join(needed)
    if entries and (not request.fields or {"dimensions", _DIMENSIONS} & set(request.fields)):
        options["$expand"] = _DIMENSIONS
    return options


def _added(facts: SetFacts) -> frozenset[str]:
    return frozenset(field.name for field in facts.added)


def _range(request: ReadRequest) -> list[str]:
    if not request.date_field:
        return []
    bounds = (("ge", request.since), ("le", request.until))
    return [f"{request.date_field} {operator} {literal(day)}" for operator, day in bounds if day is not None]


def _literals(facts: SetFacts, field: str, values: Sequence[str]) -> list[str]:
    return [_literal(facts, field, value) for value in values]


def _literal(facts: SetFacts, field: str, value: str) -> str:
    kind = facts.keys.get(field, "text")
    try:
        if kind == "guid":
            return guid(value)
        if kind == "int":
            return literal(int(value))
        if kind == "date":
            return literal(date.fromisoformat(value))
        if kind == "bool":
            return literal(value.lower() == "true")
    except ValueError:
        raise Reject(f"{value!r} cannot be a value of {field}.", code="bad_filter", field=field, value=value) from None
    return literal(value)


def _position(record: NativeRecord, *, by_number: bool) -> int:
    if by_number:
        return int(record.data["entryNumber"])
    # A blank stamp (records older than the stamps themselves) counts as the oldest there is.
    return milliseconds(record.modified_at) if record.modified_at else 0


def _entry_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """Signed amount, and dimensions as a map. `dimensionSetLines` stays as the service shows it."""
    added: dict[str, Any] = {}
    if "debitAmount" in data or "creditAmount" in data:
        added["amount"] = decimal_of(data.get("debitAmount")) - decimal_of(data.get("creditAmount"))
    lines = data.get("dimensionSetLines")
    if isinstance(lines, list):
        added["dimensions"] = {str(line.get("code")): str(line.get("valueCode")) for line in lines}
    return added


def decimal_of(value: object) -> Decimal:
    """A wire number as Decimal; blank is zero."""
    return Decimal(str(value)) if value not in (None, "") else Decimal(0)


def _native(row: Row, added: Mapping[str, Any], *, composed: bool = False) -> NativeRecord:
    """The record of a row. `composed`: part of it comes from another record, which the row's etag does not cover."""
    data = {**row.data, **added}
    version = row.etag if row.etag and not composed else hashlib.sha256(encode(data)).hexdigest()[:32]
    return NativeRecord(
        id=str(data.get("id", "")),
        data=data,
        version=version,
        modified_at=parse_moment(data.get("lastModifiedDateTime")),
    )
