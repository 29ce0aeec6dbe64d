"""What people do about records of two systems that may be the same: look, decide, couple, uncouple, merge."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from isthmus.app.runtime import Runtime
from isthmus.controls.matching import Candidate, candidates
from isthmus.errors import ConfigurationError
from isthmus.ledger import connections, sides
from isthmus.ledger.types import Db
from isthmus.model.entity import State, entities
from isthmus.sync.contact import alone, both_read, lonely, meet
from isthmus.sync.couple import couple, put_together, uncouple
from isthmus.sync.flows import run_flows
from isthmus.sync.world import KeepSpec, World

COLUMNS = (
    "decision", "score", "source_number", "source_name", "target_number", "target_name", "reasons", "source_id",
    "target_id",
)  # fmt: skip
DECISIONS = ("same", "apart", "")


class Pair(Struct, frozen=True, kw_only=True):
    """One line of the review: a record of the source and one of the target that may be the same, or one alone."""

    decision: str = ""
    score: float = 0.0
    source_id: str = ""
    source_number: str = ""
    source_name: str = ""
    target_id: str = ""
    target_number: str = ""
    target_name: str = ""
    reasons: str = ""


class Met(Struct, frozen=True, kw_only=True):
    """What two systems have in common. `linked` counts records on both sides; `pairs` is what a person looks at."""

    flow: str
    entity: str
    linked: int
    confirmed: bool
    pairs: tuple[Pair, ...]


def keep_flow(world: World, name: str) -> KeepSpec:
    """The flow of states of that name; the only one when none is named. Raises ConfigurationError."""
    flows = [flow for flow in world.flows if isinstance(flow, KeepSpec)]
    found = [flow for flow in flows if flow.name == name] if name else flows
    if len(found) == 1:
        return found[0]
    known = ", ".join(flow.name for flow in flows) or "none"
    message = f"there is no flow {name!r} that keeps a state in step" if name else "name the flow"
    raise ConfigurationError(f"{message}.", code="usage", hint=f"There are: {known}.")


async def look(runtime: Runtime, flow: KeepSpec) -> Met:
    """Both sides as they were last read, with candidates for what is not linked. Raises when one was never read."""
    world = runtime.world
    async with world.transaction() as db:
        if not await both_read(db, world, flow):
            hint = "Run `isthmus sync` first; nothing is made before the two have met."
            raise ConfigurationError("not both sides were read yet.", code="not_read", hint=hint)
        left, right = await alone(db, flow, scope_of(world, flow))
        if not right:
            left = {change.record_id: change.state for change in await lonely(db, flow, scope_of(world, flow))}
        alike = candidates(flow.source_entity, left, right)
        names = {
            **{one: ids[0] for one, ids in (await sides.of_connection(db, flow.source, list(left))).items()},
            **{one: ids[0] for one, ids in (await sides.of_connection(db, flow.target, list(right))).items()},
        }
        linked = await sides.linked_to_both(db, flow.source_entity, flow.source, flow.target)
        confirmed = await sides.confirmed(db, flow.name)
    kind = entities()[flow.source_entity].number
    pairs = [
        _pair(kind, names, one, left[one], found.record_id, right[found.record_id], found)
        for one, several in alike.items()
        for found in several
    ]
    seen = {found.record_id for several in alike.values() for found in several}
    pairs += [_pair(kind, names, one, state) for one, state in left.items() if one not in alike]
    pairs += [_pair(kind, names, 0, {}, one, state) for one, state in right.items() if one not in seen]
    ordered = tuple(sorted(pairs, key=lambda pair: (-pair.score, pair.source_number, pair.target_number)))
    return Met(flow=flow.name, entity=flow.source_entity, linked=linked, confirmed=confirmed, pairs=ordered)


def _pair(
    number: str, names: dict[int, str], left: int, ours: State, right: int = 0, theirs: State | None = None,
    found: Candidate | None = None,
) -> Pair:  # fmt: skip
    other = theirs or {}
    return Pair(
        score=found.score if found else 0.0,
        source_id=names.get(left, ""),
        source_number=str(ours.get(number) or ""),
        source_name=str(ours.get("name") or ""),
        target_id=names.get(right, ""),
        target_number=str(other.get(number) or ""),
        target_name=str(other.get("name") or ""),
        reasons=", ".join(found.reasons) if found else "",
    )


def scope_of(world: World, flow: KeepSpec) -> str:
    """Where the numbers of a flow's records are unique."""
    return next(
        spec.scope for key, spec in world.actors[flow.source].streams.items() if key.entity == flow.source_entity
    )


def write_review(met: Met, file: Path) -> None:
    """A file for people: one line per pair, `decision` to be filled in with `same` or `apart`. Never overwrites."""
    if file.exists():
        raise ConfigurationError(f"{file} is there already.", code="file_exists", hint="Name another file.")
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        writer.writerows([getattr(pair, name) for name in COLUMNS] for pair in met.pairs)


def read_review(file: Path) -> list[Pair]:
    """The decided lines of a review. Raises ConfigurationError naming line and column."""
    decided: list[Pair] = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as source:
            rows = list(csv.DictReader(source))
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.", code="file_missing") from None
    for line, row in enumerate(rows, start=2):
        decision = (row.get("decision") or "").strip().lower()
        if decision not in DECISIONS:
            message = f"{file.name} line {line}: decision is {decision!r}."
            raise ConfigurationError(message, code="bad_review", hint="Write same, apart, or nothing.")
        if decision == "same":
            missing = [name for name in ("source_id", "target_id") if not (row.get(name) or "").strip()]
            if missing:
                message = f"{file.name} line {line}: {missing[0]} is empty, so nobody can say what is the same."
                raise ConfigurationError(message, code="bad_review", hint="Keep the id columns as they were written.")
            decided.append(
                Pair(decision=decision, source_id=row["source_id"].strip(), target_id=row["target_id"].strip())
            )
    return decided


async def couple_pairs(runtime: Runtime, flow: KeepSpec, pairs: Sequence[Pair], who: str) -> int:
    """Make one record of each pair, and bring both sides to it. Raises ConfigurationError for what is not there."""
    world = runtime.world
    async with world.transaction() as db:
        ids = []
        for pair in pairs:
            left = await _find(db, flow, flow.source, pair.source_id)
            right = await _find(db, flow, flow.target, pair.target_id)
            if left != right:
                await _free(db, flow, left, right, pair)
                ids.append((left, right))
        changes = await couple(db, world, flow, ids, who, "decided by a person")
        await run_flows(db, world, flow.target, flow.source_entity, changes)
    async with world.transaction() as db:  # apart: a turn holds its connection first, then its records
        await connections.wake(db, [flow.source, flow.target], world.clock.now())
    return len(ids)


async def _free(db: Db, flow: KeepSpec, left: int, right: int, pair: Pair) -> None:
    """Neither is linked to another one already."""
    for one, other, said in ((left, flow.target, pair.source_id), (right, flow.source, pair.target_id)):
        taken = (await sides.of_connection(db, other, [one])).get(one)
        if taken is not None:
            message = f"{said} is coupled with {taken[0]} of {other} already."
            raise ConfigurationError(message, code="coupled_already", hint="Run `isthmus uncouple` first.")


async def _find(db: Db, flow: KeepSpec, connection: str, name: str) -> int:
    """The record a connection shows under an id or number. Raises ConfigurationError."""
    found = await sides.called(db, connection, flow.source_entity, name)
    if len(found) == 1:
        return found[0]
    what = "no" if not found else "more than one"
    entity = flow.source_entity.replace("_", " ")
    raise ConfigurationError(f"{connection} has {what} {entity} {name!r}.", code="not_found", hint="Use its id there.")


async def uncouple_one(runtime: Runtime, flow: KeepSpec, name: str, who: str, why: str) -> str:
    """Take the target's record off a record; its id there. It becomes one of its own. Raises ConfigurationError."""
    world = runtime.world
    async with world.transaction() as db:
        record = await _find(db, flow, flow.target, name)
        native_id = (await sides.of_connection(db, flow.target, [record]))[record][0]
        if record not in await sides.held_elsewhere(db, [record], flow.target):
            raise ConfigurationError(f"{name!r} is coupled with nothing.", code="not_found")
        await uncouple(db, world, flow, record, native_id, who, why, world.clock.now())
    return native_id


async def merge_doubles(runtime: Runtime, flow: KeepSpec, connection: str, kept: str, double: str, who: str) -> None:
    """Two records of one system are the same: the second is set aside. Raises ConfigurationError."""
    world = runtime.world
    async with world.transaction() as db:
        one, other = await _find(db, flow, connection, kept), await _find(db, flow, connection, double)
        if one == other:
            raise ConfigurationError(f"{kept!r} and {double!r} are one record already.", code="usage")
        if other in await sides.held_elsewhere(db, [other], connection):
            hint = "Name that one as the kept record, or uncouple it first."
            raise ConfigurationError(f"{double!r} is coupled with a record of another system.", code="usage", hint=hint)
        await put_together(db, world, flow, connection, one, other, who)


async def confirm(runtime: Runtime, flow: KeepSpec, who: str) -> int:
    """A person has gone through it: what stays alone in the source is made in the target. How many go on."""
    world = runtime.world
    async with world.transaction() as db:
        await sides.confirm_contact(db, flow.name, who, world.clock.now())
        scope = scope_of(world, flow)
        found = await meet(db, world, flow, scope)
        await run_flows(db, world, flow.target, flow.source_entity, found.changes)
        done = await run_flows(db, world, flow.source, flow.source_entity, await lonely(db, flow, scope))
    return sum(1 for message in done.made if message.state == "ready")
