"""Companies of an environment: names to ids, looked up once per connection."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from isthmus.connectors.dynamics._client import ODataClient, guid
from isthmus.errors import ConfigurationError


class Companies:
    """The companies this connection may use; `wanted` names them, empty means all."""

    def __init__(self, client: ODataClient, wanted: tuple[str, ...]) -> None:
        self._client = client
        self._wanted = wanted
        self._ids: Mapping[str, str] = MappingProxyType({})
        self._currencies: dict[str, str] = {}
        self._flight = asyncio.Lock()

    async def present(self) -> Mapping[str, str]:
        """All companies of the environment, name -> id."""
        async with self._flight:
            if not self._ids:
                rows = await self._client.all("companies", {"$select": "id,name"})
                self._ids = MappingProxyType({str(row.data["name"]): guid(str(row.data["id"])) for row in rows})
            return self._ids

    async def used(self) -> Mapping[str, str]:
        """The companies of this connection, name -> id; wanted ones that do not exist are left out."""
        present = await self.present()
        return {name: present[name] for name in self._wanted or present if name in present}

    async def path(self, name: str) -> str:
        """`companies(id)`. Raises ConfigurationError for a company that does not exist or is not of this connection."""
        present = await self.present()
        if self._wanted and name not in self._wanted:
            raise ConfigurationError(
                f"company {name!r} is not one of this connection.",
                code="company_missing",
                hint="Add it to `companies` of the connection.",
            )
        if name not in present:
            known = ", ".join(sorted(present)) or "none"
            raise ConfigurationError(
                f"company {name!r} does not exist in this environment (it has: {known}).",
                code="company_missing",
                hint="Mend `companies` of the connection or the flow.",
            )
        return f"companies({present[name]})"

    async def currency(self, name: str) -> str:
        """Local currency of a company, read once; "" where the set-up holds none."""
        if name not in self._currencies:
            rows = await self._client.all(
                f"{await self.path(name)}/generalLedgerSetup", {"$select": "id,localCurrencyCode"}
            )
            self._currencies[name] = str(rows[0].data.get("localCurrencyCode") or "") if rows else ""
        return self._currencies[name]
