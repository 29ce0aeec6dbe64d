"""HTTP without any system in it: the way from a socket to a gate, the cut of a connection, the route of a dev API."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from isthmus.sandbox.wire import Cut, Request, Response

_TRANSPORT = "isthmus.sandbox.transport"

#: Takes in one more home while the process runs: path of the home and of its seed, answers what it announces.
Hosting = Callable[[str, str], Awaitable[dict[str, Any]]]


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


class Activity:
    """When somebody last called: what the idle exit waits for. Calls of the dev API count too."""

    def __init__(self) -> None:
        self.calls = 0

    def note(self) -> None:
        self.calls += 1


class Gate(Protocol):
    """What stands behind a door: sign-in, faults, limits, execution."""

    async def serve(self, request: Request) -> Response:
        """Raises Cut instead of answering when a fault says so."""
        ...


class Door:
    """The hot path of an imitated API, in plain ASGI."""

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


class ByPort:
    """One application per port of the process."""

    def __init__(self) -> None:
        self.applications: dict[int, ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.applications[scope["server"][1]](scope, receive, send)


class Dev(Protocol):
    """A dev API: answers a method and a name, with a query and a decoded body."""

    def answer(self, method: str, name: str, query: Mapping[str, str], body: Any) -> Response: ...


@runtime_checkable
class Settling(Protocol):
    """A dev API whose system calls others by itself: moving time waits until they were called."""

    async def settle(self) -> None: ...


def dev_route(dev: Dev, activity: Activity, hosting: Hosting) -> Route:
    """`/_sandbox/{name}`, for this machine only; `homes` is answered by the process, everything else by the system."""

    async def answer(request: HttpRequest) -> HttpResponse:
        activity.note()
        if request.client is None or not ipaddress.ip_address(request.client.host).is_loopback:
            return HttpResponse("the dev API answers this machine only", 403)
        raw = await request.body()
        try:
            body = msgspec.json.decode(raw) if raw else {}
        except msgspec.DecodeError as error:
            return to_http(Response(400, {"error": f"no JSON: {error}"}))
        name = request.path_params["name"]
        if (request.method, name) == ("POST", "homes"):
            return to_http(await _host(hosting, body))
        found = dev.answer(request.method, name, dict(request.query_params), body)
        if isinstance(dev, Settling) and (request.method, name) == ("POST", "clock"):
            await dev.settle()
        return to_http(found)

    return Route("/_sandbox/{name}", answer, methods=["GET", "POST", "DELETE"])


async def _host(hosting: Hosting, body: Any) -> Response:
    headers = {"content-type": "application/json"}
    if not isinstance(body, dict) or set(body) != {"home", "seed"}:
        return Response(400, {"error": 'homes takes {"home": path, "seed": path}'}, headers)
    try:
        return Response(200, await hosting(str(body["home"]), str(body["seed"])), headers)
    except (ValueError, RuntimeError, OSError) as error:
        return Response(400, {"error": str(error)}, headers)


def to_http(response: Response) -> HttpResponse:
    """As Starlette sends it."""
    return HttpResponse(response.encoded(), response.status, response.headers)
