"""One Business Central environment: its companies, its switches, and what is known of the caller of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.company import Company, Setup
from isthmus.sandbox.business_central.fields import named_guid
from isthmus.sandbox.business_central.tables import Storage, Transaction, Versions
from isthmus.sandbox.business_central.webhooks.book import Book
from isthmus.sandbox.clock import Agenda, Clock


class Switches(msgspec.Struct, forbid_unknown_fields=True):
    """What the sources leave open, or what a test wants to see another way. Set by `/_sandbox/set`."""

    #: Whether a $batch counts against the rate limit once or once per part (bc.md section 7: unknown).
    batch_counts: Literal["one", "each"] = "one"
    #: How deep a POST may nest collections (bc.md section 8 shows one level; two is assumed possible).
    deep_insert_levels: Literal[1, 2] = 1
    #: Whether 429 names its Retry-After (bc.md section 9: unknown).
    retry_after: Literal["header", "none"] = "header"
    #: HTTP status of a missing permission (bc.md section 3: not stated).
    permission_status: int = 403
    #: A duplicate journal line number fails the whole $batch call (bc.md section 14).
    duplicate_line_kills_batch: bool = True
    page_size: int = 20_000
    batch_limit: int = 100
    requests_per_window: int = 6_000
    window_seconds: int = 300
    concurrent: int = 5
    queued: int = 95
    #: Sandbox seconds after which a queued request is given up with 503.
    queue_seconds: int = 480
    #: Real seconds every Business Central request takes on top, in its slot.
    work_seconds: float = 0.0
    token_seconds: int = 3599
    #: How the handshake of a webhook subscription is asked for; not stated (bc.md section 11).
    handshake_method: Literal["GET", "POST"] = "GET"
    #: Real seconds a subscriber has to answer the handshake, and a notification.
    handshake_seconds: float = 5.0
    notification_seconds: float = 30.0
    #: Sandbox seconds from the first change to its notification, and from the making of a subscription to its end.
    notification_delay: float = 30.0
    subscription_seconds: float = 3 * 86_400.0
    #: Above so many notifications of a subscription at once, one `collection` is sent.
    max_notifications: int = 1_000
    max_subscriptions: int = 200


class Environment:
    """Everything a Business Central request can see or change."""

    def __init__(self, clock: Clock, agenda: Agenda, storages: Mapping[str, Storage]) -> None:
        self.clock = clock
        self.agenda = agenda
        self.storages = storages
        self.versions = Versions()
        self.switches = Switches()
        self.companies: dict[str, Company] = {}
        #: Drifted metadata: set -> {property: its new name}.
        self.drift: dict[str, dict[str, str]] = {}
        #: Page Web Services: service name -> number of the page published under it. One list for all companies.
        self.published: dict[str, int] = {}
        self.webhooks = Book()

    def add_company(self, name: str, company_id: str | None, setup: Setup) -> Company:
        company_id = (company_id or named_guid("company", name)).lower()
        company = Company(name, company_id, setup, self.storages, self.versions)
        self.companies[company_id] = company
        return company

    def named(self, name: str) -> Company | None:
        return next((company for company in self.companies.values() if company.name == name), None)

    def company(self, key: str) -> Company:
        """By id or name. Status of an unknown company is assumed."""
        found = self.companies.get(key.lower()) or self.named(key)
        if found is None:
            raise errors.Refusal(404, "Internal_CompanyNotFound", f"The company '{key}' can't be found.")
        return found


@dataclass(frozen=True, slots=True)
class Rights:
    """What a principal may do: `*` or set names, each with read, write and post."""

    read: frozenset[str] = frozenset({"*"})
    write: frozenset[str] = frozenset({"*"})
    post: frozenset[str] = frozenset({"*"})

    def allows(self, right: str, entity_set: str) -> bool:
        names: frozenset[str] = getattr(self, right)
        return "*" in names or entity_set in names


@dataclass(slots=True)
class Call:
    """One request, or one part of a batch, on its way through the entity sets."""

    environment: Environment
    rights: Rights
    tx: Transaction
    method: str
    headers: Mapping[str, str]
    options: dict[str, str]
    root: str
    stamp: str
    client_id: str = ""
    #: See `isthmus.sandbox.wire.Request.greeted`.
    greeted: str = ""
    in_batch: bool = False
    chosen: Company | None = None
    location: dict[str, str] = field(default_factory=dict)

    @property
    def company(self) -> Company:
        if self.chosen is None:
            text = "Can't process the request because the default company can't be found."
            raise errors.Refusal(404, "Internal_CompanyNotFound", text)
        return self.chosen

    def prefers(self, what: str) -> bool:
        return what in self.headers.get("prefer", "")


Body = dict[str, Any]
