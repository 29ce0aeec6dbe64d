"""Where a record stands with a flow: which of its messages is in the target's books, and which is under way.

Read from its messages, oldest first. Pure. Every document number follows from its message's key, so a message that may
be booked beside an earlier one of the same event needs a key of its own: that is what `slot` and `correction` give.
Such a key follows from the event and from how often it was corrected, never from numbers of ours: a ledger restored
from a backup gives those out anew, and must come to the same document numbers as the one that was lost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from isthmus.ledger.messages import CHANGED_IN_FLIGHT
from isthmus.ledger.types import MessageRow, MessageState

#: Nothing of these can be in effect at the target, so their document may still be replaced.
REPLACEABLE: frozenset[MessageState] = frozenset(
    {"ready", "retrying", "waiting", "held", "dead", "skipped", "cancelled"}
)
#: Ends the key of a message whose document counters a booked one.
COUNTER = ":counter"
#: Ends the key of a message that books what differs from what is booked, and stands for the whole afterwards.
DIFFERENCE = ":difference"
_CORRECTION = re.compile(rf"(?P<event>.+):correct:(?P<number>\d+)(?:{DIFFERENCE})?", re.DOTALL)
_CLOSED: frozenset[MessageState] = frozenset({"done", "saved", "skipped", "cancelled"})


def booked(earlier: Sequence[MessageRow]) -> MessageRow | None:
    """The document that stands in the target's books for this record now; None after a counter without a new one."""
    last = next((m for m in reversed(earlier) if m.state in {"done", "saved"} and m.document), None)
    return None if last is not None and last.key.endswith(COUNTER) else last


def countering(earlier: Sequence[MessageRow]) -> MessageRow | None:
    """The counter of a correction under way: asked for by a person, not booked yet."""
    return next((m for m in reversed(earlier) if m.key.endswith(COUNTER) and m.state not in _CLOSED), None)


def flying(earlier: Sequence[MessageRow]) -> MessageRow | None:
    """The message whose call is under way or whose outcome is unknown: its document can no longer be replaced."""
    last = next((m for m in reversed(earlier) if m.code != CHANGED_IN_FLIGHT), None)
    return last if last is not None and last.state in {"sending", "uncertain"} else None


def slot(event_key: str, earlier: Sequence[MessageRow]) -> str:
    """The key under which the record's next document goes."""
    if not earlier:
        return event_key
    counter = countering(earlier)
    if counter is not None:
        return counter.key.removesuffix(COUNTER)
    if booked(earlier) is not None or event_key not in {m.key for m in earlier}:
        return event_key
    return earlier[-1].key.removesuffix(COUNTER)  # after a counter without a new document: what that would have had


def correction(booked_key: str) -> tuple[str, int]:
    """Of a booked document's key: the event it belongs to, and the number of its next correction, from 1."""
    match = _CORRECTION.fullmatch(booked_key)
    return (match["event"], int(match["number"]) + 1) if match else (booked_key, 1)
