"""Webhook subscriptions: the handshake, renewal, the end, what can be subscribed to (bc.md section 11)."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from integration.sandbox.receiver import SET, Receiver, currency, moment, subscribe, wait
from isthmus.sandbox.server import Sandbox


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_subscription_is_made_when_its_address_shakes_hands(
    box: Sandbox, bc: Any, receiver: Receiver, method: str
) -> None:
    box.set(handshake_method=method)
    answer = await subscribe(bc, receiver.url, clientState="mine alone")
    assert answer.status == 201
    made = answer.body
    assert len(made["subscriptionId"]) == 32
    assert set(made["subscriptionId"]) <= set("0123456789abcdef")
    assert (made["notificationUrl"], made["clientState"]) == (receiver.url, "mine alone")
    lasts = moment(made["expirationDateTime"]) - moment(made["lastModifiedDateTime"])
    assert lasts == dt.timedelta(days=3)
    assert receiver.handshakes == [method]
    one = await bc.get(f"/subscriptions('{made['subscriptionId']}')")
    assert one.body["resource"] == f"companies({bc.company})/{SET}"
    assert [row["subscriptionId"] for row in (await bc.get("/subscriptions")).value] == [made["subscriptionId"]]


@pytest.mark.parametrize("answer", ["other", "hang", 202, 404, 500])
async def test_without_the_token_there_is_no_subscription(
    box: Sandbox, bc: Any, receiver: Receiver, answer: str | int
) -> None:
    box.set(handshake_seconds=0.2)
    receiver.answer = answer
    assert (await subscribe(bc, receiver.url)).status == 400
    assert len(receiver.handshakes) == 1
    assert (await bc.get("/subscriptions")).value == []


async def test_an_address_where_nobody_listens(bc: Any) -> None:
    async with Receiver() as gone:
        pass
    assert (await subscribe(bc, gone.url)).status == 400
    assert (await subscribe(bc, "nowhere")).status == 400


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"resource": "companies({id})/currencies"}, 400, "BadRequest_RequiredParamNotProvided"),
        ({"notificationUrl": "{url}"}, 400, "BadRequest_RequiredParamNotProvided"),
        ({"notificationUrl": "{url}", "resource": "currencies"}, 400, "BadRequest"),
        ({"notificationUrl": "{url}", "resource": "companies({id})/nothing"}, 404, "BadRequest_ResourceNotFound"),
        ({"notificationUrl": "{url}", "resource": "companies({id})/dimensionSetLines"}, 400, "BadRequest"),
        ({"notificationUrl": "{url}", "resource": "companies(NOBODY)/currencies"}, 404, "Internal_CompanyNotFound"),
        (
            {"notificationUrl": "{url}", "resource": "companies({id})/currencies", "clientState": "x" * 2049},
            400,
            "Application_StringExceededLength",
        ),
    ],
)
async def test_what_cannot_be_subscribed_to(
    bc: Any, receiver: Receiver, body: dict[str, str], status: int, code: str
) -> None:
    filled = {name: text.replace("{url}", receiver.url).replace("{id}", bc.company) for name, text in body.items()}
    answer = await bc.post("/subscriptions", filled)
    assert (answer.status, answer.code) == (status, code)
    assert receiver.handshakes == []


async def test_resources_by_relative_and_absolute_address(bc: Any, receiver: Receiver) -> None:
    for form in (
        "companies({})/{}",
        "api/v2.0/companies({})/{}",
        "/api/v2.0/companies({})/{}",
        bc.root + "/companies({})/{}",
    ):
        body = {"notificationUrl": receiver.url, "resource": form.format(bc.company, SET)}
        answer = await bc.post("/subscriptions", body)
        assert (answer.status, answer.body["resource"]) == (201, f"companies({bc.company})/{SET}")


async def test_a_renewal_needs_the_version_and_another_handshake(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    made = (await subscribe(bc, receiver.url)).body
    path, etag = f"/subscriptions('{made['subscriptionId']}')", made["@odata.etag"]
    await wait(box, 86_400)
    await bc.sign_in()
    assert (await bc.call("PATCH", path, {})).code == "BadRequest_InvalidToken"
    renewed = await bc.patch(path, {"clientState": "new"}, etag)
    assert renewed.status == 200
    assert receiver.handshakes == ["GET", "GET"]
    later = moment(renewed.body["expirationDateTime"]) - moment(made["expirationDateTime"])
    assert dt.timedelta(days=1) <= later < dt.timedelta(days=1, seconds=30)
    assert (await bc.patch(path, {}, etag)).code == "Request_EntityChanged"
    receiver.answer = "other"
    assert (await bc.patch(path, {"clientState": "never"}, renewed.body["@odata.etag"])).status == 400
    assert (await bc.get(path)).body == renewed.body


async def test_a_subscription_ends_after_three_days(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    path = f"/subscriptions('{(await subscribe(bc, receiver.url)).body['subscriptionId']}')"
    await wait(box, 3 * 86_400 - 60)
    await bc.sign_in()
    assert (await bc.get(path)).status == 200
    await wait(box, 61)
    assert (await bc.get(path)).code == "Internal_RecordNotFound"
    await currency(bc, "A1")
    await wait(box, 60)
    assert receiver.posts == []


async def test_deleting_a_subscription(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    path = f"/subscriptions('{(await subscribe(bc, receiver.url)).body['subscriptionId']}')"
    await currency(bc, "A1")
    assert (await bc.call("DELETE", path)).status == 204
    assert (await bc.get(path)).status == 404
    await wait(box, 60)
    assert receiver.posts == []


async def test_there_are_only_so_many(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    box.set(max_subscriptions=2)
    assert [(await subscribe(bc, receiver.url)).status for _ in range(3)] == [201, 201, 400]
    assert (await subscribe(bc, receiver.url)).text == "The maximum number of subscriptions (2) has been reached."


async def test_no_subscriptions_in_a_batch(bc: Any, receiver: Receiver) -> None:
    body = {"notificationUrl": receiver.url, "resource": f"companies({bc.company})/{SET}"}
    part = {"method": "POST", "url": "subscriptions", "headers": {}, "body": body}
    answer = await bc.batch(part)
    assert answer.body["responses"][0]["status"] == 400
    assert receiver.handshakes == []


async def test_the_list_of_what_can_be_subscribed_to(bc: Any) -> None:
    root = bc.root.replace("/api/v2.0", "/api/microsoft/runtime/beta")
    path = f"{root}/companies({bc.company})/webhookSupportedResources"
    found = {row["resource"] for row in (await bc.get(path + "?$filter=resource eq 'v2.0*'")).value}
    assert {"v2.0/accounts", "v2.0/currencies", "v2.0/generalLedgerEntries", "v2.0/vendors"} <= found
    assert not {"v2.0/companies", "v2.0/subscriptions", "v2.0/dimensionSetLines"} & found
    assert {row["resource"] for row in (await bc.get(path)).value} == found
    narrow = await bc.get(path + "?$filter=resource eq 'v2.0/currencie*'")
    assert {row["resource"] for row in narrow.value} == {"v2.0/currencies"}
    assert (await bc.get(f"{root}/companies({bc.company})/items")).status == 404


async def test_an_answer_that_was_lost_leaves_a_subscription(box: Sandbox, bc: Any, receiver: Receiver) -> None:
    box.fault("lose_after", match={"method": "POST", "entity": "subscriptions"}, times=1)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await subscribe(bc, receiver.url)
    assert len((await bc.get("/subscriptions")).value) == 1
    box.fault("late_commit", seconds=60, match={"method": "POST", "entity": "subscriptions"}, times=1)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await subscribe(bc, receiver.url)
    assert len((await bc.get("/subscriptions")).value) == 1
    await wait(box, 61)
    assert len((await bc.get("/subscriptions")).value) == 2
