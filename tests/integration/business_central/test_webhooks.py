"""Subscriptions as the connector keeps them: there, made, renewed, refused, cleaned up (bc.md §11)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from integration.business_central.conftest import COMPANY, Bench
from integration.sandbox.receiver import Receiver
from isthmus.contract.connector import Connector
from isthmus.contract.webhooks import Subscriber, Subscription, Wanted
from isthmus.errors import ConfigurationError, Retry, SignInFailed

DAY = 86_400
NATIVES = ("accounts", "currencies", "dimensions")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


def wanted(*natives: str, state: str = "state") -> list[Wanted]:
    return [Wanted(native=native, company=COMPANY, state=f"{state} of {native}") for native in natives or NATIVES]


async def keep(
    bench: Bench,
    connector: Connector,
    address: str,
    items: list[Wanted],
    *,
    ours: Collection[str] = (),
    days: float = 1,
) -> list[Subscription]:
    assert isinstance(connector, Subscriber)
    before = bench.clock.now() + timedelta(days=days)
    return [one async for one in connector.subscriptions(address, items, ours=ours, renew_before=before)]


def present(bench: Bench) -> list[tuple[str, str]]:
    found = bench.box.state()["webhooks"]["subscriptions"]
    return sorted((one["set"], one["notificationUrl"]) for one in found)


def results(found: list[Subscription]) -> list[str]:
    return [one.result for one in found]


async def test_made_then_kept_then_renewed(bench: Bench, receiver: Receiver) -> None:
    connector = bench.connector()
    made = await keep(bench, connector, receiver.url, wanted())
    assert results(made) == ["made"] * 3
    assert [(one.native, one.company) for one in made] == [(native, COMPANY) for native in NATIVES]
    assert all(one.id and one.expires_at is not None for one in made)
    ends = made[0].expires_at
    assert ends is not None
    assert timedelta(days=2, hours=23) < ends - bench.clock.now() <= timedelta(days=3)
    assert present(bench) == [(native, receiver.url) for native in NATIVES]

    bench.box.reset_calls()
    assert results(await keep(bench, connector, receiver.url, wanted())) == ["kept"] * 3
    assert bench.box.calls()["requests"] == 1

    await bench.clock.sleep(2 * DAY + 60)
    renewed = await keep(bench, connector, receiver.url, wanted())
    assert results(renewed) == ["renewed"] * 3
    assert [one.id for one in renewed] == [one.id for one in made]
    assert renewed[0].expires_at is not None
    assert renewed[0].expires_at > ends
    assert len(receiver.handshakes) == 6


async def test_what_has_ended_or_was_deleted_is_made_anew(bench: Bench, receiver: Receiver) -> None:
    connector = bench.connector()
    first = await keep(bench, connector, receiver.url, wanted())
    bench.box.fault("subscription_dropped", set="currencies")
    found = await keep(bench, connector, receiver.url, wanted())
    assert results(found) == ["kept", "made", "kept"]
    assert found[1].id != first[1].id
    await bench.clock.sleep(4 * DAY)
    assert results(await keep(bench, connector, receiver.url, wanted())) == ["made"] * 3


async def test_another_state_is_told_to_the_service(bench: Bench, receiver: Receiver) -> None:
    connector = bench.connector()
    await keep(bench, connector, receiver.url, wanted())
    found = await keep(bench, connector, receiver.url, wanted(state="new"))
    assert results(found) == ["renewed"] * 3
    assert results(await keep(bench, connector, receiver.url, wanted(state="new"))) == ["kept"] * 3


async def test_what_is_ours_and_not_wanted_is_removed_and_nothing_else(bench: Bench, receiver: Receiver) -> None:
    connector = bench.connector()
    await keep(bench, connector, receiver.url + "/somebody-else", wanted("accounts"))
    old = await keep(bench, connector, receiver.url + "/old", wanted("accounts"))
    await keep(bench, connector, receiver.url, wanted())
    assert len(present(bench)) == 5
    await keep(bench, connector, receiver.url, wanted("accounts"), ours=[old[0].id])
    assert present(bench) == [("accounts", receiver.url), ("accounts", receiver.url + "/somebody-else")]


async def test_second_ones_of_the_same_set_are_removed(bench: Bench, receiver: Receiver) -> None:
    connector = bench.connector()
    made = {"method": "POST", "entity": "subscriptions"}
    bench.box.fault("late_commit", seconds=60, match=made, times=1)
    refused = await keep(bench, connector, receiver.url, wanted("accounts"))
    assert (refused[0].result, refused[0].code) == ("refused", "cut")
    assert results(await keep(bench, connector, receiver.url, wanted("accounts"))) == ["made"]
    await bench.clock.sleep(61)
    assert present(bench) == [("accounts", receiver.url)] * 2
    assert results(await keep(bench, connector, receiver.url, wanted("accounts"))) == ["kept"]
    assert present(bench) == [("accounts", receiver.url)]


async def test_a_refused_handshake_tells_what_to_open_and_no_address(bench: Bench, receiver: Receiver) -> None:
    receiver.answer = 404
    found = await keep(bench, bench.connector(), receiver.url, wanted("accounts"))
    assert (found[0].result, found[0].id) == ("refused", "")
    assert "open to the internet" in found[0].mend
    assert receiver.url not in found[0].text + found[0].mend


async def test_a_renewal_that_is_refused_leaves_what_is_there(bench: Bench, receiver: Receiver) -> None:
    connector = bench.connector()
    made = await keep(bench, connector, receiver.url, wanted("accounts"))
    receiver.answer = "other"
    await bench.clock.sleep(2 * DAY + 60)
    found = await keep(bench, connector, receiver.url, wanted("accounts"))
    assert (found[0].result, found[0].id, found[0].expires_at) == ("refused", made[0].id, made[0].expires_at)


async def test_a_set_nobody_is_told_of(bench: Bench, receiver: Receiver) -> None:
    found = await keep(bench, bench.connector(), receiver.url, wanted("dimensionSetLines", "accounts"))
    assert results(found) == ["unsupported", "made"]
    assert found[0].code == "webhook_unsupported"


async def test_where_the_list_of_supported_sets_cannot_be_read(bench: Bench, receiver: Receiver) -> None:
    bench.box.fault("status", code=404, match={"entity": "webhookSupportedResources"})
    found = await keep(bench, bench.connector(), receiver.url, wanted("dimensionSetLines", "accounts"))
    assert results(found) == ["refused", "made"]


@pytest.mark.parametrize(("code", "error"), [(503, Retry), (401, SignInFailed)], ids=["busy", "refused"])
async def test_a_service_that_does_not_tell(
    bench: Bench, receiver: Receiver, code: int, error: type[Exception]
) -> None:
    bench.box.fault("status", code=code, match={"entity": "subscriptions"})
    with pytest.raises(error):
        await keep(bench, bench.connector(), receiver.url, wanted())


async def test_a_company_that_is_not_there(bench: Bench, receiver: Receiver) -> None:
    gone = Wanted(native="accounts", company="NOBODY", state="state")
    with pytest.raises(ConfigurationError):
        await keep(bench, bench.connector(), receiver.url, [gone])


async def test_what_the_simulator_sends_is_understood(bench: Bench, receiver: Receiver) -> None:
    connector: Any = bench.connector()
    await keep(bench, connector, receiver.url, wanted())
    bench.company(accounts={"8450": {"blocked": True}})
    await bench.clock.sleep(31)
    found = connector.hints({}, msgspec.json.encode(receiver.posts[0]), wanted())
    assert [(hint.native, hint.company, hint.gone) for hint in found] == [("accounts", COMPANY, "")]
