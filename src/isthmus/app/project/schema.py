"""What the files of a project may say: isthmus.yaml and flows/*.yaml, as strict frozen models.

Every field carries its meaning; docs/configuration.md is held to these models by a test.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from isthmus.app.project.values import Cron, Day, Duration, Many, Table, Zone

ClosedPeriod = Literal["hold", "first_open", "reject"]
Deletions = Literal["ignore", "block", "deactivate"]
Role = Literal["finance", "operations"]
Foreign = Literal["refuse", "onboard", "create", "hold", "ignore"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=60)]


class Settings(BaseModel):
    """Base of all settings: nothing unknown, nothing converted silently, nothing changed afterwards."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class TextVariable(Settings):
    """A variable that is plain text and not a path."""

    text: str = Field(description="Value put in place of `${name}` as it stands")


def _path_or_text(value: Any) -> str:
    return "path" if isinstance(value, str) else "text"


Variable = Annotated[
    Annotated[str, Tag("path")] | Annotated[TextVariable, Tag("text")],
    Discriminator(_path_or_text),
]


class CompanyConfig(Settings):
    """One company of a finance connection, where it differs from what the system itself tells."""

    time_zone: Zone | None = Field(
        default=None, description="Zone that decides the local day of an event; empty: the zone of the connection"
    )
    posting_from: Day | None = Field(
        default=None, description="First day open for posting; empty: as the company's own set-up says"
    )
    posting_to: Day | None = Field(
        default=None, description="Last day open for posting; empty: as the company's own set-up says"
    )


class HookConfig(Settings):
    """How notifications of a connection prove where they come from, and say what they are about."""

    header: str | None = Field(default=None, description="Header that carries the signature; empty: none is expected")
    secret: str | None = Field(default=None, description="Key of the signature: `env:NAME` or `file:PATH`")
    form: str = Field(
        default="{hex}",
        description="How the header is written: `{hex}` or `{base64}` stands for the signature, `{time}` for its time",
    )
    signs: str = Field(default="{body}", description="What is signed: `{body}`, and `{time}` where the header has it")
    tolerance: Duration = Field(default=timedelta(minutes=5), description="Oldest and newest `{time}` that is taken")
    entity_at: str | None = Field(
        default=None,
        description="Where a notification names its entity: fields joined by dots, `*` for each of a list, or "
        "`header:NAME`; empty: every entity may have changed",
    )
    entities: Table[str] = Field(
        default={}, description="Name found there to entity; any other name means every entity"
    )

    @model_validator(mode="after")
    def _whole(self) -> HookConfig:
        if (self.header is None) != (self.secret is None):
            raise ValueError("has only one of header and secret: give both, or neither")
        if self.form.count("{hex}") + self.form.count("{base64}") != 1:
            raise ValueError("form must hold {hex} or {base64}, once")
        if "{body}" not in self.signs:
            raise ValueError("signs must hold {body}")
        if ("{time}" in self.signs) != ("{time}" in self.form):
            raise ValueError("has {time} in only one of form and signs: a time counts when it is signed")
        if (self.entity_at is None) != (not self.entities):
            raise ValueError("has only one of entity_at and entities: give both, or neither")
        return self


class ConnectionConfig(Settings):
    """One environment of a system. Keys that are not listed here belong to the system and are checked by it."""

    # Keys of the system travel in `settings`; loading puts them there and keeps their lines.
    system: str = Field(description="The product: `business_central`, `files` or `rest`")
    role: Role = Field(description="Which side of the bridge it stands on")
    time_zone: Zone = Field(default="UTC", description="Zone of times and days that come without one")
    poll: Duration = Field(default=timedelta(seconds=60), description="How often changes are asked for")
    cron: Cron | None = Field(default=None, description="Instead of `poll`: when changes are asked for, in `time_zone`")
    companies: Table[CompanyConfig] = Field(
        default={}, description="Companies of the system that flows use, by the name the system shows"
    )
    sandbox: str | None = Field(
        default=None,
        description="Seed file of a simulator that stands in for the system; the address and secret are then ours",
    )
    hook: HookConfig | None = Field(
        default=None, description="What its webhooks look like, for systems whose connector does not know by itself"
    )
    lenses: Table[str] = Field(default={}, description="Entity to mapping file, for systems that ship none (files)")
    overlays: Table[Many[str]] = Field(
        default={}, description="Entity to mapping files laid over the lens that ships with the system"
    )
    settings: Table[Any] = Field(
        default={}, description="Not written as such: the keys of the system itself", json_schema_extra={"hidden": True}
    )

    @model_validator(mode="after")
    def _one_schedule(self) -> ConnectionConfig:
        if self.cron is not None and "poll" in self.model_fields_set:
            raise ValueError("has both poll and cron: keep one")
        return self


class HooksConfig(Settings):
    """Where systems reach `isthmus up` with their webhooks."""

    url: str = Field(description="Public address that leads to the door of `isthmus up`, with https://")
    secret: str | None = Field(
        default=None,
        description="What the secret part of the addresses is made of, for several servers behind one address: "
        "`env:NAME` or `file:PATH`; empty: a key made in the home",
    )

    @field_validator("url")
    @classmethod
    def _public(cls, value: str) -> str:
        found = urlsplit(value)
        own = found.hostname in {"localhost", "127.0.0.1", "::1"}
        if not found.hostname or found.scheme not in ({"https", "http"} if own else {"https"}):
            raise ValueError("must start with https:// (http:// for this machine only)")
        if found.query or found.fragment or found.username:
            raise ValueError("must be an address alone: no user, no ? and no #")
        return value.rstrip("/")


class ProjectConfig(Settings):
    """isthmus.yaml."""

    project: Name = Field(description="Name of the project: small letters, digits, - and _")
    home: str = Field(
        default=".isthmus",
        description="Folder of the embedded ledger, logs and keys, relative to the project folder; ISTHMUS_HOME wins",
    )
    variables: Table[Variable] = Field(
        default={}, description="What `${name}` stands for: a path relative to the project folder, or `{text: ...}`"
    )
    hooks: HooksConfig | None = Field(
        default=None, description="Where systems send webhooks to; without it, changes are found by polling alone"
    )
    connections: Table[ConnectionConfig] = Field(description="The environments that are joined, by name", min_length=1)


class SourceConfig(Settings):
    """Where a flow starts."""

    connection: str = Field(description="Connection whose changes start the flow")
    entity: str = Field(description="Entity that is watched there")
    company: str | None = Field(
        default=None, description="Company it is watched in; empty: in all, or in the only one of a state kept in step"
    )


class CompanyChoice(Settings):
    """Which company a record belongs to, by one of its fields."""

    by: str = Field(description="Canonical field of the source that decides")
    map: Table[str] = Field(description="Value of that field to company", min_length=1)
    default: str | None = Field(default=None, description="Company of all other values; empty: they are held")


def _named_or_chosen(value: Any) -> str:
    return "name" if isinstance(value, str) else "choice"


class TargetConfig(Settings):
    """Where a flow ends."""

    connection: str = Field(description="Connection that is written to")
    entity: str = Field(description="Entity that is written there")
    company: (
        Annotated[
            Annotated[str, Tag("name")] | Annotated[CompanyChoice, Tag("choice")],
            Discriminator(_named_or_chosen),
        ]
        | None
    ) = Field(default=None, description="Company, or how to find it; needed where the system has companies")


class RetryConfig(Settings):
    """How often a delivery is tried again before a person is asked."""

    attempts: int = Field(default=8, ge=1, le=100, description="Tries in all, the first one included")
    first: Duration = Field(
        default=timedelta(seconds=2), description="Wait after the first failure; it doubles from there"
    )
    most: Duration = Field(default=timedelta(minutes=10), description="Longest wait between two tries")

    @model_validator(mode="after")
    def _ordered(self) -> RetryConfig:
        if self.first > self.most:
            raise ValueError("has a first wait that is longer than the longest one (most)")
        return self


#: A number, or a date as text: which of the two the field decides.
Bound = Annotated[Decimal | int | str, Field(union_mode="left_to_right")]


class CheckConfig(Settings):
    """A condition a record must meet before anything is sent."""

    field: str = Field(description="Canonical field of the source entity")
    required: bool = Field(default=False, description="It must be there and not be empty")
    one_of: Many[str] = Field(default=(), description="It must be one of these values")
    pattern: str | None = Field(default=None, description="It must match this regular expression as a whole")
    min: Bound | None = Field(default=None, description="Smallest number or first day allowed")
    max: Bound | None = Field(default=None, description="Largest number or last day allowed")
    severity: Literal["error", "hold", "notice"] = Field(
        default="error", description="What a record that fails it gets: refused, held for a person, or only told"
    )


class OwnedBy(Settings):
    """The field belongs to one connection; edits elsewhere are reverted and audited."""

    owner: str = Field(description="Connection whose value holds")


def _owned_or_policy(value: Any) -> str:
    return "policy" if isinstance(value, str) else "owner"


Ownership = Annotated[
    Annotated[Literal["latest", "review"], Tag("policy")] | Annotated[OwnedBy, Tag("owner")],
    Discriminator(_owned_or_policy),
]


class FlowConfig(Settings):
    """flows/*.yaml: what shall happen when an entity changes."""

    flow: Name = Field(description="Name of the flow: small letters, digits, - and _")
    template: str | None = Field(
        default=None, description="Ready-made flow whose settings hold where this file says nothing"
    )
    source: SourceConfig = Field(description="Where the flow starts")
    target: TargetConfig = Field(description="Where it ends")
    when: str | None = Field(
        default=None, description="Formula over canonical fields; only records where it is true go on"
    )
    transition: str | None = Field(
        default=None, description="Name of the business event, part of its key; empty: the flow keeps a state in step"
    )
    rules: str | None = Field(default=None, description="Posting rules that choose the accounts, by their name")
    closed_period: ClosedPeriod = Field(
        default="hold", description="What happens to a document whose day is closed for posting"
    )
    cut_over: Day | None = Field(default=None, description="Documents of an earlier day are never posted")
    wait_limit: Duration = Field(
        default=timedelta(hours=24), description="How long a message may wait for something missing before it is held"
    )
    retries: RetryConfig = Field(default=RetryConfig(), description="How a failed delivery is tried again")
    two_way: bool = Field(
        default=False, description="Of a flow that keeps a state in step: edits in the target reach the source too"
    )
    create: bool = Field(
        default=False,
        description="Of a flow that keeps a state in step: make in the target what it does not have, without a person "
        "having gone through what both hold (`isthmus match-existing`)",
    )
    foreign: Foreign = Field(
        default="hold",
        description="Of a flow that keeps a state in step: what becomes of a record made in the target. refuse: it "
        "is told there; onboard, hold: a person sees to it; create: it is made in the source; ignore: it stays alone",
    )
    match: Many[Many[str]] = Field(
        default=(),
        description="Of a flow that keeps a state in step: which fields, equal together, say that two records are the "
        "same; several such rules in the order they are tried",
    )
    deletions: Deletions = Field(default="block", description="What a deletion in the source does to the target")
    write_back: bool = Field(default=False, description="Tell the source what became of its record")
    checks: Many[CheckConfig] = Field(default=(), description="Conditions a record must meet before anything is sent")
    ownership: Table[Ownership] = Field(
        default={}, description="Field, or `*` for the entity, to `{owner: CONNECTION}`, `latest` or `review`"
    )


class LookupConfig(Settings):
    """lookups/*.yaml: one table of keys and values."""

    table: str = Field(description="Name that mappings and rules use")
    rows: Table[str] | None = Field(default=None, description="Key to value; values are text")
    file: str | None = Field(
        default=None,
        description="Instead of `rows`: a data file, CSV or Excel; `${name}` is replaced, a relative path counts from "
        "the project folder",
    )
    key: str | None = Field(default=None, description="Column of the file that holds the keys")
    value: str | None = Field(
        default=None, description="Column of the file that holds the values; a row without one is no row of the table"
    )
    encoding: str = Field(default="utf-8-sig", description="Encoding of a CSV file")
    delimiter: str = Field(default=",", description="Sign between its cells; `tab` for a tab")
    sheet: str | None = Field(default=None, description="Sheet of an Excel file, where it has several")
    skip_rows: int = Field(default=0, ge=0, le=10_000, description="Lines above the header")

    @model_validator(mode="after")
    def _one_source(self) -> LookupConfig:
        if (self.rows is None) == (self.file is None):
            raise ValueError("needs either rows, or file with key and value")
        if self.file is not None and not (self.key and self.value):
            raise ValueError("names a file: key and value must name two of its columns")
        if self.file is None and (said := self.model_fields_set - {"table", "rows"}):
            raise ValueError(f"has rows: {', '.join(sorted(said))} is for tables that come from a file")
        return self
