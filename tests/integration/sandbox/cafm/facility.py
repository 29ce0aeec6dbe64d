"""A small facility as a seed, and a client that says what it got."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from isthmus.sandbox.server import Guest, Sandbox

KEY = "test-key"
READER = "reader-key"


def seed() -> dict[str, Any]:
    """Vendors, items with stock, a store, an asset, a work order and an order that was sent."""
    return {
        "kind": "cafm",
        "system": {"id": "facilities-test", "name": "Facilities", "base_currency": "EUR"},
        "keys": [
            {"name": "isthmus", "key": KEY},
            {"name": "reader", "key": READER, "permissions": ["*:read", "items:write"]},
        ],
        "currencies": [{"code": "USD", "name": "US dollar"}, {"code": "JPY", "decimals": 0}],
        "paymentTerms": [{"code": "30D", "dueDays": 30}],
        "accounts": [
            {"code": "8430", "name": "Repairs", "category": "expense"},
            {"code": "8999", "name": "Closed", "active": False},
        ],
        "dimensions": [{"code": "DEPARTMENT"}, {"code": "SITE"}],
        "dimensionValues": [
            {"dimensionCode": "DEPARTMENT", "code": "ADM"},
            {"dimensionCode": "DEPARTMENT", "code": "PROD"},
            {"dimensionCode": "SITE", "code": "ADM"},
        ],
        "units": [{"code": "PCS", "decimals": 0}, {"code": "BOX10"}, {"code": "H", "decimals": 2}],
        "locations": [
            {"code": "STORE", "name": "Main store", "stockKeeping": True},
            {"code": "VAN", "name": "Service van", "stockKeeping": True},
            {"code": "ROOF", "name": "Roof"},
        ],
        "vendors": [
            {"code": "V1", "name": "Pump Parts", "approvalStatus": "approved", "paymentTermsCode": "30D"},
            {"code": "V2", "name": "New one", "currency": "USD"},
            {"code": "V3", "name": "Blocked one", "approvalStatus": "approved", "blocked": "all"},
        ],
        "items": [
            {
                "code": "1000",
                "description": "Seal",
                "baseUnit": "PCS",
                "unitCost": "4.5",
                "units": {"BOX10": "10"},
                "stock": {"STORE": "40"},
            },
            {"code": "1001", "description": "Filter", "baseUnit": "PCS", "unitCost": "0.3333"},
            {"code": "S1", "description": "Inspection", "type": "service", "baseUnit": "H"},
        ],
        "assets": [{"code": "A1", "name": "Pump", "status": "inService", "inServiceDate": "2020-01-01"}],
        "workOrders": [{"number": "WO-1", "title": "Pump leaks", "assetId": "A1", "status": "inProgress"}],
        "purchaseOrders": [
            {
                "number": "PO-1",
                "vendorId": "V1",
                "locationId": "STORE",
                "status": "sent",
                "lines": [
                    {"itemId": "1000", "quantity": "10", "unit": "BOX10", "unitPrice": "39.9"},
                    {"type": "service", "itemId": "S1", "quantity": "2", "unitPrice": "75"},
                ],
            }
        ],
    }


class Answer:
    """Status, body and headers of one answer."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str]) -> None:
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers.items()}

    def __repr__(self) -> str:
        return f"{self.status} {self.body}"

    @property
    def data(self) -> Any:
        assert self.status < 300, self
        return self.body["data"]

    @property
    def error(self) -> dict[str, Any]:
        return dict(self.body["error"])

    @property
    def code(self) -> str:
        return str(self.error["code"])

    @property
    def refusal(self) -> tuple[int, str, str | None]:
        """Status, code and field."""
        return self.status, self.code, self.error["field"]


class Client:
    """Calls the API as one key; paths are below the base."""

    def __init__(self, session: aiohttp.ClientSession, box: Sandbox | Guest, key: str = KEY) -> None:
        self.session, self.box, self.key = session, box, key

    def url(self, path: str) -> str:
        return path if path.startswith("https://") else f"{self.box.url}/api/v1{path}"

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key:
            sent.setdefault("Authorization", f"Bearer {self.key}")
        data = None
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with self.session.request(method, self.url(path), data=data, headers=sent) as answer:
            text = await answer.text()
            found = json.loads(text) if "json" in answer.headers.get("content-type", "") else text
            return Answer(answer.status, found, answer.headers)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return await self.call("POST", path, {} if body is None else body, **headers)

    async def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return await self.call("PATCH", path, body, **headers)

    async def delete(self, path: str, **headers: str) -> Answer:
        return await self.call("DELETE", path, **headers)

    async def one(self, entity: str, **query: str) -> dict[str, Any]:
        """The only record with these parameters."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        found = (await self.get(f"/{entity}?{asked}")).data
        assert len(found) == 1, found
        return dict(found[0])

    async def id(self, entity: str, code: str) -> int:
        name = "number" if code[2:3] == "-" else "code"
        return int((await self.one(entity, **{name: code}))["id"])

    async def all(self, path: str) -> list[dict[str, Any]]:
        """Every record of a list, page by page."""
        found: list[dict[str, Any]] = []
        following: str | None = path
        while following:
            answer = await self.get(following)
            found += answer.data
            following = answer.body["paging"]["next"]
        return found

    async def move(self, entity: str, record_id: int, *statuses: str) -> Answer:
        """Take a record along these statuses; the last answer."""
        for status in statuses:
            answer = await self.post(f"/{entity}/{record_id}/status", {"status": status})
            assert answer.status == 200 or status == statuses[-1], answer
        return answer
