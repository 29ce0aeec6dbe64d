"""The hooks app: a small door for webhooks and health. Hints are kept and answered at once; the turn re-fetches."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from isthmus.app.engine import Engine
from isthmus.errors import StorageFailed
from isthmus.ledger import connections, inbox
from isthmus.sync.points import reach
from isthmus.sync.world import World

_LARGEST = 1_000_000


def hook_token(home: Path) -> str:
    """The secret part of this home's webhook addresses, made at first use, readable by its owner alone."""
    path = home / "keys" / "hooks"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def hooks_app(world: World, engine: Engine, token: str) -> Starlette:
    """POST /hooks/{connection}/{token}: 202 kept, 404 unknown, 413 too large, 503 ledger down. GET /health."""
    return Starlette(
        routes=[
            Route("/hooks/{connection}/{token}", _receive(world, engine, token), methods=["POST"]),
            Route("/health", _health(world), methods=["GET"]),
        ]
    )


def _receive(world: World, engine: Engine, token: str) -> Callable[[Request], Awaitable[Response]]:
    async def receive(request: Request) -> Response:
        name = request.path_params["connection"]
        if not secrets.compare_digest(request.path_params["token"], token) or name not in world.actors:
            return JSONResponse({"error": {"code": "unknown_hook", "message": "no such hook"}}, 404)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST:
                return JSONResponse({"error": {"code": "too_large", "message": "a hint is at most 1 MB"}}, 413)
        now = world.clock.now()
        try:
            async with world.transaction() as db:
                await inbox.keep(db, name, bytes(body).decode("utf-8", "replace"), now)
                await connections.wake(db, [name], now)
        except StorageFailed:
            return JSONResponse({"error": {"code": "storage", "message": "the ledger does not answer"}}, 503)
        reach("after_hook")
        await engine.wake([name])
        return JSONResponse({"kept": True}, 202)

    return receive


def _health(world: World) -> Callable[[Request], Awaitable[Response]]:
    async def health(request: Request) -> Response:
        del request
        try:
            async with world.transaction() as db:
                rows = await connections.standing(db)
        except StorageFailed as error:
            return JSONResponse({"status": "down", "reason": error.message}, 503)
        halted = {row.id: row.halted_text for row in rows if row.halted_code}
        return JSONResponse({"status": "halted" if halted else "ok", "halted": halted})

    return health
