"""Lots and serial numbers: recognised, never booked by guess, because standard calls cannot carry them (bc.md §15)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from isthmus.model.entities.items import Item
from isthmus.model.finding import Finding
from isthmus.model.spelling import spell_decimal

_NONE = (None, "none")


def tracking_findings(
    place: str, item: Item | None, lot: str | None, serial: str | None, base_quantity: Decimal | None
) -> Iterator[Finding]:
    """What is to be said of a line that moves an item.

    Args:
        place: path of the line, `lines[2]`; "" for a record that is one movement.
        item: the item, None when finance does not know it.
        lot, serial: what the source told.
        base_quantity: how much moves, in base units; None when it is not known.
    """
    if not base_quantity:
        return
    prefix = f"{place}." if place else ""
    tracked = item.tracking if item is not None else None
    if serial and abs(base_quantity) != 1:
        yield Finding(
            "serial_quantity",
            "error",
            f"serial number {serial} is one piece, not {spell_decimal(base_quantity)}",
            field=f"{prefix}serial",
            value=serial,
            mend="Tell each piece in a line of its own, in the base unit.",
        )
    if item is None or tracked in _NONE:
        if lot or serial:
            word, told = ("serial", serial) if serial else ("lot", lot)
            yield Finding(
                "tracking_untold",
                "notice",
                f"{word} {told} stays here: finance keeps no lots or serial numbers of the item",
                field=f"{prefix}{word}",
                value=told or "",
            )
        return
    missing = (tracked == "lot" and not lot) or (tracked == "serial" and not serial)
    told = f"{'without' if missing else 'with'} {tracked} number"
    yield Finding(
        "tracked_item",
        "hold",
        f"item {item.number} moves {told}, and finance keeps it by {tracked}: no standard call can book that",
        field=f"{prefix}{tracked}",
        value=item.number,
        mend="Book it by hand in finance, then run `isthmus skip`.",
    )
