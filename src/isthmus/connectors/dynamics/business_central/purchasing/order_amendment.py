"""The ways of amended and cancelled purchase orders (semantics.md §5, bc.md §6, §15).

An amendment is compared with a fresh read and carried out in order, each line conditional on what was read; then it is
read again. What was interrupted anywhere is completed by comparing once more. A cancelled order is deleted while
nothing was received of it; else each line is cut down to what was received.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from msgspec import Struct, structs

from isthmus.connectors.dynamics._client import guid
from isthmus.connectors.dynamics._odata import Part
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.purchasing.access import Orders
from isthmus.connectors.dynamics.business_central.purchasing.diagnosis import OrderDiagnosis, released
from isthmus.connectors.dynamics.business_central.purchasing.order_changes import (
    changes,
    has_receipts,
    moved_meanwhile,
    short_closed,
)
from isthmus.connectors.dynamics.business_central.purchasing.order_creation import done, mentioned
from isthmus.connectors.dynamics.business_central.purchasing.order_documents import OrderDocument, parse_order
from isthmus.connectors.dynamics.business_central.purchasing.orders import Order
from isthmus.connectors.dynamics.business_central.purchasing.phases import send
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import IsthmusError, Reject, Retry, Stale

#: How often an order is sent at most: after an etag that moved with our own change, after an answer that lied.
_ROUNDS = 3
#: What an order must become to be cancelled: nothing is wanted of it any more.
_NOTHING_WANTED = ()


class _Work(Struct, kw_only=True):
    """One order under way.

    first  as it was before anything was done
    sent   what the last round asked for; `again`: how often in a row it asked for the same
    """

    operation: Operation
    document: OrderDocument
    order_id: str
    first: Order | None = None
    sent: tuple[Part, ...] = ()
    again: int = 0


class PurchaseOrderChange:
    """Amends orders (`update`) and cancels them (`delete`, or an update that leaves no lines). Safe to repeat."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Compare, change, compare again; outcomes of each round as soon as known."""
        works: list[_Work] = []
        for operation in operations:
            try:
                works.append(_work(operation))
            except Reject as refusal:
                yield outcome_of(operation.key, refusal)
        for left in reversed(range(_ROUNDS + 1)):
            rest: list[_Work] = []
            async for outcome in self._round(place, works, rest, last=left == 0):
                yield outcome
            works = rest

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """Orders that show what was sent; a cancelled one is gone, or expects nothing more."""
        works: list[_Work] = []
        for operation in operations:
            try:
                works.append(_work(operation))
            except Reject:
                continue  # what cannot be parsed was never sent
        orders = Orders(self._site.client, place.path)
        shown = await orders.read([work.order_id for work in works])
        found: dict[str, Outcome] = {}
        for work in works:
            order = shown[work.order_id]
            if isinstance(order, IsthmusError):
                raise order
            if order is None:
                if _cancels(work):
                    found[work.operation.key] = _gone(work)
            elif _is_so(work, order, orders.path(order.id)):
                found[work.operation.key] = done(work.operation.key, order)
        return found

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """Nothing: half an amendment is completed by the next, which compares with what is there."""
        del place, operations

    async def _round(
        self, place: Place, works: Sequence[_Work], rest: list[_Work], *, last: bool
    ) -> AsyncIterator[Outcome]:
        """Read, decide, send; the last round only reads. What is to be read once more is put into `rest`."""
        orders = Orders(self._site.client, place.path)
        shown = await orders.read([work.order_id for work in works])
        ready: list[_Work] = []
        for work in works:
            outcome = self._decide(work, shown[work.order_id], orders)
            if outcome is not None:
                yield outcome
            elif last:
                unkept = Retry("the order does not show what was sent.", code="not_kept")
                yield outcome_of(work.operation.key, unkept)
            else:
                ready.append(work)
        async for outcome in self._send(place, ready, rest):
            yield outcome

    def _decide(self, work: _Work, order: Order | IsthmusError | None, orders: Orders) -> Outcome | None:
        """The outcome, or None with `sent` set to what is to be done."""
        key, version = work.operation.key, work.operation.version
        if isinstance(order, IsthmusError):
            return outcome_of(key, order)
        if order is None:
            return _gone(work) if _cancels(work) else outcome_of(key, _missing(work))
        path = orders.path(order.id)
        if work.first is None:
            if version is not None and version != order.version:
                return outcome_of(key, Stale("the order was changed in Business Central.", code="stale"))
            work.first = order
        elif (stale := moved_meanwhile(work.first, order, work.document, work.sent, path)) is not None:
            return outcome_of(key, stale)
        try:
            parts = tuple(_todo(work, order, path))
        except Reject as refusal:
            return outcome_of(key, refusal)
        same = bool(work.sent) and _asks_the_same(work.sent, parts)
        if not parts or (same and work.again):
            return done(key, order)
        work.sent, work.again = parts, work.again + 1 if same else 0
        return None

    async def _send(self, place: Place, works: Sequence[_Work], rest: list[_Work]) -> AsyncIterator[Outcome]:
        sent = await send(self._site.client, {work.operation.key: work.sent for work in works})
        refused: list[tuple[_Work, IsthmusError]] = []
        for work in works:
            fault = sent.failed.get(work.operation.key)
            if fault is None or isinstance(fault, Stale):
                rest.append(work)
            elif isinstance(fault, Reject):
                refused.append((work, fault))
            else:
                yield outcome_of(work.operation.key, fault)
        for outcome in await self._refused(place, refused):
            yield outcome

    async def _refused(self, place: Place, refused: Sequence[tuple[_Work, IsthmusError]]) -> list[Outcome]:
        """Refusals by their causes. A released order is one: the API cannot open it again (bc.md §15)."""
        outcomes: list[Outcome] = []
        rest: dict[str, tuple[_Work, IsthmusError]] = {}
        for work, error in refused:
            if work.first is not None and work.first.is_released:
                outcomes.append(outcome_of(work.operation.key, released(work.first, error)))
            else:
                rest[work.operation.key] = (work, error)
        documents = [mentioned(work.document) for work, _ in rest.values()]
        told = {key: error for key, (_, error) in rest.items()}
        explained = await OrderDiagnosis(self._site.client, place).explain(documents, told)
        return [*outcomes, *explained.values()]


def _work(operation: Operation) -> _Work:
    """The work of an operation. Raises Reject."""
    document = parse_order(operation)
    if operation.action == "delete":
        document = structs.replace(document, header={}, lines=_NOTHING_WANTED, number=None)
    return _Work(operation=operation, document=document, order_id=guid(operation.native_id or ""))


def _cancels(work: _Work) -> bool:
    return work.document.lines == _NOTHING_WANTED


def _todo(work: _Work, order: Order, path: str) -> list[Part]:
    if _cancels(work) and not has_receipts(order):
        return [Part(method="DELETE", path=path, etag=order.etag or "*")]
    return changes(order, work.document, path)


def _is_so(work: _Work, order: Order, path: str) -> bool:
    """Whether the order shows all that was sent."""
    if _cancels(work):
        return has_receipts(order) and short_closed(order)
    try:
        return not changes(order, work.document, path)
    except Reject:
        return False


def _asks_the_same(sent: Sequence[Part], left: Sequence[Part]) -> bool:
    """Whether what is left was sent already, and only fields differ. Sent twice and accepted twice, it is what the
    service makes of our values: rounded, cut, or kept by a rule of its own."""
    asked = {(part.method, part.path): part.body for part in sent}
    return all(part.method == "PATCH" and asked.get((part.method, part.path)) == part.body for part in left)


def _gone(work: _Work) -> Outcome:
    return Outcome(key=work.operation.key, result="done", native_id=work.order_id)


def _missing(work: _Work) -> Reject:
    return Reject(
        "the order no longer exists in Business Central: it was deleted, or invoiced to the end.",
        code="gone",
        field="booked_number",
        value=work.order_id,
        hint="Look for it on page Posted Purchase Invoices; then close it at its source.",
    )
