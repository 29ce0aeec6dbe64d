"""Pages that a tenant publishes as web services: what the standard API lacks (bc.md §18).

Their address holds the company's name, their keys are those of the table, their properties are captions with `_`, and
options are words as people see them. Names of properties are assumed; `check` compares them with what is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics._edmx import Metadata, parse_metadata
from isthmus.connectors.dynamics._odata import Row, any_of, chunks, literal, row
from isthmus.connectors.dynamics.business_central.config import ServicesConfig
from isthmus.errors import Reject, Retry

#: Values of one filter; keeps addresses below some 2,500 characters.
_VALUES_PER_FILTER = 40
#: Codes of an address that leads nowhere (bc.md §9).
_NO_SUCH_ADDRESS = frozenset({"BadRequest_NotFound", "BadRequest_ResourceNotFound"})


class Service(Struct, frozen=True, kw_only=True):
    """One page: its number and title in Business Central, the properties used of it, and what is missing without it."""

    page: int
    title: str
    fields: tuple[str, ...]
    without: str


SERVICES: Mapping[str, Service] = MappingProxyType(
    {
        "item_card": Service(
            page=30,
            title="Item Card",
            fields=("No", "Reorder_Point", "Safety_Stock_Quantity"),
            without="items are kept in step without reorder point and safety stock, and whether an item wants lot or "
            "serial numbers shows only when its posting is refused",
        ),
        "item_units": Service(
            page=5404,
            title="Item Units of Measure",
            fields=("Item_No", "Code", "Qty_per_Unit_of_Measure"),
            without="units of items are not read or made; items travel in their base unit",
        ),
        "dimension_values": Service(
            page=537,
            title="Dimension Values",
            fields=("Dimension_Code", "Code", "Name"),
            without="dimension values are read, but not made",
        ),
        "item_journal": Service(
            page=40,
            title="Item Journal",
            fields=(
                "Journal_Template_Name",
                "Journal_Batch_Name",
                "Line_No",
                "Posting_Date",
                "Entry_Type",
                "Document_No",
                "External_Document_No",
                "Item_No",
                "Description",
                "Location_Code",
                "Quantity",
                "Unit_of_Measure_Code",
                "Unit_Cost",
                "Reason_Code",
                "Shortcut_Dimension_1_Code",
                "Shortcut_Dimension_2_Code",
            ),
            without="stock issues, returns, adjustments and counts cannot be put into a journal",
        ),
        "item_reclassification": Service(
            page=393,
            title="Item Reclass. Journal",
            fields=(
                "Journal_Template_Name",
                "Journal_Batch_Name",
                "Line_No",
                "Posting_Date",
                "Document_No",
                "External_Document_No",
                "Item_No",
                "Description",
                "Location_Code",
                "New_Location_Code",
                "Quantity",
                "Unit_of_Measure_Code",
                "Reason_Code",
                "Shortcut_Dimension_1_Code",
                "Shortcut_Dimension_2_Code",
            ),
            without="stock transfers cannot be put into a journal",
        ),
        "purchase_order": Service(
            page=50,
            title="Purchase Order",
            fields=("Document_Type", "No", "Your_Reference"),
            without="an order whose answer was lost is found by its comment alone, while vendor and order date stay",
        ),
    }
)


class Published:
    """Published pages of one environment. `kind` is a key of `SERVICES`; companies go by name."""

    def __init__(self, client: ODataClient, names: ServicesConfig) -> None:
        self._client = client
        self._names = names
        self._metadata: Metadata | None = None

    def has(self, kind: str) -> bool:
        """Whether the connection names the service."""
        return bool(getattr(self._names, kind))

    def name(self, kind: str) -> str:
        """The name it was published under. Raises Reject where the connection names none."""
        name: str = getattr(self._names, kind)
        if not name:
            service = SERVICES[kind]
            raise Reject(
                f"this needs page {service.page} {service.title} as a web service, and the connection names none.",
                code="service_not_named",
                hint=f"Publish page {service.page} on page Web Services and give its name as `services.{kind}`.",
            )
        return name

    async def rows(self, company: str, kind: str, options: Mapping[str, str] = MappingProxyType({})) -> list[Row]:
        """All rows that fit."""
        try:
            return await self._client.all(self._set(company, kind), options)
        except Retry as error:
            raise self._told(kind, error) from None

    async def rows_by(
        self, company: str, kind: str, field: str, values: Iterable[str], *, select: Iterable[str] = ()
    ) -> list[Row]:
        """All rows whose text `field` has one of the values; of their properties those of `select`, else all."""
        found: list[Row] = []
        for part in chunks(sorted(set(values)), _VALUES_PER_FILTER):
            options = {"$filter": any_of(field, map(literal, part)), "$select": ",".join(select)}
            found += await self.rows(company, kind, options)
        return found

    async def page(self, company: str, kind: str, link: str, size: int) -> tuple[list[Row], str | None]:
        """One page of all rows; `link` is where the page before led, "" for the first."""
        try:
            if link:
                return await self._client.follow(link, size=size)
            return await self._client.page(self._set(company, kind), size=size)
        except Retry as error:
            raise self._told(kind, error) from None

    async def insert(self, company: str, kind: str, body: Mapping[str, Any]) -> Row:
        """Make a row. The answer shows it."""
        try:
            answer = await self._client.send("POST", self._set(company, kind), dict(body))
        except Retry as error:
            raise self._told(kind, error) from None
        return row(answer) if isinstance(answer, Mapping) else Row(dict(body), None)

    async def change(
        self, company: str, kind: str, key: Mapping[str, str | int], body: Mapping[str, Any], *, etag: str
    ) -> Row:
        """Change a row, told by the key of its table: property -> value. The answer shows it.

        The parts of a key are named, as OData has it for keys of several parts; bc.md §18 shows them without names too.
        """
        path = f"{self._set(company, kind)}({','.join(f'{name}={_key(value)}' for name, value in key.items())})"
        try:
            answer = await self._client.send("PATCH", path, dict(body), etag=etag)
        except Retry as error:
            raise self._told(kind, error) from None
        return row(answer) if isinstance(answer, Mapping) else Row(dict(body), None)

    async def properties(self, kind: str) -> frozenset[str]:
        """What the service shows of a row; nothing while it is not published."""
        return frozenset(field.name for field in (await self.metadata()).describe(self.name(kind)))

    async def metadata(self) -> Metadata:
        """What is published, read once."""
        if self._metadata is None:
            self._metadata = parse_metadata(await self._client.text("$metadata"))
        return self._metadata

    def _set(self, company: str, kind: str) -> str:
        return f"Company({_key(company)})/{self.name(kind)}"

    def _told(self, kind: str, error: Retry) -> Retry:
        if error.code not in _NO_SUCH_ADDRESS:
            return error
        service = SERVICES[kind]
        return Retry(
            f"no web service {self.name(kind)} is published in this environment.",
            code="service_missing",
            hint=f"Publish page {service.page} {service.title} under this name on page Web Services, or mend "
            f"`services.{kind}`.",
        )


def _key(value: str | int) -> str:
    """A value of a key within an address: text in quotes, percent-encoded."""
    return str(value) if isinstance(value, int) else quote(literal(value), safe="'")
