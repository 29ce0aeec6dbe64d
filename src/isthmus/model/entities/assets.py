"""Assets and locations: owned by operations."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from isthmus.model.entity import Record, about, entity
from isthmus.model.values import Address

AssetStatus = Literal["planned", "active", "inactive", "disposed"]


@entity("location", scope="company", number="number", title="Location")
class Location(Record, frozen=True, kw_only=True):
    """A site, building, store or branch."""

    number: Annotated[str, about("Location number", key=True)]
    name: Annotated[str | None, about("Name")] = None
    parent: Annotated[str | None, about("Number of the location above it")] = None
    address: Annotated[Address | None, about("Postal address")] = None
    blocked: Annotated[bool | None, about("No longer in use")] = None


@entity("asset", scope="company", number="number", title="Asset")
class Asset(Record, frozen=True, kw_only=True):
    """A machine, vehicle or installation that work orders are raised for."""

    number: Annotated[str, about("Asset number", key=True)]
    name: Annotated[str | None, about("Name")] = None
    category: Annotated[str | None, about("Asset class")] = None
    location: Annotated[str | None, about("Location number")] = None
    cost_centre: Annotated[str | None, about("Cost centre its expenses belong to", owner="finance")] = None
    serial_number: Annotated[str | None, about("Serial number")] = None
    in_service_on: Annotated[date | None, about("In service since")] = None
    status: Annotated[AssetStatus | None, about("Life-cycle status")] = None
