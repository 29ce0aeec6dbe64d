"""`/_sandbox/` of a CAFM: its records, books, calls, faults, webhooks, and the hands of its users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from isthmus.sandbox.cafm import books, seed
from isthmus.sandbox.cafm.dialect import KINDS
from isthmus.sandbox.cafm.hook_faults import HookRule, is_hook_fault
from isthmus.sandbox.cafm.keys import Key
from isthmus.sandbox.cafm.service import BASE, Caller, Service
from isthmus.sandbox.cafm.world import Settings, Switches, World
from isthmus.sandbox.dev_door import DevDoor, DevError
from isthmus.sandbox.faults import Rule
from isthmus.sandbox.wire import Request


class Act(msgspec.Struct, forbid_unknown_fields=True):
    """What a user does at the screen: any operation of the API, without key, limits and faults.

    A path may name a record by `code:V100`, `number:PO-000001` or `externalId:X`; references in the body likewise.
    """

    method: str
    path: str
    body: dict[str, Any] | None = None
    user: str = "anna"


class DevApi(DevDoor):
    """The dev API of one CAFM."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._world = world
        self._service = Service(world)

    async def settle(self) -> None:
        """Return when the webhooks that are due by now were answered, or given up."""
        await self._world.hooks.settle()

    def get_state(self, query: Mapping[str, str], body: Any) -> Any:
        """A summary: what there is, in numbers."""
        world = self._world
        return {
            "kind": "cafm",
            "system": world.settings,
            "switches": world.switches,
            "keys": [{"name": key.name, "permissions": key.permissions} for key in world.keys.values()],
            "rows": {name: len(table) for name, table in world.tables.items()},
            "due": [{"at": one["at"], "kind": one["kind"]} for one in world.agenda.dump()],
        }

    def get_books(self, query: Mapping[str, str], body: Any) -> Any:
        return books.totals(self._world)

    def get_records(self, query: Mapping[str, str], body: Any) -> Any:
        """Everything of an entity, deleted records too; with `id` or `name` (code, number) one of them."""
        table = self._world.tables.get(query.get("entity", ""))
        if table is None:
            raise DevError(f"records needs entity=; there are {', '.join(self._world.tables)}")
        show = table.entity.show
        if "id" in query:
            record = table.rows.get(int(query["id"]))
        elif "name" in query:
            record = table.named(query["name"])
        else:
            return {"records": [show(self._world, record) for record in table]}
        return {"records": [show(self._world, record)] if record is not None else []}

    def post_act(self, query: Mapping[str, str], body: Any) -> Any:
        """Status and body of what a user did."""
        act = msgspec.convert(body, Act)
        path, _, asked = act.path.removeprefix(BASE).partition("?")
        request = Request(act.method.upper(), path, asked, payload=act.body)
        self._world.touched = True
        response = self._service.answer(request, Caller(f"user:{act.user}"))
        self._world.hooks.tick()
        return {"status": response.status, "body": response.body}

    def get_hooks(self, query: Mapping[str, str], body: Any) -> Any:
        """Counts of deliveries, and how many are still on their way."""
        hooks = self._world.hooks
        return {**hooks.counts, "pending": hooks.pending}

    def get_calls(self, query: Mapping[str, str], body: Any) -> Any:
        limiters = self._world.limiters
        busiest = {name: limiter.busiest for name, limiter in limiters.items()}
        return {**self._world.calls.report(), "busiest_window": max(busiest.values(), default=0)}

    def delete_calls(self, query: Mapping[str, str], body: Any) -> Any:
        self._world.calls.reset()
        for limiter in self._world.limiters.values():
            limiter.busiest = 0
        return self.get_calls(query, body)

    def get_faults(self, query: Mapping[str, str], body: Any) -> Any:
        return {"rules": self._world.faults.report(), "hooks": self._world.hooks.faults.report()}

    def post_faults(self, query: Mapping[str, str], body: Any) -> Any:
        """A rule or a list of rules, added to those in force."""
        given = [_spelled(one) for one in (body if isinstance(body, list) else [body])]
        hooks = [msgspec.convert(one, HookRule) for one in given if is_hook_fault(one["fault"].get("kind"))]
        calls = [msgspec.convert(one, Rule) for one in given if not is_hook_fault(one["fault"].get("kind"))]
        for rule in calls:
            if rule.fault.kind not in KINDS:
                raise DevError(f"fault {rule.fault.kind!r} is none of a CAFM; there are {', '.join(sorted(KINDS))}")
        self._world.hooks.faults.rules += hooks
        self._world.faults.rules += calls
        self._world.touched = True
        return self.get_faults(query, body)

    def delete_faults(self, query: Mapping[str, str], body: Any) -> Any:
        self._world.faults.rules.clear()
        self._world.hooks.faults.rules.clear()
        self._world.touched = True
        return self.get_faults(query, body)

    def post_seed(self, query: Mapping[str, str], body: Any) -> Any:
        """More of a seed, as its file has it."""
        seed.apply(self._world, msgspec.convert(body, dict[str, Any]))
        return self.get_state(query, body)

    def post_set(self, query: Mapping[str, str], body: Any) -> Any:
        """Switches; `system` and `keys` (by name) change settings and keys."""
        changes, world = msgspec.convert(body, dict[str, Any]), self._world
        for name, changed in (changes.pop("keys", None) or {}).items():
            _change_key(world, str(name), changed)
        system = changes.pop("system", None) or {}
        world.settings = msgspec.convert(msgspec.to_builtins(world.settings) | system, Settings)
        world.switches = msgspec.convert(msgspec.to_builtins(world.switches) | changes, Switches)
        world.touched = True
        return self.get_state(query, body)


def _change_key(world: World, name: str, changed: Mapping[str, Any]) -> None:
    for text, key in list(world.keys.items()):
        if key.name == name:
            made = msgspec.convert(msgspec.to_builtins(key) | dict(changed), Key)
            made.check()
            del world.keys[text]
            world.keys[made.key] = made
            return
    raise DevError(f"there is no key {name!r}; there are {', '.join(key.name for key in world.keys.values())}")


def _spelled(given: Any) -> dict[str, Any]:
    """A rule whose fault may be its kind alone."""
    if not isinstance(given, dict) or "fault" not in given:
        raise DevError('a rule is {"fault": {"kind": ...}, "match": {...}, "times": n}')
    fault = given["fault"]
    return {**given, "fault": {"kind": fault} if isinstance(fault, str) else dict(fault)}
