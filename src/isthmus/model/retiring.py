"""How a record is taken out of use without being deleted: the field that says so, per entity."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.model.entity import State

_OUT_OF_USE: Mapping[str, tuple[str, object]] = MappingProxyType(
    {
        "account": ("blocked", True),
        "asset": ("status", "inactive"),
        "dimension_value": ("blocked", True),
        "item": ("blocked", True),
        "location": ("blocked", True),
        "vendor": ("blocked", "all"),
    }
)


def retired(entity: str, state: State) -> State:
    """The state out of use; unchanged where the entity has no such field."""
    if entity not in _OUT_OF_USE:
        return state
    field, value = _OUT_OF_USE[entity]
    return {**state, field: value}
