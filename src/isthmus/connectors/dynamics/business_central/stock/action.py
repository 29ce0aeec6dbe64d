"""Stock transactions by an action of the tenant's own: a page of a custom API, or a codeunit published as a service.

The contract is in docs/business-central.md: one transaction per call as JSON; what was taken is booked once, under the
document number it was given; the answer is any success. Off by default (semantics.md §5).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from isthmus.connectors._http.decode import encode
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.stock.items import nothing_to_book, parsed, prepared
from isthmus.connectors.dynamics.business_central.stock.ledger import find_moved
from isthmus.connectors.dynamics.business_central.stock.movements import Movement
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import IsthmusError, Reject, Retry, Uncertain

_TAKEN = "Internal_EntityWithSameKeyExists"


class StockActionWay:
    """One call per transaction; the item ledger tells what became of it."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Call the action; what is in the books already is not sent again."""
        movements, refused = await prepared(self._site, place, operations, tracked=True)
        for outcome in refused:
            yield outcome
        there = await self._there(place, movements)
        sent: list[Movement] = []
        trouble = False
        natives = {operation.key: operation.native for operation in operations}
        for movement in movements:
            if movement.key in there:
                yield there[movement.key]
                continue
            if trouble:
                later = Retry("not sent: the service was in trouble before its turn came.", code="not_sent")
                yield outcome_of(movement.key, later)
                continue
            try:
                await self._call(place, movement, natives[movement.key])
            except Reject as refusal:
                if refusal.code == _TAKEN:
                    sent.append(movement)
                else:
                    yield outcome_of(movement.key, refusal)
            except IsthmusError as error:
                trouble = True
                yield outcome_of(movement.key, error)
            else:
                sent.append(movement)
        for outcome in await self._confirmed(place, sent):
            yield outcome

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """By document number in the item ledger."""
        return await self._there(place, parsed(operations))

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """What the action does is the tenant's; nothing of it lies open to us."""

    async def _there(self, place: Place, movements: Sequence[Movement]) -> dict[str, Outcome]:
        found = {m.key: outcome for m in movements if (outcome := nothing_to_book(m)) is not None}
        rest = [movement for movement in movements if movement.key not in found]
        return found | await find_moved(self._site.client, place.path, rest)

    async def _call(self, place: Place, movement: Movement, native: Mapping[str, Any]) -> None:
        config = self._site.config
        company_id = place.path.removeprefix("companies(").removesuffix(")")
        address = config.stock_action.replace("{company_id}", company_id).replace(
            "{company}", quote(place.name.replace("'", "''"), safe="")
        )
        line = _line(movement, native)
        body = {config.stock_parameter: encode(line).decode()} if config.stock_parameter else line
        await self._site.environment.send("POST", address, body)

    async def _confirmed(self, place: Place, movements: Sequence[Movement]) -> list[Outcome]:
        if not movements:
            return []
        try:
            booked = await find_moved(self._site.client, place.path, movements)
        except IsthmusError as error:
            doubt = Uncertain(f"taken, but the item ledger could not be read: {error.message}", code="unconfirmed")
            return [outcome_of(movement.key, doubt) for movement in movements]
        return [booked.get(movement.key) or _accepted(movement) for movement in movements]


def _line(movement: Movement, native: Mapping[str, Any]) -> dict[str, Any]:
    """The document as the tenant's action gets it; quantities below zero leave the stock."""
    first, second = movement.dimensions
    return {
        "documentNumber": movement.number,
        "externalDocumentNumber": movement.external_number,
        "type": movement.type,
        "postingDate": movement.posting_date.isoformat(),
        "itemNumber": movement.item,
        "quantity": movement.quantity,
        "unitOfMeasureCode": movement.unit,
        "baseQuantity": movement.base,
        "locationCode": movement.location,
        "newLocationCode": movement.to_location,
        "binCode": movement.bin,
        "lotNumber": movement.lot,
        "serialNumber": movement.serial,
        "unitCost": movement.unit_cost,
        "shortcutDimension1Code": first,
        "shortcutDimension2Code": second,
        "workOrder": native.get("workOrder"),
        "asset": native.get("asset"),
        "description": movement.description,
    }


def _accepted(movement: Movement) -> Outcome:
    return Outcome(
        key=movement.key,
        result="saved",
        number=movement.number,
        code="action_accepted",
        text="the action took it; the item ledger does not show it yet.",
        mend="If it stays so, see what the action does with it: page Item Ledger Entries, this document number.",
    )
