"""Numbers as systems write them: JSON number, string, whole cents; exact both ways, never a float."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from isthmus.connectors.rest.declared.fields import FieldSpec

_EXACT = Context(prec=60)
_LONGEST_SHOWN = 40
Convert = Callable[[Any], Any]


class BadForm(ValueError):
    """A value does not have its form. `wanted` says which one it needs."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted


def number(spec: FieldSpec) -> tuple[Convert, Convert]:
    """Both ways of a number on the wire: a JSON number, a string, or whole cents."""
    wire, places = spec.wire or "number", spec.places
    if wire == "cents":
        digits = places or 0
        return lambda value: _from_cents(value, digits), lambda value: _to_cents(value, digits, spec)
    if wire == "text":
        return _from_text, lambda value: _to_text(value, places, spec)
    return _from_number, lambda value: _fitted(_decimal(value), places, spec)


def _strange(value: Any, wanted: str) -> str:
    """What no mapping takes for a number."""
    return f"{str(value)[:_LONGEST_SHOWN]} ({wanted})"


def _from_number(value: Any) -> Any:
    if value.__class__ is Decimal:
        return value
    if value.__class__ is int:
        return Decimal(value)
    return _from_text(value)


def _from_text(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return Decimal(value) if value else None
        except InvalidOperation:
            return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    return value


def _from_cents(value: Any, digits: int) -> Any:
    if isinstance(value, str) and value.lstrip("-").isdigit():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole and not (isinstance(value, Decimal) and value == value.to_integral_value()):
        return _strange(value, "expected whole cents")
    return _EXACT.scaleb(Decimal(value), -digits)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise BadForm("a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise BadForm("a number") from None
    if not number.is_finite():
        raise BadForm("a number")
    return number


def _fitted(number: Decimal, places: int | None, spec: FieldSpec) -> Decimal:
    if places is None:
        return number
    step = Decimal(1).scaleb(-places)
    fitted = number.quantize(step, rounding=ROUND_HALF_UP, context=_EXACT)
    if fitted != number and not spec.round:
        raise BadForm(f"a number with at most {places} decimals")
    return fitted


def _to_text(value: Any, places: int | None, spec: FieldSpec) -> str:
    return format(_fitted(_decimal(value), places, spec), "f")


def _to_cents(value: Any, digits: int, spec: FieldSpec) -> int:
    return int(_EXACT.scaleb(_fitted(_decimal(value), digits, spec), digits))
