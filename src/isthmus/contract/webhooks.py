"""Webhooks: what a connector offers besides `Connector` when its system can tell of changes by itself.

A notification is a hint: it says what to read again, never what a record is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from msgspec import Struct

#: kept: it was there; renewed: it was there and lasts longer now; resumed: it was there, but the system had ceased to
#: serve it; made: it was missing; refused: the system does not take it now; unsupported: the system does not tell of
#: this set at all.
Result = Literal["kept", "renewed", "resumed", "made", "refused", "unsupported"]


class Wanted(Struct, frozen=True, kw_only=True):
    """A set of a company the hub wants to be told of.

    state   a secret text for this set alone, stable over restarts, at most 64 characters: what a system repeats in its
            notifications or signs them with, so that nobody else can send one
    """

    native: str
    company: str
    state: str


class Subscription(Struct, frozen=True, kw_only=True):
    """How a wanted set stands at the system.

    id           the system's own id of the subscription, "" where there is none
    expires_at   when it ends unless it is renewed, aware UTC; None: it does not end by itself
    code, text, mend   of a refusal, for people; no address, no secret
    """

    native: str
    company: str
    result: Result
    id: str = ""
    expires_at: datetime | None = None
    code: str = ""
    text: str = ""
    mend: str = ""


class Hint(Struct, frozen=True, kw_only=True):
    """One thing a notification tells of.

    native, company   the set, as `Wanted` names it
    gone   native id of a record that is told to have been deleted, "" for any other change
    key    equal for the same notification, however often it comes
    """

    native: str
    company: str
    gone: str = ""
    key: str = ""


@runtime_checkable
class Subscriber(Protocol):
    """A connector whose system sends notifications to an address it was given."""

    def handshake(self, query: Mapping[str, str]) -> str | None:
        """What to answer a call that only asks whether the address is ours, by the query of the call; None for any
        other call. Pure."""
        ...

    def subscriptions(
        self, address: str, wanted: Sequence[Wanted], *, ours: Collection[str], renew_before: datetime
    ) -> AsyncGenerator[Subscription, None]:
        """Bring the system to tell `address` of every wanted set: make what is missing, renew what ends before
        `renew_before`, remove ours that are not wanted any more. One answer per wanted set, as soon as known; whoever
        stops listening leaves the rest for the next time.

        `ours`: ids the hub knows from earlier. The system calls `address` meanwhile. Safe to repeat. Raises
        isthmus.errors when the system cannot be asked at all.
        """
        ...

    def hints(self, headers: Mapping[str, str], body: bytes, wanted: Sequence[Wanted]) -> Sequence[Hint] | None:
        """What a notification tells of; None when it cannot be understood, so that everything may have changed.
        Header names are lower case. Pure and quick. Raises Reject when it does not come from the system."""
        ...
