"""What became of a receipt whose answer was lost, told by what its order shows (semantics.md §5)."""

from __future__ import annotations

from msgspec import structs

from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics._odata import Row
from isthmus.connectors.dynamics.business_central.cursor import parse_moment
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.purchasing.marks import sequence_of
from isthmus.connectors.dynamics.business_central.purchasing.posted_receipts import (
    PostedReceipts,
    pick,
    receipt_record,
    received_by_line,
    sequences_by_key,
)
from isthmus.connectors.dynamics.business_central.purchasing.receipt_documents import memo_of
from isthmus.connectors.dynamics.business_central.purchasing.receipt_plan import (
    added,
    memo,
    plan,
    somebody_else,
    taken_back,
)
from isthmus.connectors.dynamics.business_central.purchasing.receipt_work import Work
from isthmus.connectors.dynamics.business_central.ways import Place
from isthmus.contract.operations import Outcome
from isthmus.errors import IsthmusError, Reject


async def look_up_on(client: ODataClient, place: Place, work: Work) -> Outcome | None:
    """By the received quantities of an order that stands: done, None for not there, or a refusal with a memo.

    Raises what the reading of posted receipts raises.
    """
    order = work.at
    if taken_back(work.document, order, work.before):
        return corrected(work)
    try:
        wanted = plan(work.document, order)
    except Reject:
        wanted = None  # a line is gone, so that nothing of this receipt can have been received by it
    if wanted is not None and not wanted.missing:
        work.receive = wanted.receive
        if order.received == added(work.before, work.receive):
            asked = (order.number, work.document.day)
            receipts = (await PostedReceipts(client, place.path).of_orders([asked]))[asked]
            if isinstance(receipts, IsthmusError):
                raise receipts
            return received(work, receipts)
    if order.received == work.before:
        return None
    return held(work)


async def look_up_gone(client: ODataClient, place: Place, work: Work) -> Outcome | None:
    """The same of an order that was invoiced to the end and is gone: its posted receipts tell, by its number."""
    number = work.known.number
    if not number:
        return outcome_of(work.key, _untold(work))
    receipts = await PostedReceipts(client, place.path).of_order(number)
    now, places = received_by_line(receipts), sequences_by_key(receipts)
    asked = {
        sequence: line.quantity
        for line in work.document.lines
        if (sequence := places.get(line.key) or sequence_of(line.key)) is not None
    }
    if now == added(work.before, asked):
        receipt = max(receipts, key=lambda row: str(row.data.get("lastModifiedDateTime")), default=None)
        outcome = posted(work, receipt)
        return structs.replace(outcome, memo=memo_of(now, number))
    return outcome_of(work.key, _untold(work, number))


def received(work: Work, receipts: list[Row], *, text: str = "") -> Outcome:
    """Done: the order shows it. Its posted receipt, where it can be told."""
    outcome = posted(work, pick(receipts, work.at.every_line, work.receive))
    return structs.replace(outcome, memo=memo(work.at), text=text or outcome.text)


def posted(work: Work, receipt: Row | None) -> Outcome:
    """Done, with the posted receipt."""
    if receipt is None:
        return Outcome(key=work.key, result="done", text="received; which posted receipt it is could not be told.")
    return Outcome(
        key=work.key,
        result="done",
        native_id=str(receipt.data.get("id") or ""),
        version=receipt.etag,
        number=str(receipt.data.get("number") or ""),
        native=receipt_record(receipt, work.document.order_id),
        booked_at=parse_moment(receipt.data.get("lastModifiedDateTime")),
    )


def corrected(work: Work) -> Outcome:
    """Done: somebody took the goods back in Business Central."""
    text = f"taken back in Business Central already: order {work.at.number} shows what remains."
    return Outcome(key=work.key, result="done", memo=memo(work.at), text=text)


def held(work: Work, text: str = "") -> Outcome:
    """A person decides: the order shows what neither was known nor asked for."""
    return structs.replace(outcome_of(work.key, somebody_else(work.at, work.before, text)), memo=memo(work.at))


def _untold(work: Work, number: str = "") -> Reject:
    order = f"order {number}" if number else "the order"
    return Reject(
        f"{order} no longer exists in Business Central, and whether this receipt was posted cannot be told.",
        code="gone",
        field="order",
        value=number or work.document.order_id,
        hint="Look at page Posted Purchase Receipts; then skip this receipt here, or receive it in Business Central.",
    )
