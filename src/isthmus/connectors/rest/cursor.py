"""Where a read goes on: small JSON texts, opaque to everybody else.

A stream by time is read in rounds. A round asks for everything behind `since` minus an overlap, because a change may be
shown later than it is stamped; what the overlap shows a second time is known by its mark and not delivered twice. A
round is one pass over the pages, or a few where records moved meanwhile. Positions are milliseconds since 1970.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Struct, structs

from isthmus.connectors.rest.moments import milliseconds
from isthmus.contract.records import NativeRecord

#: Most marks kept; beyond it the overlap delivers records again, which admit recognises and drops.
_MOST_MARKS = 2000
#: How far a system's clock that answers and the one that stamps records may be apart. Assumed.
_CLOCKS_APART = 60_000
#: Most passes of a round whose records move all the time; what is missed is found by reconciliation.
MOST_PASSES = 3


class Cursor(Struct, omit_defaults=True, frozen=True):
    """since     position the last finished round reached less the overlap, None before the first
    whole     nothing at `since` or before can appear any more: the next round begins behind it
    seen      marks of what the next round shows again, up to position `seen_to`
    scans     scans begun, so that each has a name of its own

    Of the pass under way (`going`):
    base      position that is asked from, None for everything
    variant   which of several queries of the list is read now
    at        records or pages passed
    size      page size it began with (numbered pages)
    token     what the last answer gave for the next page; of a list in one answer: which answer
    anchor    id of the last record, which has to come first when the next page is asked with an overlap of one
    high      highest position
    fresh     marks and positions of what the next round's overlap will show again
    started   time of the system when the pass began, by its answers
    total     records there were when it began
    pages, passes   pages of this pass, passes before it
    scan      id of the scan it belongs to
    """

    since: int | None = None
    whole: bool = False
    seen: tuple[str, ...] = ()
    seen_to: int = 0
    scans: int = 0
    going: bool = False
    base: int | None = None
    variant: int = 0
    at: int = 0
    size: int = 0
    token: str = ""
    anchor: str = ""
    high: int | None = None
    fresh: tuple[tuple[str, int], ...] = ()
    started: int | None = None
    total: int | None = None
    pages: int = 0
    passes: int = 0
    scan: str = ""


def load(text: str | None) -> Cursor:
    """The cursor in a text of `save`; an unreadable one starts from the beginning, which is always safe."""
    if not text:
        return Cursor()
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.DecodeError:
        return Cursor()


def save(cursor: Cursor) -> str:
    """The cursor as text."""
    return msgspec.json.encode(cursor).decode()


def begin(cursor: Cursor, step: int) -> Cursor:
    """The first pass of a round. `step`: smallest difference in time the system can say."""
    return Cursor(
        since=cursor.since,
        whole=cursor.whole,
        seen=cursor.seen,
        seen_to=cursor.seen_to,
        going=True,
        base=_base(cursor, step),
    )


def _base(cursor: Cursor, step: int) -> int | None:
    return cursor.since + step if cursor.since is not None and cursor.whole else cursor.since


def next_variant(cursor: Cursor, step: int) -> Cursor:
    """The same round with the next query of the list."""
    fresh = again(cursor)
    return structs.replace(fresh, variant=cursor.variant + 1, passes=0, base=_base(cursor, step))


def again(cursor: Cursor) -> Cursor:
    """One more pass of the same round, because records moved. What is fresh stays known."""
    return structs.replace(
        cursor, at=0, size=0, token="", anchor="", started=None, total=None, pages=0, passes=cursor.passes + 1
    )


def position_of(record: NativeRecord) -> int:
    """Where a record stands; one without a time counts as the oldest there is."""
    return milliseconds(record.modified_at) if record.modified_at is not None else 0


def take(cursor: Cursor, records: Sequence[NativeRecord], overlap: int) -> tuple[list[NativeRecord], Cursor]:
    """What of a page is new, and the cursor that remembers it."""
    seen = set(cursor.seen)
    fresh = dict(cursor.fresh)
    fresh_to = max(fresh.values(), default=-1)
    positions = [position_of(record) for record in records]
    high = max([*positions, cursor.high if cursor.high is not None else 0], default=0)
    delivered = []
    for record, position in zip(records, positions, strict=True):
        known = (bool(seen) and position <= cursor.seen_to) or position <= fresh_to
        late = position > high - overlap
        if not known and not late:
            delivered.append(record)
            continue
        mark = _mark(record)
        if mark not in seen and mark not in fresh:
            delivered.append(record)
        if late:
            fresh[mark] = position
    kept = tuple((mark, position) for mark, position in fresh.items() if position > high - overlap)
    if not records:
        return delivered, cursor
    return delivered, structs.replace(cursor, high=high, fresh=kept if len(kept) <= _MOST_MARKS else ())


def finish(cursor: Cursor, overlap: int, now: int | None) -> Cursor:
    """The cursor behind a finished round. `now`: the system's time when it ended, where its answers tell."""
    if cursor.high is None:
        return Cursor(since=cursor.since, whole=cursor.whole, seen=cursor.seen, seen_to=cursor.seen_to)
    reached = max(cursor.high, cursor.since if cursor.since is not None else cursor.high)
    if now is not None and now - reached > overlap + _CLOCKS_APART:
        return Cursor(since=reached, whole=True)
    marks = tuple(mark for mark, position in cursor.fresh if position > reached - overlap)
    return Cursor(since=reached - overlap, seen=marks, seen_to=reached)


def moved(cursor: Cursor, total: int | None) -> bool:
    """Whether records may have moved between numbered pages while the pass ran: one may be missed."""
    if cursor.pages < 2 or cursor.passes + 1 >= MOST_PASSES:
        return False
    if total is not None and cursor.total is not None and total != cursor.total:
        return True
    return cursor.started is not None and cursor.high is not None and cursor.high >= cursor.started


def _mark(record: NativeRecord) -> str:
    return hashlib.blake2b(f"{record.id} {record.version}".encode(), digest_size=6).hexdigest()
