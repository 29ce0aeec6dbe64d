"""First contact: records of two filled systems that are surely the same are linked; the others wait for a person.

Surely the same is what names the other's id, or what is equal by one of the flow's match rules, one to one: of several
that are equal none is taken. The rules rank: what an earlier one linked, later ones do not see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from isthmus.controls.matching import Candidate, candidates
from isthmus.ledger import sides, streams
from isthmus.ledger.types import Db, StreamKey
from isthmus.model.entity import State, entities
from isthmus.model.state import decode_state
from isthmus.sync.change import Change
from isthmus.sync.couple import couple
from isthmus.sync.world import KeepSpec, World

States = Mapping[int, State]


class Met(Struct, frozen=True):
    """What came of a meeting: changes of the target to run flows over, and records that are none any more."""

    changes: tuple[Change, ...] = ()
    dropped: frozenset[int] = frozenset()


async def meet(db: Db, world: World, flow: KeepSpec, scope: str) -> Met:
    """Link what is surely the same, once both sides were read completely. Within the caller's transaction; safe to
    repeat. Among the changes are records of the target that stay alone: what becomes of them the flow says."""
    if not await both_read(db, world, flow):
        return Met()
    left, right = await alone(db, flow, scope)
    if not right:
        return Met()
    named = await sides.named(db, flow.source, flow.target, flow.source_entity, list(right))
    pairs = [(kept, dropped) for dropped, kept in named.items() if kept in left]
    taken = {one for pair in pairs for one in pair}
    for rule in flow.match:
        found = one_to_one(rule, _without(left, taken), _without(right, taken))
        pairs += found
        taken |= {one for pair in found for one in pair}
    coupled = await couple(db, world, flow, pairs, "Isthmus", "equal by a match rule, one to one")
    left, right = _without(left, taken), _without(right, taken)
    lonely_ones = await _left_alone(db, flow, flow.target, right, left)
    return Met((*coupled, *lonely_ones), frozenset(dropped for _, dropped in pairs))


async def lonely(db: Db, flow: KeepSpec, scope: str) -> list[Change]:
    """Records of the source that the target has not, as changes: to be decided when the two have met first."""
    left, right = await alone(db, flow, scope)
    if not right:
        rows = await sides.unlinked(db, flow.source_entity, scope, on=flow.source, not_on=flow.target)
        left = {one: decode_state(text) for one, text in rows}
    return await _left_alone(db, flow, flow.source, left, right)


async def both_read(db: Db, world: World, flow: KeepSpec) -> bool:
    """Whether all there is on both sides of a flow was read once."""
    rows = {StreamKey(row.connection, row.name, row.company): row for row in await streams.all_streams(db)}
    keys = [
        key
        for connection in (flow.source, flow.target)
        for key in world.actors[connection].streams
        if key.entity == flow.source_entity
    ]
    return all(key in rows and rows[key].filled_at is not None for key in keys)


async def alone(db: Db, flow: KeepSpec, scope: str) -> tuple[States, States]:
    """Records only the source has, and those only the target has."""
    entity = flow.source_entity
    right = await sides.unlinked(db, entity, scope, on=flow.target, not_on=flow.source)
    left = await sides.unlinked(db, entity, scope, on=flow.source, not_on=flow.target) if right else []
    return {one: decode_state(text) for one, text in left}, {one: decode_state(text) for one, text in right}


async def _left_alone(db: Db, flow: KeepSpec, connection: str, these: States, others: States) -> list[Change]:
    links = await sides.of_connection(db, connection, list(these))
    alike = candidates(flow.source_entity, these, others) if others else {}
    return [
        Change(
            record_id=one,
            native_id=links[one][0],
            place=links[one][1],
            before=None,
            state=state,
            candidates=_side_by_side(flow, others, alike.get(one, ())),
        )
        for one, state in these.items()
        if one in links
    ]


def _side_by_side(flow: KeepSpec, others: States, found: Sequence[Candidate]) -> str:
    return "; ".join(
        f"{called(flow.source_entity, others[one.record_id])} ({one.score:g}: {', '.join(one.reasons) or 'alike'})"
        for one in found
    )


def called(entity: str, state: State) -> str:
    """What people call a record: its number and name."""
    number = str(state.get(entities()[entity].number) or "")
    name = str(state.get("name") or "")
    return f"{number} {name}".strip()


def one_to_one(rule: Sequence[str], left: States, right: States) -> list[tuple[int, int]]:
    """Pairs equal in all paths of the rule, where each is the only one of its side. Empty values match nothing."""
    by_left, by_right = _grouped(rule, left), _grouped(rule, right)
    return [
        (by_left[value][0], rights[0])
        for value, rights in by_right.items()
        if len(rights) == 1 and len(by_left.get(value, ())) == 1
    ]


def _grouped(rule: Sequence[str], states: States) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for one, state in states.items():
        value = tuple(plain(state, path) for path in rule)
        if all(value):
            found[value].append(one)
    return found


def plain(state: State, path: str) -> str:
    """The value at a path as it is compared: text without case, accents of spelling kept, spaces and signs dropped."""
    value: object = state
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return "".join(letter for letter in str(value or "").casefold() if letter.isalnum())


def _without(states: States, taken: set[int]) -> dict[int, State]:
    return {one: state for one, state in states.items() if one not in taken}
