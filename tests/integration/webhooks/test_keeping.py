"""Subscriptions are made, renewed, missed and made anew; whatever happens to them, polling goes on."""

from __future__ import annotations

from integration.webhooks.bench import FINANCE, SETS, Doorway, Listening
from integration.work_order_costs.bench import Mine

HOUR, DAY = 3_600, 86_400


async def test_every_set_that_is_read_is_subscribed_to_once(listening: Listening) -> None:
    assert listening.subscribed() == SETS
    assert listening.kept() == dict.fromkeys(SETS, "kept")
    assert listening.told() == []
    listening.mine.box.reset_calls()
    await listening.turn()
    await listening.look_after()
    assert listening.requests() == {}
    status = await listening.status()
    assert (status["kept"], status["lost"], status["trouble"]) == (len(SETS), 0, "")


async def test_they_are_looked_after_with_one_request_an_hour(listening: Listening) -> None:
    listening.mine.box.reset_calls()
    for _ in range(6):
        await listening.wait(30 * 60 + 1)
        await listening.look_after()
    assert listening.requests() == {"GET subscriptions": 3}


async def test_they_are_renewed_before_their_three_days_are_over(listening: Listening) -> None:
    made = {one["id"] for one in listening.mine.box.state()["webhooks"]["subscriptions"]}
    listening.mine.box.reset_calls()
    for _ in range(40):  # ten days
        await listening.wait(DAY / 4)
        await listening.look_after()
        assert listening.subscribed() == SETS
    found = {one["id"] for one in listening.mine.box.state()["webhooks"]["subscriptions"]}
    assert found == made
    assert listening.told() == []
    renewals = listening.requests()["PATCH subscriptions"]
    assert 4 * len(SETS) <= renewals <= 5 * len(SETS)
    assert "POST subscriptions" not in listening.requests()


async def test_a_lost_subscription_is_noticed_told_and_made_anew(listening: Listening) -> None:
    listening.mine.box.fault("subscription_dropped", set="accounts")
    listening.change("8410")
    await listening.wait(60)
    await listening.turn()
    assert "8410" not in listening.blocked()  # nobody told us, and the next poll is far away
    await listening.wait(HOUR)
    await listening.look_after()
    assert listening.subscribed() == SETS
    assert listening.kept() == dict.fromkeys(SETS, "kept")
    assert listening.told() == [("webhook subscription lost", "accounts")]
    assert "8410" in listening.blocked()  # what it kept from us was read at once
    listening.mine.box.reset_calls()
    await listening.wait(HOUR + 1)
    await listening.look_after()
    assert listening.requests() == {"GET subscriptions": 1}
    assert len(listening.told()) == 1


async def test_a_door_nobody_reaches(listening: Listening) -> None:
    """Renewal needs a handshake: shut for three days, all are lost and told; polling goes on; open, all is well."""
    await listening.shut()
    for _ in range(7):
        await listening.wait(DAY / 2)
        await listening.look_after()
    assert listening.subscribed() == set()
    assert listening.kept() == dict.fromkeys(SETS, "lost")
    assert sorted(listening.told()) == sorted(("webhook subscription lost", name) for name in SETS)
    status = await listening.status()
    assert (status["kept"], status["lost"]) == (0, len(SETS))
    assert "open to the internet" in status["trouble"]
    assert listening.door.address(FINANCE).rpartition("/")[2] not in str(status)

    listening.change("8410")
    await listening.wait(30 * DAY)  # the next poll is due
    await listening.turn()
    assert "8410" in listening.blocked()

    await listening.open()
    await listening.wait(HOUR)
    await listening.look_after()
    assert listening.subscribed() == SETS
    assert listening.kept() == dict.fromkeys(SETS, "kept")
    assert {what for what, _ in listening.told()[len(SETS) :]} == {"webhook subscription back"}
    assert (await listening.status())["trouble"] == ""


async def test_a_closed_door_is_not_knocked_at_for_every_set(mine: Mine, doorway: Doorway) -> None:
    async with Listening.opened(mine, doorway) as listening:
        await listening.shut()
        await listening.turn()
        assert listening.requests()["POST subscriptions"] == 2
        assert listening.kept() == dict.fromkeys(SETS, "refused")
        assert {what for what, _ in listening.told()} == {"webhook subscription refused"}
        await listening.wait(11 * 60)
        await listening.look_after()
        assert len(listening.told()) == len(SETS)  # told once
        await listening.open()
        await listening.wait(11 * 60)
        await listening.look_after()
        assert listening.subscribed() == SETS


async def test_business_central_out_of_reach(listening: Listening) -> None:
    listening.mine.box.fault("status", code=503, match={"entity": "subscriptions"})
    await listening.wait(HOUR + 1)
    await listening.look_after()
    assert listening.kept() == dict.fromkeys(SETS, "kept")
    assert "not available" in (await listening.status())["trouble"]
    await listening.wait(3 * DAY)
    await listening.look_after()
    assert listening.kept() == dict.fromkeys(SETS, "lost")
    told = listening.told()
    assert told[0][0] == "webhook subscriptions not looked after"
    assert sorted(told[1:]) == sorted(("webhook subscription lost", name) for name in SETS)
    listening.mine.box.clear_faults()
    await listening.wait(11 * 60)
    await listening.look_after()
    assert listening.subscribed() == SETS


async def test_an_answer_that_is_lost_makes_no_second_one(mine: Mine, doorway: Doorway) -> None:
    made = {"method": "POST", "entity": "subscriptions"}
    mine.box.fault("lose_after", match=made, times=1)
    mine.box.fault("late_commit", seconds=300, match=made, times=1)
    async with Listening.opened(mine, doorway) as listening:
        await listening.turn()
        for _ in range(3):
            await listening.wait(11 * 60)
            await listening.look_after()
        found = [one["set"] for one in listening.mine.box.state()["webhooks"]["subscriptions"]]
        assert sorted(found) == sorted(SETS)
        assert listening.kept() == dict.fromkeys(SETS, "kept")


async def test_another_address_is_no_loss(mine: Mine, doorway: Doorway) -> None:
    async with Listening.opened(mine, doorway) as listening:
        await listening.turn()
        old = listening.door.address(FINANCE)
    (mine.home / "keys" / "hooks").write_text("another-key", "ascii")
    async with Listening.opened(mine, doorway) as listening:
        await listening.turn()
        assert listening.door.address(FINANCE) != old
        assert listening.subscribed() == SETS
        addresses = {one["notificationUrl"] for one in mine.box.state()["webhooks"]["subscriptions"]}
        assert addresses == {listening.door.address(FINANCE)}
        assert listening.told() == []


async def test_no_room_for_all(mine: Mine, doorway: Doorway) -> None:
    mine.box.set(max_subscriptions=2)
    async with Listening.opened(mine, doorway) as listening:
        await listening.turn()
        states = list(listening.kept().values())
        assert (states.count("kept"), states.count("refused")) == (2, len(SETS) - 2)
        assert len(listening.told()) == len(SETS) - 2
        mine.box.set(max_subscriptions=200)
        await listening.wait(11 * 60)
        await listening.look_after()
        assert listening.subscribed() == SETS


async def test_without_an_address_there_is_nothing_to_keep(mine: Mine, doorway: Doorway) -> None:
    mine.edit("isthmus.yaml", f'hooks: {{url: "{doorway.url}"}}', "")
    async with Listening.opened(mine, doorway) as listening:
        await listening.turn()
        await listening.look_after()
        assert listening.subscribed() == set()
        assert listening.kept() == {}
        assert "GET subscriptions" not in listening.requests()
