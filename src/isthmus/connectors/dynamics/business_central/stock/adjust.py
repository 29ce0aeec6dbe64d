"""Stock transactions by writing an item's stock: quick, and only where place, day and dimension do not matter.

A PATCH of `inventory` posts the difference at once: today, without location or dimension, under the item's number as
document number (bc.md §13). So the entry is told by item and quantity, and by standing behind the last known entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from msgspec import structs

from isthmus.connectors.dynamics._odata import Row
from isthmus.connectors.dynamics.business_central.native_records import decimal_of
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.stock.items import items_of, nothing_to_book, parsed, prepared
from isthmus.connectors.dynamics.business_central.stock.ledger import entries_of_item, last_entry, moved
from isthmus.connectors.dynamics.business_central.stock.movements import Movement
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import IsthmusError, Reject, Retry, Uncertain

#: What the core remembers for us: number of the item's newest entry before, and behind, our last adjustment.
_ENTRY = "entry"


class StockAdjustWay:
    """New totals from a fresh read, item by item."""

    def __init__(self, site: Site) -> None:
        self._site = site
        #: The etag of an item does not tell of its stock: two of ours must not overtake each other.
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Adjust, one after the other."""
        movements, refused = await prepared(self._site, place, operations, tracked=False)
        for outcome in refused:
            yield outcome
        for movement in movements:
            if (nothing := nothing_to_book(movement)) is not None:
                yield nothing
                continue
            try:
                self._refuse(movement)
                async with self._turns.setdefault((place.name, movement.item), asyncio.Lock()):
                    outcome = await self._adjusted(place, movement)
            except IsthmusError as error:
                outcome = outcome_of(movement.key, error)
            yield outcome

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """By item and quantity. Without knowing which entries stood before, an equal one proves nothing."""
        found: dict[str, Outcome] = {}
        by_key = {operation.key: operation for operation in operations}
        for movement in parsed(operations):
            if (nothing := nothing_to_book(movement)) is not None:
                found[movement.key] = nothing
                continue
            before = by_key[movement.key].expected.get(_ENTRY)
            entries = await entries_of_item(self._site.client, place.path, movement.item, int(before or 0))
            alike = [entry for entry in _adjustments(movement, entries) if _is_it(movement, entry)]
            if before is None:
                alike = [entry for entry in alike if str(entry.data.get("postingDate", ""))[:10] >= _day(movement)]
            if alike:
                found[movement.key] = _cannot_tell(movement, alike) if before is None else _done(movement, alike[0])
        return found

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """An adjustment is booked or it is not."""

    def _refuse(self, movement: Movement) -> None:
        today = self._site.clock.now().date()
        reasons = (
            ("location", movement.location, "an adjustment has no location"),
            ("type", "transfer" if movement.is_transfer else "", "an adjustment has no location"),
            ("cost_centre", "".join(movement.dimensions), "an adjustment has no dimension"),
            (
                "happened_on",
                "" if movement.posting_date == today else _day(movement),
                f"an adjustment is always posted today, {today} in UTC",
            ),
        )
        for field, value, why in reasons:
            if value:
                raise Reject(
                    f"{field} {value} cannot be kept: {why}.",
                    code="adjust_impossible",
                    field=field,
                    value=value,
                    hint="Let the connection use `stock: journal_saved` or `stock: custom_action`.",
                )

    async def _adjusted(self, place: Place, movement: Movement) -> Outcome:
        before = await last_entry(self._site.client, place.path, movement.item)
        item = (await items_of(self._site, place, [movement.item])).get(movement.item)
        if item is None:
            raise Retry(f"item {movement.item} was there a moment ago.", code="not_sent")
        total = decimal_of(item.data.get("inventory")) + movement.base
        path = f"{place.path}/items({item.id})"
        try:
            await self._site.client.send("PATCH", path, {"inventory": total}, etag=item.version or "*")
        except Uncertain as error:
            return structs.replace(outcome_of(movement.key, error), memo={_ENTRY: before})
        except Retry as error:
            # Stale as well: nothing was posted, and the next attempt reads afresh.
            return outcome_of(movement.key, Retry(error.message, code=error.code, after=error.after))
        try:
            entries = _adjustments(
                movement, await entries_of_item(self._site.client, place.path, movement.item, before)
            )
        except IsthmusError as error:
            doubt = Uncertain(f"adjusted, but the entry could not be read: {error.message}", code="unconfirmed")
            return structs.replace(outcome_of(movement.key, doubt), memo={_ENTRY: before})
        return _verdict(movement, entries, before)


def _adjustments(movement: Movement, entries: Sequence[Row]) -> list[Row]:
    return [entry for entry in entries if str(entry.data.get("documentNumber", "")).upper() == movement.item]


def _is_it(movement: Movement, entry: Row) -> bool:
    return decimal_of(entry.data.get("quantity")) == movement.base


def _verdict(movement: Movement, entries: Sequence[Row], before: int) -> Outcome:
    for entry in entries:
        if _is_it(movement, entry):
            return _done(movement, entry)
    if not entries:
        doubt = Uncertain("the answer says it was adjusted, but the item ledger does not show it.", code="not_kept")
        return structs.replace(outcome_of(movement.key, doubt), memo={_ENTRY: before})
    booked = ", ".join(str(decimal_of(entry.data.get("quantity"))) for entry in entries)
    return Outcome(
        key=movement.key,
        result="reject",
        code="booked_otherwise",
        text=f"stock of {movement.item} moved at the same moment: {booked} was booked instead of {movement.base}.",
        field="quantity",
        value=str(movement.base),
        mend="Correct the stock on page Items, Adjust Inventory; a journal (`stock: journal_saved`) knows no such gap.",
        memo={_ENTRY: int(entries[-1].data["entryNumber"])},
    )


def _done(movement: Movement, entry: Row) -> Outcome:
    outcome = moved(movement, entry, number=str(entry.data.get("documentNumber", movement.item)))
    return structs.replace(outcome, memo={_ENTRY: int(entry.data["entryNumber"])})


def _cannot_tell(movement: Movement, entries: Sequence[Row]) -> Outcome:
    numbers = ", ".join(str(entry.data.get("entryNumber")) for entry in entries)
    return Outcome(
        key=movement.key,
        result="reject",
        code="cannot_tell",
        text=f"the answer was lost, and {movement.base} of {movement.item} stands in the item ledger "
        f"(entry {numbers}): whether it is this transaction cannot be told.",
        field="quantity",
        value=str(movement.base),
        mend="Look at page Item Ledger Entries: skip the message if it is booked, retry it if it is not.",
    )


def _day(movement: Movement) -> str:
    return movement.posting_date.isoformat()
