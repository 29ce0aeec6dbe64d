"""Messages and worlds for what is decided without a database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from isthmus.contract.capabilities import Capabilities, EntitySupport
from isthmus.ledger.types import MessageRow, MessageState
from isthmus.sync.world import RetrySpec

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


BLANK: dict[str, Any] = {
    **dict.fromkeys(MessageRow.__struct_fields__),
    **dict.fromkeys(("code", "reason", "field", "value", "mend", "subject", "place", "number", "currency"), ""),
    **dict.fromkeys(("delivery", "waits_for", "native_id"), ""),
    **dict.fromkeys(("created_at", "changed_at"), NOW),
    **{"kind": "event", "flow": "costs", "connection": "finance", "company": "PIT", "entity": "journal_entry"},
    **{"action": "post", "lane": 0, "earlier": (), "attempts": 0, "document": "{}"},
}


def message(number: int, state: MessageState, key: str = "K", **more: Any) -> MessageRow:
    return MessageRow(**(BLANK | {"id": number, "state": state, "key": key} | more))


def turn(*, settle_on: bool = True, idempotency: Any = "natural_key", policy: str = "hold", tries: int = 3) -> Any:
    """What settlements ask of a turn."""
    support = EntitySupport(native="journals", idempotency=idempotency, settle=timedelta(minutes=10))
    capabilities = Capabilities(system="bc", entities={"journal_entry": support}, call_timeout=timedelta(minutes=10))
    flow = SimpleNamespace(
        retry=RetrySpec(tries, timedelta(seconds=2), timedelta(minutes=1)),
        period_policy=policy,
        wait_limit=timedelta(hours=24),
    )
    world = SimpleNamespace(
        settle_on=settle_on,
        actors={"finance": SimpleNamespace(connector=SimpleNamespace(capabilities=capabilities))},
        flow=lambda name: flow if name == "costs" else None,
    )
    return SimpleNamespace(world=world, now=lambda: NOW)


@pytest.fixture
def a_message() -> Callable[..., MessageRow]:
    return message


@pytest.fixture
def a_turn() -> Callable[..., Any]:
    return turn
