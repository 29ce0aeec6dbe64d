"""The way of a Business Central call: sign-in, faults, limits, execution, answer or cut."""

from __future__ import annotations

import asyncio

from isthmus.sandbox.business_central import batch, errors
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.webhooks.book import HandshakeNeeded
from isthmus.sandbox.faults import Plan
from isthmus.sandbox.tokens import TokenCheck
from isthmus.sandbox.wire import Cut, Request, Response
from isthmus.sandbox.world import World


class Gate:
    """One call at a time through all stages; many calls at once through the gate."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._tokens = TokenCheck(world)

    async def serve(self, request: Request) -> Response:
        """Raises Cut instead of answering when a fault says so."""
        world = self.world
        world.tick()
        world.calls.enter(request, world.below(request.path))
        status: int | None = None
        try:
            response = await self._admitted(request)
            status = response.status
        except Refusal as refusal:
            response = refusal.response()
            status = response.status
        finally:
            world.calls.leave(status)
        return response

    async def _admitted(self, request: Request) -> Response:
        world = self.world
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        client_id = self._tokens.client_id(token)
        if client_id is None:
            raise errors.bad_credentials()
        request.client_id = client_id
        del request.headers["authorization"]
        _, path = world.inner(request)
        plan, weight = Plan(), 1
        switches = world.environment.switches
        if world.faults.rules or switches.batch_counts == "each":
            parts = batch.read(request, switches.batch_limit) if path == "$batch" else None
            plan = world.faults.plan(request, path, parts)
            weight = len(parts) if parts is not None and switches.batch_counts == "each" else 1
        if plan.expire_token:
            world.revoked.add(token)
            raise errors.bad_credentials()
        limiter = world.limiter(client_id)
        try:
            async with limiter.slot(switches, weight):
                return await self._execute(request, plan)
        finally:
            world.calls.busiest_window = max(world.calls.busiest_window, limiter.busiest_window)

    async def _execute(self, request: Request, plan: Plan) -> Response:
        world = self.world
        pause = plan.latency + world.environment.switches.work_seconds
        if pause:
            await asyncio.sleep(pause)
        if plan.lose_before:
            raise Cut
        if plan.late is not None:
            world.postpone(request, plan.late)
            raise Cut
        if plan.answer is not None and not plan.answer_done:
            return plan.answer
        try:
            response = await self._greeted(request, plan)
        except batch.CutAfter:
            raise Cut from None
        if plan.lose_after:
            raise Cut
        return plan.answer or response

    async def _greeted(self, request: Request, plan: Plan) -> Response:
        """Execute; a subscription is made when its address has shaken hands."""
        try:
            return self.world.execute(request, plan)
        except HandshakeNeeded as needed:
            refusal = await self.world.sender.shake_hands(needed.url)
            if refusal is not None:
                return refusal.response()
            request.greeted = needed.url
            return self.world.execute(request, plan)
