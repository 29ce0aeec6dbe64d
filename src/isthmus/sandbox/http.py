"""The HTTP doors: Business Central, Entra ID and the dev API on one port, and the cut of a connection."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from isthmus.sandbox import entra
from isthmus.sandbox.dev_api import DevApi
from isthmus.sandbox.gate import Cut, Gate
from isthmus.sandbox.wire import Request, Response
from isthmus.sandbox.world import World

_TRANSPORT = "isthmus.sandbox.transport"


class CuttableProtocol(HttpToolsProtocol):
    """uvicorn's protocol that tells the application its transport, so that a connection can be cut without an
    answer.
    """

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extended: dict[str, Any] = self.scope  # type: ignore[assignment] # a TypedDict without room for more
        extended["extensions"] = {_TRANSPORT: self.transport}


async def cut(scope: Scope, receive: Receive) -> None:
    """Abort the connection of this request: no answer, no TLS farewell. Returns when uvicorn knows of it."""
    scope["extensions"][_TRANSPORT].abort()
    while (await receive())["type"] != "http.disconnect":
        pass


class BusinessCentralDoor:
    """The hot path, in plain ASGI."""

    def __init__(self, gate: Gate, activity: Activity) -> None:
        self._gate = gate
        self._activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._activity.note()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = Request(
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            headers,
            await _read(receive),
            origin=f"{scope['scheme']}://{headers.get('host', '')}",
        )
        try:
            response = await self._gate.serve(request)
        except Cut:
            await cut(scope, receive)
            return
        await _answer(send, response)


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _answer(send: Send, response: Response) -> None:
    body = response.encoded()
    headers = [(name.encode(), value.encode()) for name, value in response.headers.items()]
    if response.status != 204:
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Activity:
    """When somebody last called: what the idle exit waits for. Calls of the dev API count too."""

    def __init__(self) -> None:
        self.calls = 0

    def note(self) -> None:
        self.calls += 1


def application(world: World, activity: Activity) -> ASGIApp:
    dev = DevApi(world)

    async def sandbox(request: HttpRequest) -> HttpResponse:
        activity.note()
        if request.client is None or not ipaddress.ip_address(request.client.host).is_loopback:
            return HttpResponse("the dev API answers this machine only", 403)
        raw = await request.body()
        try:
            body = msgspec.json.decode(raw) if raw else {}
        except msgspec.DecodeError as error:
            return _http(Response(400, {"error": f"no JSON: {error}"}))
        return _http(dev.answer(request.method, request.path_params["name"], dict(request.query_params), body))

    async def token(request: HttpRequest) -> HttpResponse:
        activity.note()
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        plan = world.faults.token_plan(Request(request.method, request.url.path))
        if plan.latency:
            await asyncio.sleep(plan.latency)
        if plan.lose_before:
            await cut(request.scope, request.receive)
            return HttpResponse()
        found = plan.answer or entra.token(world, request.path_params["tenant"], _origin(request), form)
        return _http(found)

    async def discovery(request: HttpRequest) -> HttpResponse:
        return _http(entra.discovery(world, request.path_params["tenant"], _origin(request)))

    async def instances(request: HttpRequest) -> HttpResponse:
        return _http(entra.instances(world, _origin(request)))

    return Starlette(
        routes=[
            Mount("/v2.0", BusinessCentralDoor(Gate(world), activity)),
            Route("/_sandbox/{name}", sandbox, methods=["GET", "POST", "DELETE"]),
            Route("/common/discovery/instance", instances),
            Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", discovery),
            Route("/{tenant}/.well-known/openid-configuration", discovery),
        ]
    )


def _origin(request: HttpRequest) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


def _http(response: Response) -> HttpResponse:
    return HttpResponse(response.encoded(), response.status, response.headers)
