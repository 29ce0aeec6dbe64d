"""Settings of a Business Central connection."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from isthmus.connectors.dynamics._auth import DEFAULT_AUTHORITY

SCOPE = "https://api.businesscentral.dynamics.com/.default"


#: Entities whose numbers Business Central may be left to assign from its number series (bc.md §13).
Numbered = Literal["vendor", "item"]
_SERVICE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ServicesConfig(BaseModel):
    """Pages published as web services, by the name they were published under; empty: not published, not used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    item_card: str = Field(default="", description="Page 30: reorder point and safety stock of items")
    item_units: str = Field(default="", description="Page 5404: units of items")
    dimension_values: str = Field(default="", description="Page 537: makes and renames dimension values")
    item_journal: str = Field(default="", description="Page 40: stock issues, returns, adjustments and counts")
    item_reclassification: str = Field(default="", description="Page 393: stock transfers")
    purchase_order: str = Field(default="", description="Page 50: finds orders by Your Reference as well")

    @field_validator("*")
    @classmethod
    def _usable_name(cls, value: str) -> str:
        if value and not _SERVICE_NAME.fullmatch(value):
            raise ValueError("must be a service name as on page Web Services: letters, digits and _")
        return value


class BusinessCentralConfig(BaseModel):
    """One environment of one tenant, seen by one Entra application. Secrets come in resolved and stay masked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field("https://api.businesscentral.dynamics.com", description="Address of the service")
    tenant: str = Field(description="Entra tenant: id or domain", min_length=1)
    environment: str = Field("Production", description="Environment name", min_length=1)
    client_id: str = Field(description="Application (client) id of the Entra application", min_length=1)
    secret: SecretStr | None = Field(None, description="Client secret (its value, not its id)")
    certificate: str | None = Field(None, description="PEM or PFX file of the application's certificate, with its key")
    certificate_password: SecretStr | None = Field(None, description="Password of the certificate file")
    assertion_file: str | None = Field(None, description="File with a federated token, read anew for each sign-in")
    authority: str = Field(DEFAULT_AUTHORITY, description="Sign-in server; another one for simulators and clouds")
    ca: str | None = Field(None, description="PEM file of a certificate authority to trust besides the usual ones")
    companies: tuple[str, ...] = Field((), description="Company names; empty means all the application sees")
    batch_counts: Literal["each", "one"] = Field(
        "each", description="Whether each request of a batch counts against the limit; not documented (bc.md §7)"
    )
    posting: Literal["post", "save"] = Field(
        "post", description="post: journals and receipts are posted; save: they are left for a person to post"
    )
    documents_per_journal: int = Field(50, ge=1, le=50, description="Most documents of one journal")
    assigned_numbers: tuple[Numbered, ...] = Field(
        (), description="Entities whose numbers Business Central assigns: ours are not sent, records are told by name"
    )
    services: ServicesConfig = Field(default_factory=ServicesConfig, description="Pages published as web services")
    stock: Literal["journal_saved", "adjust", "custom_action"] = Field(
        "journal_saved",
        description="How stock moves: lines for a person to post, the inventory field, or `stock_action`",
    )
    item_journal: str = Field("ITEM/ISTHMUS", description="Item journal: TEMPLATE/BATCH of our own, existing")
    reclassification_journal: str = Field("RECLASS/ISTHMUS", description="The same of transfers")
    stock_action: str = Field(
        "", description="Address of the tenant's own action below the environment, for custom_action"
    )
    stock_parameter: str = Field(
        "", description="Parameter of the action that takes the line as JSON text; empty: the body"
    )
    warehouse_locations: tuple[str, ...] = Field(
        (), description="Locations that work with bins or warehouse documents: no stock is moved there"
    )
    sweep_hours: float = Field(
        24.0, gt=0, description="Hours between looks for deleted records, which reads everything"
    )
    page_size: int = Field(1000, ge=1, le=20000, description="Most records of one page")
    call_timeout: float = Field(600.0, gt=0, description="Seconds one call may take; the gateway ends it at 600")
    concurrency: int = Field(5, ge=1, le=5, description="Calls at once; the service allows 5 per application")
    quota: int = Field(6000, ge=1, description="Requests per 5 minutes; the service allows 6000 per application")
    patience: float = Field(60.0, ge=0, description="Longest wait in seconds for a pause the service asked for")

    @field_validator("url", "authority")
    @classmethod
    def _https(cls, value: str) -> str:
        if not value.startswith("https://"):
            raise ValueError("must start with https://")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> BusinessCentralConfig:
        given = [name for name in ("secret", "certificate", "assertion_file") if getattr(self, name)]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            raise ValueError(f"give exactly one of secret, certificate, assertion_file (given: {said})")
        return self

    @field_validator("item_journal", "reclassification_journal")
    @classmethod
    def _template_and_batch(cls, value: str) -> str:
        template, _, batch = value.strip().upper().partition("/")
        if not (0 < len(template) <= 10 and 0 < len(batch) <= 10) or "/" in batch:
            raise ValueError("must be TEMPLATE/BATCH, each 1 to 10 characters")
        return f"{template}/{batch}"

    @field_validator("warehouse_locations")
    @classmethod
    def _codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(code.strip().upper() for code in value)

    @field_validator("stock_action")
    @classmethod
    def _below_the_environment(cls, value: str) -> str:
        if "://" in value or value.startswith("/") or ".." in value:
            raise ValueError(
                "must be an address below the environment, e.g. api/contoso/stock/v1.0/companies({company_id})/…"
            )
        return value

    @model_validator(mode="after")
    def _an_action_to_call(self) -> BusinessCentralConfig:
        if self.stock == "custom_action" and not self.stock_action:
            raise ValueError("stock: custom_action needs stock_action")
        return self

    @property
    def environment_root(self) -> str:
        """Where everything of the environment lies (bc.md §2)."""
        return f"{self.url}/v2.0/{quote(self.tenant, safe='')}/{quote(self.environment, safe='')}"

    @property
    def root(self) -> str:
        """Service root of the standard APIs (bc.md §2)."""
        return f"{self.environment_root}/api/v2.0"

    @property
    def published_root(self) -> str:
        """Service root of published pages (bc.md §2)."""
        return f"{self.environment_root}/ODataV4"
