"""Settings of a Business Central connection."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from isthmus.connectors.dynamics._auth import DEFAULT_AUTHORITY

SCOPE = "https://api.businesscentral.dynamics.com/.default"


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
        "post", description="post: journals are posted; save: they are left in their journal for a person to post"
    )
    documents_per_journal: int = Field(50, ge=1, le=50, description="Most documents of one journal")
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

    @property
    def root(self) -> str:
        """Service root of the standard APIs (bc.md §2)."""
        return f"{self.url}/v2.0/{quote(self.tenant, safe='')}/{quote(self.environment, safe='')}/api/v2.0"
