"""Lookup tables: small translations kept as data, read one way or both."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from isthmus.model.spelling import spell


class LookupTable:
    """Rows key -> value, both text. `fold_case` and `trim` make keys that differ only so equal.

    Two-way when no value stands twice. Raises ValueError when two keys become equal by folding and mean different
    values. Immutable after construction.
    """

    def __init__(self, name: str, rows: Mapping[str, Any], *, fold_case: bool = False, trim: bool = True) -> None:
        self.name = name
        self.fold_case = fold_case
        self.trim = trim
        self.rows: Mapping[str, str] = {str(key): table_text(value) for key, value in rows.items()}
        self._forward: dict[str, str] = {}
        self._back: dict[str, list[str]] = {}
        for key, value in self.rows.items():
            folded = self._fold(key)
            if self._forward.setdefault(folded, value) != value:
                raise ValueError(f"lookup table {name}: key {key!r} stands twice with different values")
            self._back.setdefault(value, []).append(key)
        #: values several keys give, with those keys
        self.repeated: Mapping[str, tuple[str, ...]] = {
            value: tuple(keys) for value, keys in self._back.items() if len({self._fold(key) for key in keys}) > 1
        }

    def get(self, key: Any) -> str | None:
        """The value of a key, None when there is no row. Numbers and bools are looked up by their text."""
        return self._forward.get(self._fold(table_text(key)))

    def key(self, value: Any) -> str | None:
        """The key of a value; the first one where several rows give it, None when no row does."""
        keys = self._back.get(table_text(value))
        return keys[0] if keys else None

    @property
    def invertible(self) -> bool:
        """No value stands twice, so writing finds exactly one key."""
        return not self.repeated

    def _fold(self, key: str) -> str:
        if self.trim:
            key = key.strip()
        return key.casefold() if self.fold_case else key


def table_text(value: Any) -> str:
    """How a value stands in a table: bools as true/false, numbers in their one spelling."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return str(spell(value)) if isinstance(value, Decimal) and value.is_finite() else str(value)
