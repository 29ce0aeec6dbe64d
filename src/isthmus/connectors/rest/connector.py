"""The connector over any REST system, taught by a profile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from isthmus.connectors._http.budget import Budget
from isthmus.connectors._http.session import HttpSession, Reply
from isthmus.connectors.rest.batches import Batches, Member
from isthmus.connectors.rest.checks import Checks
from isthmus.connectors.rest.client import RestClient
from isthmus.connectors.rest.comparison import Comparison, Seen
from isthmus.connectors.rest.config import RestConfig
from isthmus.connectors.rest.declared.auth import Login, OAuth2
from isthmus.connectors.rest.declared.loading import load_profile
from isthmus.connectors.rest.declared.profile import Profile
from isthmus.connectors.rest.describing import described
from isthmus.connectors.rest.details import Details
from isthmus.connectors.rest.facts import Facts, facts_of, support_of
from isthmus.connectors.rest.judging import Judge
from isthmus.connectors.rest.limits import remaining_calls
from isthmus.connectors.rest.listening import Listening
from isthmus.connectors.rest.look_ups import LookUps
from isthmus.connectors.rest.narrow import Narrow
from isthmus.connectors.rest.outcomes import failed
from isthmus.connectors.rest.setting_up import base_of, headers_of, names_of, parameters_of, secrets_of
from isthmus.connectors.rest.signing import SettingsCredentials, TokenSigner, fixed_signer
from isthmus.connectors.rest.streams import Streams
from isthmus.connectors.rest.whole_lists import WholeLists
from isthmus.connectors.rest.writing import Writer
from isthmus.contract.capabilities import Capabilities
from isthmus.contract.clock import Clock
from isthmus.contract.connector import Connector, NativeField, Traffic
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import Known, NativeRecord, Page, ReadRequest
from isthmus.contract.webhooks import Hint, Subscription, Wanted
from isthmus.errors import ConfigurationError, IsthmusError
from isthmus.model.finding import Finding

SYSTEM = "rest"
#: records looked at to learn the fields of a set
_SAMPLE = 50


def connect(config: RestConfig, clock: Clock) -> Connector:
    """A connector by the profile of `config`. Opens nothing yet. Raises ConfigurationError for a profile that fails."""
    profile = load_profile(config.profile)
    kind = RestConnector if profile.webhook is None else ListeningConnector
    return kind(config, profile, clock)


class RestConnector:
    """Implements isthmus.contract.connector.Connector for what a profile describes."""

    def __init__(self, config: RestConfig, profile: Profile, clock: Clock) -> None:
        self._config = config
        self.profile = profile
        self._traffic = Traffic()
        self._facts = facts_of(profile, config.time_zone)
        limits = profile.limits
        self._concurrency = config.concurrency or limits.concurrency
        self._quota = config.requests or limits.requests
        self._timeout = config.call_timeout or profile.call_timeout.total_seconds()
        self._capabilities = self._offered()
        budget = Budget(clock, self._traffic, concurrency=self._concurrency, quota=self._quota, window=limits.window)
        self._sessions: list[HttpSession] = []
        base = base_of(profile, config)
        self._token: TokenSigner | None = None
        self._client = client = RestClient(
            base=base,
            session=self._session(base, budget, clock),
            judge=Judge(profile.errors, profile.title),
            clock=clock,
            names=names_of(profile, config),
            headers=headers_of(profile, config),
            retry_after=limits.retry_after,
        )
        details = Details(client, self._referred)
        self._lists = WholeLists(client, clock)
        self._narrow = Narrow(client, details, self._lists)
        self._look_ups = LookUps(self._narrow)
        self._streams = Streams(client, details, self._lists, clock, config.page_size)
        self._writer = Writer(client, details, self._narrow, self._look_ups)
        self._batches = Batches(profile.batch, client, self._writer) if profile.batch is not None else None
        self._checks = Checks(profile, client, self._narrow, clock)
        self._comparison = Comparison(client, self._narrow, details)

    def _offered(self) -> Capabilities:
        profile = self.profile
        batch, webhook = profile.batch, profile.webhook
        return Capabilities(
            system=SYSTEM,
            entities={
                facts.entity: support_of(facts, batch.most if batch is not None else self._concurrency)
                for facts in self._facts.values()
            },
            concurrency=self._concurrency,
            quota=self._quota,
            window=profile.limits.window,
            call_timeout=timedelta(seconds=self._timeout),
            companies=profile.companies,
            webhooks=webhook is not None,
            hook_answer=webhook.answer if webhook is not None else 202,
        )

    def _session(self, base: str, budget: Budget, clock: Clock) -> HttpSession:
        config, profile = self._config, self.profile
        credentials = SettingsCredentials(secrets_of(config), parameters_of(profile, config), profile.profile)
        options: dict[str, Any] = {
            "clock": clock,
            "budget": budget,
            "traffic": self._traffic,
            "call_timeout": self._timeout,
            "ca": config.ca,
            "patience": config.patience,
            "retry_after": profile.limits.retry_after.lower(),
            "throttle_wait": profile.limits.pause.total_seconds(),
            "observe": self._observer(budget, clock),
        }
        if isinstance(profile.auth, OAuth2 | Login):
            plain = HttpSession(**options)
            self._token = TokenSigner(
                profile.auth, credentials, base=base, session=plain, clock=clock, traffic=self._traffic,
                title=profile.title,
            )  # fmt: skip
            self._sessions = [HttpSession(**options, signer=self._token), plain]
        else:
            self._sessions = [HttpSession(**options, signer=fixed_signer(profile.auth, credentials))]
        return self._sessions[0]

    def _observer(self, budget: Budget, clock: Clock) -> Any:
        limits = self.profile.limits
        if not limits.remaining or not limits.reset:
            return None

        def observe(reply: Reply) -> None:
            if (pause := remaining_calls(limits, reply, clock.now())) is not None:
                budget.pause(pause)

        return observe

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def traffic(self) -> Traffic:
        return self._traffic

    @property
    def facts(self) -> Mapping[str, Facts]:
        """The sets of this system by name, for those who compare them with the live system."""
        return self._facts

    async def check(self) -> Sequence[Finding]:
        """Reach, sign-in, rights, every set: all findings at once. Never writes."""
        return await self._checks.findings(list(self._facts.values()))

    async def fingerprint(self) -> Mapping[str, str]:
        """What identifies the installation by its own words; its address where it has none."""
        return await self._checks.fingerprint()

    async def compare(self) -> AsyncIterator[Seen]:
        """Facts of the profile as the live system shows them, set by set. Reads only. Raises isthmus.errors when the
        system cannot be asked at all."""
        for facts in self._facts.values():
            async for seen in self._comparison.compare(facts):
                yield seen

    async def describe(self, native: str) -> Sequence[NativeField]:
        """Fields as the first records of the set show them; empty where it has none."""
        facts = self._of_set(native)
        if facts.listing is None:
            return []
        return described(facts, await self._checks.sample(facts, _SAMPLE))

    async def read(self, request: ReadRequest, known: Known) -> Page:
        """One page of a stream, or all records of a narrow read. Safe to repeat."""
        del known
        facts = self._of_set(request.native)
        if request.equals:
            return Page(records=tuple(await self._narrow.read(facts, request)))
        return await self._streams.read(facts, request)

    async def fetch(self, native: str, company: str, ids: Sequence[str]) -> Sequence[NativeRecord]:
        """Single records by id; those that are gone come back marked deleted. Safe to repeat."""
        return await self._narrow.fetch(self._of_set(native), ids, company)

    async def write(self, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Carry out operations, in batches where the system takes them; one outcome each, as soon as it is known."""
        work: list[Coroutine[Any, Any, list[Outcome]]] = []
        members: list[Member] = []
        facts: Facts | None = None
        for operation in operations:
            facts = self._of_entity(operation)
            if facts is None:
                yield _unsupported(operation, self.profile.title)
                continue
            try:
                step = self._writer.step(facts, operation)
            except IsthmusError as error:
                yield failed(facts, operation, error)
                continue
            if step is not None and self._batches is not None and self._batches.takes(operation, step):
                members.append((operation, step))
            else:
                work.append(self._alone(facts, operation))
        if facts is not None and self._batches is not None:
            for start in range(0, len(members), self._batches.most):
                work.append(self._batches.carry_out(facts, members[start : start + self._batches.most]))
        async for outcome in _as_known(work):
            yield outcome

    async def look_up(self, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """By key: what the system holds for these operations. Notes are not looked up: they may be repeated."""
        found: dict[str, Outcome] = {}
        by_set: dict[str, list[Operation]] = {}
        for operation in operations:
            facts = self._of_entity(operation)
            if facts is not None:
                by_set.setdefault(facts.native, []).append(operation)
        for native, members in by_set.items():
            found |= await self._look_ups.look_up(self._facts[native], members)
        return found

    async def discard(self, operations: Sequence[Operation]) -> None:
        """Nothing: a call is carried out whole or not at all."""

    async def close(self) -> None:
        """End the session and close connections. Safe to repeat."""
        self._lists.close()
        if self._token is not None:
            await self._token.close()
        for session in self._sessions:
            await session.close()

    async def _referred(self, native: str, ids: Sequence[str], company: str) -> Sequence[NativeRecord]:
        return await self._narrow.fetch(self._of_set(native), ids, company)

    def _of_set(self, native: str) -> Facts:
        try:
            return self._facts[native]
        except KeyError:
            raise ConfigurationError(
                f"no set {native!r} in the profile {self.profile.profile}: there is {', '.join(self._facts)}.",
                hint="Mend `native` of the mapping.",
            ) from None

    def _of_entity(self, operation: Operation) -> Facts | None:
        return next(
            (
                one
                for one in self._facts.values()
                if one.entity == operation.entity and operation.action in one.whole.own.actions
            ),
            None,
        )

    async def _alone(self, facts: Facts, operation: Operation) -> list[Outcome]:
        return [await self._writer.carry_out(facts, operation)]

    def __repr__(self) -> str:
        return f"RestConnector({self.profile.profile})"


class ListeningConnector(RestConnector):
    """The same for a system that sends events: also isthmus.contract.webhooks.Subscriber."""

    def __init__(self, config: RestConfig, profile: Profile, clock: Clock) -> None:
        super().__init__(config, profile, clock)
        if profile.webhook is None:
            raise ConfigurationError(f"the profile {profile.profile} knows no webhooks.")
        self._listening = Listening(profile.webhook, self._client, self._facts, clock)

    def handshake(self, query: Mapping[str, str]) -> str | None:
        """No system of a profile asks whether the address is ours."""
        del query
        return None

    def subscriptions(
        self, address: str, wanted: Sequence[Wanted], *, ours: Collection[str], renew_before: datetime
    ) -> AsyncGenerator[Subscription, None]:
        """One answer per wanted set, as soon as known. Safe to repeat."""
        del renew_before
        return self._listening.subscriptions(address, wanted, ours=ours)

    def hints(self, headers: Mapping[str, str], body: bytes, wanted: Sequence[Wanted]) -> Sequence[Hint] | None:
        """What a notification tells of. Raises Reject when it is not signed as it must be."""
        return self._listening.hints(headers, body, wanted)


async def _as_known(work: Sequence[Coroutine[Any, Any, list[Outcome]]]) -> AsyncIterator[Outcome]:
    """Outcomes of calls under way, as they come. Whoever stops listening stops the calls that have not begun."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        for done in asyncio.as_completed(tasks):
            for outcome in await done:
                yield outcome
    finally:
        for task in tasks:
            task.cancel()


def _unsupported(operation: Operation, title: str) -> Outcome:
    return Outcome(
        key=operation.key,
        result="reject",
        code="unsupported",
        text=f"{operation.action} of {operation.entity} cannot be done in {title}.",
        mend="Mend the flow, or add the action to the profile.",
        field="action",
    )
