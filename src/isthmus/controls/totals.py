"""Control totals: what two systems say of the same documents, counted and added up exactly.

For every company, entity and currency: left amount - right amount = rounding + sum of all drift.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Context, Decimal
from typing import Literal

from msgspec import Struct

#: Wide enough that adding up a ledger never rounds; the default context would at 28 digits.
_EXACT = Context(prec=100)
_ZERO = Decimal(0)

DriftKind = Literal["missing_left", "missing_right", "amount_differs"]


class ControlLine(Struct, frozen=True):
    """One amount of one document in one system. Several lines of a document are added up."""

    entity: str
    company: str
    currency: str
    number: str
    amount: Decimal


class Drift(Struct, frozen=True):
    """A document the two sides do not agree on; the amount of a side that has none is None."""

    number: str
    kind: DriftKind
    left: Decimal | None
    right: Decimal | None

    @property
    def difference(self) -> Decimal:
        """Left minus right, a missing side counting as nothing."""
        return _EXACT.subtract(self.left or _ZERO, self.right or _ZERO)


class Side(Struct, frozen=True):
    """Documents of one side and their sum."""

    count: int = 0
    amount: Decimal = _ZERO


class Total(Struct, frozen=True, kw_only=True):
    """One (entity, company, currency). `rounding`: what documents within the tolerance differ by, left - right."""

    entity: str
    company: str
    currency: str
    left: Side
    right: Side
    rounding: Decimal
    drift: tuple[Drift, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing but rounding differs."""
        return not self.drift


class Comparison(Struct, frozen=True):
    """All totals, ordered by entity, company, currency."""

    totals: tuple[Total, ...]

    @property
    def agrees(self) -> bool:
        """Whether no document drifts anywhere."""
        return all(total.agrees for total in self.totals)


_Group = tuple[str, str, str]
_Pair = list[Decimal | None]


def compare(left: Iterable[ControlLine], right: Iterable[ControlLine], tolerance: Decimal = _ZERO) -> Comparison:
    """Compare two streams in any order. A difference up to `tolerance` per document is rounding, above it is drift.

    Both streams are read once; memory grows with the number of distinct documents, not of lines.
    """
    groups: dict[_Group, dict[str, _Pair]] = defaultdict(dict)
    for side, lines in enumerate((left, right)):
        for line in lines:
            documents = groups[line.entity, line.company, line.currency]
            pair = documents.get(line.number)
            if pair is None:
                pair = documents[line.number] = [None, None]
            pair[side] = _EXACT.add(pair[side] or _ZERO, line.amount)
    return Comparison(tuple(_total(group, groups[group], tolerance) for group in sorted(groups)))


def _total(group: _Group, documents: dict[str, _Pair], tolerance: Decimal) -> Total:
    rounding = _ZERO
    drift: list[Drift] = []
    for number, (left, right) in documents.items():
        if left is None or right is None:
            drift.append(Drift(number, "missing_left" if left is None else "missing_right", left, right))
            continue
        difference = _EXACT.subtract(left, right)
        if abs(difference) > tolerance:
            drift.append(Drift(number, "amount_differs", left, right))
        else:
            rounding = _EXACT.add(rounding, difference)
    entity, company, currency = group
    return Total(
        entity=entity,
        company=company,
        currency=currency,
        left=_side(documents, 0),
        right=_side(documents, 1),
        rounding=rounding,
        drift=tuple(sorted(drift, key=lambda found: found.number)),
    )


def _side(documents: dict[str, _Pair], side: int) -> Side:
    count, amount = 0, _ZERO
    for pair in documents.values():
        value = pair[side]
        if value is not None:
            count, amount = count + 1, _EXACT.add(amount, value)
    return Side(count, amount)
