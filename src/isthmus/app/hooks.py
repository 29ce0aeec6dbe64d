"""The hooks app: a small door for webhooks and health. Hints are kept and answered at once; the turn re-fetches."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from isthmus.app.engine import Engine
from isthmus.app.hook_recipes import Recipe, recipe
from isthmus.app.project.project import Project
from isthmus.app.secrets import resolve
from isthmus.contract.webhooks import Hint, Subscriber
from isthmus.errors import ConfigurationError, Reject, StorageFailed
from isthmus.ledger import connections, inbox, subscriptions
from isthmus.ledger.inbox import Named
from isthmus.sync.door import Door
from isthmus.sync.points import reach
from isthmus.sync.world import Actor, World

#: A notification of a system that is not expected to send larger ones is refused above this size.
_LARGEST = 1_000_000
#: One that carries the changes of many subscriptions is not read beyond this; it then stands for all of them. A
#: refusal would end the subscriptions (bc.md §11).
_LARGEST_OF_SUBSCRIBER = 16_000_000


def hook_token(home: Path) -> str:
    """The secret part of this home's webhook addresses, made at first use, readable by its owner alone."""
    path = home / "keys" / "hooks"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def server_door(project: Project, environ: Mapping[str, str] = os.environ) -> Door:
    """The door that a server opens. Its key is made of `hooks.secret`, else it is that of the home. Raises
    ConfigurationError when the secret cannot be read."""
    hooks = project.config.hooks
    return Door(hooks.url if hooks is not None else "", _shared(project, environ) or hook_token(project.home))


def worker_door(project: Project, environ: Mapping[str, str] = os.environ) -> Door | None:
    """The same as another worker knows it; None where the key lies in the home of a server on another machine."""
    if _shared(project, environ) is None and not (project.home / "keys" / "hooks").exists():
        return None
    return server_door(project, environ)


def _shared(project: Project, environ: Mapping[str, str]) -> str | None:
    hooks = project.config.hooks
    if hooks is None or hooks.secret is None:
        return None
    secret = resolve(hooks.secret, folder=project.folder, environ=environ, setting="hooks.secret")
    made = hmac.digest(secret.reveal().encode(), b"isthmus: secret part of webhook addresses", "sha256")
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


async def use_door(world: World, engine: Engine, door: Door) -> None:
    """From now on turns of this process look after subscriptions that lead to the door. Without a public address there
    are none any more: what systems still have ends by itself."""
    engine.door = door
    if not door.url:
        async with world.transaction() as db:
            await subscriptions.forget(db, list(world.actors))


def recipes(project: Project, environ: Mapping[str, str] = os.environ) -> dict[str, Recipe]:
    """The recipes of connections that have one. Raises ConfigurationError when a secret cannot be read."""
    return {
        name: recipe(config.hook, folder=project.folder, environ=environ, connection=name)
        for name, config in project.connections.items()
        if config.hook is not None
    }


def hooks_app(world: World, engine: Engine, door: Door, known: Mapping[str, Recipe] | None = None) -> Starlette:
    """POST /hooks/{connection}/{token}: 202 kept; 401 not from the system, 404 unknown, 413 too large, 503 ledger down.
    A call that asks whether the address is ours is answered as its system wants it. GET /health.

    Raises ConfigurationError for a recipe where the connector knows its system's notifications by itself."""
    for name in known or {}:
        if isinstance(world.actors[name].connector, Subscriber):
            raise ConfigurationError(
                f"connections.{name}.hook: {world.actors[name].system} proves its notifications in a way of its own.",
                hint="Remove hook from this connection.",
            )
    return Starlette(
        routes=[
            Route("/hooks/{connection}/{token}", _receive(world, engine, door, known or {}), methods=["GET", "POST"]),
            Route("/health", _health(world), methods=["GET"]),
        ]
    )


class _Read(Struct, frozen=True):
    """A notification understood: what it names (None: everything), what tells it from others, of which sets."""

    named: tuple[Named, ...] | None
    digest: str
    once: bool = False
    sets: frozenset[tuple[str, str]] = frozenset()


def _receive(
    world: World, engine: Engine, door: Door, known: Mapping[str, Recipe]
) -> Callable[[Request], Awaitable[Response]]:
    async def receive(request: Request) -> Response:
        name = request.path_params["connection"]
        if not door.opens_with(request.path_params["token"]) or name not in world.actors:
            return _refused(404, "unknown_hook", "no such hook")
        actor = world.actors[name]
        subscriber = actor.connector if isinstance(actor.connector, Subscriber) else None
        challenge = subscriber.handshake(dict(request.query_params)) if subscriber is not None else None
        if challenge is not None:
            return PlainTextResponse(challenge, headers={"X-Content-Type-Options": "nosniff"})
        if request.method != "POST":
            return Response(status_code=405, headers={"Allow": "POST"})
        body = await _body(request, _LARGEST if subscriber is None else _LARGEST_OF_SUBSCRIBER)
        if body is None and subscriber is None:
            return _refused(413, "too_large", "a hint is at most 1 MB")
        try:
            read = _understood(door, actor, subscriber, known.get(name), request, body, world)
        except Reject as error:
            return _refused(401, error.code, error.message)
        try:
            await _keep(world, name, read)
        except StorageFailed:
            return _refused(503, "storage", "the ledger does not answer")
        reach("after_hook")
        await engine.wake([name])
        return JSONResponse({"kept": True}, actor.connector.capabilities.hook_answer)

    return receive


async def _keep(world: World, name: str, read: _Read) -> None:
    now = world.clock.now()
    async with world.transaction() as db:
        await inbox.keep(db, name, read.digest, read.named, now, once=read.once)
        await connections.wake(db, [name], now)
        if read.sets:
            await subscriptions.hear(db, name, read.sets, now)


async def _body(request: Request, largest: int) -> bytes | None:
    """The body; None when it is too large, but read to its end all the same."""
    body = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= largest:
            body += chunk
    return bytes(body) if size <= largest else None


def _understood(
    door: Door, actor: Actor, subscriber: Subscriber | None, own: Recipe | None, request: Request, body: bytes | None,
    world: World,
) -> _Read:  # fmt: skip
    """Raises Reject when it does not come from the connection's system."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    if body is None:
        return _Read(None, hashlib.sha256(b"too large").hexdigest())
    if subscriber is not None:
        hints = subscriber.hints(headers, body, door.wanted(actor))
        return _told(actor, hints) if hints is not None else _Read(None, hashlib.sha256(body).hexdigest())
    if own is not None:
        own.check(headers, body, world.clock.now())
    entities = own.entities(headers, body) if own is not None else None
    named = tuple(Named(entity) for entity in sorted(entities)) if entities is not None else None
    return _Read(named, hashlib.sha256(body).hexdigest())


def _told(actor: Actor, hints: Sequence[Hint]) -> _Read:
    gone: dict[tuple[str, str], dict[str, None]] = {}
    for hint in hints:
        found = gone.setdefault((hint.native, hint.company), {})
        if hint.gone:
            found[hint.gone] = None
    named = tuple(
        Named(key.entity, key.company, tuple(gone[spec.native, key.company]))
        for key, spec in actor.streams.items()
        if (spec.native, key.company) in gone
    )
    keys = sorted({hint.key for hint in hints})
    once = all(keys)
    known = "\n".join(keys) if once else repr(named)  # without keys, equal is only what names the same
    return _Read(named, hashlib.sha256(known.encode()).hexdigest(), once=once, sets=frozenset(gone))


def _refused(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


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
