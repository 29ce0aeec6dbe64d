"""From a change in Business Central to the hub: told, told badly or not told at all, the end is the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from integration.webhooks.bench import Doorway, Listening
from integration.work_order_costs.bench import COMPANY, Mine

DAY = 86_400
MANY = [f"7{number:03}" for number in range(300)]


def accounts(mine: Mine, numbers: Sequence[str]) -> None:
    """More accounts in Business Central."""
    rows = [{"number": number, "name": f"Account {number}", "category": "expense"} for number in numbers]
    mine.box.seed({"companies": [{"name": COMPANY, "accounts": rows}]})


async def test_a_change_is_told_and_read(listening: Listening) -> None:
    listening.change("8410")
    await listening.wait(29)
    await listening.turn()
    assert "8410" not in listening.blocked()
    listening.mine.box.reset_calls()
    await listening.wait(2)
    await listening.turn()
    assert "8410" in listening.blocked()
    assert listening.requests() == {"GET accounts": 1}


async def test_a_collection_is_read_like_any_other_change(mine: Mine, doorway: Doorway) -> None:
    accounts(mine, MANY[:40])
    mine.box.set(max_notifications=10)
    async with Listening.opened(mine, doorway) as listening:
        await listening.turn()
        listening.change(*MANY[:40])
        listening.mine.box.reset_calls()
        await listening.wait(31)
        delivered = mine.box.state()["webhooks"]["deliveries"]
        assert [(one["notifications"], one["status"]) for one in delivered] == [(1, 202)]
        await listening.turn()
        assert set(MANY[:40]) <= listening.blocked()
        assert listening.requests() == {"GET accounts": 1}


async def test_what_is_told_to_be_deleted_is_looked_up(mine: Mine, doorway: Doorway) -> None:
    accounts(mine, MANY[:3])
    async with Listening.opened(mine, doorway) as listening:
        await listening.turn()
        mine.box._answer("POST", "remove", {"company": COMPANY}, {"set": "accounts", "key": MANY[0]})
        await listening.wait(31)
        await listening.turn()
        rows = mine.ask("select number, deleted_at is not null from record where number = any(%s) order by 1", MANY[:3])
        assert rows == [(MANY[0], True), (MANY[1], False), (MANY[2], False)]
        # one that is told to be gone and is there stays
        kept = mine.ask("select native_id from link where base like %s", f"%{MANY[1]}%")[0][0]
        body = {
            "value": [
                {
                    "subscriptionId": "x",
                    "clientState": listening.wanted("accounts").state,
                    "resource": f"api/v2.0/companies(x)/accounts({kept})",
                    "changeType": "deleted",
                }
            ]
        }
        assert (await listening.call("POST", listening.door.address("finance"), body))[0] == 202
        await listening.turn()
        assert mine.ask("select deleted_at from record where number = %s", MANY[1]) == [(None,)]


async def _through(listening: Listening, numbers: Sequence[str]) -> int:
    """Accounts are changed one after the other, three in each two seconds, with a turn now and then; how many turns."""
    turns = 0
    for at in range(0, len(numbers), 3):
        for number in numbers[at : at + 3]:
            listening.change(number)
        await listening.wait(2)
        if at % 30 == 27:
            turns += len(await listening.turn())
    await listening.wait(1_000)  # what was delayed
    return turns + len(await listening.turn())


def _hub(mine: Mine) -> list[tuple[Any, ...]]:
    rows = mine.ask("select number, data from record where entity = 'account' order by number")
    return [(number, {**json.loads(data), "changed_at": None}) for number, data in rows]


FAULTS: dict[str, list[dict[str, Any]]] = {
    "lost": [{"kind": "webhook_lost", "match": {"probability": 0.6, "seed": 1}}],
    "repeated": [{"kind": "webhook_repeated", "match": {"probability": 0.6, "seed": 2}}],
    "reordered": [
        {"kind": "webhook_delayed", "seconds": 45, "match": {"probability": 0.3, "seed": 3}},
        {"kind": "webhook_reordered", "match": {"probability": 0.5, "seed": 4}},
    ],
    "all": [
        {"kind": "webhook_lost", "match": {"probability": 0.3, "seed": 5}},
        {"kind": "webhook_delayed", "seconds": 300, "match": {"probability": 0.3, "seed": 6}},
        {"kind": "webhook_repeated", "match": {"probability": 0.3, "seed": 7}},
        {"kind": "webhook_reordered", "match": {"probability": 0.3, "seed": 8}},
    ],
}


@pytest.mark.parametrize("faults", FAULTS)
async def test_three_hundred_notifications_told_badly(mine: Mine, doorway: Doorway, faults: str) -> None:
    accounts(mine, MANY)
    mine.box.set(notification_delay=1)
    async with Listening.opened(mine, doorway) as listening:
        await listening.turn()
        for fault in FAULTS[faults]:
            mine.box.fault(**fault)
        mine.box.reset_calls()
        turns = await _through(listening, MANY)
        asked = listening.requests()
        assert set(asked) <= {"GET accounts", "GET subscriptions"}  # nothing else was named
        assert asked["GET accounts"] <= turns
        hints = mine.ask("select count(*), count(distinct digest) from inbox")[0]
        assert hints[0] == hints[1]  # a repeated one was kept once
        if faults != "lost":
            assert hints[0] <= len(MANY)
        mine.box.clear_faults()
        # whatever was not told is found by the next one, or at the latest by the poll
        await listening.wait(31 * DAY)
        await listening.turn()
        assert set(MANY) <= listening.blocked()
        told = _hub(mine)
    shown = {row["number"]: row["blocked"] for row in _business_central(mine)}
    assert {number: state["blocked"] for number, state in told} == shown


def _business_central(mine: Mine) -> list[dict[str, Any]]:
    """Accounts as the simulator has them, by its own state file."""
    mine.stop()
    saved = json.loads((mine.home / "sandbox" / "finance" / "state").read_text("utf-8"))
    company = next(one for one in saved["companies"] if one["name"] == COMPANY)
    return [row[0] for row in company["tables"]["accounts"]]
