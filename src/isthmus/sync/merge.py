"""Three-way merge of states, field by field, against the base one system showed last. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from isthmus.model.entity import State


class Absent:
    """The field is not told. Absent is not null is not empty."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


class Policy(Struct, frozen=True):
    """Who wins a field. owner: only `owner`'s edits count; latest: the later record time; review: a person decides."""

    kind: Literal["owner", "latest", "review"] = "latest"
    owner: str = ""


class Side(Struct, frozen=True):
    """One side of a merge: the connection it speaks for and the time of its edit, as its system tells it."""

    connection: str
    at: datetime | None = None


class FieldChange(Struct, frozen=True):
    """What happened to one field. `kept` is the value that stands now, `lost` the one that gave way."""

    path: str
    kind: Literal["changed", "restored", "won", "review"]
    old: Any
    kept: Any
    lost: Any
    reason: str


class Merged(Struct, frozen=True):
    """The merged state with all field changes. `revert`: the other side shows values that must be written back."""

    state: State
    changes: tuple[FieldChange, ...]
    revert: bool
    review: bool


def merge(
    base: State,
    ours: State,
    theirs: State,
    *,
    mine: Side,
    other: Side,
    policy: Callable[[str], Policy],
    list_keys: Mapping[str, str],
) -> Merged:
    """Merge what `other` shows now (`theirs`) into the hub's state (`ours`).

    base       what `other` showed after the last exchange
    mine       who last changed the hub's state
    policy     path -> who wins
    list_keys  list path -> key field of its elements; a list without key is one value
    """
    changes: list[FieldChange] = []
    state = _merge_struct("", base, ours, theirs, _Rules(mine, other, policy, list_keys), changes)
    kinds = {change.kind for change in changes}
    reverted = "restored" in kinds or any(c.kind == "won" and c.reason.startswith("hub") for c in changes)
    return Merged(state, tuple(changes), reverted, "review" in kinds)


def differences(before: State, after: State) -> tuple[FieldChange, ...]:
    """Field by field what `after` has otherwise than `before`; a list counts as one value."""
    nobody = Side("")
    return merge(before, before, after, mine=nobody, other=nobody, policy=lambda path: _ANYBODY, list_keys={}).changes


_ANYBODY = Policy("owner", "")


class _Rules(Struct, frozen=True):
    mine: Side
    other: Side
    policy: Callable[[str], Policy]
    list_keys: Mapping[str, str]


def _merge_struct(
    prefix: str, base: State, ours: State, theirs: State, rules: _Rules, changes: list[FieldChange]
) -> State:
    result = dict(ours)
    for name in sorted(base.keys() | theirs.keys()):
        path = f"{prefix}{name}"
        b, o, t = base.get(name, ABSENT), ours.get(name, ABSENT), theirs.get(name, ABSENT)
        if t is ABSENT or t == b:
            continue  # nothing told, or nothing new
        if isinstance(t, dict) and isinstance(o, dict):
            result[name] = _merge_struct(f"{path}.", b if isinstance(b, dict) else {}, o, t, rules, changes)
        elif isinstance(t, list) and isinstance(o, list) and (key := rules.list_keys.get(path)):
            result[name] = _merge_list(path, key, b if isinstance(b, list) else [], o, t, rules, changes)
        else:
            kept = _decide(path, b, o, t, rules, changes)
            if kept is not ABSENT:
                result[name] = kept
    return result


def _merge_list(
    path: str, key: str, base: list[State], ours: list[State], theirs: list[State], rules: _Rules,
    changes: list[FieldChange],
) -> list[State]:  # fmt: skip
    before = {str(item.get(key)): item for item in base}
    shown = {str(item.get(key)): item for item in theirs}
    result: list[State] = []
    for item in ours:
        name = str(item.get(key))
        if name in shown:
            result.append(_merge_struct(f"{path}[{name}].", before.get(name, {}), item, shown[name], rules, changes))
        elif name not in before or _decide(f"{path}[{name}]", before[name], item, None, rules, changes) is not None:
            result.append(item)
    have = {str(item.get(key)) for item in ours}
    for name, item in shown.items():
        if name not in have and name not in before:
            kept = _decide(f"{path}[{name}]", ABSENT, ABSENT, item, rules, changes)
            if kept is not ABSENT:
                result.append(kept)
    return result


def _decide(path: str, base: Any, ours: Any, theirs: Any, rules: _Rules, changes: list[FieldChange]) -> Any:
    """The value that stands, with its change noted."""
    if ours == theirs:
        return ours
    policy = rules.policy(_plain(path))
    other = rules.other.connection
    if policy.kind == "owner" and policy.owner not in {"", other}:
        reason = f"{policy.owner} owns this field: the edit in {other} is not taken"
        changes.append(FieldChange(path, "restored", ours, ours, theirs, reason))
        return ours
    if ours == base or ours is ABSENT or policy.kind == "owner":
        changes.append(FieldChange(path, "changed", ours, theirs, ABSENT, f"edited in {other}"))
        return theirs
    if policy.kind == "review":
        changes.append(FieldChange(path, "review", ours, ours, theirs, "both sides edited it: a person decides"))
        return ours
    theirs_wins, reason = _later(rules)
    kept, lost = (theirs, ours) if theirs_wins else (ours, theirs)
    changes.append(FieldChange(path, "won", ours, kept, lost, reason))
    return kept


def _later(rules: _Rules) -> tuple[bool, str]:
    mine, other = rules.mine, rules.other
    if mine.at is not None and other.at is not None:
        if other.at >= mine.at:
            return True, f"{other.connection} edited it later ({other.at.isoformat()})"
        return False, f"hub keeps the later edit of {mine.connection} ({mine.at.isoformat()})"
    return True, f"{other.connection} was observed later; the source told no time"


def _plain(path: str) -> str:
    """`lines[3].amount` -> `lines.amount`: policies are per field, not per element."""
    parts = []
    for part in path.split("."):
        parts.append(part.split("[", 1)[0])
    return ".".join(parts)
