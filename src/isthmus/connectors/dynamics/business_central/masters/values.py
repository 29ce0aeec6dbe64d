"""What is sent of a master record, and whether one that is shown is the one that was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from isthmus.connectors.dynamics.business_central.entities import BLANK_ENUM, BLANK_GUID, SETS, Kind
from isthmus.connectors.dynamics.business_central.masters.facts import Master
from isthmus.errors import Reject

#: Fields the service fills itself, and those of other pages.
_NEVER_SENT = frozenset({"id", "lastModifiedDateTime", "balance"})
#: How "none" is written, by kind (bc.md §4).
_BLANKS: Mapping[Kind, Any] = MappingProxyType(
    {"text": "", "guid": BLANK_GUID, "enum": BLANK_ENUM, "date": "0001-01-01", "decimal": Decimal(0), "int": 0}
)


def for_insert(master: Master, native: Mapping[str, Any], *, own_number: bool) -> dict[str, Any]:
    """The body that makes a record; what is empty is left to the service. Raises Reject for what must not be sent."""
    _refuse(master, native)
    skipped = _NEVER_SENT | _added(master) | (frozenset() if own_number else {master.number})
    return {name: value for name, value in native.items() if name not in skipped and value not in (None, "")}


def for_change(master: Master, native: Mapping[str, Any]) -> dict[str, Any]:
    """The body that changes a record; what was emptied is sent as the service's own word for nothing."""
    _refuse(master, native)
    skipped = _NEVER_SENT | _added(master)
    kinds = SETS[master.native].keys
    body: dict[str, Any] = {}
    for name, value in native.items():
        if name in skipped:
            continue
        kind = kinds.get(name, "text")
        if value is not None:
            body[name] = value
        elif kind in _BLANKS:
            body[name] = _BLANKS[kind]
    return body


def shows(data: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether a record shows everything that was sent."""
    return all(name in _NEVER_SENT or same(data.get(name), value) for name, value in sent.items())


def is_the_same(master: Master, data: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether a record is told to be the one that was sent, whatever else was changed of it since."""
    return all(same(data.get(name), sent[name]) for name in told(master, sent))


def told(master: Master, sent: Mapping[str, Any]) -> tuple[str, ...]:
    """Fields that tell this very record: those of `told_by` that it has."""
    return tuple(name for name in master.told_by if sent.get(name) not in (None, ""))


def same(shown: Any, sent: Any) -> bool:
    """Equal as the service keeps values: codes in upper case, blanks cut, empty in its own words (bc.md §4)."""
    if isinstance(sent, bool) or isinstance(shown, bool):
        return bool(shown) is bool(sent)
    if _is_empty(shown) or _is_empty(sent):
        return _is_empty(shown) and _is_empty(sent)
    if isinstance(sent, int | Decimal) and isinstance(shown, int | Decimal):
        return Decimal(shown) == Decimal(sent)
    there, here = str(shown).strip(), str(sent).strip()
    return there in {here, here.upper()} or (_is_guid(here) and there.lower() == here.lower())


def different(data: Mapping[str, Any], sent: Mapping[str, Any], names: Iterable[str]) -> str:
    """The first of these fields that differs; "" when none does."""
    return next((name for name in names if not same(data.get(name), sent.get(name))), "")


def _is_empty(value: Any) -> bool:
    return value in (None, "", BLANK_GUID, BLANK_ENUM, "0001-01-01") or (
        isinstance(value, int | Decimal) and not isinstance(value, bool) and value == 0
    )


def _is_guid(text: str) -> bool:
    return len(text) == len(BLANK_GUID) and text.count("-") == BLANK_GUID.count("-")


def _added(master: Master) -> frozenset[str]:
    return frozenset(field.name for field in SETS[master.native].added)


def _refuse(master: Master, native: Mapping[str, Any]) -> None:
    for name, instead in master.refused.items():
        if native.get(name) is not None:
            raise Reject(
                f"{name} of {master.native} is not written.", code="field_not_written", field=name, hint=instead
            )
