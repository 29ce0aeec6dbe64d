"""Chart of accounts and dimensions: owned by finance, read from Dynamics."""

from __future__ import annotations

from typing import Annotated, Literal

from isthmus.model.entity import Record, about, entity

AccountType = Literal["posting", "heading", "total", "begin_total", "end_total"]


@entity("account", scope="company", number="number", title="G/L account")
class Account(Record, frozen=True, kw_only=True):
    """A general ledger account."""

    number: Annotated[str, about("Account number", owner="finance", key=True)]
    name: Annotated[str | None, about("Account name", owner="finance")] = None
    category: Annotated[str | None, about("Account category as finance names it", owner="finance")] = None
    type: Annotated[AccountType | None, about("Only posting accounts take entries", owner="finance")] = None
    blocked: Annotated[bool | None, about("Blocked for posting", owner="finance")] = None
    direct_posting: Annotated[bool | None, about("Journals may post to it directly", owner="finance")] = None


@entity("dimension", scope="company", number="code", title="Dimension")
class Dimension(Record, frozen=True, kw_only=True):
    """An axis of analysis, such as COSTCENTRE or ASSET."""

    code: Annotated[str, about("Dimension code", owner="finance", key=True)]
    name: Annotated[str | None, about("Dimension name", owner="finance")] = None


@entity("dimension_value", scope="company", number="key", title="Dimension value")
class DimensionValue(Record, frozen=True, kw_only=True):
    """A value of a dimension. Its number is DIMENSION/CODE, because codes repeat across dimensions."""

    key: Annotated[str, about("DIMENSION/CODE", owner="finance", key=True)]
    dimension: Annotated[str, about("Dimension code", owner="finance")]
    code: Annotated[str, about("Value code", owner="finance")]
    name: Annotated[str | None, about("Value name", owner="finance")] = None
    blocked: Annotated[bool | None, about("Blocked for posting", owner="finance")] = None
