"""Intake: due streams, page by page; each page, its changes, messages and cursor in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

import msgspec

from isthmus.contract.records import Page, ReadRequest
from isthmus.errors import ConfigurationError, FenceLost, Halt, Reject, Retry
from isthmus.ledger import audit, messages, records, streams
from isthmus.ledger.streams import StreamRow
from isthmus.ledger.types import AuditWrite, Db, MessageWrite, StreamKey
from isthmus.sync.admit import Admitted, admit, admit_gone
from isthmus.sync.again import decide_again
from isthmus.sync.change import Change
from isthmus.sync.contact import both_read, lonely, meet
from isthmus.sync.flows import run_flows
from isthmus.sync.points import reach
from isthmus.sync.process import Processed
from isthmus.sync.turn import Turn
from isthmus.sync.world import KeepSpec, StreamSpec, World

_RETRY_POLL = timedelta(seconds=15)
_AWAIT_REFERENCE = timedelta(seconds=2)
#: A finished scan that would take more than this share of a stream's records as deleted is not believed.
_MOST_GONE = Decimal("0.3")
_NOT_BELIEVED = "are missing at once: not believed, nothing was taken as deleted."


class Bookmark(msgspec.Struct, frozen=True):
    """A stream's cursor as the ledger keeps it: the connector's own, the lens it was read under, and whether the
    records are being looked at again because the lens changed."""

    cursor: str | None
    lens: str
    reread: bool = False


async def take_in(turn: Turn) -> None:
    """Poll what is due."""
    async with turn.world.transaction() as db:
        rows = {StreamKey(r.connection, r.name, r.company): r for r in await streams.all_streams(db)}
    for key, spec in turn.actor.streams.items():
        row = rows[key]
        if row.due_at is not None and row.due_at <= turn.now():
            await _take_in_stream(turn, spec, row, rows)


async def _take_in_stream(turn: Turn, spec: StreamSpec, row: StreamRow, rows: Mapping[StreamKey, StreamRow]) -> None:
    missing = _missing_reference(turn, spec, rows)
    if missing is not None:
        trouble = f"waits until {missing.entity} of {missing.connection} was read"
        await _postpone(turn, spec, _AWAIT_REFERENCE, trouble, failed=False)
        turn.result.wake.add(missing.connection)
        return
    async with turn.world.transaction() as db:
        stamp = (await turn.actor.tables(db, spec.scope)).stamp
    mark = bookmark(row, f"{spec.digest}/{stamp}")
    try:
        while turn.may_start():
            page, mark = await _take_in_page(turn, spec, mark, row.trouble, first=row.filled_at is None)
            if not page.more:
                return
    except (FenceLost, Halt):
        raise
    except Reject as error:
        raise ConfigurationError(
            f"{turn.actor.id} refuses to show {spec.native}: {error.message}",
            code=error.code,
            hint=error.hint or "Run `isthmus check`: it compares the mapping with what the system has now.",
        ) from None
    except Retry as error:
        turn.count("polls failed")
        pause = timedelta(seconds=error.after) if error.after else _RETRY_POLL
        await _postpone(turn, spec, pause, str(error), failed=True)


async def _take_in_page(
    turn: Turn, spec: StreamSpec, mark: Bookmark, trouble: str, *, first: bool
) -> tuple[Page, Bookmark]:
    """`first`: the stream was never read to its end before."""
    request = ReadRequest(
        native=spec.native,
        company=spec.key.company,
        cursor=mark.cursor,
        limit=turn.world.page_size,
        fields=spec.lens.native_fields(),
    )

    async def known(families: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
        async with turn.world.transaction() as db:
            return await records.families(db, spec.key, families)

    page = await turn.actor.connector.read(request, known)
    reach("before_page")
    after = Bookmark(page.cursor, mark.lens, mark.reread and page.more)
    async with turn.commit() as db:
        admitted, processed = await take_page(db, turn, spec, page, reread=mark.reread)
        await _move(db, turn, spec, page, after, _missing_at_once(spec, admitted, page, trouble))
        if first and not page.more:
            await first_meeting(db, turn, spec)
    reach("after_page")
    await turn.grew(admitted.counts.get("new", 0))
    for name, number in admitted.counts.items():
        turn.count(f"{spec.key.entity} {name}", number)
    turn.count("messages", len(processed.made))
    turn.result.wake |= processed.wake - {turn.actor.id}
    return page, after


async def take_page(db: Db, turn: Turn, spec: StreamSpec, page: Page, *, reread: bool) -> tuple[Admitted, Processed]:
    """Admit and process one page within the caller's transaction."""
    now = turn.now()
    admitted = await admit(db, turn.actor, spec, page.records, now, reread=reread)
    if page.scan:
        await streams.see(db, spec.key, page.scan, [record.id for record in page.records])
    if page.scan_done and page.scan:
        gone = await admit_gone(db, spec, page.scan, now, most=_MOST_GONE)
        admitted.changes.extend(gone.changes)
        admitted.counts.update(gone.counts)
        if gone.counts.get("gone_held"):
            await _tell_mass_deletion(db, turn, spec, _missing_at_once(spec, admitted, page, ""))
    new = any(change.before is None for change in admitted.changes)
    met, dropped = await _meet(db, turn.world, spec) if new else ([], set())
    changes = [change for change in admitted.changes if change.record_id not in dropped]
    processed = await run_flows(db, turn.world, turn.actor.id, spec.key.entity, changes)
    for flow, coupled in met:
        done = await run_flows(db, turn.world, flow.target, flow.source_entity, coupled)
        processed.made.extend(done.made)
        processed.wake |= done.wake | ({flow.source, flow.target} if coupled else set())
    await _wake_waiting(db, turn.world, spec, admitted, processed)
    return admitted, processed


async def _wake_waiting(db: Db, world: World, spec: StreamSpec, admitted: Admitted, processed: Processed) -> None:
    """Messages that waited for a record of one of these numbers go on; one woken in vain just waits again."""
    numbers = {str(change.state.get(spec.entity.number) or "") for change in admitted.changes if not change.deleted}
    numbers.discard("")
    if not numbers:
        return
    names = [*numbers, *(messages.linked(spec.key.connection, spec.key.entity, number) for number in numbers)]
    for row in await messages.undecided(db, names):
        flow = world.event_flow(row.flow)
        if flow is not None:
            await decide_again(db, world, flow, row, forget=True)
            processed.wake.add(flow.target)
    processed.wake.update(await messages.arrived(db, names, world.clock.now()))


async def look_again(turn: Turn, entity: str, company: str, native_ids: Sequence[str]) -> None:
    """Read single records of the connection as they are now, admit them and run their flows."""
    spec = turn.actor.streams.get(StreamKey(turn.actor.id, entity, company))
    if spec is None or not native_ids:
        return
    shown = await turn.actor.connector.fetch(spec.native, company, native_ids)
    async with turn.commit() as db:
        _, processed = await take_page(db, turn, spec, Page(records=tuple(shown)), reread=False)
    turn.result.wake |= processed.wake - {turn.actor.id}


def _missing_at_once(spec: StreamSpec, admitted: Admitted, page: Page, trouble: str) -> str:
    """What to tell of a mass deletion: of this page's, or, where nothing was scanned, of the one told before."""
    if held := admitted.counts.get("gone_held"):
        return f"{held} records of {spec.native} {_NOT_BELIEVED}"
    return trouble if trouble.endswith(_NOT_BELIEVED) and not page.scan else ""


async def _tell_mass_deletion(db: Db, turn: Turn, spec: StreamSpec, reason: str) -> None:
    await audit.append(
        db,
        turn.actor.id,
        [AuditWrite(what="mass deletion refused", who="Isthmus", entity=spec.key.entity, reason=reason)],
        turn.now(),
    )


async def _move(db: Db, turn: Turn, spec: StreamSpec, page: Page, mark: Bookmark, trouble: str) -> None:
    now = turn.now()
    await streams.advance(
        db,
        spec.key,
        cursor=msgspec.json.encode(mark).decode(),
        now=now,
        due_at=None if page.more else spec.next_poll(now),
        filled=not page.more,
        trouble=trouble,
    )
    if not page.more:
        turn.result.wake |= {
            flow.source for flow in turn.world.flows if spec.key in flow.needs and flow.source != turn.actor.id
        }


async def _meet(db: Db, world: World, spec: StreamSpec) -> tuple[list[tuple[KeepSpec, Sequence[Change]]], set[int]]:
    """What records seen first have to do with those of the other side. Changes by flow, and records that are none."""
    met: list[tuple[KeepSpec, Sequence[Change]]] = []
    dropped: set[int] = set()
    for flow in world.keeping(spec.key.connection, spec.key.entity):
        if flow.match:
            found = await meet(db, world, flow, spec.scope)
            met.append((flow, found.changes))
            dropped |= found.dropped
    return met, dropped


async def first_meeting(db: Db, turn: Turn, spec: StreamSpec) -> list[MessageWrite]:
    """The second of two sides was read to its end for the first time: now both are known. The messages it makes."""
    made: list[MessageWrite] = []
    met, _ = await _meet(db, turn.world, spec)
    for flow, coupled in met:
        alone = await lonely(db, flow, spec.scope) if await both_read(db, turn.world, flow) else []
        turn.result.wake |= {flow.source, flow.target} - {turn.actor.id} if coupled else set()
        for connection, changes in ((flow.target, coupled), (flow.source, alone)):
            done = await run_flows(db, turn.world, connection, flow.source_entity, changes)
            turn.result.wake |= done.wake
            made += done.made
    return made


async def _postpone(turn: Turn, spec: StreamSpec, pause: timedelta, trouble: str, *, failed: bool) -> None:
    async with turn.commit() as db:
        await streams.postpone(db, spec.key, due_at=turn.now() + pause, trouble=trouble, failed=failed)


def _missing_reference(turn: Turn, spec: StreamSpec, rows: Mapping[StreamKey, StreamRow]) -> StreamKey | None:
    for flow in turn.world.flows:
        for need in flow.needs if (flow.source, flow.source_entity) == (turn.actor.id, spec.key.entity) else ():
            if (row := rows.get(need)) is None or row.filled_at is None:
                return need
    return None


def bookmark(row: StreamRow, lens: str) -> Bookmark:
    """Where to go on; from the start, looking at everything again, when the lens or its tables changed since."""
    if row.cursor is None:
        return Bookmark(None, lens)
    mark = msgspec.json.decode(row.cursor, type=Bookmark)
    return mark if mark.lens == lens else Bookmark(None, lens, reread=True)
