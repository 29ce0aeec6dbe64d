"""Webhook deliveries: which event goes to whom and when, attempts, drops (docs/cafm-api.md, Webhooks)."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import uuid
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from isthmus.sandbox.cafm.hook_faults import HookFaults, HookRule
from isthmus.sandbox.cafm.kinds import Record
from isthmus.sandbox.cafm.sending import Sender

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World

_KEPT = 100
_AT_ONCE = 8


class Delivery(msgspec.Struct):
    """One event on its way to one webhook. `due` is sandbox time; `behind`: waits for so many later ones."""

    delivery_id: str
    webhook_id: int
    event: str
    entity: str
    record_id: int
    at: str
    due: float
    state: str = "pending"
    attempts: int = 0
    last_status: int | None = None
    behind: int = 0

    def shown(self) -> dict[str, Any]:
        """As the API lists it."""
        return {
            "deliveryId": self.delivery_id,
            "event": self.event,
            "entity": self.entity,
            "entityId": self.record_id,
            "at": self.at,
            "state": self.state,
            "attempts": self.attempts,
            "lastStatus": self.last_status,
        }

    def body(self) -> bytes:
        """What is sent: ids only."""
        names = ("deliveryId", "event", "entity", "at")
        told = {name: value for name, value in self.shown().items() if name in names}
        return msgspec.json.encode({**told, "id": self.record_id})


class Hooks:
    """All deliveries of one CAFM. Time of waiting is sandbox time; an answer must come in real seconds."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.faults = HookFaults()
        self.silent = False
        self.drops: dict[int, int] = {}
        self.counts = {"sent": 0, "delivered": 0, "failed": 0, "dropped": 0}
        self._kept: dict[int, deque[Delivery]] = {}
        self._held: dict[int, list[Delivery]] = {}
        self._due: list[tuple[float, int, Delivery]] = []
        self._order = itertools.count()
        self._sending: set[asyncio.Task[None]] = set()
        self._sender = Sender()

    def emit(self, entity: str, event: str, record_id: int, at: str) -> None:
        """Tell every webhook that asked for it. Nothing is sent before the present operation is over."""
        if self.silent:
            return
        for hook in self._world.tables["webhooks"]:
            if hook["active"] and hook["deletedAt"] is None and _wants(hook, entity, event):
                self._enter(hook, entity, event, record_id, at)

    def _enter(self, hook: Record, entity: str, event: str, record_id: int, at: str) -> None:
        fate = self.faults.fate(entity, event)
        now = self._world.clock.seconds()
        delivery_id = str(uuid.uuid4())
        for _ in range(fate.copies):
            made = Delivery(delivery_id, hook["id"], event, entity, record_id, at, now + fate.seconds)
            made.behind = fate.behind
            self._keep(made)
            if fate.lost:
                self._drop(made)
            else:
                self._push(made)

    def _drop(self, delivery: Delivery) -> None:
        delivery.state = "dropped"
        self.counts["dropped"] += 1

    def ping(self, hook: Record) -> None:
        """The event of a test."""
        self._enter(hook, "webhooks", "ping", hook["id"], self._world.now())

    def of(self, hook_id: int) -> list[Delivery]:
        """The last deliveries of a webhook, oldest first."""
        return list(self._kept.get(hook_id, ()))

    @property
    def pending(self) -> int:
        """How many are on their way or waiting for another attempt."""
        return sum(1 for kept in self._kept.values() for one in kept if one.state == "pending")

    def _keep(self, delivery: Delivery) -> None:
        kept = self._kept.setdefault(delivery.webhook_id, deque())
        kept.append(delivery)
        while len(kept) > _KEPT and kept[0].state != "pending":
            kept.popleft()
        if delivery.behind:
            self._held.setdefault(delivery.webhook_id, []).append(delivery)

    def _push(self, delivery: Delivery) -> None:
        heapq.heappush(self._due, (delivery.due, next(self._order), delivery))

    # sending

    def tick(self) -> None:
        """Begin to send what is due, some at a time."""
        now = self._world.clock.seconds()
        while self._due and self._due[0][0] <= now and len(self._sending) < _AT_ONCE:
            due, _, delivery = heapq.heappop(self._due)
            hook = self._world.tables["webhooks"].live(delivery.webhook_id)
            if due != delivery.due or delivery.state != "pending":
                continue  # moved, or settled meanwhile
            if hook is None or not hook["active"]:
                self._drop(delivery)
                continue
            delivery.due = -1.0
            task = asyncio.get_running_loop().create_task(self._send(hook, delivery))
            self._sending.add(task)
            task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled():
            task.result()
            self.tick()

    async def _send(self, hook: Record, delivery: Delivery) -> None:
        self._world.touched = True
        self.counts["sent"] += 1
        delivery.attempts += 1
        seconds = self._world.switches.hook_seconds
        delivery.last_status = await self._sender.post(hook, delivery, seconds)
        self._world.touched = True
        if delivery.last_status is not None and 200 <= delivery.last_status < 300:
            delivery.state = "delivered"
            self.counts["delivered"] += 1
            self.drops[hook["id"]] = 0
        else:
            self.counts["failed"] += 1
            self._again(hook, delivery)
        self._let_pass(delivery)

    def _again(self, hook: Record, delivery: Delivery) -> None:
        waits = self._world.switches.hook_waits
        if delivery.attempts <= len(waits):
            delivery.due = self._world.clock.seconds() + waits[delivery.attempts - 1]
            self._push(delivery)
            return
        self._drop(delivery)
        self.drops[hook["id"]] = self.drops.get(hook["id"], 0) + 1
        if self.drops[hook["id"]] >= self._world.switches.hook_drops:
            self._disable(hook["id"])

    def _disable(self, hook_id: int) -> None:
        self.drops[hook_id] = 0
        table = self._world.tables["webhooks"]
        hook = table.live(hook_id)
        if hook is not None:
            now = self._world.now()
            reason = f"{self._world.switches.hook_drops} events in a row could not be delivered."
            changes = {"active": False, "disabledReason": reason, "updatedAt": now, "updatedBy": "system"}
            table.put({**hook, **changes, "version": hook["version"] + 1})

    def _let_pass(self, passed: Delivery) -> None:
        """Events held back behind later ones come nearer to their turn."""
        held = self._held.pop(passed.webhook_id, [])
        for one in held:
            if one is not passed and one.state == "pending":
                one.behind -= 1
                if not one.behind:
                    one.due = self._world.clock.seconds()
                    self._push(one)
        if left := [one for one in held if one.behind and one.state == "pending"]:
            self._held[passed.webhook_id] = left

    async def settle(self) -> None:
        """Return when everything that is due by now was answered, or given up."""
        self.tick()
        while self._sending:
            await asyncio.wait(self._sending)
            self.tick()

    async def close(self) -> None:
        """Break off what is being sent; it is sent again by the next one on this home."""
        for task in list(self._sending):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._sender.close()

    # state

    def dump(self) -> dict[str, Any]:
        """Everything that must outlive a restart."""
        return {
            "drops": [[hook, count] for hook, count in self.drops.items()],
            "counts": self.counts,
            "rules": self.faults.rules,
            "deliveries": [one for kept in self._kept.values() for one in kept],
        }

    def load(self, saved: Mapping[str, Any]) -> None:
        self.drops = {int(hook): int(count) for hook, count in saved["drops"]}
        self.counts = dict(saved["counts"])
        self.faults.rules = msgspec.convert(saved["rules"], list[HookRule])
        for one in msgspec.convert(saved["deliveries"], list[Delivery]):
            self._keep(one)
            if one.state == "pending":
                one.due = max(one.due, 0.0)
                self._push(one)


def _wants(hook: Record, entity: str, event: str) -> bool:
    return any(wanted in {"*", f"{entity}.*", f"{entity}.{event}"} for wanted in hook["events"])
