"""Steps of stock flows: a movement told by operations becomes one movement in finance, in base units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import cast

import msgspec
from msgspec import structs

from isthmus.controls.movements import counter_movement, movement_of
from isthmus.controls.numbers import document_number
from isthmus.controls.periods import PeriodPolicy, before_cut_over, event_day, posting_date
from isthmus.controls.quantities import FIVE_PLACES, QuantityRule
from isthmus.controls.validation import Check
from isthmus.model.entities.stock import InventoryTransaction
from isthmus.model.entity import State, dump, entities
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell_decimal
from isthmus.sync.booking import incomplete, no_books, open_day, with_findings
from isthmus.sync.costing import checks_step
from isthmus.sync.procurement import ProcurementDesk
from isthmus.sync.standing import COUNTER
from isthmus.sync.world import Step, Work

#: What makes two movements the same in effect.
_EFFECT = ("type", "item", "quantity", "location", "to_location", "bin", "lot", "serial", "cost_centre", "asset")


def stock_transactions(
    desk: ProcurementDesk, policy: PeriodPolicy, cut_over: date | None, checks: Sequence[Check]
) -> tuple[Step, ...]:
    """The steps of the template `stock-transactions`."""
    return (checks_step(checks), movement_step(desk, policy, cut_over))


def movement_step(
    desk: ProcurementDesk, policy: PeriodPolicy, cut_over: date | None, rule: QuantityRule = FIVE_PLACES
) -> Step:
    """Cut-over, what a movement of its kind must tell, its day, then the movement in base units."""

    def step(work: Work) -> Work:
        book = desk.book(work.company)
        if book is None:
            return with_findings(work, (no_books(work.company),))
        try:
            told = _movement(work.state)
        except msgspec.ValidationError as error:
            return with_findings(work, (incomplete("stock transaction", str(error)),))
        day = event_day(told.happened_at, told.happened_on, book)
        work = structs.replace(work, event_on=day)
        if day is None:
            return with_findings(work, (_no_day(),))
        if (finding := before_cut_over(day, cut_over)) is not None:
            return with_findings(work, (finding,))
        moved = movement_of(told, desk.units(work.company), rule=rule)
        booked_on, findings = posting_date(None, day, book, policy)
        work = with_findings(work, (*moved.findings, *findings))
        if moved.movement is None:
            return work
        # finance books on a day; the moment would say it once more, perhaps another one
        made = structs.replace(
            moved.movement, number=document_number(work.key), happened_on=booked_on, happened_at=None
        )  # fmt: skip
        return _made(work, work.key, made)

    return step


def compare_movements(booked: State, new: State) -> Finding | None:
    """What changed since the movement was booked; None when both have the same effect. The day is not compared."""
    old, now = _movement(booked), _movement(new)
    changes = [
        f"{name.replace('_', ' ')} {_shown(old, name)} -> {_shown(now, name)}"
        for name in _EFFECT
        if (getattr(old, name) or None) != (getattr(now, name) or None)
    ]
    if not changes:
        return None
    return Finding(
        "already_booked",
        "hold",
        f"already booked as {old.number}, change of {', '.join(changes)}",
        field="quantity" if old.quantity != now.quantity else "type",
        value=spell_decimal(now.quantity),
        mend="Use `isthmus correct` to book the opposite movement and a new one, or dismiss the change.",
    )


def movement_corrector(desk: ProcurementDesk) -> Callable[[State, Work, int], Sequence[Work]]:
    """Makes the opposite of a booked movement and, when something still moves, the new one."""

    def correct(booked: State, work: Work, serial: int) -> Sequence[Work]:
        old, book = _movement(booked), desk.book(work.company)
        key = f"{work.key}:correct:{serial}"

        def dated(movement: InventoryTransaction) -> InventoryTransaction:
            day = movement.happened_on
            return structs.replace(movement, happened_on=None if day is None else open_day(book, day))

        works = [_made(work, key + COUNTER, dated(counter_movement(old, document_number(key + COUNTER))))]
        if work.document is not None:
            anew = structs.replace(_movement(work.document), number=document_number(key))
            works.append(_made(work, key, dated(anew)))
        return works

    return correct


def _made(work: Work, key: str, movement: InventoryTransaction) -> Work:
    return structs.replace(work, key=key, document=dump(movement), number=movement.number, amount="")


def _no_day() -> Finding:
    return Finding(
        "date_missing",
        "error",
        "when it happened is not told, so there is no day to book it on",
        field="happened_on",
        mend="Fill the day in its system, or map happened_on to another date.",
    )


def _shown(movement: InventoryTransaction, name: str) -> str:
    value = getattr(movement, name)
    return spell_decimal(value) if name == "quantity" else str(value or "(none)")


def _movement(state: State) -> InventoryTransaction:
    return cast("InventoryTransaction", entities()["inventory_transaction"].parse(state))
