"""Reading sets of a company: rounds by watermark or entry number, scans, narrow reads (bc.md §5, §12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import structs

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
    restart,
    save,
    sweep_due,
    swept,
)
from isthmus.connectors.dynamics.business_central.entities import SETS, SetFacts
from isthmus.connectors.dynamics.business_central.item_card import ItemCards, on_the_card, shown
from isthmus.connectors.dynamics.business_central.item_units import KIND, NATIVE, unit_record, units_by
from isthmus.connectors.dynamics.business_central.native_records import entry_fields, native_record
from isthmus.connectors.dynamics.business_central.published import Published
from isthmus.connectors.dynamics.business_central.purchasing.reading import order_records, receipt_records
from isthmus.contract.clock import Clock
from isthmus.contract.records import NativeRecord, Page, ReadRequest
from isthmus.errors import ConfigurationError, Reject

#: Values of one same-field `or`; keeps addresses near 1,000 characters.
_VALUES_PER_FILTER = 20
#: Fields we add -> fields of the service they are made from, where those are plain ones.
_MADE_FROM: Mapping[str, tuple[str, ...]] = {
    "amount": ("debitAmount", "creditAmount"),
    "operationsNumber": ("number",),
    "orderId": ("orderNumber",),
}
_CARD_NEEDS = "number"


class Reading:
    """Reads of one connection."""

    def __init__(
        self,
        client: ODataClient,
        companies: Companies,
        published: Published,
        clock: Clock,
        *,
        page_size: int,
        sweep_hours: float,
    ) -> None:
        self._client = client
        self._companies = companies
        self._published = published
        self._cards = ItemCards(published)
        self._clock = clock
        self._page_size = page_size
        self._sweep_every = int(sweep_hours * 3_600_000)

    async def read(self, request: ReadRequest) -> Page:
        """One page of a stream, or all records of a narrow read."""
        if request.native == NATIVE:
            return await self._item_units(request)
        facts = facts_of(request.native)
        if request.equals:
            return Page(records=tuple(await self._narrow(facts, request)))
        if facts.native == "dimensionValues":
            return await self._scan_dimension_values(request)
        if facts.native == "generalLedgerSetup":
            records = await self._rows(facts, request, [])
            return Page(records=tuple(records), cursor=save(Cursor()), scan=self._scan_id(), scan_done=True)
        cursor = load(request.cursor)
        now = milliseconds(self._clock.now())
        if facts.order != "entryNumber" and not request.date_field and sweep_due(cursor, now, self._sweep_every):
            return await self._sweep(facts, request, cursor)
        return await self._round(facts, request, cursor)

    async def fetch(self, native: str, company: str, ids: Sequence[str]) -> list[NativeRecord]:
        """Single records by id; those that are gone are marked deleted."""
        found: dict[str, NativeRecord] = {}
        if ids:
            request = ReadRequest(native=native, company=company, equals={"id": tuple(ids)})
            found = {record.id: record for record in (await self.read(request)).records}
        return [found.get(item) or found.get(item.lower()) or NativeRecord(id=item, deleted=True) for item in ids]

    async def records(self, facts: SetFacts, rows: Sequence[Row], request: ReadRequest) -> list[NativeRecord]:
        """The records of rows, with what we add to them."""
        if facts.native == "purchaseOrders":
            return order_records(rows)
        if facts.native == "purchaseReceipts":
            return await receipt_records(self._client, await self._companies.path(request.company), rows)
        cards: Mapping[str, Row] = {}
        if facts.native == "items" and self._cards.published and (not request.fields or on_the_card(request.fields)):
            numbers = [str(row.data.get(_CARD_NEEDS, "")) for row in rows]
            cards = await self._cards.of(request.company, numbers)
        found = []
        for row in rows:
            card = cards.get(str(row.data.get(_CARD_NEEDS, "")))
            found.append(await self._record(facts, row, request, shown(card.data) if card else {}))
        return found

    async def _round(self, facts: SetFacts, request: ReadRequest, cursor: Cursor) -> Page:
        """What changed since the last round."""
        size = max(1, min(request.limit, self._page_size))
        by_number = facts.order == "entryNumber"
        overlap = ENTRY_OVERLAP if by_number else TIME_OVERLAP
        page = await self._followed(cursor.link, size) if cursor.link else None
        if page is None:
            cursor = restart(cursor) if cursor.link else cursor
            page = await self._first_page(facts, request, cursor, size)
        rows, link = page
        records = await self.records(facts, rows, request)
        positioned = [(record, _position(record, by_number=by_number)) for record in records]
        delivered, after = advance(cursor, positioned, link, overlap)
        if not link and cursor.swept is None and not by_number:
            # The first round shows all there is; what was deleted before it was never told.
            after = swept(after, milliseconds(self._clock.now()))
        reached = None if by_number or link or not after.since else moment_at(after.since)
        return Page(records=delivered, cursor=save(after), more=bool(link), moment=reached)

    async def _sweep(self, facts: SetFacts, request: ReadRequest, cursor: Cursor) -> Page:
        """Everything there is, as a scan: what it does not show was deleted, which nothing else tells (bc.md §12).

        In the order of change times: what is made or changed meanwhile comes at the end, so that nothing is passed by.
        """
        size = max(1, min(request.limit, self._page_size))
        scan = cursor.scan
        page = await self._followed(cursor.link, size) if scan else None
        if page is None:
            scan = self._scan_id()
            page = await self._first_page(facts, request, Cursor(), size)
        rows, link = page
        records = await self.records(facts, rows, request)
        after = (
            structs.replace(cursor, scan=scan, link=link)
            if link
            else swept(structs.replace(cursor, scan="", link=""), milliseconds(self._clock.now()))
        )
        return Page(records=tuple(records), cursor=save(after), more=bool(link), scan=scan, scan_done=not link)

    async def _followed(self, link: str, size: int) -> tuple[list[Row], str | None] | None:
        """The page behind a next link; None when the service accepts the link no longer."""
        try:
            return await self._client.follow(link, size=size)
        except Reject:
            return None

    async def _item_units(self, request: ReadRequest) -> Page:
        """Units of items: a published page has no times of change, so everything is read each time."""
        if request.equals:
            return Page(records=tuple(await units_by(self._published, request.company, request.equals)))
        cursor = load(request.cursor)
        size = max(1, min(request.limit, self._page_size))
        rows, link = await self._published.page(request.company, KIND, cursor.link, size)
        scan = cursor.scan or self._scan_id()
        after = Cursor(scan=scan, link=link) if link else Cursor()
        records = tuple(unit_record(row) for row in rows)
        return Page(records=records, cursor=save(after), more=bool(link), scan=scan, scan_done=not link)

    async def _first_page(
        self, facts: SetFacts, request: ReadRequest, cursor: Cursor, size: int
    ) -> tuple[list[Row], str | None]:
        filters = _range(request)
        if cursor.since is not None:
            since = (
                literal(cursor.since - ENTRY_OVERLAP)
                if facts.order == "entryNumber"
                else literal(moment_at(cursor.since - TIME_OVERLAP))
            )
            filters.append(f"{facts.order} gt {since}")
        options = _options(facts, request, filters) | {"$orderby": facts.order}
        return await self._client.page(await self._path(facts, request.company), options, size=size)

    async def _rows(self, facts: SetFacts, request: ReadRequest, filters: list[str]) -> list[NativeRecord]:
        path = await self._path(facts, request.company)
        rows = await self._client.all(path, _options(facts, request, filters))
        return await self.records(facts, rows, request)

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
        return [native_record(row, {"dimensionCode": code}, composed=True) for row in rows]

    async def _path(self, facts: SetFacts, company: str) -> str:
        return f"{await self._companies.path(company)}/{facts.native}"

    async def _record(self, facts: SetFacts, row: Row, request: ReadRequest, card: Mapping[str, Any]) -> NativeRecord:
        if facts.native == "generalLedgerSetup":
            return native_record(row, {"companyName": request.company}, composed=True)
        added: dict[str, Any] = dict(card)
        if facts.native == "generalLedgerEntries":
            added |= entry_fields(row.data)
            if not request.fields or "currencyCode" in request.fields:
                added["currencyCode"] = await self._companies.currency(request.company)
        return native_record(row, added)

    def _scan_id(self) -> str:
        return self._clock.now().isoformat()


def facts_of(native: str) -> SetFacts:
    """Facts of a set. Raises ConfigurationError for one that cannot be read."""
    if native not in SETS:
        raise ConfigurationError(
            f"the set {native!r} cannot be read from Business Central.", hint=f"Use one of {', '.join(SETS)}."
        )
    return SETS[native]


def _options(facts: SetFacts, request: ReadRequest, filters: Sequence[str]) -> dict[str, str]:
    options = {"$filter": " and ".join(filters)}
    asked = set(request.fields)
    if request.fields:
        needed = {"id": None, "lastModifiedDateTime": None, facts.order: None}
        for field in request.fields:
            if field in _added(facts):
                needed |= dict.fromkeys(_MADE_FROM.get(field, ()))
            elif field != facts.expand:
                needed[field] = None
        if facts.native == "items" and on_the_card(asked):
            needed[_CARD_NEEDS] = None
        options["$select"] = ",".join(needed)
    if facts.expand and (facts.whole or not asked or asked & {facts.expand, "dimensions"}):
        options["$expand"] = facts.expand
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
        if kind == "decimal":
            return literal(Decimal(value))
        if kind == "date":
            return literal(date.fromisoformat(value))
        if kind == "bool":
            return literal(value.lower() == "true")
    except (ValueError, InvalidOperation):
        raise Reject(f"{value!r} cannot be a value of {field}.", code="bad_filter", field=field, value=value) from None
    return literal(value)


def _position(record: NativeRecord, *, by_number: bool) -> int:
    if by_number:
        return int(record.data["entryNumber"])
    # A blank stamp (records older than the stamps themselves) counts as the oldest there is.
    return milliseconds(record.modified_at) if record.modified_at else 0
