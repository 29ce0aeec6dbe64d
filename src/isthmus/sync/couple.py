"""Couple: two hub records that are one thing. The one the owner's system made is kept; what differs is decided by the
policy of each field, as for any edit on both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from isthmus.ledger import audit, coupling, messages, records, rereads
from isthmus.ledger.types import AuditWrite, Db
from isthmus.model.entity import State, entities
from isthmus.model.state import decode_state, encode_state
from isthmus.sync.change import Change, audit_fields
from isthmus.sync.merge import Merged, Side, merge
from isthmus.sync.world import Actor, KeepSpec, World


async def couple(
    db: Db, world: World, flow: KeepSpec, pairs: Sequence[tuple[int, int]], who: str, why: str
) -> list[Change]:
    """(record of the source, record of the target) become one each. Returns them as changes of the target that are to
    be brought to both sides. Within the caller's transaction."""
    if not pairs:
        return []
    now = world.clock.now()
    await records.hold(db, [one for pair in pairs for one in pair])
    texts = await records.states(db, [one for pair in pairs for one in pair])
    links = await records.linked(db, flow.target, [right for _, right in pairs])
    actor = world.actors[flow.target]
    named = entities()[flow.source_entity].number
    changes, updated, audits, former = [], [], [], []
    for left, right in pairs:
        ours, theirs = decode_state(texts[left]), decode_state(texts[right])
        merged = _first_merge(actor, flow, ours, theirs)
        number = str(merged.state.get(named) or "")
        former += [old for state in (ours, theirs) if (old := str(state.get(named) or "")) not in {"", number}]
        updated.append((left, number, encode_state(merged.state)))
        _, _, native_id, place = links.get(right, ("", "", "", ""))
        audits += _told(flow, left, native_id, merged, who, why)
        changes.append(Change(record_id=left, native_id=native_id, place=place, before=ours, state=merged.state))
    await coupling.unite(db, pairs, now)
    await coupling.update_states(db, updated, now)
    await audit.append(db, flow.target, audits, now)
    await _tell_referrers(db, world, flow, [write[1] for write in updated], former)
    return changes


async def _tell_referrers(db: Db, world: World, flow: KeepSpec, numbers: Sequence[str], former: Sequence[str]) -> None:
    """What waited for one of the two goes on; records that name a former number are read again, as they name the
    record now."""
    now, entity = world.clock.now(), flow.source_entity
    sides = (flow.source, flow.target)
    names = [messages.linked(side, entity, number) for side in sides for number in (*numbers, *former)]
    await messages.arrived(db, names, now)
    for side in sides if former else ():
        streams = world.actors[side].streams
        referring = {key.entity for key, spec in streams.items() if entity in spec.lens.entities_referred_to()}
        await rereads.that_name(db, side, sorted(referring), sorted(set(former)), now)


def _first_merge(actor: Actor, flow: KeepSpec, ours: State, theirs: State) -> Merged:
    keys: Mapping[str, str] = next(
        (spec.list_keys for key, spec in actor.streams.items() if key.entity == flow.source_entity), {}
    )
    return merge(
        {},
        ours,
        theirs,
        mine=Side("hub"),
        other=Side(actor.id),
        policy=lambda path: actor.policy(flow.source_entity, path),
        list_keys=keys,
    )


def _told(flow: KeepSpec, record_id: int, native_id: str, merged: Merged, who: str, why: str) -> list[AuditWrite]:
    linked = AuditWrite(
        what="record coupled",
        who=who,
        entity=flow.source_entity,
        record_id=record_id,
        reason=f"with {native_id} of {flow.target}: {why}",
    )
    return [linked, *audit_fields(flow.source_entity, record_id, merged, who)]


async def put_together(db: Db, world: World, flow: KeepSpec, connection: str, kept: int, double: int, who: str) -> None:
    """Two records of one system are the same thing: the double is set aside, what referred to it refers to the other.

    Nothing is written to the system: what becomes of its double is decided there.
    """
    now = world.clock.now()
    await coupling.put_aside(db, connection, [double])
    await coupling.unite(db, [(kept, double)], now)
    told = AuditWrite(
        what="record merged",
        who=who,
        entity=flow.source_entity,
        record_id=kept,
        reason=f"a double of {connection} was set aside",
    )
    await audit.append(db, connection, [told], now)


async def uncouple(
    db: Db, world: World, flow: KeepSpec, record_id: int, native_id: str, who: str, why: str, now: datetime
) -> int:
    """The target's record is another thing: it becomes a hub record of its own, with the values it shows. Its id."""
    [new_id] = await records.next_ids(db, 1)
    stream = next(key for key in world.actors[flow.target].streams if key.entity == flow.target_entity)
    link = (await records.links(db, stream, [native_id]))[native_id]
    state = decode_state(link.base)
    number = str(state.get(entities()[flow.source_entity].number) or "")
    await coupling.copy_record(db, record_id, new_id, link.base, number, flow.target, now)
    await coupling.split(db, flow.target, native_id, new_id)
    told = [
        AuditWrite(what="record uncoupled", who=who, entity=flow.source_entity, record_id=one, reason=why)
        for one in (record_id, new_id)
    ]
    await audit.append(db, flow.target, told, now)
    return new_id
