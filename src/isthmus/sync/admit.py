"""Admit: what a page shows, compared with what that system showed last; merged, audited, and the changes left.

Equal to the base is an echo or no change and is dropped here: this is the loop guard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from isthmus.contract.records import NativeRecord
from isthmus.ledger import audit, messages, records, refs, rereads, sides, streams
from isthmus.ledger.types import Db, LinkRow
from isthmus.mapping.context import LensContext
from isthmus.mapping.lens import Lens
from isthmus.sync.change import Change
from isthmus.sync.observe import Desk, observe_gone, observe_known, observe_new
from isthmus.sync.world import Actor, StreamSpec


class Admitted(Struct, kw_only=True):
    """The changes of a page, and what was counted on the way."""

    changes: list[Change]
    counts: dict[str, int]


async def admit(
    db: Db, actor: Actor, stream: StreamSpec, page: Sequence[NativeRecord], now: datetime, *, reread: bool = False
) -> Admitted:
    """Admit a page within the caller's transaction. Safe to repeat: an equal page changes nothing.

    `reread`: look at records again although their version is unchanged (the lens changed).
    """
    await records.hold_shared(db, stream.key, [record.id for record in page])
    known = await records.links(db, stream.key, [record.id for record in page])
    desk = Desk([], [], [], [], {"seen": len(page)})
    fresh_ids = iter(await records.next_ids(db, sum(1 for record in page if record.id not in known)))
    context = await reading_context(db, actor, stream.lens, stream.key.company, [record.data for record in page])
    gone = [known[r.id].record_id for r in page if r.deleted and r.id in known]
    desk.elsewhere = await sides.held_elsewhere(db, gone, stream.key.connection) if gone else set()
    edited = (known[r.id].record_id for r in page if r.id in known and not _unchanged(r, known[r.id]))
    desk.stopped = await messages.stopped(db, list(edited))
    told: set[str] = set()
    for record in page:
        if record.id in told:
            continue  # a page may repeat a record while the source changes under the paging
        told.add(record.id)
        link = known.get(record.id)
        if link is None:
            record_id = next(fresh_ids)
            if record.deleted:
                continue
            observe_new(desk, stream, record, record_id, context)
        elif link.aside:
            desk.count("aside")
        elif record.deleted:
            observe_gone(desk, stream, link, "gone in the source")
        elif not reread and _unchanged(record, link):
            desk.count("unchanged")
            if record.origin != link.place:
                desk.places.append((record.id, record.origin))
        else:
            observe_known(desk, actor, stream, record, link, context)
    await records.save(db, stream.key, stream.scope, desk.rows, now)
    await rereads.note(db, stream.key, desk.unlinked)
    if desk.places:
        await records.move_places(db, stream.key, desk.places)
    await audit.append(db, stream.key.connection, desk.audits, now)
    return Admitted(changes=desk.changes, counts=desk.counts)


async def admit_gone(db: Db, stream: StreamSpec, scan: str, now: datetime, *, most: Decimal) -> Admitted:
    """End of a full scan: live links it did not show are gone. Nothing is taken as gone when their share exceeds `most`
    (a truncated file, a wrong filter): that is counted as `gone_held` and told by the caller."""
    ids = await streams.unseen(db, stream.key, scan)
    desk = Desk([], [], [], [], {})
    if ids:
        live = await records.live_links(db, stream.key)
        if Decimal(len(ids)) > most * live and len(ids) > 20:
            await streams.forget_scans(db, stream.key)
            return Admitted(changes=[], counts={"gone_held": len(ids)})
        await records.hold_shared(db, stream.key, ids)
        known = await records.links(db, stream.key, ids)
        gone = [link.record_id for link in known.values()]
        desk.elsewhere = await sides.held_elsewhere(db, gone, stream.key.connection)
        for native_id in ids:
            observe_gone(desk, stream, known[native_id], "no longer in the source")
        await records.save(db, stream.key, stream.scope, desk.rows, now)
        await audit.append(db, stream.key.connection, desk.audits, now)
    await streams.forget_scans(db, stream.key)
    return Admitted(changes=desk.changes, counts=desk.counts)


async def reading_context(
    db: Db, actor: Actor, lens: Lens, company: str, natives: Sequence[Mapping[str, Any]]
) -> LensContext:
    """What the lens needs to read these native records: tables, and the numbers of the records they refer to."""
    tables = (await actor.tables(db, company)).context
    pairs = {pair for data in natives for pair in lens.native_references(data)}
    return replace(tables, refs=await refs.resolve(db, actor.id, company, ids=pairs)) if pairs else tables


def _unchanged(record: NativeRecord, link: LinkRow) -> bool:
    """Whether it shows what it showed. What is wrong with rows may name other lines: told anew when they move."""
    if record.problem and record.origin != link.place:
        return False
    return record.version is not None and record.version == link.version and not link.deleted


def list_keys_of(lens: Lens) -> Mapping[str, str]:
    """List path -> field of its elements that tells them apart."""
    return {plan.path: plan.key for plan in lens.plans if plan.key}
