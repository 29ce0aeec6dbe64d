"""`/_sandbox/`: state, books, calls, clock, faults, seed and switches. Kept apart from the imitated APIs; loopback
only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from isthmus.sandbox import books, people, purchasers, seed
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.dev_door import DevDoor, DevError
from isthmus.sandbox.faults import Rule
from isthmus.sandbox.world import World


class DevApi(DevDoor):
    """The dev API of one Business Central."""

    refusals = (*DevDoor.refusals, Refusal)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.world = world

    async def settle(self) -> None:
        """Return when the notifications that are due by now were answered, or given up."""
        await self.world.sender.settle()

    def get_state(self, query: Mapping[str, str], body: Any) -> Any:
        """A summary: what there is, in numbers."""
        world = self.world
        return {
            "tenant": world.tenant,
            "environment": world.environment_name,
            "principals": list(world.principals),
            "switches": world.environment.switches,
            "drift": world.environment.drift,
            "published": world.environment.published,
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

    def get_purchase(self, query: Mapping[str, str], body: Any) -> Any:
        if "number" not in query:
            raise DevError("purchase needs number=, that of an order")
        return purchasers.standing(self._company(query), query["number"])

    def post_purchase(self, query: Mapping[str, str], body: Any) -> Any:
        """`{"do": "receive", "number": "106001", "lines": {"10000": "5"}}`: what a buyer or a storekeeper does."""
        given = msgspec.convert(body, purchasers.Purchase, strict=False)
        return purchasers.do(self.world, self._company(query), given)

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
