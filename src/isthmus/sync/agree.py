"""Agree: after a system was written to, what it shows now is the base, and what was sent is what it stands for.

A name the system cut or a price it rounded is thereby no edit of its own, and does not shorten the hub's value. Fields
the lens only reads (a number it gave, quantities it received) are taken over as any edit of that system.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import structs

from isthmus.contract.operations import Outcome
from isthmus.ledger import audit, coupling, messages, records, sides
from isthmus.ledger.types import AuditWrite, Db, MessageRow, RecordWrite, SideRow, StreamKey
from isthmus.mapping.lens import Lens
from isthmus.model.entity import State, entities
from isthmus.model.state import decode_state, encode_state
from isthmus.sync.admit import list_keys_of, reading_context
from isthmus.sync.change import Change, value_text
from isthmus.sync.merge import Side, differences, merge
from isthmus.sync.observe import amount_of

if TYPE_CHECKING:
    from isthmus.sync.turn import Turn

Landed = Sequence[tuple[MessageRow, Outcome]]


async def agree(db: Db, turn: Turn, entity: str, company: str, landed: Landed) -> list[Change]:
    """Keep links and bases of records of one entity and company that were written. What the hub learned by it comes
    back as changes. Within the caller's transaction; safe to repeat."""
    actor, now = turn.actor, turn.now()
    lens = actor.lenses[entity]
    natives = [outcome.native for _, outcome in landed if outcome.native is not None]
    context = await reading_context(db, actor, lens, company, natives)
    rows = await sides.of_records(db, actor.id, entity, company, [row.record_id or 0 for row, _ in landed])
    writes: list[RecordWrite] = []
    changes: list[Change] = []
    audits: list[AuditWrite] = []
    read_only = lens.read_only_paths()
    for row, outcome in landed:
        side = rows[row.record_id or 0]
        sent = decode_state(row.document) if row.document else {}
        shown = (
            lens.read(outcome.native, context).state if outcome.native is not None else {**_state(side.base), **sent}
        )
        state = _learned(turn, lens, entity, decode_state(side.data), shown, read_only)
        writes.append(_write(row, outcome, side, state, shown, sent))
        audits.extend(_told(row, side, sent))
        if writes[-1].changed:
            changes.append(
                Change(
                    record_id=side.record_id,
                    native_id=writes[-1].native_id,
                    place=row.place,
                    before=decode_state(side.data),
                    state=state,
                )
            )
    stream = StreamKey(actor.id, entity, company)
    await _unite_seen_before(db, stream, writes, now)
    await records.save(db, stream, company or actor.id, writes, now)
    await audit.append(db, actor.id, audits, now)
    fresh = [messages.linked(actor.id, entity, write.number) for write in writes if write.new_link and write.number]
    turn.result.wake.update(await messages.arrived(db, fresh, now))
    return changes


async def _unite_seen_before(db: Db, stream: StreamKey, writes: Sequence[RecordWrite], now: datetime) -> None:
    """What was made by a call whose answer was lost may have been read before it was looked up, and have become a
    record of its own: it is the record that was written. One that a further system has is left to people."""
    made = {write.native_id: write.record_id for write in writes if write.new_link and write.native_id}
    seen = await records.links(db, stream, list(made)) if made else {}
    strays = {link.record_id: made[one] for one, link in seen.items() if link.record_id != made[one]}
    kept_apart = await sides.held_elsewhere(db, list(strays), stream.connection) if strays else set()
    pairs = [(kept, stray) for stray, kept in strays.items() if stray not in kept_apart]
    await coupling.unite(db, pairs, now)


def _state(text: str) -> State:
    return decode_state(text) if text else {}


def _learned(turn: Turn, lens: Lens, entity: str, ours: State, shown: State, read_only: frozenset[str]) -> State:
    """The hub's state with what the system tells of fields that were not written."""
    base = _without(shown, read_only)
    merged = merge(
        base,
        ours,
        shown,
        mine=Side("hub"),
        other=Side(turn.actor.id),
        policy=lambda path: turn.actor.policy(entity, path),
        list_keys=list_keys_of(lens),
    )
    return merged.state


def _without(state: State, paths: frozenset[str]) -> State:
    """`state` without the fields at these paths, in elements of lists too."""
    kept: State = {}
    for name, value in state.items():
        if name in paths:
            continue
        inner = frozenset(path[len(name) + 1 :] for path in paths if path.startswith(f"{name}."))
        kept[name] = _below(value, inner) if inner else value
    return kept


def _below(value: Any, paths: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, paths) if isinstance(item, dict) else item for item in value]
    return _without(value, paths) if isinstance(value, dict) else value


def _write(row: MessageRow, outcome: Outcome, side: SideRow, state: State, shown: State, sent: State) -> RecordWrite:
    entity = entities()[row.entity]
    amount, currency = amount_of(entity, state)
    text, base, agreed = encode_state(state), encode_state(shown), encode_state(sent)
    return RecordWrite(
        record_id=side.record_id,
        new=False,
        number=str(state.get(entity.number) or ""),
        data=text,
        amount=amount,
        currency=currency,
        changed=text != side.data,
        deleted=False,
        native_id=outcome.native_id or side.native_id,
        new_link=not side.native_id,
        family="",
        version=outcome.version,
        base=base,
        place=side.place,
        modified_at=None,
        agreed="" if agreed == base else agreed,
        record_gone=side.deleted,
    )


def _told(row: MessageRow, side: SideRow, sent: State) -> list[AuditWrite]:
    """What the system was told: one row for a record made there, one per field of a record that was changed."""
    common = AuditWrite(
        what="record made", who="Isthmus", entity=row.entity, record_id=row.record_id, message_id=row.id,
        reason=f"in {row.connection}",
    )  # fmt: skip
    if not side.native_id:
        return [common]
    return [
        structs.replace(
            common, what="field written", field=change.path, old=value_text(change.old), new=value_text(change.kept)
        )
        for change in differences(_state(side.agreed), sent)
    ]
