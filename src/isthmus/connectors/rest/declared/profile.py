"""The profile as a whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from isthmus.connectors.rest.declared.answers import Errors, Limits
from isthmus.connectors.rest.declared.auth import Auth
from isthmus.connectors.rest.declared.base import Duration, Place, Proven
from isthmus.connectors.rest.declared.calls import GetCall
from isthmus.connectors.rest.declared.entities import Batch, Declaration, EntitySpec, Settle, SettleTime, Shared
from isthmus.connectors.rest.declared.fields import BUILT_IN, Spec
from isthmus.connectors.rest.declared.webhooks import Webhook


class MoneySpec(Proven):
    """How amounts are written, for fields of kind `money` that say nothing else."""

    wire: Literal["number", "text", "cents"] = Field(default="number", description="Number, string, or whole cents")
    places: int | None = Field(default=None, ge=0, le=10, description="Decimals; of cents how many the unit has")


class SystemSpec(Proven):
    """The call that tells which installation this is and what the key may do."""

    call: GetCall = Field(description="The call")
    identity: dict[str, Place] = Field(
        description="What identifies the installation: name to place in the answer. Two with the same values are one",
        min_length=1,
    )
    rights: Place = Field(default="", description="Where the rights of the key stand, a list of texts")
    read: str = Field(default="", description="Right needed to read a set, with `{set}`")
    write: str = Field(default="", description="Right needed to write it, with `{set}`")
    every: str = Field(default="", description="Part of a right that stands for every set, such as `*`")
    expires: Place = Field(default="", description="Where the moment stands at which the key ends")


class Profile(Proven):
    """All that the generic connector has to know of a system."""

    profile: str = Field(description="Name", pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    format: Literal[1] = Field(description="Form of this file: 1")
    version: str = Field(description="Version of the profile, in quotes; a change of meaning is a new one")
    title: str = Field(description="What the system is called")
    about: str = Field(default="", description="What people should know of it")
    url: str = Field(default="", description="Address all paths begin at; empty: every connection gives its own")
    parameters: dict[str, Declaration] = Field(
        default={}, description="What a connection is asked for besides, as `{parameters.NAME}`"
    )
    headers: dict[str, str] = Field(default={}, description="Headers of every call")
    auth: Auth = Field(description="How the system knows who calls")
    system: SystemSpec | None = Field(default=None, description="The call that tells which installation this is")
    record: Place = Field(default="", description="Where a single record stands in an answer")
    money: MoneySpec = Field(default=MoneySpec(), description="How amounts are written")
    kinds: dict[str, Spec] = Field(default={}, description="Names for kinds of fields, to be used as `kind`")
    errors: Errors = Field(default=Errors(), description="Where an answer says what is wrong, and what it means")
    limits: Limits = Field(default=Limits(), description="How much the system bears")
    settle: SettleTime = Field(
        default=Settle(at_most=timedelta(minutes=10), assumed=True),
        description="How long a call may go on at the system after its answer was lost",
    )
    call_timeout: Duration = Field(default=timedelta(seconds=60), description="How long a call is waited for")
    companies: bool = Field(default=False, description="The system has companies; `{company}` in calls")
    batch: Batch | None = Field(default=None, description="Several writing calls in one")
    webhook: Webhook | None = Field(default=None, description="Events the system sends")
    all: Shared = Field(default=Shared(), description="What holds for all entities that say nothing else")
    entities: dict[str, EntitySpec] = Field(description="Entity of Isthmus to what it is here", min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Profile:
        if not self.verified and not self.assumed:
            raise ValueError("says neither verified: SOURCE nor assumed: true: one of both must hold for the whole")
        for name, kind in self.kinds.items():
            if name in BUILT_IN:
                raise ValueError(f"kinds.{name}: this kind is there already, choose another name")
            if kind.kind not in BUILT_IN:
                raise ValueError(f"kinds.{name} must be made of a kind there is, not of {kind.kind!r}")
        return self
