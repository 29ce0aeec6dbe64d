"""Messages in the ledger: keys make one message, waiting ones wake by what they waited for, the fence holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from isthmus.errors import FenceLost
from isthmus.ledger import connections, messages
from isthmus.ledger.types import MessageWrite, Settlement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from isthmus.ledger.database import Database
    from isthmus.ledger.types import Db

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
async def db(database: Database) -> AsyncIterator[Db]:
    pool = await database.pool(min_size=1, max_size=2)
    async with pool.connection() as connection:
        await connections.register(connection, [("finance", "business_central")])
        yield connection
    await pool.close()


def write(key: str, **changes: object) -> MessageWrite:
    values: dict[str, object] = {
        "key": key, "kind": "event", "flow": "costs", "connection": "finance", "company": "A",
        "entity": "journal_entry", "action": "post", "state": "ready", "document": "{}",
    }  # fmt: skip
    return MessageWrite(**(values | changes))  # type: ignore[arg-type]


async def put(db: Db, *writes: MessageWrite) -> dict[str, int]:
    return await messages.put(db, writes, NOW, epoch=1, configuration=None)


async def send(db: Db, message_id: int, fence: int = 0) -> None:
    (row,) = await messages.by_ids(db, [message_id])
    assert await messages.claim(db, "finance", [(message_id, "d", row.document, row.action)], fence, NOW) == {
        message_id
    }


async def test_an_event_key_makes_one_message_and_never_replaces_one_that_was_sent(db: Db) -> None:
    first = await put(db, write("k", document='{"a":1}'))
    again = await put(db, write("k", document='{"a":2}'))
    assert again == first
    await send(db, first["k"])
    assert await put(db, write("k", document='{"a":3}')) == {}
    (row,) = await messages.by_ids(db, list(first.values()))
    assert (row.document, row.state) == ('{"a":2}', "sending")


async def test_a_message_waiting_for_a_number_wakes_when_the_number_exists_and_no_other_does(db: Db) -> None:
    ids = await put(
        db,
        write("a", state="waiting", waits_for="V100"),
        write("b", state="waiting", waits_for="V200"),
    )
    assert await messages.arrived(db, ["V100", "V300"], NOW) == ["finance"]
    states = {row.key: row.state for row in await messages.by_ids(db, list(ids.values()))}
    assert states == {"a": "ready", "b": "waiting"}


async def test_a_message_behind_another_goes_when_that_one_is_done_and_stays_when_it_is_dead(db: Db) -> None:
    ids = await put(db, write("one"), write("two"))
    await put(
        db,
        write("after one", state="waiting", waits_for=messages.behind(ids["one"])),
        write("after two", state="waiting", waits_for=messages.behind(ids["two"])),
    )
    for key in ("one", "two"):
        await send(db, ids[key])
    await messages.settle(
        db,
        [
            Settlement(id=ids["one"], state="done", outcome="done"),
            Settlement(id=ids["two"], state="dead", outcome="reject"),
        ],
        0,
        NOW,
    )
    rows = await messages.deliverable(db, "finance", NOW, 10)
    assert [row.key for row in rows] == ["after one"]


async def test_a_settled_message_is_left_alone(db: Db) -> None:
    ids = await put(db, write("k"))
    await send(db, ids["k"])
    assert await messages.settle(db, [Settlement(id=ids["k"], state="done")], 0, NOW) == [ids["k"]]
    assert await messages.settle(db, [Settlement(id=ids["k"], state="dead")], 0, NOW) == []


async def test_sendings_of_an_earlier_turn_become_uncertain_and_those_of_this_one_do_not(db: Db) -> None:
    ids = await put(db, write("old"), write("new"))
    await send(db, ids["old"], fence=1)
    await send(db, ids["new"], fence=2)
    assert await messages.adopt_orphans(db, "finance", 2, NOW) == 1
    assert [row.key for row in await messages.uncertain(db, "finance", NOW, 10)] == ["old"]


async def test_a_later_turn_takes_the_fence_from_an_earlier_one(db: Db) -> None:
    first = await connections.begin_turn(db, "finance", "one", NOW)
    await connections.guard(db, "finance", first)
    second = await connections.begin_turn(db, "finance", "two", NOW)
    assert second == first + 1
    with pytest.raises(FenceLost):
        await connections.guard(db, "finance", first)
