"""Webhook subscriptions of Business Central, and its notifications (bc.md §11)."""

from __future__ import annotations

import hmac
import re
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics._odata import Row
from isthmus.connectors.dynamics.business_central.companies import Companies
from isthmus.connectors.dynamics.business_central.cursor import parse_moment
from isthmus.contract.clock import Clock
from isthmus.contract.webhooks import Hint, Subscription, Wanted
from isthmus.errors import IsthmusError, Reject, Retry, Stale, Uncertain

#: `companies(id)/set`, with or without what stands before; a key or a filter may follow.
_RESOURCE = re.compile(r"(?:.*/)?companies\((?P<company>[^()]+)\)/(?P<set>\w+)(?:\((?P<key>[^()]+)\))?(?:\?.*)?")
#: Below the environment's address: the API that lists what can be subscribed to (bc.md §2).
RUNTIME = "api/microsoft/runtime/beta"
#: A token is some 40 characters; nobody gets a page of text repeated.
_LONGEST_TOKEN = 4_096
_UNREACHED = (
    "Business Central calls the address of `hooks.url` while it makes a subscription: is it open to the internet, with "
    "a certificate of a public authority, and does it lead to `isthmus up`?"
)


class _Notice(Struct, frozen=True, rename="camel"):
    """An entry of a notification, as far as it is needed."""

    subscription_id: str
    resource: str
    change_type: str
    client_state: str = ""
    last_modified_date_time: str = ""


class _Body(Struct, frozen=True):
    value: list[_Notice]


class Webhooks:
    """Keeps the subscriptions of one connection. `runtime` is the service that lists what can be subscribed to."""

    def __init__(self, client: ODataClient, runtime: ODataClient, companies: Companies, clock: Clock) -> None:
        self._client = client
        self._runtime = runtime
        self._companies = companies
        self._clock = clock
        self._supported: frozenset[str] | None = None

    async def subscriptions(
        self, address: str, wanted: Sequence[Wanted], *, ours: Collection[str], renew_before: datetime
    ) -> AsyncGenerator[Subscription, None]:
        """See `isthmus.contract.webhooks.Subscriber`. One request when nothing is to be done."""
        present = await self._client.all("subscriptions")
        now = self._clock.now()
        used: set[str] = set()
        for item in wanted:
            place = f"{await self._companies.path(item.company)}/{item.native}"
            live = [row for row in present if _is_for(row, address, place) and _ends(row, now) > now]
            newest = max(live, key=lambda row: _ends(row, now), default=None)
            if newest is not None:
                used.add(_id(newest))
            yield await self._keep(item, address, place, newest, renew_before)
        for row in present:
            if (row.data.get("notificationUrl") == address or _id(row) in ours) and _id(row) not in used:
                await self._remove(row)

    async def _keep(
        self, item: Wanted, address: str, place: str, row: Row | None, renew_before: datetime
    ) -> Subscription:
        now = self._clock.now()
        body = {"notificationUrl": address, "resource": f"/api/v2.0/{place}", "clientState": item.state}
        try:
            if row is None:
                if not await self._tells_of(item):
                    text = f"Business Central sends no notifications for {item.native}."
                    return _answer(item, "unsupported", code="webhook_unsupported", text=text)
                made = await self._client.send("POST", "subscriptions", body)
                return _standing(item, "made", made, now)
            if _ends(row, now) >= renew_before and row.data.get("clientState") in {None, item.state}:
                return _standing(item, "kept", row.data, now)
            renewed = await self._client.send("PATCH", f"subscriptions('{_id(row)}')", body, etag=row.etag or "*")
            return _standing(item, "renewed", renewed, now)
        except (Reject, Stale, Uncertain) as error:
            return _refusal(item, row, error, address)

    async def _tells_of(self, item: Wanted) -> bool:
        """Whether the service sends notifications for a set. True where it does not say: the attempt will tell."""
        if self._supported is None:
            path = f"{await self._companies.path(item.company)}/webhookSupportedResources"
            try:
                rows = await self._runtime.all(path, {"$filter": "resource eq 'v2.0*'"})
            except (Reject, Retry):
                return True
            self._supported = frozenset(str(row.data.get("resource")).rpartition("/")[2] for row in rows)
        return not self._supported or item.native in self._supported

    async def _remove(self, row: Row) -> None:
        try:
            await self._client.send("DELETE", f"subscriptions('{_id(row)}')", etag=row.etag or "*")
        except (Reject, Stale, Uncertain):
            return  # gone already, or gone by itself in three days; until then its hints are understood all the same


def _is_for(row: Row, address: str, place: str) -> bool:
    found = _RESOURCE.fullmatch(str(row.data.get("resource")))
    if found is None or row.data.get("notificationUrl") != address:
        return False
    return f"companies({found['company'].lower()})/{found['set']}" == place


def _id(row: Row) -> str:
    return str(row.data.get("subscriptionId"))


def _ends(row: Row, now: datetime) -> datetime:
    """A subscription without an end in it counts as about to end."""
    return parse_moment(row.data.get("expirationDateTime")) or now.replace(tzinfo=UTC)


def _standing(item: Wanted, result: Any, data: Any, now: datetime) -> Subscription:
    data = data if isinstance(data, Mapping) else {}
    return Subscription(
        native=item.native,
        company=item.company,
        result=result,
        id=str(data.get("subscriptionId") or ""),
        expires_at=parse_moment(data.get("expirationDateTime")) or now,
    )


def _refusal(item: Wanted, row: Row | None, error: IsthmusError, address: str) -> Subscription:
    text = error.message.replace(address, "the address")
    mend = error.hint or (_UNREACHED if isinstance(error, Reject) else "It is tried again by itself.")
    kept = {"id": _id(row), "expires_at": parse_moment(row.data.get("expirationDateTime"))} if row is not None else {}
    return _answer(item, "refused", code=error.code, text=text, mend=mend, **kept)


def _answer(item: Wanted, result: Any, **more: Any) -> Subscription:
    return Subscription(native=item.native, company=item.company, result=result, **more)


# what comes in


def handshake(query: Mapping[str, str]) -> str | None:
    """The validation token, which proves the address ours when it comes back as the whole answer."""
    token = query.get("validationToken")
    return token if token and len(token) <= _LONGEST_TOKEN else None


def hints(body: bytes, wanted: Sequence[Wanted]) -> Sequence[Hint] | None:
    """What the entries tell of that carry the state of a wanted set; those of other senders are passed over, because
    one POST carries the entries of all subscriptions of an address. Raises Reject when all are of others."""
    try:
        notices = msgspec.json.decode(body, type=_Body).value
    except msgspec.MsgspecError:
        return None
    senders = {notice.client_state: _sender(notice.client_state, wanted) for notice in notices}
    found = []
    for notice in notices:
        item = senders[notice.client_state]
        if item is None:
            continue
        found.append(
            Hint(
                native=item.native,
                company=item.company,
                gone=_gone(notice),
                key=f"{notice.subscription_id} {notice.resource} {notice.change_type} {notice.last_modified_date_time}",
            )
        )
    if notices and not found:
        raise Reject("no entry carries the state of a subscription of ours.", code="unknown_sender")
    return found


def _sender(state: str, wanted: Sequence[Wanted]) -> Wanted | None:
    return next((item for item in wanted if hmac.compare_digest(item.state.encode(), state.encode())), None)


def _gone(notice: _Notice) -> str:
    match = _RESOURCE.fullmatch(notice.resource)
    return (match["key"] or "") if match is not None and notice.change_type == "deleted" else ""
