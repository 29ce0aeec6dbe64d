"""`subscriptions`: who is told of changes. Of the environment, not of a company; its key is a text (bc.json)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from msgspec import structs

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.entity import READ_WRITE, EntitySet, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Field, Kind, named_guid, shown
from isthmus.sandbox.business_central.registry import Area, entity_sets
from isthmus.sandbox.business_central.tables import Row, Values
from isthmus.sandbox.business_central.webhooks import noticing
from isthmus.sandbox.business_central.webhooks.book import HandshakeNeeded, Subscription
from isthmus.sandbox.business_central.webhooks.eligible import subject


class _Row(Row):
    """A subscription as a row: its key has a name of its own."""

    __slots__ = ()

    @property
    def id(self) -> str:
        return str(self.values["subscriptionId"])


class Subscriptions(EntitySet):
    """POST and PATCH need an answered handshake; a PATCH renews, whatever it changes."""

    name = "subscriptions"
    entity = "subscriptions"
    title = "API Webhook Subscription"
    methods = READ_WRITE
    per_company = False
    fields = (
        shown("subscriptionId", Kind.TEXT),
        Field("notificationUrl", Kind.TEXT, required=True),
        Field("resource", Kind.TEXT, required=True),
        shown("userId", Kind.GUID),
        shown("lastModifiedDateTime", Kind.TIME),
        Field("clientState", Kind.TEXT, 2048),
        shown("expirationDateTime", Kind.TIME),
        shown("systemCreatedAt", Kind.TIME),
        shown("systemCreatedBy", Kind.GUID),
        shown("systemModifiedAt", Kind.TIME),
        shown("systemModifiedBy", Kind.GUID),
    )

    def read_key(self, text: str) -> str:
        return text

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        return [_row(one) for one in call.environment.webhooks.subscriptions.values()]

    def find(self, call: Call, parent: Parent | None, key: str) -> Row:
        found = call.environment.webhooks.subscriptions.get(key)
        if found is None:
            raise errors.not_found(self.title, key)
        return _row(found)

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        environment = call.environment
        for name in ("notificationUrl", "resource"):
            if not values.get(name):
                raise errors.required(name)
        company, set_name = subject(environment, entity_sets(), values["resource"])
        if len(environment.webhooks.subscriptions) >= environment.switches.max_subscriptions:
            # The number is from bc.md section 10, how it is refused is assumed.
            text = f"The maximum number of subscriptions ({environment.switches.max_subscriptions}) has been reached."
            raise errors.bad_request(text)
        _greet(call, values["notificationUrl"])
        user = named_guid("user", call.client_id)
        now = environment.clock.seconds()
        # ids are random in the real system as well, and no seed names one
        return _renew(call, Subscription(uuid.uuid4().hex, "", company, set_name, "", user, now, now, now, 0), values)

    def change(self, call: Call, row: Row, values: Values) -> Row:
        names = ("notificationUrl", "resource", "clientState")
        merged: Values = {name: values.get(name, row.values[name]) for name in names}
        company, set_name = subject(call.environment, entity_sets(), merged["resource"])
        _greet(call, merged["notificationUrl"])
        found = call.environment.webhooks.subscriptions[row.id]
        return _renew(call, structs.replace(found, company=company, set_name=set_name), merged)

    def remove(self, call: Call, row: Row) -> None:
        _put(call, row.id, None)


def _renew(call: Call, found: Subscription, values: Values) -> Row:
    environment = call.environment
    lasts = environment.switches.subscription_seconds
    now = environment.clock.seconds()
    renewed = structs.replace(
        found,
        notification_url=values["notificationUrl"],
        client_state=values.get("clientState", ""),
        modified=now,
        expires=now + lasts,
        version=environment.versions.next(),
    )
    environment.agenda.add(lasts, noticing.EXPIRES, {"subscription": found.id})
    _put(call, found.id, renewed)
    return _row(renewed)


def _put(call: Call, key: str, subscription: Subscription | None) -> None:
    """Keep a subscription, or forget it and what it was still to be told."""
    book = call.environment.webhooks
    before, pending = book.subscriptions.get(key), book.pending.get(key)

    def keep(one: Subscription | None) -> None:
        if one is None:
            book.drop([key])
        else:
            book.subscriptions[key] = one
        noticing.rewatch(call.environment)

    def undo() -> None:
        keep(before)
        if before is not None and pending is not None:
            book.pending[key] = pending

    keep(subscription)
    call.tx.note(undo)


def _greet(call: Call, url: str) -> None:
    """Go on only with an address that has shaken hands for this very request."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise errors.bad_request(f"The notification URL '{url}' is not valid.")  # text assumed
    if call.in_batch:
        raise errors.bad_request("Subscriptions can't be changed in a batch.")  # assumed: no source tells
    if call.greeted != url:
        raise HandshakeNeeded(url)


def _row(one: Subscription) -> Row:
    values: dict[str, Any] = {
        "subscriptionId": one.id,
        "notificationUrl": one.notification_url,
        "resource": f"companies({one.company})/{one.set_name}",
        "userId": one.user_id,
        "lastModifiedDateTime": noticing.at(one.modified),
        "clientState": one.client_state,
        "expirationDateTime": noticing.at(one.expires),
        "systemCreatedAt": noticing.at(one.created),
        "systemCreatedBy": one.user_id,
        "systemModifiedAt": noticing.at(one.modified),
        "systemModifiedBy": one.user_id,
    }
    return _Row(values, version=one.version)


AREA = Area(
    sets=(Subscriptions(),),
    due={noticing.DUE: noticing.due, noticing.AGAIN: noticing.again, noticing.EXPIRES: noticing.expire},
)
