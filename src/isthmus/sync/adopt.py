"""Adopt: the order raised from a requisition takes over the draft made of it, so that nothing is ordered twice.

Decided right before an order would be made: by then it is known whether the draft is there, on its way, or still only
intended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isthmus.ledger import audit, coupling, drafts, messages, records, sides
from isthmus.ledger.drafts import Draft
from isthmus.ledger.types import AuditWrite, Db, MessageRow, Settlement
from isthmus.model.state import decode_state
from isthmus.sync.tell import tell_source
from isthmus.sync.turn import Turn

_ENTITY = "purchase_order"
#: Nothing of the draft can be at the target yet, so it need not be made at all.
_NOT_SENT = frozenset({"ready", "retrying", "waiting", "held", "dead"})


async def adopt(turn: Turn, rows: Sequence[MessageRow]) -> tuple[Settlement, ...]:
    """Give these orders the drafts of their requisitions. Orders whose draft is on its way come back as waiting."""
    if not rows or rows[0].entity != _ENTITY:
        return ()
    orders = {row.record_id: row for row in rows if row.kind == "state" and row.record_id is not None}
    async with turn.world.transaction() as db:
        raised = await _raised(db, turn, rows[0].company, list(orders))
        found = await drafts.of_requisitions(db, turn.actor.id, _ENTITY, rows[0].company, sorted(set(raised.values())))
    if not found:
        return ()
    waiting: list[Settlement] = []
    async with turn.commit() as db:
        for record_id, requisition in sorted(raised.items()):
            draft = found.pop(requisition, None)  # of several orders of one requisition the first takes the draft
            if draft is not None:
                waiting += await _take(db, turn, orders[record_id], requisition, draft)
    return tuple(waiting)


async def _raised(db: Db, turn: Turn, company: str, record_ids: Sequence[int]) -> Mapping[int, str]:
    """Orders the target does not have yet and that name a requisition: record id -> its number."""
    known = await sides.of_records(db, turn.actor.id, _ENTITY, company, record_ids)
    states = {one: decode_state(row.data) for one, row in known.items() if not row.native_id}
    return {one: str(state["requisition"]) for one, state in states.items() if state.get("requisition")}


async def _take(db: Db, turn: Turn, order: MessageRow, requisition: str, draft: Draft) -> list[Settlement]:
    now = turn.now()
    if draft.record_id is not None and order.record_id is not None:
        await coupling.unite(db, [(order.record_id, draft.record_id)], now)
        await _told(db, turn, order, f"the draft of requisition {requisition} becomes this order")
        return []
    [message] = await messages.by_ids(db, [draft.message_id])
    if message.state in _NOT_SENT:
        reason = f"order {order.subject} was raised from the requisition before a draft was made"
        await messages.close(db, [message.id], "cancelled", "ordered", reason, now)
        flow = turn.world.flow(message.flow)
        if flow is not None and flow.write_back:
            await tell_source(db, turn.world, flow, await messages.by_ids(db, [message.id]))
        return []
    return [
        Settlement(
            id=order.id,
            state="waiting",
            code="behind",
            reason=f"behind M-{message.id}, the draft of requisition {requisition}",
            waits_for=messages.behind(message.id),
            outcome="not sent",
        )
    ]


async def _told(db: Db, turn: Turn, order: MessageRow, reason: str) -> None:
    row = AuditWrite(
        what="draft adopted", who="Isthmus", entity=_ENTITY, record_id=order.record_id, message_id=order.id,
        reason=reason,
    )  # fmt: skip
    await audit.append(db, turn.actor.id, [row], turn.now())
    await records.name(db, [(order.subject, "number", order.record_id, None)])
