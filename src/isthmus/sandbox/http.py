"""The HTTP doors of one Business Central: its API, Entra ID in front of it, and the dev API, on one port."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from isthmus.sandbox import entra
from isthmus.sandbox.dev_api import DevApi
from isthmus.sandbox.doors import Activity, Door, Hosting, cut, dev_route, to_http
from isthmus.sandbox.gate import Gate
from isthmus.sandbox.wire import Request
from isthmus.sandbox.world import World


def application(world: World, activity: Activity, hosting: Hosting) -> ASGIApp:
    """Everything one port of a Business Central answers."""

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
        return to_http(found)

    async def discovery(request: HttpRequest) -> HttpResponse:
        return to_http(entra.discovery(world, request.path_params["tenant"], _origin(request)))

    async def instances(request: HttpRequest) -> HttpResponse:
        return to_http(entra.instances(world, _origin(request)))

    return Starlette(
        routes=[
            Mount("/v2.0", Door(Gate(world), activity)),
            dev_route(DevApi(world), activity, hosting),
            Route("/common/discovery/instance", instances),
            Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", discovery),
            Route("/{tenant}/.well-known/openid-configuration", discovery),
        ]
    )


def _origin(request: HttpRequest) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', '')}"
