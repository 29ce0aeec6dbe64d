"""Every way a system knows who calls, over HTTP: what is sent, when it is renewed, what is never shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from isthmus.connectors.rest.connector import RestConnector
from isthmus.contract.records import ReadRequest
from isthmus.errors import ConfigurationError, Retry, SignInFailed
from isthmus.testing.ways import nothing_known
from unit.connectors.rest.conftest import START, Bench, answer

SECRET = "se{cret}&=ü"


class Gatekeeper:
    """A system with a token endpoint. `accepts` decides on every other call; it keeps what it was shown."""

    def __init__(self, accepts: Callable[[web.Request], bool]) -> None:
        self.accepts = accepts
        self.tokens: list[dict[str, Any]] = []
        self.calls = 0
        self.given: Callable[[int], Mapping[str, Any]] = lambda count: {"access_token": f"t{count}", "expires_in": 3600}
        self.ended = 0
        self.status = 200

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            form = request.content_type == "application/x-www-form-urlencoded"
            shown = dict(await request.post()) if form else await request.json()
            self.tokens.append({**shown, "_header": request.headers.get("Authorization", "")})
            told = answer(dict(self.given(len(self.tokens))), self.status)
            told.set_cookie("SID", f"s{len(self.tokens)}")
            return told
        if request.method == "DELETE":
            self.ended += 1
            return answer({}, 200)
        self.calls += 1
        return answer([{"id": 1}]) if self.accepts(request) else answer({"error": "who are you?"}, 401)


async def read(connector: RestConnector) -> int:
    return len((await connector.read(ReadRequest(native="vendors"), nothing_known)).records)


def bearer(request: web.Request) -> str:
    return request.headers.get("Authorization", "")


@pytest.mark.parametrize(
    ("auth", "settings", "accepts"),
    [
        ({"kind": "none"}, {}, lambda request: "Authorization" not in request.headers),
        ({"kind": "bearer"}, {"api_key": SECRET}, lambda request: bearer(request) == f"Bearer {SECRET}"),
        (
            {"kind": "header", "header": "X-Key", "prefix": "Token "},
            {"api_key": SECRET},
            lambda request: request.headers.get("X-Key") == f"Token {SECRET}",
        ),
        ({"kind": "query", "parameter": "key"}, {"api_key": SECRET}, lambda request: request.query["key"] == SECRET),
        (
            {"kind": "basic"},
            {"user": "ann", "password": SECRET},
            lambda request: base64.b64decode(bearer(request).removeprefix("Basic ")).decode() == f"ann:{SECRET}",
        ),
    ],
    ids=["none", "bearer", "header", "query", "basic"],
)
async def test_a_key_is_sent_as_it_is(
    bench: Bench, auth: dict[str, Any], settings: dict[str, Any], accepts: Callable[[web.Request], bool]
) -> None:
    keeper = Gatekeeper(accepts)
    connector = bench.connector(await bench.serve(keeper), {"auth": auth}, **settings)
    assert await read(connector) == 1


async def test_a_refused_key_is_not_tried_again_and_shown_nowhere(bench: Bench) -> None:
    keeper = Gatekeeper(lambda request: False)
    url = await bench.serve(keeper)
    connector = bench.connector(url, {"auth": {"kind": "query", "parameter": "key"}}, api_key=SECRET)
    with pytest.raises(SignInFailed) as caught:
        await read(connector)
    assert keeper.calls == 1
    assert not any(SECRET in text for text in (str(caught.value), repr(caught.value), repr(connector)))


async def test_a_connection_without_the_secret_is_told_which_one(bench: Bench) -> None:
    with pytest.raises(ConfigurationError, match="signs in with api_key"):
        bench.connector("http://127.0.0.1:9", {"auth": {"kind": "bearer"}})


OAUTH = {"kind": "oauth2", "url": "/token"}


async def test_client_credentials_are_asked_for_once_and_again_before_they_end(bench: Bench) -> None:
    keeper = Gatekeeper(lambda request: bearer(request) == f"Bearer t{len(keeper.tokens)}")
    fields = {"audience": "https://{parameters.tenant}.example.com"}
    over = {
        "auth": {**OAUTH, "scope": "all", "fields": fields},
        "parameters": {"tenant": {"about": "name of the tenant"}},
    }
    settings = {"client_id": "me", "client_secret": SECRET, "parameters": {"tenant": "contoso"}}
    connector = bench.connector(await bench.serve(keeper), over, **settings)
    assert [await read(connector), await read(connector)] == [1, 1]
    assert len(keeper.tokens) == 1
    shown = keeper.tokens[0]
    assert (shown["grant_type"], shown["client_id"], shown["client_secret"]) == ("client_credentials", "me", SECRET)
    assert (shown["scope"], shown["audience"]) == ("all", "https://contoso.example.com")
    bench.clock.advance(3600 - 299)  # within five minutes of its end
    assert await read(connector) == 1
    assert (len(keeper.tokens), connector.traffic.token_requests) == (2, 2)


async def test_a_client_may_sign_in_by_header_and_json(bench: Bench) -> None:
    keeper = Gatekeeper(lambda request: True)
    over = {"auth": {**OAUTH, "basic": True, "form": "json", "token": "data.token", "expires_in": "data.seconds"}}
    keeper.given = lambda count: {"data": {"token": "x", "seconds": "60"}}
    connector = bench.connector(await bench.serve(keeper), over, client_id="me", client_secret=SECRET)
    assert await read(connector) == 1
    assert "client_secret" not in keeper.tokens[0]
    assert base64.b64decode(keeper.tokens[0]["_header"].removeprefix("Basic ")).decode() == f"me:{SECRET}"


async def test_a_refused_token_is_renewed_once(bench: Bench) -> None:
    keeper = Gatekeeper(lambda request: bearer(request) == "Bearer t2")
    connector = bench.connector(await bench.serve(keeper), {"auth": OAUTH}, client_id="me", client_secret=SECRET)
    assert await read(connector) == 1
    keeper.accepts = lambda request: False
    with pytest.raises(SignInFailed):
        await read(connector)
    assert len(keeper.tokens) == 3


async def test_a_new_refresh_token_replaces_the_old_one(bench: Bench) -> None:
    keeper = Gatekeeper(lambda request: True)
    keeper.given = lambda count: {"access_token": f"t{count}", "expires_in": 100, "refresh_token": f"r{count}"}
    over = {"auth": {**OAUTH, "grant": "refresh_token"}}
    connector = bench.connector(await bench.serve(keeper), over, refresh_token="r0", client_id="me")
    for _ in range(3):
        await read(connector)
        bench.clock.advance(100)
    assert [shown["refresh_token"] for shown in keeper.tokens] == ["r0", "r1", "r2"]


async def test_the_end_of_a_jwt_is_read_from_itself(bench: Bench) -> None:
    def jwt(count: int) -> dict[str, Any]:
        claims = json.dumps({"exp": int((START + timedelta(minutes=10 * count)).timestamp())}).encode()
        return {"access_token": f"h.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.s"}

    keeper = Gatekeeper(lambda request: True)
    keeper.given = jwt
    over = {"auth": {**OAUTH, "jwt": True, "expires_in": None}}
    connector = bench.connector(await bench.serve(keeper), over, client_id="me", client_secret=SECRET)
    await read(connector)
    bench.clock.advance(4 * 60)
    await read(connector)
    assert len(keeper.tokens) == 1
    bench.clock.advance(2 * 60)
    await read(connector)
    assert len(keeper.tokens) == 2


@pytest.mark.parametrize(("status", "error"), [(401, SignInFailed), (400, SignInFailed), (503, Retry), (429, Retry)])
async def test_a_refused_sign_in_stops_the_connection_and_a_busy_one_does_not(
    bench: Bench, status: int, error: type[Exception]
) -> None:
    keeper = Gatekeeper(lambda request: True)
    keeper.status = status
    connector = bench.connector(
        await bench.serve(keeper), {"auth": OAUTH}, client_id="me", client_secret=SECRET, patience=0
    )
    with pytest.raises(error) as caught:
        await read(connector)
    assert SECRET not in str(caught.value)


async def test_a_session_lives_in_a_cookie_and_ends_with_the_work(bench: Bench) -> None:
    keeper = Gatekeeper(lambda request: request.cookies.get("SID") == f"s{len(keeper.tokens)}")
    auth = {"kind": "login", "path": "/token", "cookie": "SID", "logout": {"method": "DELETE", "path": "/token/x"}}
    connector = bench.connector(await bench.serve(keeper), {"auth": auth}, user="ann", password=SECRET)
    assert [await read(connector), await read(connector)] == [1, 1]
    assert (keeper.tokens[0]["username"], keeper.tokens[0]["password"], len(keeper.tokens)) == ("ann", SECRET, 1)
    await connector.close()
    await connector.close()
    assert keeper.ended == 1


async def test_a_session_may_be_a_token_in_the_answer_and_a_form(bench: Bench) -> None:
    keeper = Gatekeeper(lambda request: request.headers.get("X-Session") == "t1")
    auth = {
        "kind": "login", "path": "/token", "form": "form", "token": "access_token", "header": "X-Session", "prefix": "",
        "body": {"login": "{user}", "pin": "{password}"},
    }  # fmt: skip
    connector = bench.connector(await bench.serve(keeper), {"auth": auth}, user="ann", password=SECRET)
    assert await read(connector) == 1
    assert keeper.tokens[0]["pin"] == SECRET
