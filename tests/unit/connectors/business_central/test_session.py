"""The HTTP session over a real loopback server: what is certain to have never left, what may have arrived."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from isthmus.connectors._http.budget import Budget
from isthmus.connectors._http.session import HttpSession, Reply, show_place
from isthmus.contract.clock import DrivenClock
from isthmus.contract.connector import Traffic
from isthmus.errors import ConfigurationError, Retry, Uncertain, Unreachable

START = datetime(2026, 1, 1, tzinfo=UTC)
Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


class Session:
    """A session by a driven clock, with what it counted."""

    def __init__(self, sign_in: object = None, timeout: float = 5, patience: float = 60) -> None:
        self.clock, self.traffic = DrivenClock(START), Traffic()
        budget = Budget(self.clock, self.traffic, concurrency=5, quota=100, window=timedelta(minutes=5))
        self.http = HttpSession(
            clock=self.clock,
            budget=budget,
            traffic=self.traffic,
            call_timeout=timeout,
            sign_in=sign_in,  # type: ignore[arg-type]
            patience=patience,
        )


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    runners: list[web.AppRunner] = []

    async def start(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


async def test_a_refused_connection_never_left() -> None:
    session = Session()
    with pytest.raises(Unreachable):
        await session.http.call("POST", "http://127.0.0.1:9/orders?secret=1", writes=True)
    await session.http.close()


async def test_an_answer_lost_after_sending_is_uncertain_for_a_write_and_retry_for_a_read(serve: Serve) -> None:
    seen: list[str] = []

    async def cut(request: web.Request) -> web.StreamResponse:
        await request.read()
        seen.append(request.method)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    url = await serve(cut)
    session = Session()
    with pytest.raises(Uncertain):
        await session.http.call("POST", f"{url}/orders", body=b"{}", writes=True)
    with pytest.raises(Retry) as caught:
        await session.http.call("GET", f"{url}/orders")
    assert not isinstance(caught.value, Unreachable)
    assert seen.count("POST") == 1
    await session.http.close()


async def test_a_body_cut_short_is_a_lost_answer(serve: Serve) -> None:
    async def torn(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    session = Session()
    with pytest.raises(Uncertain):
        await session.http.call("PATCH", f"{await serve(torn)}/x", body=b"{}", writes=True)
    await session.http.close()


async def test_a_timeout_is_uncertain_for_a_write(serve: Serve) -> None:
    ended = asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        await asyncio.wait_for(ended.wait(), 5)
        return web.Response()

    session = Session(timeout=0.2)
    with pytest.raises(Uncertain) as caught:
        await session.http.call("POST", f"{await serve(slow)}/x", writes=True)
    ended.set()
    assert caught.value.code == "timeout"
    await session.http.close()


async def test_a_throttled_call_is_sent_again_after_the_pause_asked_for(serve: Serve) -> None:
    answers = [429, 429, 200]

    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=answers.pop(0), headers={"Retry-After": "7"})

    session = Session()
    reply = await session.http.call("POST", f"{await serve(busy)}/x", writes=True)
    assert (reply.status, session.traffic.throttled) == (200, 2)
    assert session.traffic.waited_seconds == pytest.approx(14)
    assert session.clock.now() == START + timedelta(seconds=14)
    await session.http.close()


async def test_a_pause_beyond_patience_is_told_instead_of_waited(serve: Serve) -> None:
    async def busy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "900"})

    session = Session()
    reply = await session.http.call("GET", f"{await serve(busy)}/x")
    assert (reply.status, reply.retry_after(START)) == (429, 900)
    assert session.clock.now() == START
    await session.http.close()


async def test_a_401_is_answered_with_one_fresh_token_and_no_more(serve: Serve) -> None:
    class SignIn:
        def __init__(self) -> None:
            self.given: list[str] = []

        async def header(self, rejected: str | None = None) -> str:
            self.given.append(f"Bearer {len(self.given)}")
            assert rejected in (None, "Bearer 0")
            return self.given[-1]

    async def guard(request: web.Request) -> web.StreamResponse:
        right = request.path == "/good" and request.headers["Authorization"] == "Bearer 1"
        return web.Response(status=200 if right else 401)

    url = await serve(guard)
    for path, status in (("/good", 200), ("/bad", 401)):
        sign_in = SignIn()
        session = Session(sign_in)
        assert (await session.http.call("POST", f"{url}{path}", writes=True)).status == status
        assert len(sign_in.given) == 2
        await session.http.close()


async def test_a_redirect_is_not_followed(serve: Serve) -> None:
    async def away(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "https://elsewhere.example"})

    session = Session()
    assert (await session.http.call("GET", f"{await serve(away)}/x")).status == 302
    await session.http.close()


async def test_nothing_of_query_body_or_header_is_in_an_error() -> None:
    session = Session()
    with pytest.raises(Unreachable) as caught:
        await session.http.call(
            "POST", "http://127.0.0.1:9/a?filter=PAYLOAD", headers={"X": "PAYLOAD"}, body=b"PAYLOAD", writes=True
        )
    assert "PAYLOAD" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    assert show_place("https://u:p@h.example/a/b?c=d#e") == "h.example/a/b"
    await session.http.close()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("17", 17.0), ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0), ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0), ("soon", None)],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text: str, seconds: float | None) -> None:
    assert Reply(429, {"retry-after": text}, b"").retry_after(START) == seconds


def test_a_certificate_file_that_cannot_be_read_is_told_by_its_setting(tmp_path: object) -> None:
    with pytest.raises(ConfigurationError, match="ca"):
        HttpSession(
            clock=DrivenClock(START),
            budget=Budget(DrivenClock(START), Traffic(), concurrency=1),
            traffic=Traffic(),
            call_timeout=1,
            ca=f"{tmp_path}/missing.pem",
        )
