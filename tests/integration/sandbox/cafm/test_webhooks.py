"""Webhooks: signed or not, three attempts, dropped, echoed, and astray on request."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from integration.sandbox.cafm.conftest import trusting
from integration.sandbox.cafm.facility import Client, seed
from integration.sandbox.cafm.listener import Listener
from isthmus.sandbox.server import Sandbox


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with Listener() as found:
        yield found


async def hook(cafm: Client, listener: Listener, *events: str, **more: Any) -> dict[str, Any]:
    made = await cafm.post("/webhooks", {"url": listener.url, "events": list(events or ["*"]), **more})
    return dict(made.data)


async def settled(cafm: Client) -> dict[str, Any]:
    """Wait until everything that is due was sent; counts of the deliveries."""
    await asyncio.to_thread(cafm.box.advance, 0)
    return await asyncio.to_thread(cafm.box.hooks)


async def vendor(cafm: Client, code: str) -> int:
    return int((await cafm.post("/vendors", {"code": code, "name": code})).data["id"])


async def test_an_event_holds_ids_only_and_is_signed(cafm: Client, listener: Listener) -> None:
    made = await hook(cafm, listener, secret="geheim")
    assert (made["hasSecret"], "secret" in made) == (True, False)
    record = (await cafm.post("/vendors", {"code": "N", "name": "Confidential"})).data
    await listener.came(1)
    event, headers = listener.events[0], listener.headers[0]
    assert set(event) == {"deliveryId", "event", "entity", "id", "at"}
    assert (event["entity"], event["event"], event["id"]) == ("vendors", "created", record["id"])
    assert event["at"] == record["updatedAt"]
    digest = hmac.new(b"geheim", listener.bodies[0], hashlib.sha256).hexdigest()
    assert headers["x-cafm-signature"] == f"sha256={digest}"
    assert (headers["x-cafm-event"], headers["x-cafm-delivery"]) == ("vendors.created", event["deliveryId"])
    assert headers["content-type"] == "application/json"


async def test_without_a_secret_there_is_no_signature(cafm: Client, listener: Listener) -> None:
    made = await hook(cafm, listener)
    await cafm.post(f"/webhooks/{made['id']}/test")
    await listener.came(1)
    assert "x-cafm-signature" not in listener.headers[0]
    assert listener.told() == [("webhooks", "ping", made["id"])]


async def test_only_what_was_asked_for(cafm: Client, listener: Listener) -> None:
    await hook(cafm, listener, "vendors.created", "purchaseOrders.*")
    made = await vendor(cafm, "N")
    await cafm.patch(f"/vendors/{made}", {"name": "Other"})
    order = await cafm.id("purchaseOrders", "PO-1")
    await cafm.patch(f"/purchaseOrders/{order}", {"note": "x"})
    await cafm.move("purchaseOrders", order, "cancelled")
    await settled(cafm)
    assert sorted(listener.told()) == sorted(
        [("vendors", "created", made), ("purchaseOrders", "updated", order), ("purchaseOrders", "statusChanged", order)]
    )


async def test_own_writes_come_back_like_those_of_users(cafm: Client, listener: Listener) -> None:
    await hook(cafm, listener)
    made = await vendor(cafm, "N")
    await cafm.delete(f"/vendors/{made}")
    await cafm.post(f"/vendors/{made}/restore")
    cafm.box.act("PATCH", "/vendors/code:N", {"name": "By hand"}, user="ben")
    await cafm.patch(f"/vendors/{made}", {"name": "By hand"})  # changes nothing
    await settled(cafm)
    assert sorted(event for _, event, _ in listener.told()) == ["created", "deleted", "restored", "updated"]
    assert {entity for entity, _, _ in listener.told()} == {"vendors"}


async def test_a_receipt_tells_of_the_order_too(cafm: Client, listener: Listener) -> None:
    await hook(cafm, listener)
    done = cafm.box.act(
        "POST", "/receipts", {"purchaseOrderId": "PO-1", "lines": [{"orderLineId": 10, "received": "1"}]}
    )
    assert done["status"] == 201, done
    order = await cafm.id("purchaseOrders", "PO-1")
    await settled(cafm)
    told = [("receipts", "created", done["body"]["data"]["id"]), ("purchaseOrders", "statusChanged", order)]
    assert sorted(listener.told()) == sorted(told)


async def test_what_has_no_events(cafm: Client, listener: Listener) -> None:
    await hook(cafm, listener)
    for path, body in (
        ("/units", {"code": "M"}),
        ("/currencies", {"code": "CHF"}),
        ("/exchangeRates", {"currency": "USD", "validFrom": "2026-01-01", "rate": "0.9"}),
        ("/paymentTerms", {"code": "14D"}),
        ("/itemUnits", {"itemId": await cafm.id("items", "1001"), "unitCode": "BOX10", "factor": "10"}),
    ):
        assert (await cafm.post(path, body)).status == 201
    assert (await settled(cafm))["sent"] == 0


async def test_three_attempts_then_never_again(cafm: Client, listener: Listener) -> None:
    made = await hook(cafm, listener)
    listener.statuses.extend([500, 302, 404])
    await vendor(cafm, "N")
    assert (await settled(cafm))["failed"] == 1
    await asyncio.to_thread(cafm.box.advance, 28)
    assert len(listener.bodies) == 1
    await asyncio.to_thread(cafm.box.advance, 2)
    assert len(listener.bodies) == 2
    await asyncio.to_thread(cafm.box.advance, 300)
    assert len(listener.bodies) == 3
    await asyncio.to_thread(cafm.box.advance, 100_000)
    assert len(listener.bodies) == 3
    assert len({event["deliveryId"] for event in listener.events}) == 1
    shown = (await cafm.get(f"/webhooks/{made['id']}/deliveries")).data
    assert [(one["state"], one["attempts"], one["lastStatus"]) for one in shown] == [("dropped", 3, 404)]


async def test_who_answers_late_has_not_answered(cafm: Client, listener: Listener) -> None:
    cafm.box.set(hook_seconds=0.2)
    made = await hook(cafm, listener)
    listener.statuses.append(None)
    await vendor(cafm, "N")
    assert (await settled(cafm))["failed"] == 1
    await asyncio.to_thread(cafm.box.advance, 30)
    shown = (await cafm.get(f"/webhooks/{made['id']}/deliveries")).data
    assert [(one["state"], one["attempts"], one["lastStatus"]) for one in shown] == [("delivered", 2, 204)]


async def test_a_hook_nobody_answers_is_switched_off(cafm: Client, listener: Listener) -> None:
    cafm.box.set(hook_drops=3, hook_waits=[])
    made = await hook(cafm, listener)
    path = f"/webhooks/{made['id']}"
    listener.statuses.extend([500, 500, 204, 500, 500, 500])
    for at in range(6):
        await vendor(cafm, f"N{at}")
        await settled(cafm)
    off = (await cafm.get(path)).data
    assert (off["active"], off["updatedBy"]) == (False, "system")
    assert "3 events in a row" in off["disabledReason"]
    await vendor(cafm, "UNHEARD")
    assert len(listener.bodies) == 6
    on = (await cafm.patch(path, {"active": True})).data
    assert (on["active"], on["disabledReason"]) == (True, None)
    heard = await vendor(cafm, "HEARD")
    await listener.came(7)
    assert listener.told()[-1] == ("vendors", "created", heard)


async def test_hooks_are_records(cafm: Client, reader: Client, listener: Listener) -> None:
    body = {"url": listener.url, "events": ["*"]}
    assert (await reader.post("/webhooks", body)).error["permission"] == "webhooks:write"
    assert (await reader.get("/webhooks")).status == 403
    far = await cafm.post("/webhooks", body | {"url": "https://isthmus.example/hook"})
    assert far.refusal == (422, "wrong_format", "url")
    assert (await cafm.post("/webhooks", body | {"events": ["vendors"]})).refusal == (422, "wrong_format", "events")
    assert (await cafm.post("/webhooks", body | {"events": []})).refusal == (422, "wrong_type", "events")
    made = await hook(cafm, listener, secret="s")
    assert (await cafm.patch(f"/webhooks/{made['id']}", made)).data == made  # the secret stays
    await cafm.delete(f"/webhooks/{made['id']}")
    await vendor(cafm, "N")
    assert (await settled(cafm))["sent"] == 0


async def test_events_go_astray_on_request(cafm: Client, listener: Listener) -> None:
    await hook(cafm, listener, "vendors.*")
    cafm.box.fault("hook_lose", match={"action": "deleted"}, times=1)
    cafm.box.fault("hook_repeat", after=2, match={"entity": "vendors", "nth": 2})
    cafm.box.fault("hook_delay", seconds=100, match={"nth": 3})
    first, second, third = [await vendor(cafm, f"N{at}") for at in range(3)]
    await cafm.delete(f"/vendors/{first}")
    await settled(cafm)
    assert sorted(record for _, _, record in listener.told()) == [first, second, second, second]
    repeated = {one["deliveryId"] for one in listener.events if one["id"] == second}
    assert len(repeated) == 1
    await asyncio.to_thread(cafm.box.advance, 100)
    assert listener.told()[-1] == ("vendors", "created", third)
    counts = cafm.box.hooks()
    assert (counts["delivered"], counts["dropped"], counts["pending"]) == (5, 1, 0)


async def test_events_overtake_each_other_on_request(cafm: Client, listener: Listener) -> None:
    await hook(cafm, listener, "vendors.*")
    cafm.box.fault("hook_reorder", after=2, match={"nth": 1})
    ids = []
    for at in range(3):
        ids.append(await vendor(cafm, f"N{at}"))
        await settled(cafm)
    await listener.came(3)
    assert [record for _, _, record in listener.told()] == [*ids[1:], ids[0]]
    cafm.box.clear_faults()
    cafm.box.fault("hook_reorder", after=9, match={"nth": 1})
    alone = await vendor(cafm, "ALONE")
    await asyncio.to_thread(cafm.box.advance, 60)
    assert listener.told()[-1] == ("vendors", "created", alone)  # none came behind it


async def test_what_was_not_sent_yet_outlives_a_restart(tmp_path: Path, listener: Listener) -> None:
    home = tmp_path / "home"
    with Sandbox(seed(), home=home) as box:
        async with trusting(box) as session:
            cafm = Client(session, box)
            await hook(cafm, listener)
            listener.statuses.append(503)
            await vendor(cafm, "N")
            await listener.came(1)
            while box.hooks()["failed"] == 0:
                await asyncio.sleep(0.01)
    with Sandbox(home=home) as box:
        await asyncio.to_thread(box.advance, 30)
        assert len(listener.bodies) == 2
        assert listener.bodies[0] == listener.bodies[1]
        assert box.hooks() == {"sent": 2, "delivered": 1, "failed": 1, "dropped": 0, "pending": 0}
