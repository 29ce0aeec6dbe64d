"""One spelling for equal plain values, so that states compare by text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from isthmus.model.values import aware_utc


def spell(value: Any) -> Any:
    """A plain value as states hold it: Decimal without trailing zeros or exponent, UTC times with Z, dates in ISO form.

    Raises TypeError for a float, ValueError for a naive time.
    """
    if isinstance(value, Decimal):
        return spell_decimal(value)
    if isinstance(value, datetime):
        return aware_utc(value).astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        raise TypeError("a float cannot stand in a state: give a Decimal")
    return value


def spell_decimal(value: Decimal) -> str:
    """Decimal in plain notation, one spelling for equal numbers: 183.10 -> 183.1, 1E+2 -> 100, -0 -> 0."""
    if not value.is_finite():
        raise ValueError("a state holds finite numbers only")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
