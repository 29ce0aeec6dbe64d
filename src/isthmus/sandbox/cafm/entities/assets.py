"""Locations and assets: where things are, and what is looked after."""

from __future__ import annotations

from isthmus.sandbox.cafm.entities.finance import ACTIVE
from isthmus.sandbox.cafm.entities.vendors import ADDRESS
from isthmus.sandbox.cafm.entity import Entity, Field, Statuses, Work
from isthmus.sandbox.cafm.kinds import (
    DAY,
    DIMENSIONS,
    FLAG,
    MONEY,
    ByCode,
    ById,
    Choice,
    Code,
    Integer,
    Reading,
    Record,
    Text,
)
from isthmus.sandbox.cafm.problems import conflict

LOCATIONS = Entity(
    "locations",
    (
        Field("code", Code(10), required=True),
        Field("name", Text(100), required=True),
        Field("parentId", ById("locations")),
        Field("stockKeeping", FLAG, default=False),
        ADDRESS,
        ACTIVE,
    ),
    unique=("code",),
    filters=("parentId", "stockKeeping", "active"),
    referenced=(
        ("locations", "parentId", "id"),
        ("assets", "locationId", "id"),
        ("stockTransactions", "locationId", "id"),
    ),
)


class _Assets(Entity):
    """Assets; a disposed one is history."""

    def complete(self, work: Work, record: Record, before: Record | None, reading: Reading) -> None:
        if before is None:
            self._dated(work, record)
        if record["parentId"] is not None and record["parentId"] == record["id"]:
            reading.wrong("unknown_reference", "parentId", "an asset is not its own parent.")

    def editable(self, record: Record, changed: frozenset[str]) -> None:
        if record["status"] == "disposed" and changed - {"externalId", "externalNumber"}:
            raise conflict("not_editable", "A disposed asset is not changed any more.", "status")

    def moving(self, work: Work, record: Record, status: str) -> None:
        self._dated(work, record)

    @staticmethod
    def _dated(work: Work, record: Record) -> None:
        for status, field in (("inService", "inServiceDate"), ("disposed", "disposedOn")):
            if record["status"] == status and record[field] is None:
                record[field] = work.world.today(work.now)


ASSETS = _Assets(
    "assets",
    (
        Field("code", Code(20), required=True),
        Field("name", Text(100), required=True),
        Field("description", Text(250)),
        Field("category", Text(20)),
        Field("locationId", ById("locations")),
        Field("parentId", ById("assets")),
        Field("vendorId", ById("vendors")),
        Field("serialNumber", Text(50)),
        Field("manufacturer", Text(50)),
        Field("model", Text(50)),
        Field("acquisitionDate", DAY),
        Field("inServiceDate", DAY),
        Field("disposedOn", DAY),
        Field("acquisitionCost", MONEY),
        Field("residualValue", MONEY),
        Field("disposalProceeds", MONEY),
        Field("currency", ByCode("currencies")),
        Field("depreciationMethod", Choice("straightLine", "decliningBalance", "none")),
        Field("usefulLifeMonths", Integer(1, 1200)),
        Field("accountCode", ByCode("accounts")),
        Field("dimensions", DIMENSIONS, default=[]),
        Field("externalNumber", Text(50)),
        Field("status"),
    ),
    unique=("code",),
    filters=("locationId", "parentId", "category"),
    statuses=Statuses(
        {
            "planned": ("inService",),
            "inService": ("outOfService", "disposed"),
            "outOfService": ("inService", "disposed"),
            "disposed": (),
        },
        free=True,
    ),
    referenced=(("workOrders", "assetId", "id"), ("assets", "parentId", "id")),
)
