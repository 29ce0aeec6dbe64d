"""`/_sandbox/`: state, books, calls, clock, faults, seed and switches. Kept apart from the imitated APIs; loopback
only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from isthmus.sandbox import books, people, seed
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.clock import stamp
from isthmus.sandbox.faults import Rule
from isthmus.sandbox.wire import Response
from isthmus.sandbox.world import World

_JSON = {"content-type": "application/json"}


class DevError(Exception):
    """A wrong question to the dev API; answered 400 with its text."""


class DevApi:
    """Each method is one path: `get_books` answers GET /_sandbox/books. Arguments are the query and the JSON body."""

    def __init__(self, world: World) -> None:
        self.world = world

    def answer(self, method: str, name: str, query: Mapping[str, str], body: Any) -> Response:
        found: Callable[[Mapping[str, str], Any], Any] | None = getattr(self, f"{method.lower()}_{name}", None)
        if found is None:
            return Response(404, {"error": f"no {method} /_sandbox/{name}"}, _JSON)
        try:
            return Response(200, found(query, body), _JSON)
        except (DevError, ValueError, Refusal, msgspec.MsgspecError) as error:
            return Response(400, {"error": str(error)}, _JSON)

    async def settle(self) -> None:
        """Return when the notifications that are due by now were answered, or given up."""
        await self.world.sender.settle()

    def get_health(self, query: Mapping[str, str], body: Any) -> Any:
        return {"status": "ok", "pid": os.getpid(), "now": stamp(self.world.clock.now())}

    def get_state(self, query: Mapping[str, str], body: Any) -> Any:
        """A summary: what there is, in numbers."""
        world = self.world
        return {
            "tenant": world.tenant,
            "environment": world.environment_name,
            "principals": list(world.principals),
            "switches": world.environment.switches,
            "drift": world.environment.drift,
            "webhooks": world.environment.webhooks.report(),
            "due": [{"at": one["at"], "kind": one["kind"]} for one in world.agenda.dump()],
            "companies": [
                {
                    "name": company.name,
                    "id": company.id,
                    "setup": company.setup,
                    "rows": {name: len(table) for name, table in company.tables.items()},
                    "job_queue_errors": company.settings.get("job_queue_errors", []),
                }
                for company in world.environment.companies.values()
            ],
        }

    def _company(self, query: Mapping[str, str]) -> Company:
        known = self.world.environment.companies
        name = query.get("company", "")
        if not name and len(known) == 1:
            return next(iter(known.values()))
        company = self.world.environment.named(name) or known.get(name.lower())
        if company is None:
            raise DevError(f"company={name!r}: there are {[company.name for company in known.values()]}")
        return company

    def get_books(self, query: Mapping[str, str], body: Any) -> Any:
        return books.totals(self._company(query))

    def get_documents(self, query: Mapping[str, str], body: Any) -> Any:
        if "number" not in query:
            raise DevError("documents needs number=")
        return books.document(self._company(query), query["number"])

    def get_stock(self, query: Mapping[str, str], body: Any) -> Any:
        return people.inventory(self._company(query))

    def post_item_journal(self, query: Mapping[str, str], body: Any) -> Any:
        """`{"template": "ITEM", "batch": "DEFAULT"}`: a finance user posts what waits in a batch."""
        return people.post_items(self.world, self._company(query), msgspec.convert(body, people.PostItems))

    def post_edit(self, query: Mapping[str, str], body: Any) -> Any:
        """`{"set": "vendors", "key": "V1", "values": {"blocked": "All"}}`: somebody edits a record."""
        return people.edit(self.world, self._company(query), msgspec.convert(body, people.Edit))

    def post_remove(self, query: Mapping[str, str], body: Any) -> Any:
        """`{"set": "items", "key": "1000"}`: somebody deletes a record."""
        return people.remove(self.world, self._company(query), msgspec.convert(body, people.Remove))

    def get_services(self, query: Mapping[str, str], body: Any) -> Any:
        return self.world.environment.published

    def post_services(self, query: Mapping[str, str], body: Any) -> Any:
        """`{"Item_Units": 5404}` publishes a page, `{"Item_Units": null}` withdraws it."""
        if not isinstance(body, dict):
            raise DevError('services takes {"a name": number of a page, or null}')
        return people.services(self.world, body)

    def get_calls(self, query: Mapping[str, str], body: Any) -> Any:
        return self.world.calls.report()

    def delete_calls(self, query: Mapping[str, str], body: Any) -> Any:
        self.world.calls.reset()
        for limiter in self.world.limiters.values():
            limiter.busiest_window = 0
        return self.world.calls.report()

    def get_clock(self, query: Mapping[str, str], body: Any) -> Any:
        clock = self.world.clock
        return {"now": stamp(clock.now()), "offset": clock.offset}

    def post_clock(self, query: Mapping[str, str], body: Any) -> Any:
        """`{"advance": seconds}` or `{"set": "2026-02-01T00:00:00Z"}`; time only goes forward."""
        if not isinstance(body, dict) or set(body) not in ({"advance"}, {"set"}):
            raise DevError('clock takes {"advance": seconds} or {"set": "an ISO time with offset"}')
        seconds = float(body["advance"]) if "advance" in body else self._until(str(body["set"]))
        if seconds < 0:
            raise DevError("time only goes forward: entries and tokens of a later time would remain")
        self.world.advance(seconds)
        self.world.touched = True
        return self.get_clock(query, body)

    def _until(self, text: str) -> float:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise DevError(f"set {text!r}: a time needs its offset, e.g. Z")
        return moment.timestamp() - self.world.clock.seconds()

    def get_faults(self, query: Mapping[str, str], body: Any) -> Any:
        return {"rules": self.world.faults.report(), "drift": self.world.environment.drift}

    def post_faults(self, query: Mapping[str, str], body: Any) -> Any:
        """A rule or a list of rules, added to those in force."""
        given = body if isinstance(body, list) else [body]
        self.world.add_rules([_rule(one) for one in given])
        return self.get_faults(query, body)

    def delete_faults(self, query: Mapping[str, str], body: Any) -> Any:
        self.world.clear_faults()
        return self.get_faults(query, body)

    def post_seed(self, query: Mapping[str, str], body: Any) -> Any:
        if not isinstance(body, dict):
            raise DevError("seed takes a mapping as a seed file has it")
        seed.apply(self.world, seed.read(body))
        return self.get_state(query, body)

    def post_set(self, query: Mapping[str, str], body: Any) -> Any:
        if not isinstance(body, dict):
            raise DevError("set takes a mapping of switches, with company= for those of a company")
        self.world.set_switches(body)
        return self.get_state(query, body)


def _rule(given: Any) -> Rule:
    """A rule whose fault may be its kind alone."""
    if isinstance(given, dict) and isinstance(given.get("fault"), str):
        given = {**given, "fault": {"kind": given["fault"]}}
    return msgspec.convert(given, Rule)
