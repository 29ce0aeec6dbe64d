"""What is known of webhooks: who wants to be told of what, what is still to be told, and the POSTs on their way."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


class Subscription(msgspec.Struct):
    """One subscription. Times are sandbox seconds since 1970; `company` is an id, `version` makes the etag."""

    id: str
    notification_url: str
    company: str
    set_name: str
    client_state: str
    user_id: str
    created: float
    modified: float
    expires: float
    version: int


class Pending(msgspec.Struct):
    """A change that a subscription is still to be told of: when it was first seen, and when last."""

    kind: str
    row_id: str
    first: float
    last: float


class Notice(msgspec.Struct):
    """One notification: the subscription, and the entry of the body as it is sent."""

    subscription: str
    body: dict[str, Any]


class Post(msgspec.Struct):
    """Notifications that leave together: to one address, at a sandbox time, for the how-manieth time."""

    id: int
    url: str
    notices: list[Notice]
    at: float
    attempt: int = 0
    #: Faults had their say.
    spoilt: bool = False


@dataclass(slots=True)
class Change:
    """A change of a row somebody subscribed to; `undone` when its transaction was taken back."""

    company: str
    set_name: str
    kind: str
    row_id: str
    at: float
    undone: bool = False


class HandshakeNeeded(Exception):
    """The request can go on when this address has answered a validation token."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


class Book:
    """The state of all webhooks of an environment."""

    def __init__(self) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        #: By subscription; the key of each is its kind and row, so that repeated updates are one.
        self.pending: dict[str, dict[tuple[str, str], Pending]] = {}
        #: Addresses whose next notifications have their time on the agenda.
        self.planned: set[str] = set()
        #: POSTs that were sent or are about to be, until they were taken or given up.
        self.posts: dict[int, Post] = {}
        #: Changes nobody has looked at yet, and POSTs whose time has come; both are emptied before a request ends.
        self.changes: list[Change] = []
        self.ready: list[Post] = []
        #: The last deliveries, for `/_sandbox/state`.
        self.log: deque[dict[str, Any]] = deque(maxlen=200)
        self._last = 0

    def post(self, url: str, notices: list[Notice], at: float, *, spoilt: bool = False) -> Post:
        self._last += 1
        found = self.posts[self._last] = Post(self._last, url, notices, at, spoilt=spoilt)
        return found

    def drop(self, ids: Collection[str]) -> bool:
        """Forget subscriptions and what they were still to be told. Whether there were any."""
        found = [one for one in ids if self.subscriptions.pop(one, None) is not None]
        for one in found:
            self.pending.pop(one, None)
        return bool(found)

    def report(self) -> dict[str, Any]:
        return {
            "subscriptions": [
                {
                    "id": one.id,
                    "set": one.set_name,
                    "company": one.company,
                    "notificationUrl": one.notification_url,
                    "expires": one.expires,
                    "pending": len(self.pending.get(one.id, ())),
                }
                for one in self.subscriptions.values()
            ],
            "under_way": len(self.posts),
            "deliveries": list(self.log),
        }

    def dump(self) -> dict[str, Any]:
        return {
            "subscriptions": list(self.subscriptions.values()),
            "pending": {one: list(found.values()) for one, found in self.pending.items()},
            "planned": sorted(self.planned),
            "posts": list(self.posts.values()),
            "last": self._last,
        }

    def load(self, saved: Mapping[str, Any], scheduled: Collection[int]) -> None:
        """`scheduled`: POSTs that the agenda sends again. Others were cut short by the end and leave at once."""
        self.subscriptions = {one.id: one for one in msgspec.convert(saved["subscriptions"], list[Subscription])}
        pending = msgspec.convert(saved["pending"], dict[str, list[Pending]])
        self.pending = {name: {(one.kind, one.row_id): one for one in found} for name, found in pending.items()}
        self.planned = set(saved["planned"])
        self.posts = {one.id: one for one in msgspec.convert(saved["posts"], list[Post])}
        self.ready = [one for one in self.posts.values() if one.id not in scheduled]
        self._last = int(saved["last"])
