"""The Business Central connector: wires session, sign-in, reading and delivery together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import structs

from isthmus.connectors._http.budget import Budget
from isthmus.connectors._http.session import HttpSession
from isthmus.connectors.dynamics._auth import EntraSignIn, Masked
from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics._edmx import Metadata, parse_metadata
from isthmus.connectors.dynamics.business_central.checks import check_connection, unusable
from isthmus.connectors.dynamics.business_central.companies import Companies
from isthmus.connectors.dynamics.business_central.config import SCOPE, BusinessCentralConfig
from isthmus.connectors.dynamics.business_central.dispatch import table_of_ways
from isthmus.connectors.dynamics.business_central.entities import JOURNAL_DOCUMENT, SETS, SetFacts
from isthmus.connectors.dynamics.business_central.errors import judge
from isthmus.connectors.dynamics.business_central.item_units import NATIVE as ITEM_UNITS
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.published import Published
from isthmus.connectors.dynamics.business_central.reading import Reading
from isthmus.connectors.dynamics.business_central.stock.movements import STOCK_DOCUMENT
from isthmus.connectors.dynamics.business_central.supports import capabilities
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.connectors.dynamics.business_central.webhooks import RUNTIME, Webhooks, handshake, hints
from isthmus.contract.capabilities import Capabilities
from isthmus.contract.clock import Clock
from isthmus.contract.connector import Connector, NativeField, Traffic
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import Known, NativeRecord, Page, ReadRequest
from isthmus.contract.webhooks import Hint, Subscription, Wanted
from isthmus.errors import IsthmusError, Reject
from isthmus.model.finding import Finding
from isthmus.model.values import Action

#: Fields the service fills itself (bc.md §19).
_READ_ONLY = frozenset({"id", "lastModifiedDateTime"})

#: What a lens writes and no set holds.
_OWN_DOCUMENTS: Mapping[str, Sequence[NativeField]] = {
    "journals": JOURNAL_DOCUMENT,
    "inventoryTransactions": STOCK_DOCUMENT,
}

#: (entity, action), company, delivery
_Group = tuple[tuple[str, Action], str, str]


def connect(config: BusinessCentralConfig, clock: Clock) -> Connector:
    """A connector for one environment. Nothing is called before the first method is."""
    return BusinessCentral(config, clock)


class BusinessCentral:
    """One environment. See `isthmus.contract.connector.Connector` for what each method promises."""

    def __init__(self, config: BusinessCentralConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._traffic = Traffic()
        self._capabilities = capabilities(config)
        self._budget = Budget(
            clock, self._traffic, concurrency=config.concurrency, quota=config.quota, window=timedelta(minutes=5)
        )
        self._session = HttpSession(
            clock=clock,
            budget=self._budget,
            traffic=self._traffic,
            call_timeout=config.call_timeout,
            ca=config.ca,
            sign_in=_sign_in(config, clock, self._traffic),
            patience=config.patience,
        )
        self._client = self._service(config.root)
        self._companies = Companies(self._client, config.companies)
        self._published = Published(self._service(config.published_root), config.services)
        self._reading = Reading(
            self._client,
            self._companies,
            self._published,
            clock,
            page_size=config.page_size,
            sweep_hours=config.sweep_hours,
        )
        self._webhooks = Webhooks(
            self._client, self._service(f"{config.environment_root}/{RUNTIME}"), self._companies, clock
        )
        self._metadata: Metadata | None = None
        self._ways = table_of_ways(
            Site(
                client=self._client,
                environment=self._service(config.environment_root),
                published=self._published,
                budget=self._budget,
                clock=clock,
                companies=self._companies,
                reading=self._reading,
                config=config,
                describe=self.describe,
            )
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def traffic(self) -> Traffic:
        return self._traffic

    async def check(self) -> Sequence[Finding]:
        """Reach, sign-in, companies, sets and rights; what cannot be seen without writing is told as notice."""
        try:
            metadata = await self._read_metadata()
            return await check_connection(self._client, self._published, self._companies, metadata, self._config)
        except IsthmusError as error:
            return [unusable(error)]

    async def fingerprint(self) -> Mapping[str, str]:
        """Tenant, environment, and the id of each company used."""
        used = await self._companies.used()
        own = {"tenant": self._config.tenant.lower(), "environment": self._config.environment.lower()}
        return own | {f"company:{name}": company_id for name, company_id in used.items()}

    async def describe(self, native: str) -> Sequence[NativeField]:
        """Fields from `$metadata`, with those this connector adds; of own documents, the form the lens writes."""
        if (own := _OWN_DOCUMENTS.get(native)) is not None:
            return own
        if native == ITEM_UNITS:
            return (await self._published.metadata()).describe(self._config.services.item_units)
        fields = (await self._read_metadata()).describe(native)
        facts = SETS.get(native)
        if facts is None or not fields:
            return fields
        return tuple(_told(facts, field) for field in fields) + facts.added

    async def read(self, request: ReadRequest, known: Known) -> Page:
        """One page. `known` is not needed: the service has ids of its own."""
        del known
        return await self._reading.read(request)

    async def fetch(self, native: str, company: str, ids: Sequence[str]) -> Sequence[NativeRecord]:
        """Single records by id."""
        return await self._reading.fetch(native, company, ids)

    async def write(self, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Carry out operations, each by the way of its entity and action (`dispatch`)."""
        for (kind, company, _), group in _grouped(operations).items():
            way = self._ways.get(kind)
            if way is None:
                for operation in group:
                    yield outcome_of(operation.key, _not_offered(operation))
                continue
            try:
                place = await self._place(company)
            except IsthmusError as error:
                for operation in group:
                    yield outcome_of(operation.key, error)
                continue
            async for outcome in way.write(place, group):
                yield outcome

    async def look_up(self, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """What the service holds of these operations, by the identity each way gives its records."""
        found: dict[str, Outcome] = {}
        for (kind, company, _), group in _grouped(operations, by_delivery=False).items():
            if (way := self._ways.get(kind)) is not None:
                found |= await way.look_up(await self._place(company), group)
        return found

    async def discard(self, operations: Sequence[Operation]) -> None:
        """Delete what earlier deliveries of these operations left. Raises Retry while one is being posted."""
        for (kind, company, _), group in _grouped(operations, by_delivery=False).items():
            if (way := self._ways.get(kind)) is not None:
                await way.discard(await self._place(company), group)

    def handshake(self, query: Mapping[str, str]) -> str | None:
        """See `isthmus.contract.webhooks.Subscriber`, as the two below."""
        return handshake(query)

    def subscriptions(
        self, address: str, wanted: Sequence[Wanted], *, ours: Collection[str], renew_before: datetime
    ) -> AsyncGenerator[Subscription, None]:
        return self._webhooks.subscriptions(address, wanted, ours=ours, renew_before=renew_before)

    def hints(self, headers: Mapping[str, str], body: bytes, wanted: Sequence[Wanted]) -> Sequence[Hint] | None:
        del headers
        return hints(body, wanted)

    async def close(self) -> None:
        """Close the session. Safe to repeat."""
        await self._session.close()

    def _service(self, root: str) -> ODataClient:
        return ODataClient(
            root=root,
            session=self._session,
            budget=self._budget,
            clock=self._clock,
            judge=judge,
            each=self._config.batch_counts == "each",
        )

    async def _place(self, company: str) -> Place:
        return Place(company, await self._companies.path(company))

    async def _read_metadata(self) -> Metadata:
        if self._metadata is None:
            self._metadata = parse_metadata(await self._client.text("$metadata"))
        return self._metadata


def _grouped(operations: Sequence[Operation], *, by_delivery: bool = True) -> dict[_Group, list[Operation]]:
    groups: dict[_Group, list[Operation]] = {}
    for operation in operations:
        delivery = operation.delivery if by_delivery else ""
        groups.setdefault(((operation.entity, operation.action), operation.company, delivery), []).append(operation)
    return groups


def _told(facts: SetFacts, field: NativeField) -> NativeField:
    """A field as the service tells of it, with what we know besides."""
    writable = facts.writable and field.name not in _READ_ONLY
    if field.name == facts.expand and facts.lines:
        return structs.replace(field, writable=writable, fields=field.fields + facts.lines)
    return structs.replace(field, writable=writable)


def _not_offered(operation: Operation) -> Reject:
    text = f"{operation.action} of {operation.entity} is not something Business Central's API offers here."
    return Reject(text, code="not_supported")


def _sign_in(config: BusinessCentralConfig, clock: Clock, traffic: Traffic) -> EntraSignIn:
    password = config.certificate_password
    return EntraSignIn(
        tenant=config.tenant,
        client_id=config.client_id,
        scope=SCOPE,
        clock=clock,
        traffic=traffic,
        secret=Masked(config.secret.get_secret_value()) if config.secret else None,
        certificate=config.certificate,
        certificate_password=Masked(password.get_secret_value()) if password else None,
        assertion=config.assertion_file,
        authority=config.authority,
        ca=config.ca,
    )
