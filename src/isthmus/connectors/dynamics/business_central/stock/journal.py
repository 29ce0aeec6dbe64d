"""Stock transactions as lines of an item journal, for a person or the tenant's own job to post (semantics.md §5).

One transaction is one line, so nothing can be half there. All lines go into one batch of our own; each is found again
by its document number, in the batch while it waits and in the item ledger once it is posted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from isthmus.connectors.dynamics._odata import Row, literal
from isthmus.connectors.dynamics.business_central.native_records import decimal_of
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.published import SERVICES
from isthmus.connectors.dynamics.business_central.stock.items import nothing_to_book, parsed, prepared
from isthmus.connectors.dynamics.business_central.stock.ledger import find_moved
from isthmus.connectors.dynamics.business_central.stock.movements import Movement
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import IsthmusError, Reject, Retry, Uncertain

_STEP = 10_000
_TAKEN = "Internal_EntityWithSameKeyExists"
#: How often a line is offered under a further number when somebody else took the one chosen.
_TRIES = 3


class StockJournalWay:
    """Lines on page 40, transfers on page 393."""

    def __init__(self, site: Site) -> None:
        self._site = site
        #: Lines of one batch are numbered one after the other.
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Put lines into the journals; what stands there or in the books already is not sent again."""
        movements, refused = await prepared(self._site, place, operations, tracked=False)
        for outcome in refused:
            yield outcome
        there = await self._there(place, movements)
        for movement in movements:
            if movement.key in there:
                yield there[movement.key]
        open_ones = [movement for movement in movements if movement.key not in there]
        for kind in ("item_journal", "item_reclassification"):
            group = [movement for movement in open_ones if _kind(movement) == kind]
            if group:
                async for outcome in self._put(place, kind, group):
                    yield outcome

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """In the item ledger: done. In a journal: saved."""
        return await self._there(place, parsed(operations))

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """A line is there as a whole, where a look-up finds it, or it is not."""

    async def _there(self, place: Place, movements: Sequence[Movement]) -> dict[str, Outcome]:
        found = {m.key: outcome for m in movements if (outcome := nothing_to_book(m)) is not None}
        rest = [movement for movement in movements if movement.key not in found]
        found |= await find_moved(self._site.client, place.path, rest)
        for kind in ("item_journal", "item_reclassification"):
            waiting = [m for m in movements if m.key not in found and _kind(m) == kind]
            if waiting and self._site.published.has(kind):
                found |= await self._waiting(place, kind, waiting)
        return found

    async def _waiting(self, place: Place, kind: str, movements: Sequence[Movement]) -> dict[str, Outcome]:
        """Those whose line stands in a journal; one that was changed there is told."""
        numbers = [movement.number for movement in movements]
        rows = await self._site.published.rows_by(place.name, kind, "Document_No", numbers)
        lines = {str(row.data.get("Document_No", "")).upper(): row for row in rows}
        return {
            movement.key: _saved(movement, kind, lines[movement.number])
            for movement in movements
            if movement.number in lines
        }

    async def _put(self, place: Place, kind: str, movements: Sequence[Movement]) -> AsyncIterator[Outcome]:
        put: list[tuple[Movement, Row]] = []
        trouble = False
        async with self._turns.setdefault((place.name, kind), asyncio.Lock()):
            try:
                next_line = await self._next_line(place, kind)
            except IsthmusError as error:
                for movement in movements:
                    yield outcome_of(movement.key, error)
                return
            for movement in movements:
                if trouble:
                    later = Retry("not sent: the service was in trouble before its turn came.", code="not_sent")
                    yield outcome_of(movement.key, later)
                    continue
                try:
                    row, next_line = await self._insert(place, kind, movement, next_line)
                except Reject as refusal:
                    yield await self._explained(place, kind, movement, refusal)
                except IsthmusError as error:
                    trouble = True
                    yield outcome_of(movement.key, error)
                else:
                    put.append((movement, row))
        for outcome in await self._kept(place, kind, put):
            yield outcome

    async def _insert(self, place: Place, kind: str, movement: Movement, line: int) -> tuple[Row, int]:
        """The line as it stands, and the number of the next. A number somebody else took is passed over."""
        for attempt in range(_TRIES):
            try:
                body = self._line(kind, movement, line)
                return await self._site.published.insert(place.name, kind, body), line + _STEP
            except Reject as refusal:
                if refusal.code != _TAKEN or attempt == _TRIES - 1:
                    raise
                line = await self._next_line(place, kind)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _kept(self, place: Place, kind: str, put: Sequence[tuple[Movement, Row]]) -> list[Outcome]:
        """What the journal holds counts, not what the answers said."""
        if not put:
            return []
        movements = [movement for movement, _ in put]
        try:
            found = await self._waiting(place, kind, movements)
        except IsthmusError as error:
            doubt = Uncertain(
                f"put into the journal, but it could not be read back: {error.message}", code="unconfirmed"
            )
            return [outcome_of(movement.key, doubt) for movement in movements]
        lost = Uncertain("the answer says the line was made, but the journal does not hold it.", code="not_kept")
        return [found.get(movement.key) or outcome_of(movement.key, lost) for movement in movements]

    async def _next_line(self, place: Place, kind: str) -> int:
        template, batch = self._journal(kind)
        options = {
            "$filter": f"Journal_Template_Name eq {literal(template)} and Journal_Batch_Name eq {literal(batch)}",
            "$orderby": "Line_No desc",
            "$top": "1",
        }
        rows = await self._site.published.rows(place.name, kind, options)
        return (int(rows[0].data.get("Line_No") or 0) if rows else 0) + _STEP

    def _journal(self, kind: str) -> tuple[str, str]:
        config = self._site.config
        named = config.reclassification_journal if kind == "item_reclassification" else config.item_journal
        template, _, batch = named.partition("/")
        return template, batch

    def _line(self, kind: str, movement: Movement, number: int) -> dict[str, Any]:
        template, batch = self._journal(kind)
        return {
            "Journal_Template_Name": template,
            "Journal_Batch_Name": batch,
            "Line_No": number,
            "Posting_Date": movement.posting_date.isoformat(),
            **_wanted(movement),
            **_told(movement),
        }

    async def _explained(self, place: Place, kind: str, movement: Movement, refusal: Reject) -> Outcome:
        """Why a line was refused: a location that does not exist, else in the service's words."""
        try:
            unknown = await self._unknown_location(place, movement)
        except IsthmusError:
            unknown = None  # the refusal itself is known; only its explanation is poorer
        template, batch = self._journal(kind)
        page = SERVICES[kind].title
        mend = f"Batch {batch} of template {template} must exist on page {page} in company {place.name}."
        told = unknown or Reject(refusal.message, code=refusal.code, hint=refusal.hint or mend)
        return outcome_of(movement.key, told)

    async def _unknown_location(self, place: Place, movement: Movement) -> Reject | None:
        for field, code in (("location", movement.location), ("to_location", movement.to_location)):
            options = {"$filter": f"code eq {literal(code)}", "$select": "id", "$top": "1"}
            if code and not await self._site.client.all(f"{place.path}/locations", options):
                return Reject(
                    f"location {code} does not exist.",
                    code="location_unknown",
                    field=field,
                    value=code,
                    hint=f"Create it on page Locations in company {place.name}, or link the location of the source.",
                )
        return None


def _kind(movement: Movement) -> str:
    return "item_reclassification" if movement.is_transfer else "item_journal"


def _wanted(movement: Movement) -> dict[str, Any]:
    """What a line must hold. The item comes first: choosing it sets unit, description and more."""
    wanted: dict[str, Any] = {"Document_No": movement.number, "Item_No": movement.item}
    if not movement.is_transfer:
        wanted["Entry_Type"] = "Positive Adjmt." if movement.base > 0 else "Negative Adjmt."
    if movement.location:
        wanted["Location_Code"] = movement.location
    if movement.to_location:
        wanted["New_Location_Code"] = movement.to_location
    if movement.unit:
        wanted["Unit_of_Measure_Code"] = movement.unit
    wanted["Quantity"] = abs(movement.quantity)
    return wanted


def _told(movement: Movement) -> dict[str, Any]:
    """What a line says besides. What leaves is valued by Business Central; a cost is only given for what comes in."""
    first, second = movement.dimensions
    told: dict[str, Any] = {
        "External_Document_No": movement.external_number,
        "Description": movement.description,
        "Shortcut_Dimension_1_Code": first,
        "Shortcut_Dimension_2_Code": second,
    }
    told = {name: value for name, value in told.items() if value}
    if movement.unit_cost is not None and movement.base > 0 and not movement.is_transfer:
        told["Unit_Cost"] = movement.unit_cost
    return told


def _saved(movement: Movement, kind: str, row: Row) -> Outcome:
    """The outcome of a line that waits in a journal; posting date and texts may be changed there, the goods may not."""
    data = row.data
    where = "/".join(str(data.get(name, "")) for name in ("Journal_Template_Name", "Journal_Batch_Name", "Line_No"))
    page = SERVICES[kind].title
    if difference := _difference(data, movement):
        return Outcome(
            key=movement.key,
            result="reject",
            code="line_differs",
            text=f"line {where} of {movement.number} is not what was asked for: {difference}.",
            field="quantity",
            mend=f"Correct or delete the line on page {page}, then retry.",
        )
    return Outcome(
        key=movement.key,
        result="saved",
        native_id=where,
        version=row.etag,
        number=movement.number,
        code="left_in_journal",
        text=f"line {where} waits to be posted.",
        mend=f"Post batch {data.get('Journal_Batch_Name')} on page {page}.",
    )


def _difference(data: Mapping[str, Any], movement: Movement) -> str:
    for name, wanted in _wanted(movement).items():
        shown = data.get(name)
        equal = (
            decimal_of(shown) == wanted if isinstance(wanted, Decimal) else str(shown or "").upper() == wanted.upper()
        )
        if not equal:
            return f"{name} is {shown}, not {wanted}"
    return ""
