"""Whether a record shows what was sent: asked after a lost answer, and before a taken key counts as ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from isthmus.connectors.rest.facts import Facts
from isthmus.errors import Reject


def shows(facts: Facts, data: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether every field of `sent` stands in `data`, both as the wire would have them: rounding is no difference."""
    try:
        wanted = facts.shape.write(sent)
        there = facts.shape.write({name: data.get(name) for name in wanted})
    except Reject:
        return False
    return all(_same(there.get(name), value) for name, value in wanted.items())


def _same(there: Any, sent: Any) -> bool:
    if _nothing(sent):
        return _nothing(there)
    if isinstance(sent, Mapping):
        return isinstance(there, Mapping) and all(_same(there.get(name), value) for name, value in sent.items())
    if isinstance(sent, list | tuple):
        return _same_list(there, sent)
    if isinstance(sent, bool) or isinstance(there, bool):
        return sent is there
    if isinstance(sent, int | Decimal) or isinstance(there, int | Decimal):
        return _number(there) == _number(sent)
    return str(there) == str(sent)


def _same_list(there: Any, sent: Sequence[Any]) -> bool:
    if not isinstance(there, list) or len(there) != len(sent):
        return False
    return all(_same(left, right) for left, right in zip(there, sent, strict=True))


def _nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _number(value: Any) -> Decimal | None:
    try:
        return Decimal(value) if isinstance(value, int | str | Decimal) else None
    except InvalidOperation:
        return None
