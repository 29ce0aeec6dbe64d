"""The way of a call: sign-in, limits, faults, execution, answer or cut."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from isthmus.sandbox.cafm import batch
from isthmus.sandbox.cafm.keys import Key
from isthmus.sandbox.cafm.limits import Limiter
from isthmus.sandbox.cafm.problems import Problem, bad_request, unauthorized
from isthmus.sandbox.cafm.service import BASE, Caller, Service
from isthmus.sandbox.cafm.world import World
from isthmus.sandbox.faults import Plan
from isthmus.sandbox.wire import Cut, Request, Response

_MOST_BYTES = 4 * 1024 * 1024


class Gate:
    """One call at a time through all stages; many calls at once through the gate."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.service = Service(world)
        world.agenda.handlers["request"] = self._late

    async def serve(self, request: Request) -> Response:
        """Raises Cut instead of answering when a fault says so."""
        world = self.world
        world.tick()
        request.path = request.path.removeprefix(BASE)
        world.calls.enter(request.method, request.path)
        status: int | None = None
        try:
            response = await self._admitted(request)
            status = response.status
        finally:
            world.calls.leave(status)
            world.hooks.tick()
        return response

    async def _admitted(self, request: Request) -> Response:
        try:
            key = self._key(request)
        except Problem as problem:
            return problem.response()
        request.client_id = key.name
        limiter = self.world.limiters.setdefault(key.name, Limiter(self.world))
        try:
            response = await self._limited(request, key, limiter)
        except Problem as problem:
            response = problem.response()
        response.headers = {**response.headers, **limiter.headers()}
        return response

    def _key(self, request: Request) -> Key:
        scheme, _, text = request.headers.pop("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise unauthorized("key_missing")
        key = self.world.keys.get(text.strip())
        if key is None:
            raise unauthorized("key_unknown")
        ended = key.expires_at and datetime.fromisoformat(key.expires_at) <= self.world.clock.now()
        if key.expired or ended:
            raise unauthorized("key_expired")
        return key

    async def _limited(self, request: Request, key: Key, limiter: Limiter) -> Response:
        request.payload, request.body = _decoded(request), b""
        parts = batch.read(request) if _is_batch(request) else None
        plan = self.world.faults.plan(request, request.path, parts) if self.world.faults.rules else Plan()
        if plan.expire_token:
            key.expired = True
            raise unauthorized("key_expired")
        with limiter.slot(len(parts) if parts is not None else 1):
            return await self._planned(request, parts, plan)

    async def _planned(self, request: Request, parts: list[Request] | None, plan: Plan) -> Response:
        pause = plan.latency + self.world.switches.work_seconds
        if pause:
            await asyncio.sleep(pause)
        if plan.lose_before:
            raise Cut
        if plan.late is not None:
            self.world.agenda.add(plan.late, "request", msgspec.to_builtins(request))
            self.world.touched = True
            raise Cut
        if plan.answer is not None and not plan.answer_done:
            return plan.answer
        response = self._execute(request, parts, plan)
        if plan.lose_after:
            raise Cut
        return plan.answer or response

    def _execute(self, request: Request, parts: list[Request] | None, plan: Plan) -> Response:
        if request.method != "GET":
            self.world.touched = True
        key = next(key for key in self.world.keys.values() if key.name == request.client_id)
        caller = Caller(f"key:{key.name}", key)

        def perform(part: Request, index: int) -> Response:
            self.world.calls.operation(key.name, part.method, part.path, part=parts is not None)
            fault = plan.parts.get(index)
            if fault is not None and not fault.done:
                return self.world.faults.answer(fault)
            response = self.service.answer(part, caller)
            return self.world.faults.answer(fault) if fault is not None else response

        return perform(request, 0) if parts is None else batch.run(parts, perform, plan.cut_after)

    def _late(self, payload: dict[str, Any]) -> None:
        """A request that waited in the server's queue after its caller was cut off."""
        request = msgspec.convert(payload, Request)
        if any(key.name == request.client_id for key in self.world.keys.values()):
            self._execute(request, batch.read(request) if _is_batch(request) else None, Plan())


def _is_batch(request: Request) -> bool:
    return (request.method, request.path) == ("POST", "/batch")


def _decoded(request: Request) -> Any:
    """The JSON of a body; None when there is none. Raises Problem."""
    if not request.body:
        return None
    if len(request.body) > _MOST_BYTES:
        raise Problem(413, "too_large", "The body is larger than 4 MB.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "unsupported_media_type", "Send JSON with Content-Type: application/json.")
    try:
        return msgspec.json.decode(request.body)
    except msgspec.DecodeError as error:
        raise bad_request("invalid_json", f"The body is no JSON: {error}.") from None
