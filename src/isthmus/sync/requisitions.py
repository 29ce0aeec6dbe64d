"""Steps of requisition flows: a requisition becomes one draft order in finance (semantics, money)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec
from msgspec import structs

from isthmus.controls.requisitions import order_of
from isthmus.controls.validation import Check
from isthmus.model.entities.purchasing import PurchaseOrder, PurchaseRequisition
from isthmus.model.entity import State, dump, entities
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell_decimal
from isthmus.sync.booking import incomplete, with_findings
from isthmus.sync.costing import checks_step
from isthmus.sync.world import Step, Work

_HEADER = ("vendor", "currency", "location", "expected_on")
_LINE = ("item", "account", "quantity", "unit", "unit_cost", "location", "expected_on")


def purchase_requisitions(checks: Sequence[Check]) -> tuple[Step, ...]:
    """The steps of the template `purchase-requisitions`. They look at nothing but the requisition."""
    return (checks_step(checks), requisition_step)


def requisition_step(work: Work) -> Work:
    """The draft order a requisition asks for."""
    try:
        requisition = cast("PurchaseRequisition", entities()["purchase_requisition"].parse(work.state))
    except msgspec.ValidationError as error:
        return with_findings(work, (incomplete("requisition", str(error)),))
    requested = order_of(requisition)
    work = with_findings(structs.replace(work, event_on=requisition.requested_on), requested.findings)
    order = requested.order
    if order is None or any(finding.severity == "error" for finding in requested.findings):
        return work
    amounts = [line.amount for line in order.lines if line.amount is not None]
    return structs.replace(
        work,
        document=dump(order),
        number=order.number,
        amount=spell_decimal(sum(amounts, start=amounts[0] * 0)) if amounts else "",
        currency=order.currency or "",
    )


def compare_drafts(made: State, new: State) -> Finding | None:
    """What changed in the requisition since its order was made; None when that order would be the same.

    The order is somebody else's by now: it is amended where it is, not made again.
    """
    old, now = _order(made), _order(new)
    changes = [f"{name} {getattr(old, name)} -> {getattr(now, name)}" for name in _HEADER if _differs(old, now, name)]
    before, after = {line.key: line for line in old.lines}, {line.key: line for line in now.lines}
    changes += [f"line {key} taken out" for key in before if key not in after]
    changes += [f"line {key} added" for key in after if key not in before]
    changes += [
        f"line {key}: {name} {getattr(before[key], name)} -> {getattr(after[key], name)}"
        for key in before
        if key in after
        for name in _LINE
        if _differs(before[key], after[key], name)
    ]
    if not changes:
        return None
    return Finding(
        "already_ordered",
        "hold",
        f"an order was made of requisition {old.requisition} already, change of {', '.join(changes)}",
        field="lines",
        value=old.number,
        mend="Amend the order where it is kept, then run `isthmus skip` for this change.",
    )


def _differs(one: object, other: object, name: str) -> bool:
    return (getattr(one, name) or None) != (getattr(other, name) or None)


def _order(state: State) -> PurchaseOrder:
    return cast("PurchaseOrder", entities()["purchase_order"].parse(state))
