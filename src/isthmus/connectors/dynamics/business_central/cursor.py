"""Where a read goes on: small JSON texts, opaque to everybody else.

A stream is read in rounds. A round reads everything behind `since` minus an overlap, because commits may become visible
late and out of order (bc.md §12); what the overlap shows a second time is recognised by digest and not delivered twice.
A position is the record's change time in milliseconds, or its entry number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct, structs

from isthmus.contract.records import NativeRecord

#: A change committed this long after it was stamped is still found: the longest request (bc.md §10), in milliseconds.
#: Assumed: the stamp is set when the change is made, not when it commits.
TIME_OVERLAP = 600_000
#: The same for entry numbers: so many may be drawn by transactions that commit later. Assumed.
ENTRY_OVERLAP = 500
#: Most digests kept; beyond it the overlap delivers records again, which admit recognises and drops.
_MOST_DIGESTS = 2000


class Cursor(Struct, omit_defaults=True, frozen=True):
    """since   position the last finished round reached, None before the first
    seen    digests of what the overlap of this round shows again
    high    highest position of the round under way
    fresh   digests and positions of what the next round's overlap will show again
    link    next link of the round under way, "" between rounds
    scan    id of the scan under way, "" between scans; of a stream followed by time: of the sweep under way
    swept   when the last sweep ended, in milliseconds; None before the first round
    rest    what of the scan is still to be read: (dimension id, dimension code)
    """

    since: int | None = None
    seen: tuple[str, ...] = ()
    high: int | None = None
    fresh: tuple[tuple[str, int], ...] = ()
    link: str = ""
    scan: str = ""
    rest: tuple[tuple[str, str], ...] = ()
    swept: int | None = None


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


def advance(
    cursor: Cursor, records: Sequence[tuple[NativeRecord, int]], link: str | None, overlap: int
) -> tuple[tuple[NativeRecord, ...], Cursor]:
    """What of a page is new, and the cursor behind it. Without `link` the round is finished."""
    seen = set(cursor.seen)
    positions = [position for _, position in records] + ([] if cursor.high is None else [cursor.high])
    high = max(positions, default=None)
    fresh = dict(cursor.fresh)
    delivered = []
    for record, position in records:
        mark = _digest(record)
        if mark not in seen:
            delivered.append(record)
        fresh[mark] = position
    kept = tuple((mark, position) for mark, position in fresh.items() if high is None or position > high - overlap)
    kept = kept if len(kept) <= _MOST_DIGESTS else ()
    if link:
        return tuple(delivered), structs.replace(cursor, high=high, fresh=kept, link=link)
    reached = cursor.since if high is None else max(high, cursor.since if cursor.since is not None else high)
    shown = tuple(mark for mark, _ in kept) or cursor.seen
    return tuple(delivered), Cursor(since=reached, seen=shown, swept=cursor.swept)


def restart(cursor: Cursor) -> Cursor:
    """The round again from its start: its next link is no longer accepted. What it delivered is not delivered again."""
    seen = cursor.seen + tuple(mark for mark, _ in cursor.fresh)
    return Cursor(since=cursor.since, seen=seen, swept=cursor.swept)


def sweep_due(cursor: Cursor, now: int, every: int) -> bool:
    """Whether a sweep is under way, or its time has come: never in the middle of a round."""
    if cursor.scan:
        return True
    return not cursor.link and cursor.since is not None and now - (cursor.swept or 0) >= every


def swept(cursor: Cursor, now: int) -> Cursor:
    """The cursor behind a finished sweep."""
    return structs.replace(cursor, swept=now)


def milliseconds(moment: datetime) -> int:
    """A moment as position."""
    return int(moment.timestamp() * 1000)


def moment_at(position: int) -> datetime:
    """The moment of a position."""
    return datetime.fromtimestamp(position / 1000, UTC)


def parse_moment(text: object) -> datetime | None:
    """A wire time; None for blank or unreadable."""
    if not isinstance(text, str) or not text or text.startswith("0001-"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _digest(record: NativeRecord) -> str:
    return hashlib.sha256(f"{record.id} {record.version} {record.modified_at}".encode()).hexdigest()[:12]
