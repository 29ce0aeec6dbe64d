"""Delivery of goods receipts: read, prepare, two rounds of quantities, look again, post, look once more (bc.md §15).

The first look refuses a receipt whose order shows other quantities than are known here. The second makes sure that
posting receives exactly what was accepted. The posting names the etag of that look, so that what somebody sets on the
order in between is not posted in our name (assumed: an action checks the etag it is given, bc.md §6). What was posted
is told by the order and its posted receipts, whatever the answer says: before version 24 the service answered 400 for
what it had posted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from msgspec import structs

from isthmus.connectors.dynamics._odata import Part, Row, chunks
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.purchasing.access import Found, Orders
from isthmus.connectors.dynamics.business_central.purchasing.phases import send
from isthmus.connectors.dynamics.business_central.purchasing.posted_receipts import PostedReceipts
from isthmus.connectors.dynamics.business_central.purchasing.receipt_documents import (
    memo_of,
    parse_known,
    parse_receipt,
)
from isthmus.connectors.dynamics.business_central.purchasing.receipt_look_up import corrected, held, received
from isthmus.connectors.dynamics.business_central.purchasing.receipt_plan import (
    Plan,
    added,
    first_round,
    is_set,
    plan,
    preparation,
    second_round,
    taken_back,
)
from isthmus.connectors.dynamics.business_central.purchasing.receipt_refusals import refusals
from isthmus.connectors.dynamics.business_central.purchasing.receipt_work import Work, drop_own_lines, usable
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import IsthmusError, Reject, Retry, Stale, Uncertain

#: Orders posted in one request, which must end within 8 minutes (bc.md §10).
_POSTED_AT_ONCE = 20
#: Receipts of one delivery: two requests of posting.
RECEIPTS_AT_ONCE = 40
#: Requests one receipt takes, about.
REQUESTS_EACH = 6

#: Those that go on, and the outcomes of those that do not.
Step = tuple[list[Work], list[Outcome]]


class ReceiptDelivery:
    """One `write` call for one company. Never posts an order twice."""

    def __init__(self, site: Site, place: Place) -> None:
        self._site = site
        self._place = place
        self._orders = Orders(site.client, place.path)

    async def deliver(self, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """One outcome per operation, as soon as known."""
        works, outcomes = self._begin(operations)
        for outcome in outcomes:
            yield outcome
        for step in (self._compare, self._prepare, self._receive, self._invoice_nothing, self._look):
            works, outcomes = await step(works)
            for outcome in outcomes:
                yield outcome
        if self._site.config.posting == "save":
            for work in works:
                yield _left_on_order(work)
            return
        for group in chunks(works, _POSTED_AT_ONCE):
            for outcome in await self._post(group):
                yield outcome

    def _begin(self, operations: Sequence[Operation]) -> Step:
        """One receipt for each order, within the budget."""
        works: dict[str, Work] = {}
        outcomes: list[Outcome] = []
        wait = self._site.budget.wait_for(self._site.client.weight(REQUESTS_EACH * len(operations)))
        for operation in operations:
            try:
                work = Work(document=parse_receipt(operation), known=parse_known(operation.expected))
            except Reject as refusal:
                outcomes.append(outcome_of(operation.key, refusal))
                continue
            if wait > self._site.config.patience:
                busy = Retry("the request budget of this connection is used up.", code="budget", after=wait)
                outcomes.append(outcome_of(operation.key, busy))
            elif works.setdefault(work.document.order_id, work) is not work:
                later = Retry("not sent: another receipt of the same order goes first.", code="not_sent")
                outcomes.append(outcome_of(operation.key, later))
        return list(works.values()), outcomes

    async def _compare(self, works: Sequence[Work]) -> Step:
        """The first look: what the order shows must be what is known here."""
        works, outcomes = await self._look_again(works)
        going: list[Work] = []
        for work in works:
            try:
                work.receive = plan(work.document, work.at).receive
            except Reject as refusal:
                outcomes.append(outcome_of(work.key, refusal))
            else:
                going.append(work)
        return going, outcomes

    async def _prepare(self, works: Sequence[Work]) -> Step:
        """The day of posting, and lines that take goods back."""
        plans = {work.key: plan(work.document, work.at) for work in works}
        parts = {w.key: preparation(w.document, w.at, plans[w.key], self._orders.path(w.at.id)) for w in works}
        going, outcomes = await self._sent(works, parts)
        grown = [work for work in going if plans[work.key].missing]
        shown, more = await self._look_again(grown)
        rest = [work for work in going if work not in grown]
        for work in shown:
            again: Plan = plan(work.document, work.at)
            work.receive = again.receive
            if again.missing:
                more.append(outcome_of(work.key, _not_kept()))
            else:
                rest.append(work)
        return rest, [*outcomes, *more]

    async def _receive(self, works: Sequence[Work]) -> Step:
        """First round: quantities to receive. Setting them recalculates those to invoice, so these come after."""
        parts = {work.key: first_round(work.at, work.receive, self._orders.path(work.at.id)) for work in works}
        going, outcomes = await self._sent(works, parts)
        shown, more = await self._look_again(going)
        return shown, [*outcomes, *more]

    async def _invoice_nothing(self, works: Sequence[Work]) -> Step:
        """Second round: nothing to invoice."""
        return await self._sent(works, {w.key: second_round(w.at, self._orders.path(w.at.id)) for w in works})

    async def _look(self, works: Sequence[Work]) -> Step:
        """The second look: posting now receives exactly what was accepted."""
        shown, outcomes = await self._look_again(works)
        for work in shown:
            if not is_set(work.at, work.receive):
                outcomes.append(outcome_of(work.key, _not_kept()))
        return [work for work in shown if is_set(work.at, work.receive)], outcomes

    async def _post(self, works: Sequence[Work]) -> list[Outcome]:
        """Book, then see what became of it. Only an answer that was lost leaves doubt."""
        parts = {
            work.key: [
                Part(
                    method="POST",
                    path=f"{self._orders.path(work.at.id)}/Microsoft.NAV.receiveAndInvoice",
                    etag=work.at.etag,
                )
            ]
            for work in works
        }
        sent = await send(self._site.client, parts, at_once=_POSTED_AT_ONCE)
        doubtful = {key: error for key, error in sent.failed.items() if error.next_step in {"uncertain", "halt"}}
        outcomes = [outcome_of(key, error) for key, error in doubtful.items()]
        told = [work for work in works if work.key not in doubtful]
        shown = await self._orders.read([work.document.order_id for work in told])
        receipts = await PostedReceipts(self._site.client, self._place.path).of_orders(
            (work.at.number, work.document.day) for work in told
        )
        refused: list[tuple[Work, IsthmusError]] = []
        for work in told:
            error = sent.failed.get(work.key)
            rows = receipts[work.at.number, work.document.day]
            outcome = _conclude(work, error, shown[work.document.order_id], rows)
            if outcome is not None:
                outcomes.append(outcome)
            elif error is not None:
                refused.append((work, error))
        return [*outcomes, *(await self._refused(refused))]

    async def _look_again(self, works: Sequence[Work]) -> Step:
        """Read the orders. Those of which somebody else received something meanwhile are held."""
        shown = await self._orders.read([work.document.order_id for work in works])
        going: list[Work] = []
        outcomes: list[Outcome] = []
        for work in works:
            order = usable(shown[work.document.order_id])
            if isinstance(order, IsthmusError):
                outcomes.append(outcome_of(work.key, order))
                continue
            work.order = order
            if taken_back(work.document, order, work.before):
                outcomes.append(corrected(work))
            elif order.received != work.before:
                outcomes.append(held(work))
            else:
                going.append(work)
        return going, outcomes

    async def _sent(self, works: Sequence[Work], parts: Mapping[str, Sequence[Part]]) -> Step:
        """One phase of changes. Nothing of it has an effect on stock or books."""
        sent = await send(self._site.client, parts)
        by_key = {work.key: work for work in works}
        refused = [(by_key[key], error) for key, error in sent.failed.items() if isinstance(error, Reject)]
        outcomes = [
            outcome_of(key, _changed() if isinstance(error, Stale) else error)
            for key, error in sent.failed.items()
            if not isinstance(error, Reject)
        ]
        return [work for work in works if work.key not in sent.failed], [*outcomes, *await self._refused(refused)]

    async def _refused(self, refused: Sequence[tuple[Work, IsthmusError]]) -> list[Outcome]:
        """Refusals with their causes. None is final while a line of ours stands that would take goods back."""
        explained = await refusals(self._site.client, self._place, refused)
        back = [work for work, _ in refused if any(line.quantity < 0 for line in work.document.lines)]
        try:
            await drop_own_lines(self._orders, back)
        except IsthmusError as error:
            explained |= {work.key: outcome_of(work.key, Uncertain(error.message, code=error.code)) for work in back}
        return list(explained.values())


def _conclude(
    work: Work, error: IsthmusError | None, order: Found, receipts: list[Row] | IsthmusError
) -> Outcome | None:
    """What the order shows after the posting; None for a refusal without effect."""
    before, after = work.before, added(work.before, work.receive)
    if isinstance(order, IsthmusError):
        return _unconfirmed(work, f"what became of the posting could not be read: {order.message}")
    if isinstance(receipts, IsthmusError):
        return _unconfirmed(work, f"the posted receipt could not be read: {receipts.message}")
    if order is None:
        if error is not None:
            return _unconfirmed(work, "the order is gone, and its posting was not answered as done.")
        return structs.replace(received(work, receipts), memo=memo_of(after, work.at.number))
    work.order = order
    # What had provably no effect was not ours, even where the order shows just what was asked for.
    if order.received == after and not isinstance(error, Retry):
        return received(work, receipts)
    if order.received != before:
        text = "somebody else received goods of the order at the same time."
        return received(work, receipts, text=text) if error is None else held(work)
    if error is None:
        return _unconfirmed(work, "answered as posted, but the order does not show it yet.")
    if isinstance(error, Stale):
        return outcome_of(work.key, _changed())
    return None if isinstance(error, Reject) else outcome_of(work.key, error)


def _unconfirmed(work: Work, text: str) -> Outcome:
    return outcome_of(work.key, Uncertain(text, code="unconfirmed"))


def _left_on_order(work: Work) -> Outcome:
    number = work.at.number
    return Outcome(
        key=work.key,
        result="saved",
        native_id=work.at.id,
        number=number,
        code="left_on_order",
        text=f"set on order {number}, not posted: this connection leaves posting to a person.",
        mend=f"Post order {number} on page Purchase Orders: receive, without invoicing.",
    )


def _changed() -> Retry:
    return Retry("somebody changed the order before it was posted; nothing was posted.", code="changed_meanwhile")


def _not_kept() -> Retry:
    return Retry("the order does not show the quantities set on it; nothing was posted.", code="not_kept")
