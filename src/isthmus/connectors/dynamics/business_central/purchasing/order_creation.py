"""The way of new purchase orders: a deep insert each, found again by the mark in its first comment (semantics.md §5).

An insert is one request and one transaction of the service, so an order is there whole or not at all (assumed, bc.md
§8). What counts is what it shows when read back: an answer may say 201 for what is not kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import structs

from isthmus.connectors.dynamics._client import guid
from isthmus.connectors.dynamics._odata import Part, PartReply, any_of, chunks, literal
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.purchasing.access import SET, Orders
from isthmus.connectors.dynamics.business_central.purchasing.diagnosis import Mentioned, OrderDiagnosis
from isthmus.connectors.dynamics.business_central.purchasing.order_documents import (
    OrderDocument,
    is_blank,
    parse_order,
    to_create,
)
from isthmus.connectors.dynamics.business_central.purchasing.orders import Order
from isthmus.connectors.dynamics.business_central.purchasing.receipt_documents import memo_of
from isthmus.connectors.dynamics.business_central.purchasing.your_reference import (
    note_reference,
    numbers_by_reference,
)
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import Halt, IsthmusError, Reject, Retry, Uncertain

#: Orders made in one request, which must end within 8 minutes (bc.md §10).
_MADE_AT_ONCE = 25
#: Vendors of one day that are asked for in one request when orders are looked up.
_VENDORS_AT_ONCE = 20


class PurchaseOrderCreation:
    """Makes orders. Safe to repeat after a look-up found nothing and the settle time is over."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """One order per operation, many in one request; each is a transaction of its own."""
        ready: list[tuple[Operation, dict[str, Any]]] = []
        for operation in operations:
            try:
                ready.append((operation, to_create(parse_order(operation), operation.mark)))
            except Reject as refusal:
                yield outcome_of(operation.key, refusal)
        trouble = self._wait(ready)
        for group in chunks(ready, _MADE_AT_ONCE):
            if trouble is None:
                outcomes, trouble = await self._make(place, group)
                for outcome in outcomes:
                    yield outcome
            else:
                for operation, _ in group:
                    yield outcome_of(operation.key, trouble)

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """Orders of the same vendor and day that carry the operation's mark, or any that refer to it."""
        orders = Orders(self._site.client, place.path)
        keys: dict[str, str] = {}
        vendors: dict[tuple[str, str], set[str]] = {}
        for operation in operations:
            try:
                field, vendor, day = _whereabouts(parse_order(operation))
            except Reject:
                continue  # what cannot be parsed was never sent
            keys[operation.mark] = operation.key
            vendors.setdefault((field, day), set()).add(vendor)
        found: dict[str, Outcome] = {}
        for (field, day), values in vendors.items():
            for group in chunks(sorted(values), _VENDORS_AT_ONCE):
                for order in await orders.like(any_of(field, group) + (f" and {day}" if day else "")):
                    if order.marks.mark in keys:
                        found[keys[order.marks.mark]] = done(keys[order.marks.mark], order)
        rest = {mark: key for mark, key in keys.items() if key not in found}
        numbers = await numbers_by_reference(self._site.published, place.name, rest) if rest else {}
        if numbers:
            for order in await orders.like(any_of("number", map(literal, numbers))):
                found[rest[numbers[order.number]]] = done(rest[numbers[order.number]], order)
        return found

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """Nothing: an order that was not made left nothing, and one that was made is found by its mark."""
        del place, operations

    def _wait(self, ready: Sequence[object]) -> IsthmusError | None:
        wait = self._site.budget.wait_for(self._site.client.weight(2 * len(ready)))
        if wait <= self._site.config.patience:
            return None
        return Retry("the request budget of this connection is used up.", code="budget", after=wait)

    async def _make(
        self, place: Place, group: Sequence[tuple[Operation, dict[str, Any]]]
    ) -> tuple[list[Outcome], IsthmusError | None]:
        """Outcomes of one request, and what keeps the others from being sent."""
        parts = [Part(method="POST", path=f"{place.path}/{SET}", body=body) for _, body in group]
        try:
            replies = await self._site.client.batch(parts)
        except IsthmusError as error:
            stop = error if isinstance(error, Halt) else Retry("not sent: the service is in trouble.", code="not_sent")
            return [outcome_of(operation.key, error) for operation, _ in group], stop
        outcomes: list[Outcome] = []
        made: dict[str, tuple[Operation, str]] = {}
        refused: list[tuple[Operation, IsthmusError]] = []
        for (operation, _), reply in zip(group, replies, strict=True):
            fault = self._site.client.verdict(reply) or _id_missing(reply)
            if fault is None:
                made[guid(str(reply.body["id"]))] = (operation, str(reply.body.get("number") or ""))
            elif isinstance(fault, Reject):
                refused.append((operation, fault))
            else:
                outcomes.append(outcome_of(operation.key, fault))
        outcomes += await self._confirmed(place, made)
        outcomes += await self._refused(place, refused)
        return outcomes, None

    async def _confirmed(self, place: Place, made: Mapping[str, tuple[Operation, str]]) -> list[Outcome]:
        """What became of orders that were answered as made, by id."""
        notes = {
            order_id: await note_reference(self._site.published, place.name, number, operation.mark)
            for order_id, (operation, number) in made.items()
        }
        shown = await Orders(self._site.client, place.path).read(list(made))
        outcomes = []
        for order_id, (operation, _) in made.items():
            found = shown[order_id]
            if isinstance(found, Order):
                fresh = memo_of({}, found.number)
                outcomes.append(structs.replace(done(operation.key, found), text=notes[order_id], memo=fresh))
            elif found is None:
                outcomes.append(outcome_of(operation.key, Retry("the order made was not kept.", code="not_kept")))
            else:
                text = f"made, but it could not be read: {found.message}"
                outcomes.append(outcome_of(operation.key, Uncertain(text, code="unconfirmed")))
        return outcomes

    async def _refused(self, place: Place, refused: Sequence[tuple[Operation, IsthmusError]]) -> list[Outcome]:
        """Refusals by their causes. One that is there all the same is done."""
        if not refused:
            return []
        try:
            there = await self.look_up(place, [operation for operation, _ in refused])
        except IsthmusError as error:
            text = f"refused, and it could not be looked up: {error.message}"
            doubt = Uncertain(text, code="unconfirmed")
            return [outcome_of(operation.key, doubt) for operation, _ in refused]
        told = {operation.key: error for operation, error in refused if operation.key not in there}
        documents = [mentioned(parse_order(operation)) for operation, _ in refused if operation.key in told]
        explained = await OrderDiagnosis(self._site.client, place).explain(documents, told)
        return [*there.values(), *explained.values()]


def done(key: str, order: Order) -> Outcome:
    """An order stands there as this shows it."""
    return Outcome(
        key=key,
        result="done",
        native_id=order.id,
        version=order.version,
        number=order.number,
        native=order.record(),
    )


def mentioned(document: OrderDocument) -> Mentioned:
    """What an order names, for the explanation of its refusal."""
    field = next((name for name in ("vendorId", "vendorNumber") if not is_blank(document.header.get(name))), "")
    return Mentioned(
        key=document.key,
        vendor=(field, str(document.header.get(field, ""))),
        lines=tuple((line.place, line.body) for line in document.lines or ()),
        mend="Mend what the text names in Business Central or at the source, then ask for another try.",
    )


def _whereabouts(document: OrderDocument) -> tuple[str, str, str]:
    """What finds the orders it could be: field of the vendor and its literal, and a condition of the day. Without a day
    the service takes its own, which a later look-up does not know: then the condition is ""."""
    header = document.header
    if not is_blank(header.get("vendorId")):
        field, vendor = "vendorId", guid(str(header["vendorId"]))
    else:
        field, vendor = "vendorNumber", literal(str(header.get("vendorNumber", "")).upper())
    if is_blank(day := header.get("orderDate")):
        return field, vendor, ""
    return field, vendor, f"orderDate eq {literal(date.fromisoformat(str(day)[:10]))}"


def _id_missing(reply: PartReply) -> IsthmusError | None:
    if isinstance(reply.body, Mapping) and reply.body.get("id"):
        return None
    return Uncertain("the answer shows no order.", code="unconfirmed")
