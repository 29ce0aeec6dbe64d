"""Webhooks over HTTP: subscriptions kept as they are wanted, notifications proved and understood."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from isthmus.connectors.rest.connector import ListeningConnector
from isthmus.contract.webhooks import Hint, Subscriber, Wanted
from isthmus.errors import Reject
from unit.connectors.rest.conftest import START, Bench, answer

ADDRESS = "https://hooks.example.com/hooks/cafm/token"
SUBSCRIBING = {
    "list": {"path": "/hooks"}, "items": "data", "active": "active", "events": "topics", "event": "{set}.*",
    "create": {
        "method": "POST", "path": "/hooks", "body": {"url": "{address}", "key": "{secret}", "topics": ["{set}.*"]},
    },
    "created": "data.id",
    "resume": {"method": "PATCH", "path": "/hooks/{id}", "body": {"active": True}},
    "delete": {"method": "DELETE", "path": "/hooks/{id}"},
}  # fmt: skip
HOOK: Mapping[str, Any] = {
    "secret": "signature",
    "signature": {"header": "X-Sign", "form": "sha256={signature}"},
    "type": "entity",
    "id": "id",
    "action": "event",
    "delivery": "delivery",
    "deleted": ["deleted"],
    "subscribing": SUBSCRIBING,
}


class Board:
    """The subscriptions of a system."""

    def __init__(self) -> None:
        self.hooks: dict[int, dict[str, Any]] = {}
        self.refuses = False

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        number = request.path.removeprefix("/hooks").strip("/")
        if request.method == "GET":
            return answer({"data": [{"id": key, **hook} for key, hook in self.hooks.items()]})
        if request.method == "DELETE":
            del self.hooks[int(number)]
            return answer({})
        content = await request.json()
        if self.refuses:
            return answer({"error": {"message": "no more"}}, 422)
        if request.method == "PATCH":
            self.hooks[int(number)] |= content
            return answer({"data": {}})
        made = max(self.hooks, default=0) + 1
        self.hooks[made] = {**content, "active": True}
        return answer({"data": {"id": made}}, 201)


def wanted(*sets: str) -> list[Wanted]:
    return [Wanted(native=native, company="", state=f"secret-of-{native}") for native in sets]


async def listening(bench: Bench, board: Board | None = None, **hook: Any) -> ListeningConnector:
    unit = {"native": "units", "calls": {"list": {"path": "/u"}}, "events": False}
    over = {"webhook": {**HOOK, **hook}, "entities": {"unit_of_measure": unit}}
    url = await bench.serve(board) if board is not None else "http://127.0.0.1:9"
    connector = bench.connector(url, over)
    assert isinstance(connector, ListeningConnector)
    assert isinstance(connector, Subscriber)
    return connector


async def keep(connector: ListeningConnector, items: list[Wanted], ours: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    found = connector.subscriptions(ADDRESS, items, ours=ours, renew_before=START)
    return [(one.result, one.id) async for one in found]


async def test_subscriptions_are_made_kept_woken_and_taken_away(bench: Bench) -> None:
    board = Board()
    connector = await listening(bench, board)
    assert await keep(connector, wanted("vendors", "units")) == [("made", "1"), ("unsupported", "")]
    assert board.hooks[1] == {
        "url": ADDRESS, "key": "secret-of-vendors", "topics": ["vendors.*"], "active": True,
    }  # fmt: skip
    assert await keep(connector, wanted("vendors")) == [("kept", "1")]
    board.hooks[1]["active"] = False
    assert await keep(connector, wanted("vendors")) == [("resumed", "1")]
    board.hooks[2] = {"url": "https://other.example.com", "topics": ["vendors.*"]}
    board.hooks[3] = {"url": "https://old.example.com", "topics": ["vendors.*"]}
    assert await keep(connector, [], ours=("3",)) == []
    assert list(board.hooks) == [2]  # the address of somebody else stays


async def test_a_refused_subscription_is_told_in_words(bench: Bench) -> None:
    board = Board()
    board.refuses = True
    connector = await listening(bench, board)
    (refused,) = [one async for one in connector.subscriptions(ADDRESS, wanted("vendors"), ours=(), renew_before=START)]
    assert (refused.result, refused.code) == ("refused", "http_422")
    assert "secret" not in refused.text + refused.mend


BODY = json.dumps({"delivery": "d-1", "event": "updated", "entity": "vendors", "id": 2147483655}).encode()


def signed(body: bytes, secret: str = "secret-of-vendors", form: str = "sha256={}") -> dict[str, str]:
    return {"x-sign": form.format(hmac.new(secret.encode(), body, "sha256").hexdigest())}


async def test_a_signed_notification_names_what_to_read(bench: Bench) -> None:
    connector = await listening(bench)
    sets = wanted("vendors", "units")
    (hint,) = connector.hints(signed(BODY), BODY, sets) or ()
    assert (hint.native, hint.gone) == ("vendors", "")
    gone = BODY.replace(b"updated", b"deleted")
    (told,) = connector.hints(signed(gone), gone, sets) or ()
    assert told.gone == "2147483655"
    assert (hint.key, told.key) == ("d-1/vendors/2147483655/updated", "d-1/vendors/2147483655/deleted")
    assert connector.handshake({"validationToken": "x"}) is None


async def test_a_notification_of_something_else_means_everything_may_have_changed(bench: Bench) -> None:
    connector = await listening(bench)
    for body in (b'{"entity": "moons", "id": 1}', b"not json", b"[]"):
        assert connector.hints(signed(body), body, wanted("vendors")) is None


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "hook_unsigned"),
        ({"x-sign": "md5=abc"}, "hook_unsigned"),
        ({"x-sign": "sha256=00"}, "hook_forged"),
        ({"x-sign": "sha256=nohex"}, "hook_forged"),
        (signed(BODY, "secret-of-units"), "hook_forged"),
        (signed(BODY + b" "), "hook_forged"),
    ],
)
async def test_what_is_not_signed_by_the_set_s_own_secret_is_refused(
    bench: Bench, headers: dict[str, str], code: str
) -> None:
    connector = await listening(bench)
    with pytest.raises(Reject) as caught:
        connector.hints(headers, BODY, wanted("vendors", "units"))
    assert caught.value.code == code


async def test_a_signature_may_cover_the_time_which_must_be_ours(bench: Bench) -> None:
    signature = {
        "header": "X-Sign", "encoding": "base64", "form": "t={timestamp},v1={signature}", "signs": "{timestamp}.{body}",
    }  # fmt: skip
    connector = await listening(bench, signature=signature)

    def headers(moment: int) -> dict[str, str]:
        digest = hmac.digest(b"secret-of-vendors", f"{moment}.".encode() + BODY, "sha256")
        return {"x-sign": f"t={moment},v1={base64.b64encode(digest).decode()}"}

    now = int(START.timestamp())
    assert connector.hints(headers(now), BODY, wanted("vendors"))
    assert connector.hints(headers(now * 1000), BODY, wanted("vendors"))  # milliseconds are recognised
    with pytest.raises(Reject, match="of another time"):
        connector.hints(headers(now - 301), BODY, wanted("vendors"))
    bench.clock.advance(timedelta(minutes=6).total_seconds())
    with pytest.raises(Reject, match="of another time"):
        connector.hints(headers(now), BODY, wanted("vendors"))


async def test_a_system_that_signs_nothing_may_send_many_events_under_names_of_its_own(bench: Bench) -> None:
    hook = {
        "secret": "path", "signature": None, "events": "data", "type": "entity.type", "id": "entity.id",
        "action": "action", "delivery": "", "types": {"company": "vendors"}, "answer": 200, "subscribing": None,
    }  # fmt: skip
    connector = await listening(bench, **hook)
    events = [
        {"action": "updated", "entity": {"type": "company", "id": 7}},
        {"action": "deleted", "entity": {"type": "company", "id": 8}},
    ]
    body = json.dumps({"messageId": "m", "data": events}).encode()
    assert connector.hints({}, body, wanted("vendors")) == [
        Hint(native="vendors", company=""), Hint(native="vendors", company="", gone="8"),
    ]  # fmt: skip
    assert connector.capabilities.hook_answer == 200
    assert await keep(connector, wanted("vendors")) == [("unsupported", "")]
