"""Who may come in at the CAFM's door, what an event makes due, and that each is taken once."""

from __future__ import annotations

import hashlib
import hmac
import json
from importlib import resources
from typing import Any

from integration.cafm_webhooks.bench import CAFM, Halls, Told, told
from integration.webhooks.bench import Doorway
from isthmus.connectors.rest.declared.loading import profile_text

LENSES = resources.files("isthmus.connectors.rest") / "profiles" / "cafm" / "lenses"


def event(entity: str = "vendors", delivery: str = "d-1", what: str = "updated", record: int = 2147483640) -> bytes:
    """An event as the CAFM sends it."""
    told = {"deliveryId": delivery, "event": what, "entity": entity, "id": record, "at": "2026-11-21T08:15:30.123Z"}
    return json.dumps(told).encode()


def secret(listening: Told, native: str) -> str:
    sets = listening.door.wanted(listening.world.actors[CAFM])
    return next(one.state for one in sets if one.native == native)


def signed(body: bytes, key: str) -> dict[str, str]:
    return {"X-Cafm-Signature": f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}"}


async def post(listening: Told, body: bytes, headers: dict[str, str]) -> int:
    status, _ = await listening.call("POST", listening.door.address(CAFM), body, headers)
    return status


def open_hints(listening: Told) -> list[str]:
    query = "select named, body from inbox where taken_at is null and connection = %s order by id"
    rows = listening.mine.ask(query, CAFM)
    assert {body for _, body in rows} <= {""}  # its text is never kept
    return [named for named, _ in rows]


def due(listening: Told) -> set[str]:
    """Entities of the CAFM that would be read in the next turn, hints not counted."""
    rows = listening.mine.ask("select name, due_at from stream where connection = %s", CAFM)
    now = listening.world.clock.now()
    return {name for name, at in rows if at is not None and at <= now}


async def test_what_the_cafm_did_not_sign_is_refused_and_not_kept(listening: Told) -> None:
    body, right = event("vendors"), secret(listening, "vendors")
    forged = {
        "unsigned": {},
        "of nobody": signed(body, "guessed"),
        "of another set": signed(body, secret(listening, "items")),
        "of another body": signed(body + b" ", right),
        "of no form": {"X-Cafm-Signature": right},
    }
    assert {name: await post(listening, body, headers) for name, headers in forged.items()} == dict.fromkeys(
        forged, 401
    )
    assert open_hints(listening) == []
    assert await post(listening, body, signed(body, right)) == 202


async def test_only_the_named_set_is_read_and_a_repeated_event_is_taken_once(listening: Told) -> None:
    body = event("vendors")
    headers = signed(body, secret(listening, "vendors"))
    for _ in range(3):
        assert await post(listening, body, headers) == 202
    other = event("items", "d-2")
    assert await post(listening, other, signed(other, secret(listening, "items"))) == 202
    assert open_hints(listening) == ['[["vendor","",[]]]', '[["item","",[]]]']
    listening.mine.reset_calls()
    await listening.turn(CAFM)
    assert listening.mine.cafm.calls()["by_path"] == {"GET /vendors": 1, "GET /items": 1}
    assert await post(listening, body, headers) == 202  # an hour late, and taken in already
    assert open_hints(listening) == []
    again = event("vendors", "d-3")
    assert await post(listening, again, signed(again, secret(listening, "vendors"))) == 202
    assert open_hints(listening) == ['[["vendor","",[]]]']


async def test_events_nothing_tells_apart_are_kept_for_each_set_they_name(halls: Halls, doorway: Doorway) -> None:
    lines = [line for line in profile_text("cafm").splitlines() if line != "  delivery: deliveryId"]
    halls.write("without-ids.yaml", "\n".join(lines) + "\n")
    kept = ("vendor", "item", "location", "unit_of_measure", "purchase_order", "receipt")
    for entity in kept:
        halls.write(f"{entity}.yaml", (LENSES / f"{entity}.yaml").read_text("utf-8"))
    lenses = ", ".join(f"{entity}: {entity}.yaml" for entity in kept)
    halls.edit("isthmus.yaml", "profile: cafm", f"profile: without-ids.yaml\n    lenses: {{{lenses}}}")
    async with told(halls, doorway) as listening:
        assert listening.hints()
        for native in ("vendors", "items", "vendors"):
            body = event(native)
            assert await post(listening, body, signed(body, secret(listening, native))) == 202
        assert open_hints(listening) == ['[["vendor","",[]]]', '[["item","",[]]]']
        await listening.turn(CAFM)
        body = event("vendors")  # the same words again may be another change
        assert await post(listening, body, signed(body, secret(listening, "vendors"))) == 202
        assert open_hints(listening) == ['[["vendor","",[]]]']


async def test_an_event_of_something_unknown_makes_everything_be_read(listening: Told) -> None:
    body = event("webhooks", what="ping")
    assert await post(listening, body, signed(body, "guessed")) == 401
    assert await post(listening, body, signed(body, secret(listening, "vendors"))) == 202
    assert open_hints(listening) == [""]
    listening.mine.reset_calls()
    await listening.turn(CAFM)
    read = set(listening.mine.cafm.calls()["by_path"])
    assert {f"GET /{name}" for name in ("vendors", "items", "locations", "purchaseOrders", "receipts", "units")} <= read


async def test_a_deletion_that_is_told_is_looked_up(listening: Told) -> None:
    halls = listening.mine
    vendor: dict[str, Any] = await listening.does(
        halls.act, "POST", "/vendors", {"code": "V9", "name": "Typed in here"}
    )
    await listening.settle()
    await listening.does(halls.act, "DELETE", f"/vendors/{vendor['id']}")
    await listening.turn(CAFM)
    assert halls.ask("select deleted_at is not null from record where number = 'V9'") == [(True,)]
    # told to be gone, and there: nothing is deleted
    [kept] = halls.cafm.records("vendors", name="V1")
    body = event("vendors", "d-9", "deleted", kept["id"])
    assert await post(listening, body, signed(body, secret(listening, "vendors"))) == 202
    await listening.turn(CAFM)
    assert halls.ask("select count(*) from record where number = 'V1' and deleted_at is null") == [(1,)]
