"""Why a receipt was refused: facts of the order first, then those of the company (bc.md §15)."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.purchasing.diagnosis import Mentioned, OrderDiagnosis, released
from isthmus.connectors.dynamics.business_central.purchasing.order_documents import is_blank
from isthmus.connectors.dynamics.business_central.purchasing.receipt_plan import own_lines
from isthmus.connectors.dynamics.business_central.purchasing.receipt_work import Work
from isthmus.connectors.dynamics.business_central.ways import Place
from isthmus.contract.operations import Outcome
from isthmus.errors import IsthmusError, Reject

#: Fields of an order's line whose records are looked at.
_NAMING = ("itemId", "accountId", "locationId")


async def refusals(
    client: ODataClient, place: Place, refused: Sequence[tuple[Work, IsthmusError]]
) -> dict[str, Outcome]:
    """An outcome for each: what the facts show, else the service's words and what they often mean."""
    found: dict[str, Outcome] = {}
    rest: list[Mentioned] = []
    told: dict[str, IsthmusError] = {}
    for work, error in refused:
        fault = _awaiting_approval(work) or _closed_to_corrections(work, error) or _too_many(work)
        if fault is not None:
            found[work.key] = outcome_of(work.key, fault)
        else:
            rest.append(_mentioned(work))
            told[work.key] = error
    return found | await OrderDiagnosis(client, place).explain(rest, told)


def _awaiting_approval(work: Work) -> Reject | None:
    order = work.at
    if order.header.get("status") != "In_x0020_Review":
        return None
    return Reject(
        f"order {order.number} waits for approval.",
        code="awaiting_approval",
        field="order",
        value=order.number,
        hint="Have it approved on page Requests to Approve, then ask for another try.",
    )


def _closed_to_corrections(work: Work, error: IsthmusError) -> Reject | None:
    """Goods are taken back by a line that is added, which a released order does not take."""
    missing = sum(line.quantity < 0 for line in work.document.lines) - len(own_lines(work.at, work.document.mark))
    if not missing or not work.at.is_released:
        return None
    undo = " Or undo the receipt on page Posted Purchase Receipts: another try then finds the goods taken back."
    return released(work.at, error, else_=undo)


def _too_many(work: Work) -> Reject | None:
    """More than is open. Whether the service takes it depends on its set-up, so it is asked first."""
    lines = {line.sequence: line for line in work.at.lines}
    keys = {line.key: line for line in work.document.lines}
    for sequence, quantity in work.receive.items():
        line = lines.get(sequence)
        if line is None or quantity <= (still_open := line.quantity - line.received):
            continue
        key = work.at.key(sequence)
        return Reject(
            f"line {key}: {quantity} accepted, {still_open} of {line.quantity} still open.",
            code="over_receipt",
            field=f"{keys[key].place}.accepted" if key in keys else "lines",
            value=str(quantity),
            hint=f"Amend order {work.at.number} first, or allow over-receipt (page Over-Receipt Codes).",
        )
    return None


def _mentioned(work: Work) -> Mentioned:
    order = work.at
    lines = {line.sequence: line for line in order.lines}
    places = {line.key: line.place for line in work.document.lines}
    named = [
        (places.get(order.key(sequence), "lines"), lines[sequence]) for sequence in work.receive if sequence in lines
    ]
    vendor = order.header.get("vendorId")
    return Mentioned(
        key=work.key,
        vendor=("", "") if is_blank(vendor) else ("vendorId", str(vendor)),
        lines=tuple(
            (place, {name: line.data[name] for name in _NAMING if not is_blank(line.data.get(name))})
            for place, line in named
        ),
        day=work.document.day,
        mend=f"Receive it in Business Central, page Purchase Orders, order {order.number}: items with lot or serial "
        "numbers and locations with warehouse documents cannot be received by the standard API.",
    )
