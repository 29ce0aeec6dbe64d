"""A sandbox with two companies, and a client that says what it got."""

from __future__ import annotations

import itertools
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from integration.sandbox import purchasing
from isthmus.sandbox.server import Sandbox

TENANT = "0f6d8c52-6f0e-4b55-9e3b-3c1d1b0f7a10"
SCOPE = "https://api.businesscentral.dynamics.com/.default"
FULL = {"client_id": "11111111-0000-4000-8000-000000000001", "secret": "full-secret"}
READER = {
    "client_id": "11111111-0000-4000-8000-000000000002",
    "secret": "reader-secret",
    "permissions": ["D365 READ", "journals:write"],
}


def company(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "currency": "EUR",
        "amount_precision": "0.01",
        "number_series": [{"code": "GJNL", "start": "G00009"}, {"code": "POSTED", "start": "P001"}],
        "dimensions": [
            {
                "code": "DEPARTMENT",
                "name": "Department",
                "values": ["ADM", {"code": "PROD", "name": "Production"}, {"code": "OLD", "blocked": True}],
            },
            {"code": "PROJECT", "name": "Project", "values": ["P1", "P2"]},
        ],
        "accounts": [
            {"number": "1000", "name": "Assets", "type": "heading", "category": "assets"},
            {"number": "2920", "name": "Bank", "category": "assets"},
            {"number": "5410", "name": "Vendors", "category": "liabilities", "direct_posting": False},
            {
                "number": "8430",
                "name": "Repairs",
                "category": "expense",
                "dimensions": {"DEPARTMENT": "code_mandatory"},
            },
            {"number": "8450", "name": "Consumables", "category": "expense"},
            {
                "number": "8500",
                "name": "Fixed department",
                "dimensions": {"DEPARTMENT": {"rule": "same_code", "value": "ADM"}, "PROJECT": "no_code"},
            },
            {"number": "8600", "name": "Closed", "blocked": True},
        ],
        "currencies": [{"code": "USD", "name": "US dollar", "symbol": "$"}],
        "exchange_rates": [{"currency": "USD", "start": "2026-01-01", "relational_amount": "0.92"}],
        "accounting_periods": [{"start": "2026-01-01", "name": "January", "new_fiscal_year": True}],
        "journals": [
            {"code": "DEFAULT", "name": "Default journal"},
            {"code": "SERIES", "no_series": "GJNL"},
            {"code": "BALANCED", "balancing_account": "2920"},
            {"code": "RENUMBER", "posting_no_series": "POSTED"},
        ],
        "journal_templates": [
            {"name": "RECURRING", "recurring": True},
            {"name": "GENERAL"},
            {"name": "PRINTED", "force_posting_report": True},
        ],
        **more,
    }


def seed() -> dict[str, Any]:
    return {
        "tenant": TENANT,
        "tenant_names": ["contoso.example"],
        "environment": "Sandbox",
        "principals": [FULL, READER],
        "companies": [company("CRONUS"), company("Zweite Gesellschaft")],
    }


_CODES = itertools.count(1)


class Answer:
    """Status, body (JSON data or text) and headers of one answer."""

    def __init__(self, status: int, body: Any, headers: dict[str, str]) -> None:
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers.items()}

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def text(self) -> str:
        """The message without its CorrelationId."""
        message = str(self.body["error"]["message"])
        assert "  CorrelationId:  " in message
        return message.partition("  CorrelationId:  ")[0]

    @property
    def value(self) -> list[dict[str, Any]]:
        return list(self.body["value"])


class Client:
    """Calls Business Central as one principal; paths are below the company unless they start with `/`."""

    def __init__(self, session: aiohttp.ClientSession, box: Sandbox, principal: dict[str, Any]) -> None:
        self.session, self.box, self.principal = session, box, principal
        self.token = ""
        self.company = ""
        self.root = f"{box.url}/v2.0/{TENANT}/Sandbox/api/v2.0"

    async def sign_in(self, **form: str) -> Answer:
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.principal["client_id"],
            "client_secret": self.principal["secret"],
            "scope": SCOPE,
        }
        tenant = form.pop("tenant", TENANT)
        fields |= form
        url = f"{self.box.url}/{tenant}/oauth2/v2.0/token"
        async with self.session.post(url, data={k: v for k, v in fields.items() if v}) as response:
            body = await response.json()
            self.token = body.get("access_token", self.token)
            return Answer(response.status, body, dict(response.headers))

    def path(self, path: str) -> str:
        return f"{self.root}{path}" if path.startswith("/") else f"{self.root}/companies({self.company})/{path}"

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {self.token}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        url = path if path.startswith("https://") else self.path(path)
        async with self.session.request(method, url, json=body, headers=sent) as response:
            json = "json" in response.headers.get("content-type", "")
            return Answer(response.status, await (response.json() if json else response.text()), dict(response.headers))

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return await self.call("POST", path, {} if body is None else body, **headers)

    async def patch(self, path: str, body: Any, etag: str = "*") -> Answer:
        return await self.call("PATCH", path, body, If_Match=etag)

    async def journal(self, code: str = "T1") -> str:
        """A new, empty journal; its id."""
        answer = await self.post("journals", {"code": code})
        assert answer.status == 201, answer.body
        return str(answer.body["id"])

    async def own_journal(self) -> str:
        """A new journal under a code that nobody else uses."""
        return await self.journal(f"OWN{next(_CODES)}")

    async def line(self, journal: str, account: str, amount: Any, document: str = "D1", **more: Any) -> Answer:
        body = {"accountNumber": account, "amount": amount, "documentNumber": document, **more}
        return await self.post(f"journals({journal})/journalLines", body)

    async def document(self, journal: str, document: str = "D1", amount: Any = 10, **more: Any) -> None:
        """Two lines that balance."""
        for account, signed in (("8450", amount), ("2920", -amount)):
            answer = await self.line(journal, account, signed, document, **more)
            assert answer.status == 201, answer.body

    async def post_journal(self, journal: str) -> Answer:
        return await self.call("POST", f"journals({journal})/Microsoft.NAV.post")

    def part(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """One request of a batch, below the company."""
        headers = {"Content-Type": "application/json"} | more.pop("headers", {})
        return {"method": method, "url": f"companies({self.company})/{path}", "headers": headers, "body": body} | more

    async def batch(self, *parts: dict[str, Any], **headers: str) -> Answer:
        numbered = [{"id": str(at), **part} for at, part in enumerate(parts)]
        return await self.post("/$batch", {"requests": numbered}, **headers)


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(seed(), home=tmp_path / "home") as box:
        yield box


@pytest.fixture
async def session(box: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    context = ssl.create_default_context(cafile=str(box.ca))
    connector = aiohttp.TCPConnector(ssl=context, limit=200)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@pytest.fixture
async def bc(box: Sandbox, session: aiohttp.ClientSession) -> Client:
    """Signed in with full rights, in company CRONUS."""
    client = Client(session, box, FULL)
    await client.sign_in()
    companies = (await client.get("/companies")).value
    client.company = next(company["id"] for company in companies if company["name"] == "CRONUS")
    return client


@pytest.fixture(scope="session")
def standing_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests that leave nothing behind which another one could see."""
    with Sandbox(seed(), home=tmp_path_factory.mktemp("standing")) as box:
        yield box


@pytest.fixture
async def standing(standing_box: Sandbox) -> AsyncIterator[Client]:
    """As `bc`, on the standing sandbox."""
    context = ssl.create_default_context(cafile=str(standing_box.ca))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        client = Client(session, standing_box, FULL)
        await client.sign_in()
        companies = (await client.get("/companies")).value
        client.company = next(company["id"] for company in companies if company["name"] == "CRONUS")
        yield client


@pytest.fixture
async def reader(bc: Client) -> Client:
    """Signed in as somebody who may read everything and write journals only."""
    client = Client(bc.session, bc.box, READER)
    await client.sign_in()
    client.company = bc.company
    return client


@pytest.fixture
def make_client(box: Sandbox, session: aiohttp.ClientSession) -> Callable[[dict[str, Any]], Client]:
    return lambda principal: Client(session, box, principal)


@pytest.fixture
def seed_data() -> dict[str, Any]:
    return seed()


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox with a company that buys, for tests whose documents are their own and whose setup is this one."""
    with Sandbox(purchasing.seed(), home=tmp_path_factory.mktemp("market")) as box:
        yield box


@pytest.fixture
async def buyer(market: Sandbox) -> AsyncIterator[purchasing.Buyer]:
    """Signed in at the market."""
    context = ssl.create_default_context(cafile=str(market.ca))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        client = Client(session, market, FULL)
        await client.sign_in()
        client.company = (await client.get("/companies")).value[0]["id"]
        yield purchasing.Buyer(client)
