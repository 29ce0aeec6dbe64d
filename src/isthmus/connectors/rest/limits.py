"""What answers say of the calls that are left."""

from __future__ import annotations

from datetime import datetime

from isthmus.connectors._http.session import Reply
from isthmus.connectors.rest.declared.answers import Limits

#: A reset further away than this is no window but a mistake in the header or in the profile.
_LONGEST = 3600


def remaining_calls(limits: Limits, reply: Reply, now: datetime) -> int | None:
    """Seconds to pause because no call is left in this window; None while there are some, or nothing is told."""
    left = reply.headers.get(limits.remaining.lower(), "").strip()
    resets = reply.headers.get(limits.reset.lower(), "").strip()
    if not left.isdigit() or int(left) > 0 or not resets.isdigit():
        return None
    seconds = int(resets) if limits.reset_is == "seconds" else int(resets) - int(now.timestamp())
    return min(max(seconds, 0), _LONGEST) or None
