"""Subscriptions at the CAFM: made, missed, woken, doubled, moved to another address; polling goes on meanwhile."""

from __future__ import annotations

from typing import Any

from integration.cafm_webhooks.bench import CAFM, FINANCE, Halls, Told, told
from integration.webhooks.bench import Doorway
from isthmus.app.upkeep import look_after_webhooks

HOUR = 3_600
#: What the flows read and the CAFM tells of; units have no events (docs/cafm-api.md, Webhooks).
TELLING = {"vendors", "items", "locations", "purchaseOrders", "receipts"}


def hooks(listening: Told) -> dict[str, dict[str, Any]]:
    """Webhooks at the CAFM that lead to us: set -> webhook. Each set has one."""
    found = {}
    for one in listening.mine.cafm.records("webhooks"):
        if one["url"] == listening.door.address(CAFM) and one["deletedAt"] is None:
            [event] = one["events"]
            assert event.removesuffix(".*") not in found
            found[event.removesuffix(".*")] = one
    return found


def states(listening: Told) -> dict[str, str]:
    return dict(listening.mine.ask("select native, state from subscription where connection = %s", CAFM))


def alerts(listening: Told) -> list[tuple[str, str]]:
    """What the audit says of the CAFM's webhooks, and of which set."""
    query = "select what, reason from audit where connection = %s and what like 'webhook%%' order by id"
    return [(what, reason.partition(":")[0]) for what, reason in listening.mine.ask(query, CAFM)]


async def an_hour_later(listening: Told) -> None:
    """What a server does once an hour."""
    await listening.wait(HOUR + 1)
    for name in sorted(await look_after_webhooks(listening.session.runtime)):
        await listening.turn(name)


async def test_every_set_the_cafm_tells_of_is_subscribed_to_once(listening: Told) -> None:
    made = hooks(listening)
    assert set(made) == TELLING
    assert all(one["active"] and one["hasSecret"] for one in made.values())
    assert states(listening) == dict.fromkeys(TELLING, "kept") | {"units": "unsupported"}
    await an_hour_later(listening)
    assert listening.mine.cafm.calls()["by_path"] == {"GET /webhooks": 1}
    assert hooks(listening) == made
    assert alerts(listening) == []


async def test_one_that_is_gone_is_made_anew_and_what_it_missed_is_read(listening: Told) -> None:
    halls = listening.mine
    await listening.does(halls.act, "DELETE", f"/webhooks/{hooks(listening)['purchaseOrders']['id']}")
    order = await listening.does(halls.order)
    await listening.turn(CAFM)
    assert halls.standing().get("done") == 2  # nobody told
    await an_hour_later(listening)
    assert set(hooks(listening)) == TELLING
    assert alerts(listening) == [("webhook subscription lost", "purchaseOrders")]
    await listening.settle()
    assert halls.in_finance(order)["number"]


async def test_one_the_cafm_switched_off_is_woken_and_what_it_missed_is_read(listening: Told) -> None:
    halls = listening.mine
    halls.cafm.set(hook_drops=2, hook_waits=[], hook_seconds=0.3)
    await listening.shut()
    order = await listening.does(halls.order)
    assert not hooks(listening)["purchaseOrders"]["active"]
    await listening.open()
    await listening.turn(CAFM)
    before = hooks(listening)["purchaseOrders"]["id"]
    await an_hour_later(listening)
    assert hooks(listening)["purchaseOrders"]["active"]
    assert hooks(listening)["purchaseOrders"]["id"] == before
    assert alerts(listening) == [("webhook subscription lost", "purchaseOrders")]
    await listening.settle()
    assert halls.in_finance(order)["number"]
    await listening.does(halls.receive, order)
    assert '[["purchase_order","",[]]]' in listening.hints()[-2:]  # it tells again


async def test_one_whose_secret_somebody_changed_gets_its_own_back(listening: Told) -> None:
    halls = listening.mine
    halls.cafm.set(hook_drops=2, hook_waits=[])
    await listening.does(halls.act, "PATCH", f"/webhooks/{hooks(listening)['receipts']['id']}", {"secret": "guessed"})
    order = await listening.does(halls.order)
    await listening.settle()
    for part in ("1", "2"):  # signed with what we never said: refused, and in the end switched off
        await listening.does(halls.receive, order, part)
    assert not hooks(listening)["receipts"]["active"]
    assert '[["receipt","",[]]]' not in listening.hints()
    await an_hour_later(listening)
    await listening.does(halls.receive, order, "3")
    assert listening.hints().count('[["receipt","",[]]]') == 1
    await listening.settle()
    assert [one["lines"]["10000"] for one in halls.in_finance(order)["receipts"]] == ["1", "2", "3"]


async def test_doubled_ones_and_those_of_an_old_address_are_removed_others_stay(listening: Told) -> None:
    halls, made = listening.mine, hooks(listening)
    double = {"url": listening.door.address(CAFM), "secret": "another", "events": ["vendors.*"], "active": True}
    await listening.does(halls.act, "POST", "/webhooks", double)
    theirs = {"url": "http://127.0.0.1:9/of-others", "events": ["vendors.*"], "active": True}
    stranger = await listening.does(halls.act, "POST", "/webhooks", theirs)
    await an_hour_later(listening)
    assert hooks(listening) == made

    listening.door = listening.door.at("http://127.0.0.1:9")
    listening.session.runtime.engine.door = listening.door
    await listening.turn(CAFM)
    assert set(hooks(listening)) == TELLING
    left = {one["id"] for one in halls.cafm.records("webhooks") if one["deletedAt"] is None}
    assert left == {stranger["id"]} | {one["id"] for one in hooks(listening).values()}
    assert alerts(listening) == []  # given up, not lost


async def test_ours_are_found_behind_hundreds_of_others(halls: Halls, doorway: Doorway) -> None:
    theirs = {"url": "http://127.0.0.1:9/of-others", "events": ["vendors.deleted"]}
    for _ in range(201):
        halls.act("POST", "/webhooks", theirs)
    async with told(halls, doorway) as listening:
        made = hooks(listening)
        assert set(made) == TELLING
        await an_hour_later(listening)
        assert hooks(listening) == made
        assert halls.cafm.calls()["by_path"] == {"GET /webhooks": 2}


async def test_a_key_that_may_not_subscribe_is_told_and_polls_go_on(listening: Told) -> None:
    halls = listening.mine
    halls.cafm.set(keys={"isthmus": {"permissions": ["*:read", "*:write"]}})
    await an_hour_later(listening)
    status = (await listening.session_status())[CAFM]
    assert "permission" in status["trouble"]
    token = listening.door.address(CAFM).rpartition("/")[2]
    assert token not in str(status)
    order = await listening.does(halls.order)  # those there are still tell
    await listening.settle()
    assert halls.in_finance(order)["number"]
    assert not halls.ask("select 1 from connection where halted_code <> ''")
    assert FINANCE in await listening.session_status()
