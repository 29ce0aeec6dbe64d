"""Webhooks as a profile declares them: subscriptions kept, notifications proved by their signature and understood."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from isthmus.connectors._http.decode import NotJson, decode
from isthmus.connectors.rest.client import ReadyCall, RestClient, ready
from isthmus.connectors.rest.declared.webhooks import Signature, Subscribing, Webhook
from isthmus.connectors.rest.facts import Facts
from isthmus.connectors.rest.moments import NotTime, time_form
from isthmus.connectors.rest.places import getter, text_at
from isthmus.connectors.rest.templates import compiled, spelt
from isthmus.contract.clock import Clock
from isthmus.contract.webhooks import Hint, Subscription, Wanted
from isthmus.errors import Halt, Reject, Retry, Stale, Uncertain

#: More pages of subscriptions than this are a list that leads back to itself.
_MOST_PAGES = 100
_FORMS = {"{signature}": "(?P<signature>[A-Za-z0-9+/=_-]+)", "{timestamp}": "(?P<timestamp>[0-9A-Za-z:.+-]+)"}


class _There(Struct, frozen=True):
    """A subscription of the system that leads to us."""

    id: str
    address: str
    events: tuple[str, ...]
    active: bool


class Listening:
    """Webhooks of one connection. `sets`: what the profile knows, by native name."""

    def __init__(self, webhook: Webhook, client: RestClient, sets: Mapping[str, Facts], clock: Clock) -> None:
        self._webhook = webhook
        self._client = client
        self._sets = sets
        self._clock = clock

    async def subscriptions(
        self, address: str, wanted: Sequence[Wanted], *, ours: Collection[str]
    ) -> AsyncGenerator[Subscription, None]:
        """See isthmus.contract.webhooks.Subscriber. They do not end by themselves, so nothing is renewed in time."""
        spec = self._webhook.subscribing
        if spec is None:
            for item in wanted:
                yield Subscription(native=item.native, company=item.company, result="unsupported")
            return
        there = [one for one in await self._there(spec) if one.address == address or one.id in ours]
        needed: set[str] = set()
        for item in wanted:
            found = [
                one
                for one in there
                if one.address == address and one.id not in needed and self._is_of(spec, one, item)
                and (one.active or spec.resume is not None)
            ]  # fmt: skip
            best = max(found, key=lambda one: one.active, default=None)
            needed |= {best.id} if best is not None else set()
            yield await self._one(spec, item, best, address)
        for one in there:
            if one.id not in needed and spec.delete is not None:
                await self._delete(spec.delete, one)

    def hints(self, headers: Mapping[str, str], body: bytes, wanted: Sequence[Wanted]) -> Sequence[Hint] | None:
        """See isthmus.contract.webhooks.Subscriber."""
        events = self._events(body)
        named = {native for event in events if (native := self._native(event))}
        about = [item for item in wanted if item.native in named]
        if self._webhook.signature is not None:
            proved = self._proved(self._webhook.signature, headers, body, about or wanted)
            about = [item for item in about if item in proved]
        if not about:
            return None
        return [self._hint(event, item) for event in events for item in about if item.native == self._native(event)]

    async def _one(self, spec: Subscribing, item: Wanted, there: _There | None, address: str) -> Subscription:
        facts = self._sets.get(item.native)
        if facts is None or not facts.whole.own.events:
            return Subscription(native=item.native, company=item.company, result="unsupported")
        if there is not None and there.active:
            return Subscription(native=item.native, company=item.company, result="kept", id=there.id)
        names = {"address": address, "secret": item.state, "set": item.native}
        try:
            if there is not None and spec.resume is not None:
                await self._client.call(ready(spec.resume), {**names, "id": there.id}, writes=True)
                return Subscription(native=item.native, company=item.company, result="resumed", id=there.id)
            answer = await self._client.call(ready(spec.create), names, writes=True)
        except (Reject, Stale, Uncertain) as error:
            return Subscription(
                native=item.native, company=item.company, result="refused", code=error.code, text=error.message,
                mend=error.hint,
            )  # fmt: skip
        made = text_at(answer.body, getter(spec.created))
        return Subscription(native=item.native, company=item.company, result="made", id=made)

    async def _there(self, spec: Subscribing) -> list[_There]:
        active = getter(spec.active) if spec.active else None
        return [
            _There(
                id=text_at(one, getter(spec.id)),
                address=text_at(one, getter(spec.address)),
                events=tuple(_texts(getter(spec.events)(one))),
                active=active is None or active(one) is not False,
            )
            async for one in self._listed(spec)
        ]

    async def _listed(self, spec: Subscribing) -> AsyncIterator[Any]:
        """Every subscription of the system. One that is not seen would be made again and again."""
        answer = await self._client.call(ready(spec.list), {})
        for _ in range(_MOST_PAGES):
            found = getter(spec.items)(answer.body)
            if not isinstance(found, list):
                raise Halt("the system does not show its subscriptions where the profile says.", code="no_list")
            for one in found:
                yield one
            link = text_at(answer.body, getter(spec.next)) if spec.next else ""
            if not link or not found:
                return
            answer = await self._client.follow(link)
        raise Halt("the list of subscriptions does not end.", code="no_list")

    def _is_of(self, spec: Subscribing, there: _There, item: Wanted) -> bool:
        return spelt(compiled(spec.event)({"set": item.native})) in there.events

    async def _delete(self, call: Any, there: _There) -> None:
        ended: ReadyCall = ready(call)
        try:
            await self._client.call(ended, {"id": there.id}, writes=True)
        except (Reject, Retry, Stale, Uncertain):
            return  # it is asked for again the next time

    def _events(self, body: bytes) -> list[Any]:
        try:
            found = getter(self._webhook.events)(decode(body))
        except NotJson:
            return []
        return found if isinstance(found, list) else [found]

    def _native(self, event: Any) -> str:
        told = text_at(event, getter(self._webhook.type))
        return self._webhook.types.get(told, told)

    def _hint(self, event: Any, item: Wanted) -> Hint:
        hook = self._webhook
        about = text_at(event, getter(hook.id))
        action = text_at(event, getter(hook.action)) if hook.action else ""
        delivery = text_at(event, getter(hook.delivery)) if hook.delivery else ""
        return Hint(
            native=item.native,
            company=item.company,
            gone=about if action in hook.deleted else "",
            key=f"{delivery}/{item.native}/{about}/{action}" if delivery else "",
        )

    def _proved(
        self, spec: Signature, headers: Mapping[str, str], body: bytes, wanted: Sequence[Wanted]
    ) -> Sequence[Wanted]:
        """The wanted sets whose secret made the signature. Raises Reject when none did, or not at about this time."""
        told = re.fullmatch(_pattern(spec.form), headers.get(spec.header.lower(), "").strip())
        if told is None:
            raise Reject(f"{spec.header} is missing or not of its form.", code="hook_unsigned")
        timestamp = told.groupdict().get("timestamp") or headers.get(spec.timestamp.lower(), "")
        signed = b""
        for part in re.split(r"(\{body\}|\{timestamp\})", spec.signs):
            signed += {"{body}": body, "{timestamp}": timestamp.encode()}.get(part, part.encode())
        shown = _decoded(told["signature"], spec.encoding)
        proved = [
            item
            for item in wanted
            if hmac.compare_digest(hmac.digest(item.state.encode(), signed, spec.algorithm), shown)
        ]
        if not proved:
            raise Reject(f"{spec.header} does not fit the body.", code="hook_forged")
        if "{timestamp}" in spec.signs and not _recent(timestamp, self._clock.now(), spec):
            raise Reject(f"{spec.header} is of another time.", code="hook_too_old")
        return proved


def _pattern(form: str) -> str:
    parts = re.split(r"(\{signature\}|\{timestamp\})", form)
    return "".join(_FORMS.get(part, re.escape(part)) for part in parts)


def _decoded(text: str, encoding: str) -> bytes:
    try:
        if encoding == "hex":
            return bytes.fromhex(text)
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        return b""


def _recent(text: str, now: datetime, spec: Signature) -> bool:
    forms = ("unix_millis" if text.isdigit() and len(text) > 11 else "unix_seconds", "iso")
    for form in forms:
        try:
            return abs(time_form(form, "UTC").read(text) - now) <= spec.tolerance
        except NotTime:
            continue
    return False


def _texts(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield one
