"""Webhooks: how an event proves where it comes from, what it tells, and how it is subscribed to."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from isthmus.connectors.rest.declared.base import Duration, Many, Place, Proven
from isthmus.connectors.rest.declared.calls import Call


class Signature(Proven):
    """An HMAC in a header."""

    header: str = Field(description="Header that holds the signature")
    algorithm: Literal["sha256", "sha1", "sha512"] = Field(default="sha256", description="Hash of the HMAC")
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How the signature is written")
    form: str = Field(
        default="{signature}", description="Form of the header: `{signature}`, and `{timestamp}` where it holds one"
    )
    signs: str = Field(default="{body}", description="What is signed: `{body}`, `{timestamp}` and text between them")
    timestamp: str = Field(default="", description="Header of the time, where the signature's own header holds none")
    tolerance: Duration = Field(
        default=timedelta(minutes=5), description="How far the time may be from ours, where one is signed"
    )


class Subscribing(Proven):
    """How the system is asked to send events of one set. Calls know `{address}`, `{secret}`, `{set}`, `{id}`."""

    list: Call = Field(description="Call that shows the subscriptions there are")
    items: Place = Field(default="", description="Where they stand in its answer")
    next: Place = Field(default="", description="Where the link to the next page stands; empty: there is one page")
    id: Place = Field(default="id", description="Where the id of one stands")
    address: Place = Field(default="url", description="Where its address stands")
    events: Place = Field(default="events", description="Where its events stand, a text or a list")
    event: str = Field(default="{set}", description="What stands there for the events of a set")
    active: Place = Field(default="", description="Where it says whether it is still served (true, false)")
    create: Call = Field(description="Call that makes one")
    created: Place = Field(default="id", description="Where the id stands in the answer of `create`")
    resume: Call | None = Field(
        default=None, description="Call that wakes one the system has switched off; without it, one is made anew"
    )
    delete: Call | None = Field(default=None, description="Call that ends one")


class Webhook(Proven):
    """What comes in. Events are hints only: the record is read again, and polls find what was never sent."""

    secret: Literal["signature", "path", "none"] = Field(
        description="What proves the sender besides the secret part of the address: an HMAC `signature`; or nothing "
        "(`path`: the system signs nothing; `none`: it cannot even keep the address secret)"
    )
    signature: Signature | None = Field(default=None, description="The signature")
    events: Place = Field(default="", description="Where the list of events stands; empty: the body is one event")
    type: Place = Field(description="Where an event names the set or type of the record")
    id: Place = Field(description="Where it names the record")
    action: Place = Field(default="", description="Where it says what happened")
    delivery: Place = Field(default="", description="Where the identity of the event stands; the same twice is one")
    types: dict[str, str] = Field(default={}, description="Type of an event to native set, where they differ")
    deleted: Many[str] = Field(default=(), description="Words of the action that mean the record is gone")
    answer: int = Field(
        default=202, ge=200, le=299, description="Status an event is answered with, for systems that want a certain one"
    )
    subscribing: Subscribing | None = Field(
        default=None,
        description="How events are subscribed to; a `signature` needs it. Empty: a person does it in the system",
    )
