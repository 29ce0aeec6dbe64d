"""Everything the sandbox knows: one Entra tenant, one Business Central environment, faults, limits and counts."""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from isthmus.sandbox.business_central import batch, errors
from isthmus.sandbox.business_central.company import Setup
from isthmus.sandbox.business_central.environment import Environment, Rights, Switches
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.fields import named_guid
from isthmus.sandbox.business_central.published.catalogue import check_name, service
from isthmus.sandbox.business_central.published.service import PublishedService
from isthmus.sandbox.business_central.registry import all_areas, entity_sets, storages
from isthmus.sandbox.business_central.service import Service
from isthmus.sandbox.business_central.tables import Transaction
from isthmus.sandbox.business_central.webhooks import noticing
from isthmus.sandbox.business_central.webhooks.book import HandshakeNeeded
from isthmus.sandbox.business_central.webhooks.eligible import RuntimeService
from isthmus.sandbox.business_central.webhooks.sending import Sender
from isthmus.sandbox.calls import Calls
from isthmus.sandbox.clock import Agenda, Clock, stamp
from isthmus.sandbox.faults import Fault, Faults, Plan, Rule, answer, posted_all_the_same
from isthmus.sandbox.limits import Limiter
from isthmus.sandbox.principals import Principal, rights
from isthmus.sandbox.wire import Request, Response

#: /v2.0/{tenant}/{environment}/api/v2.0/... or .../ODataV4/...; the tenant may be left out (bc.md section 2).
_PREFIX = re.compile(
    r"(?P<root>/v2\.0/(?:(?P<tenant>[^/]+)/)?(?P<environment>[^/]+)"
    r"/(?:api/v2\.0|api/microsoft/runtime/beta|ODataV4))(?:/(?P<rest>.*))?"
)
_PUBLISHED = "/ODataV4"


class World:
    """The state behind all doors. Not thread-safe: everything runs on the server's loop."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.clock.follow(self.tick)
        self.agenda = Agenda(self.clock)
        self.environment = Environment(self.clock, self.agenda, storages())
        self.service = Service(self.environment, entity_sets())
        self.published = PublishedService(self.environment)
        self.tenant = named_guid("tenant")
        self.tenant_names: list[str] = []
        self.environment_name = "sandbox"
        self.principals: dict[str, Principal] = {}
        self.faults = Faults()
        self.calls = Calls()
        self.limiters: dict[str, Limiter] = {}
        self.signing_key = secrets.token_hex(32)
        self.revoked: set[str] = set()
        #: Something changed since the state was saved.
        self.touched = True
        self.runtime = RuntimeService(self.environment, self.service.sets)
        self.sender = Sender(self.environment, self.faults, self.tick)
        self.agenda.handlers["request"] = self._late_request
        for area in all_areas():
            for kind, handler in area.due.items():
                self.agenda.handlers[kind] = functools.partial(handler, self.environment)

    # time

    def advance(self, seconds: float) -> None:
        """Move sandbox time; everything due by then has run when this returns."""
        self.clock.advance(seconds)

    def tick(self) -> None:
        moved = noticing.collect(self.environment)
        while self.agenda.run_due():
            moved = True
            noticing.collect(self.environment)
        self.touched = self.touched or moved
        self.sender.start()
        for limiter in self.limiters.values():
            limiter.expire(self.environment.switches)

    # requests

    def limiter(self, client_id: str) -> Limiter:
        return self.limiters.setdefault(client_id, Limiter(self.clock))

    def rights(self, client_id: str) -> Rights:
        return rights(self.principals[client_id])

    def inner(self, request: Request) -> tuple[str, str]:
        """Service root and path below it. Raises Refusal for an address that is none of ours (its form is assumed)."""
        match = _PREFIX.fullmatch(request.path)
        known = {None, self.tenant, *self.tenant_names}
        if (
            match is None
            or match["tenant"] not in known
            or match["environment"].lower() != self.environment_name.lower()
        ):
            raise errors.no_resource(request.origin + request.path)
        return request.origin + match["root"], match["rest"] or ""

    @staticmethod
    def below(path: str) -> str:
        """The path below the service root, by its looks only; blank for an address that is none of ours."""
        match = _PREFIX.fullmatch(path)
        return (match["rest"] or "") if match is not None else ""

    def service_of(self, root: str) -> Service | PublishedService | RuntimeService:
        """What answers below a service root."""
        if root.endswith(_PUBLISHED):
            return self.published
        return self.runtime if root.endswith("/runtime/beta") else self.service

    def execute(self, request: Request, plan: Plan) -> Response:
        """Do what a request asks, a batch or a single one, and commit. Raises `batch.CutAfter` when the plan cuts
        it short.
        """
        try:
            root, path = self.inner(request)
            batched = path == "$batch" and not root.endswith(_PUBLISHED)
            perform = _Performer(self, root, plan.parts, counts=batched)
            if batched:
                parts = batch.read(request, self.environment.switches.batch_limit)
                return batch.run(parts, request, perform, cut_after=plan.cut_after)
            tx = Transaction()
            inner = msgspec.structs.replace(request, path=path)
            response = perform(inner, 0, tx)
            tx.commit()
        except Refusal as refusal:
            return refusal.response()
        finally:
            self.touched = self.touched or request.method != "GET"
        return response

    def postpone(self, request: Request, seconds: float) -> None:
        """Execute a request later, against the state of then; it survives a restart."""
        self.agenda.add(seconds, "request", msgspec.to_builtins(request))
        self.touched = True

    def _late_request(self, payload: dict[str, Any]) -> None:
        request = msgspec.convert(payload, Request)
        if request.client_id in self.principals:
            try:
                self.execute(request, Plan())
            except HandshakeNeeded as needed:
                self.sender.later(self._greet(request, needed.url))

    async def _greet(self, request: Request, url: str) -> None:
        if await self.sender.shake_hands(url) is None:
            request.greeted = url
            self.execute(request, Plan())

    # web services

    def publish(self, name: str, page: int | None) -> None:
        """What finance does on page Web Services: publish a page under a name, or with None withdraw it. Raises
        ValueError.
        """
        if page is None:
            if self.environment.published.pop(name, None) is None:
                raise ValueError(f"service {name!r} is not published")
        else:
            check_name(name)
            service(name, page)
            self.environment.published[name] = page
        self.touched = True

    # faults and switches

    def add_rules(self, rules: list[Rule]) -> None:
        for rule in rules:
            fault = rule.fault
            if fault.kind == "drift":
                self._drift(fault)
            elif fault.kind == "subscription_dropped":
                noticing.forget(self.environment, fault.set)
            else:
                self.faults.rules.append(rule)
        self.touched = True

    def _drift(self, fault: Fault) -> None:
        entity_set = self.service.sets.get(fault.set) or self.published.page(fault.set)
        if entity_set is None or fault.field not in entity_set.by_name or not fault.to:
            raise ValueError(f"drift needs set, field and to; {fault.set!r} has no property {fault.field!r}")
        self.environment.drift.setdefault(fault.set, {})[fault.field] = fault.to

    def clear_faults(self) -> None:
        self.faults.rules.clear()
        self.environment.drift.clear()
        self.touched = True

    def set_switches(self, given: Mapping[str, Any]) -> None:
        """Change switches of the environment, or with `company` the setup and records of a company. Raises
        ValueError.
        """
        changes = dict(given)
        name = changes.pop("company", None)
        try:
            if name is None:
                merged = msgspec.to_builtins(self.environment.switches) | changes
                self.environment.switches = msgspec.convert(merged, Switches)
            else:
                self._set_company(str(name), changes)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None
        self.touched = True

    def _set_company(self, name: str, changes: dict[str, Any]) -> None:
        company = self.environment.named(name)
        if company is None:
            raise ValueError(f"no company {name!r}; there are {[c.name for c in self.environment.companies.values()]}")
        now = stamp(self.clock.now())
        tx = Transaction(now)
        for area in all_areas():
            for key, (kind, switcher) in area.switches.items():
                if key in changes:
                    switcher(company, tx, msgspec.convert(changes.pop(key), kind))
        if changes:
            company.setup = msgspec.convert(msgspec.to_builtins(company.setup) | changes, Setup)
            company.settings["setup_modified"] = now
            noticing.notice_setup(self.environment, company.id)
            company.count("setup")


class _Performer:
    """Runs one operation within a transaction, with the fault that was planned for it."""

    def __init__(self, world: World, root: str, faults: Mapping[int, Fault], *, counts: bool) -> None:
        self._world, self._root, self._faults, self._counts = world, root, faults, counts
        self._service = world.service_of(root)
        self._rights: Rights | None = None

    def __call__(self, request: Request, index: int, tx: Transaction) -> Response:
        world = self._world
        fault = self._faults.get(index)
        if self._counts:
            world.calls.part(request)
        if fault is not None and not fault.done and fault.kind not in {"lie_201", "posted_but_400"}:
            return answer(fault)
        if self._rights is None:
            self._rights = world.rights(request.client_id)
        mark = tx.mark()
        try:
            response = self._service.answer(request, self._rights, self._root, tx)
        except BaseException as error:
            tx.rollback(mark)
            if not isinstance(error, Refusal):
                raise
            refusal = error
            if refusal.kills_batch and self._counts:
                raise
            return refusal.response()
        if fault is not None and fault.kind == "lie_201" and request.method != "GET":
            tx.rollback(mark)
        if fault is not None and fault.kind == "posted_but_400" and response.status == 204:
            tx.commit()
            return posted_all_the_same()
        if fault is not None and fault.done:
            tx.commit()
            return answer(fault)
        return response
