"""Webhooks as records; their secrets are kept apart and never shown."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from isthmus.sandbox.cafm.entity import Entity, Field, Work
from isthmus.sandbox.cafm.kinds import FLAG, Reading, Record, Text, Words, Wrong

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World

#: `vendors.created`, `vendors.*`, `*`
EVENTS = Words(
    r"\*|[a-zA-Z]+\.(?:\*|created|updated|statusChanged|deleted|restored)", '["purchaseOrders.*", "vendors.created"]'
)


class _Address:
    """An http address of this machine: a sandbox reaches nothing else."""

    def read(self, given: Any, reading: Reading) -> str:
        text = Text(500).read(given, reading)
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Wrong("wrong_format", f"{text!r} is not an address with http or https.")
        if not _on_this_machine(parts.hostname):
            raise Wrong("wrong_format", f"this sandbox sends webhooks to this machine only, not to {parts.hostname!r}.")
        return text


def _on_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Webhooks(Entity):
    """Webhooks."""

    def complete(self, work: Work, record: Record, before: Record | None, reading: Reading) -> None:
        if record["active"]:
            record["disabledReason"] = None

    def show(self, world: World, record: Record) -> Record:
        shown = {name: value for name, value in record.items() if name != "secret"}
        return {**shown, "hasSecret": record["secret"] is not None}


WEBHOOKS = _Webhooks(
    "webhooks",
    (
        Field("url", _Address(), required=True),
        Field("secret", Text(200)),
        Field("events", EVENTS, required=True),
        Field("active", FLAG, default=True),
        Field("hasSecret"),
        Field("disabledReason"),
    ),
    events=False,
    first_id=1,
)
