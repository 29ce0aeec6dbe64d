"""The door: the handshake, who may come in, what a notification makes due, and that each is taken once."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from integration.webhooks.bench import FINANCE, Doorway, Listening
from integration.work_order_costs.bench import Mine
from isthmus.contract.webhooks import Wanted

ELSEWHERE = "maintenance"


def notice(wanted: Wanted, record: str = "7f3a6d0e-6f4d-4b8f-9f50-0b7b8f3c9e11", **more: str) -> dict[str, Any]:
    """An entry of a notification as Business Central sends it."""
    return {
        "subscriptionId": "4d3f0c1e6a5b4a7f8f1d2c3b4a596877",
        "clientState": wanted.state,
        "expirationDateTime": "2026-11-24T08:00:00.000Z",
        "resource": f"api/v2.0/companies(0a1b2c3d-0000-4000-8000-000000000001)/{wanted.native}({record})",
        "changeType": "updated",
        "lastModifiedDateTime": "2026-11-21T08:00:00.000Z",
    } | more


def due(listening: Listening) -> set[str]:
    """Entities of the connection that would be read in the next turn."""
    rows = listening.mine.ask("select name, due_at, polled_at from stream where connection = %s", FINANCE)
    now = listening.world.clock.now()
    return {name for name, due_at, _ in rows if due_at is not None and due_at <= now}


def inbox(listening: Listening) -> list[tuple[Any, ...]]:
    return listening.mine.ask("select connection, named, body, taken_at is null from inbox order by id")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_handshake_of_business_central_is_answered(listening: Listening, method: str) -> None:
    address = listening.door.address(FINANCE)
    assert await listening.call(method, f"{address}?validationToken=a%2Bb%20c") == (200, "a+b c")
    assert inbox(listening) == []


async def test_nobody_else_gets_an_answer(listening: Listening) -> None:
    address = listening.door.address(FINANCE)
    assert (await listening.call("GET", address))[0] == 405
    assert (await listening.call("GET", f"{address}x?validationToken=a"))[0] == 404
    assert (await listening.call("GET", listening.door.address("nobody") + "?validationToken=a"))[0] == 404
    # the list of files knows no handshake
    assert (await listening.call("GET", listening.door.address(ELSEWHERE) + "?validationToken=a"))[0] == 405


async def test_only_what_a_notification_names_is_read(listening: Listening) -> None:
    body = {"value": [notice(listening.wanted("accounts"))]}
    assert await listening.call("POST", listening.door.address(FINANCE), body) == (202, '{"kept":true}')
    assert due(listening) == set()  # the turn does it
    listening.mine.box.reset_calls()
    await listening.turn()
    assert listening.requests() == {"GET accounts": 1}
    assert inbox(listening) == [(FINANCE, '[["account","PIT MINING",[]]]', "", False)]
    assert (await listening.status())["heard_at"] is not None


async def test_what_cannot_be_understood_makes_everything_be_read(listening: Listening) -> None:
    for body in (b"no JSON", b"{}", b"x" * 17_000_000):
        listening.mine.box.reset_calls()
        assert (await listening.call("POST", listening.door.address(FINANCE), body))[0] == 202
        await listening.turn()
        assert {"GET accounts", "GET currencyExchangeRates", "GET generalLedgerSetup", "GET dimensionValues"} <= set(
            listening.requests()
        )


async def test_a_forged_notification_is_refused(listening: Listening) -> None:
    right = listening.wanted("accounts")
    forged = notice(right, clientState="guessed")
    status, text = await listening.call("POST", listening.door.address(FINANCE), {"value": [forged]})
    assert (status, json.loads(text)["error"]["code"]) == (401, "unknown_sender")
    assert inbox(listening) == []
    # one POST carries the entries of all subscriptions of an address: a stale one must not cost the others theirs
    status, _ = await listening.call("POST", listening.door.address(FINANCE), {"value": [forged, notice(right)]})
    assert status == 202
    assert len(inbox(listening)) == 1


async def test_a_repeated_delivery_is_taken_once(listening: Listening) -> None:
    body = {"value": [notice(listening.wanted("accounts")), notice(listening.wanted("dimensionValues"))]}
    turned = {"value": list(reversed(body["value"]))}
    address = listening.door.address(FINANCE)
    for sent in (body, body, turned):
        assert (await listening.call("POST", address, sent))[0] == 202
    assert len(inbox(listening)) == 1
    await listening.turn()
    listening.mine.box.reset_calls()
    assert (await listening.call("POST", address, turned))[0] == 202
    await listening.turn()
    assert listening.requests() == {}
    later = {"value": [notice(listening.wanted("accounts"), lastModifiedDateTime="2026-11-21T08:00:01.000Z")]}
    assert (await listening.call("POST", address, later))[0] == 202
    await listening.turn()
    assert listening.requests() == {"GET accounts": 1}


async def test_old_hints_are_forgotten(listening: Listening) -> None:
    body = {"value": [notice(listening.wanted("accounts"))]}
    await listening.call("POST", listening.door.address(FINANCE), body)
    await listening.turn()
    await listening.wait(5 * 86_400)
    await listening.look_after()
    assert len(inbox(listening)) == 1
    await listening.wait(2 * 86_400)
    await listening.look_after()
    assert inbox(listening) == []


SIGNED = """
    hook:
      header: X-Cafm-Signature
      secret: env:CAFM_SECRET
      form: "sha256={hex}"
      entity_at: entity
      entities: {workOrders: work_order}
"""


@pytest.fixture
async def signed(mine: Mine, doorway: Doorway) -> Any:
    """The maintenance system signs what it sends, as docs/cafm-api.md says."""
    mine.edit("isthmus.yaml", "role: operations\n", f"role: operations{SIGNED}")
    mine.more_environ["CAFM_SECRET"] = "between-us"
    async with Listening.opened(mine, doorway) as listening:
        yield listening


def signature(body: bytes, key: str = "between-us") -> dict[str, str]:
    return {"X-Cafm-Signature": "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}


async def test_a_signature_is_checked_where_the_settings_ask_for_one(signed: Listening) -> None:
    address = signed.door.address(ELSEWHERE)
    body = b'{"deliveryId":"0a4b3f0e","event":"updated","entity":"workOrders","id":2147483655}'
    assert (await signed.call("POST", address, body, signature(body)))[0] == 202
    for headers, code in (
        ({}, "hook_unsigned"),
        ({"X-Cafm-Signature": "sha1=00"}, "hook_unsigned"),
        (signature(body, "a guess"), "hook_forged"),
        (signature(body + b" "), "hook_forged"),
    ):
        status, text = await signed.call("POST", address, body, headers)
        assert (status, json.loads(text)["error"]["code"]) == (401, code)
    assert inbox(signed) == [(ELSEWHERE, '[["work_order",null,[]]]', "", True)]
    other = body.replace(b"workOrders", b"meters")
    assert (await signed.call("POST", address, other, signature(other)))[0] == 202
    assert inbox(signed)[1][1] == ""  # a name we do not know: everything


async def test_a_hint_that_was_taken_may_come_again_where_nothing_tells_them_apart(listening: Listening) -> None:
    address = listening.door.address(ELSEWHERE)
    for _ in range(3):
        assert (await listening.call("POST", address, b'{"changed": "something"}'))[0] == 202
    assert len(inbox(listening)) == 1
    await listening.turn(ELSEWHERE)
    assert (await listening.call("POST", address, b'{"changed": "something"}'))[0] == 202
    assert [row[3] for row in inbox(listening)] == [False, True]
