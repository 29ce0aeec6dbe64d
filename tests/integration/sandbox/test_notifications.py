"""Notifications: what is told and when, what an answer does, what goes wrong on request (bc.md section 11)."""

from __future__ import annotations

import datetime as dt
import itertools
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from integration.sandbox.receiver import SET, Receiver, currency, moment, subscribe, wait
from isthmus.sandbox.server import Sandbox


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


async def test_changes_are_told_half_a_minute_after_the_first(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    made = (await subscribe(bc, receiver.url, clientState="mine alone")).body
    first = await currency(bc, "A1")
    await wait(box, 20)
    second = await currency(bc, "A2")
    await wait(box, 9)
    assert receiver.posts == []
    await wait(box, 2)
    assert len(receiver.posts) == 1
    assert receiver.kinds() == [("created", f"{SET}({first})"), ("created", f"{SET}({second})")]
    told = receiver.notices[0]
    shown = (await bc.get(f"{SET}({first})")).body["lastModifiedDateTime"]
    assert abs(moment(told.pop("lastModifiedDateTime")) - moment(shown)) < dt.timedelta(seconds=1)
    assert told == {
        "subscriptionId": made["subscriptionId"],
        "clientState": "mine alone",
        "expirationDateTime": made["expirationDateTime"],
        "resource": f"api/v2.0/companies({bc.company})/{SET}({first})",
        "changeType": "created",
    }
    headers = {name.lower() for name in receiver.headers[0]}
    assert {"clientrequestid", "x-ms-correlation-id"} <= headers


async def test_updates_are_merged_and_deletions_told(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    key = await currency(bc, "A1")
    await subscribe(bc, receiver.url)
    for name in ("one", "two", "three"):
        await bc.patch(f"{SET}({key})", {"displayName": name})
    await wait(box, 31)
    assert receiver.kinds() == [("updated", f"{SET}({key})")]
    await bc.patch(f"{SET}({key})", {"displayName": "three"})  # nothing is changed by it
    await wait(box, 31)
    assert len(receiver.posts) == 1
    await bc.call("DELETE", f"{SET}({key})")
    await wait(box, 31)
    assert receiver.kinds()[1:] == [("deleted", f"{SET}({key})")]
    assert (await bc.get(f"{SET}({key})")).status == 404


async def test_what_people_change_in_business_central_is_told(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    await subscribe(bc, receiver.url, "accounts")
    await subscribe(bc, receiver.url, "generalLedgerSetup")
    box.set(company="CRONUS", accounts={"8600": {"blocked": False}}, allow_posting_from="2026-01-01")
    box.set(company="Zweite Gesellschaft", accounts={"8600": {"blocked": False}})
    await wait(box, 31)
    account = (await bc.get("accounts?$filter=number eq '8600'")).value[0]["id"]
    setup = (await bc.get("generalLedgerSetup")).value[0]["id"]
    assert receiver.kinds() == [("updated", f"accounts({account})"), ("updated", f"generalLedgerSetup({setup})")]


async def test_real_time_is_time_as_well(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    box.set(notification_delay=0.1)
    await subscribe(bc, receiver.url)
    key = await currency(bc, "A1")
    await receiver.came(1)
    assert receiver.kinds() == [("created", f"{SET}({key})")]


async def test_what_was_taken_back_is_not_told(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    await subscribe(bc, receiver.url)
    answer = await bc.batch(
        bc.part("POST", SET, {"code": "A1"}), bc.part("POST", SET, {"code": "USD"}), Isolation="snapshot"
    )
    assert [one["status"] for one in answer.body["responses"]] == [201, 400]
    key = await currency(bc, "A2")
    await wait(box, 31)
    assert receiver.kinds() == [("created", f"{SET}({key})")]


async def test_one_address_gets_one_post(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    await subscribe(bc, receiver.url)
    await subscribe(bc, receiver.url, "journals")
    await subscribe(bc, receiver.url + "/other", "journals")
    key, journal = await currency(bc, "A1"), await bc.journal()
    await wait(box, 31)
    assert sorted(len(post["value"]) for post in receiver.posts) == [1, 2]
    assert sorted(receiver.kinds()) == [
        ("created", f"{SET}({key})"),
        ("created", f"journals({journal})"),
        ("created", f"journals({journal})"),
    ]


async def test_many_changes_are_told_as_a_collection(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    box.set(max_notifications=3)
    await subscribe(bc, receiver.url)
    await wait(box, 60)
    for number in range(3):
        await currency(bc, f"A{number}")
    await wait(box, 31)
    assert [one["changeType"] for one in receiver.notices] == ["created"] * 3
    for number in range(4):
        await currency(bc, f"B{number}")
    await wait(box, 31)
    assert len(receiver.notices) == 4
    told = receiver.notices[3]
    assert told["changeType"] == "collection"
    assert told["resource"].startswith(f"/api/v2.0/companies({bc.company})/{SET}?$filter=lastModifiedDateTime%20gt%20")
    where = told["resource"].partition("?")[2].replace("%20", " ")
    assert [row["code"] for row in (await bc.get(f"{SET}?{where}")).value] == ["B0", "B1", "B2", "B3"]


async def test_a_document_is_told_of_when_a_line_changes(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    names = {row["name"] for row in (await bc.get("/")).value}
    if "purchaseOrders" not in names:
        pytest.skip("the simulator has no documents yet")
    vendor = {"number": "V1", "gen_bus_posting_group": "DOMESTIC", "vendor_posting_group": "DOMESTIC"}
    series = {"number_series": [{"code": "P-ORD", "start": "106001"}], "purchase_setup": {"order_series": "P-ORD"}}
    box.seed({"companies": [{"name": "CRONUS", "vendors": [vendor], **series}]})
    order = await bc.post("purchaseOrders", {"vendorNumber": "V1"})
    assert order.status == 201, order.body
    await subscribe(bc, receiver.url, "purchaseOrders")
    line = await bc.post(
        f"purchaseOrders({order.body['id']})/purchaseOrderLines", {"lineType": "Comment", "description": "x"}
    )
    assert line.status == 201, line.body
    await wait(box, 31)
    assert receiver.kinds() == [("updated", f"purchaseOrders({order.body['id']})")]


# what answers do


async def test_an_answer_that_asks_for_it_brings_it_again(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    """60 s three times, 10 min, 100 min, 1000 min; then the subscription is deleted."""
    box.set(notification_seconds=0.2)
    await subscribe(bc, receiver.url)
    receiver.statuses.extend([503, 408, 429, None, 500, 599, 504])
    await currency(bc, "A1")
    await wait(box, 7_000)
    await bc.sign_in()
    assert len(receiver.posts) == 6
    assert len((await bc.get("/subscriptions")).value) == 1
    await wait(box, 61_000)
    deliveries = box.state()["webhooks"]["deliveries"]
    assert [one["status"] for one in deliveries] == [503, 408, 429, None, 500, 599, 504]
    moments = [moment(one["at"]) for one in deliveries]
    pauses = [round((b - a).total_seconds()) for a, b in itertools.pairwise(moments)]
    assert pauses == [60, 60, 60, 600, 6_000, 60_000]
    assert all(post == receiver.posts[0] for post in receiver.posts)
    await bc.sign_in()
    assert (await bc.get("/subscriptions")).value == []


async def test_what_comes_through_later_keeps_the_subscription(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    await subscribe(bc, receiver.url)
    receiver.statuses.extend([503, 503, 202])
    await currency(bc, "A1")
    await wait(box, 1_000)  # each try has its own moment in it
    deliveries = box.state()["webhooks"]["deliveries"]
    assert [(one["attempt"], one["status"]) for one in deliveries] == [(0, 503), (1, 503), (2, 202)]
    moments = [moment(one["at"]) for one in deliveries]
    assert [round((b - a).total_seconds()) for a, b in itertools.pairwise(moments)] == [60, 60]
    assert len((await bc.get("/subscriptions")).value) == 1
    assert box.state()["webhooks"]["under_way"] == 0


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410])
async def test_any_other_answer_ends_it_at_once(box: Sandbox, bc: Any, receiver: Receiver, status: int) -> None:
    await subscribe(bc, receiver.url)
    await subscribe(bc, receiver.url + "/other")
    receiver.statuses.append(status)
    await currency(bc, "A1")
    await wait(box, 31)
    assert len(receiver.posts) == 2
    assert len((await bc.get("/subscriptions")).value) == 1
    await currency(bc, "A2")
    await wait(box, 31)
    assert len(receiver.posts) == 3


async def test_notifications_survive_a_restart(tmp_path: Path, seed_data: Any, receiver: Receiver, bc: Any) -> None:
    """`bc` speaks to another sandbox; only its calls are borrowed."""
    home = tmp_path / "kept"
    for life in range(2):
        async with Sandbox(seed_data, home=home) as box:
            connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(box.ca)))
            async with aiohttp.ClientSession(connector=connector) as session:
                client = type(bc)(session, box, bc.principal)
                await client.sign_in()
                client.company = (await client.get("/companies")).value[0]["id"]
                if life == 0:
                    await subscribe(client, receiver.url)
                    receiver.statuses.append(503)
                    await currency(client, "A1")
                    await wait(box, 31)
                    await currency(client, "A2")
                else:
                    assert len((await client.get("/subscriptions")).value) == 1
                    await wait(box, 100)
                    await currency(client, "A3")
                    await wait(box, 31)
    assert len(receiver.posts) == 4
    assert receiver.posts[0] == receiver.posts[2]  # once more, a minute after the first try
    assert [kind for kind, _ in receiver.kinds()] == ["created"] * 4


# faults


async def test_notifications_are_lost_on_request(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    await subscribe(bc, receiver.url)
    box.fault("webhook_lost", match={"entity": SET, "nth": 2})
    keys = [await currency(bc, f"A{number}") for number in range(3)]
    await wait(box, 31)
    assert receiver.kinds() == [("created", f"{SET}({keys[0]})"), ("created", f"{SET}({keys[2]})")]
    box.clear_faults()
    box.fault("webhook_lost")
    await currency(bc, "B0")
    await wait(box, 31)
    assert len(receiver.posts) == 1
    assert (await bc.get(SET)).status == 200  # calls are not meant


async def test_notifications_are_repeated_reordered_and_delayed_on_request(
    box: Sandbox, bc: Any, receiver: Receiver
) -> None:
    await subscribe(bc, receiver.url)
    box.fault("webhook_reordered", match={"nth": [1, 2]})
    box.fault("webhook_delayed", seconds=300, match={"nth": 1})
    box.fault("webhook_repeated", match={"nth": 1})
    keys = [await currency(bc, f"A{number}") for number in range(5)]
    await wait(box, 31)
    # the first two go to the end, the third leaves later, the fourth comes twice
    assert [[one["resource"][-37:-1] for one in post["value"]] for post in receiver.posts] == [
        [keys[3], keys[4], keys[1], keys[0]],
        [keys[3]],
    ]
    await wait(box, 290)
    assert len(receiver.posts) == 2
    await wait(box, 11)
    assert receiver.notices[-1]["resource"].endswith(f"({keys[2]})")


async def test_subscriptions_are_dropped_on_request(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    await subscribe(bc, receiver.url)
    await subscribe(bc, receiver.url, "journals")
    box.fault("subscription_dropped", set="journals")
    assert [row["resource"].rpartition("/")[2] for row in (await bc.get("/subscriptions")).value] == [SET]
    box.fault("subscription_dropped")
    assert (await bc.get("/subscriptions")).value == []
    await currency(bc, "A1")
    await wait(box, 31)
    assert receiver.posts == []
