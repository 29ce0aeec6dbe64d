"""Settings of a connection to a REST system. What the system is like stands in its profile."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{value!r} must be an address such as https://cafm.example.com/api/v1")
    if parts.query or parts.fragment:
        raise ValueError(f"{value!r} must end with its path: parameters belong into the profile")
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]


class RestConfig(BaseModel):
    """One environment of a system that a profile describes. Which secrets it needs is said by the `auth` there."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    profile: str = Field(description="Name of a profile that comes along, or path of one's own", min_length=1)
    url: Address | None = Field(None, description="Address all paths begin at; empty: as the profile says")
    api_key: SecretStr | None = Field(None, description="Key, for systems that give one")
    user: str | None = Field(None, description="User, for systems that have users sign in")
    password: SecretStr | None = Field(None, description="The user's password")
    client_id: str | None = Field(None, description="Client id of OAuth 2")
    client_secret: SecretStr | None = Field(None, description="Client secret of OAuth 2")
    refresh_token: SecretStr | None = Field(None, description="Refresh token of OAuth 2 to begin with")
    parameters: dict[str, str] = Field({}, description="What the profile asks for besides, by name")
    company: str = Field("", description="Company of a system that has several")
    time_zone: str = Field("UTC", description="Not written as such: the `time_zone` of the connection")
    ca: str | None = Field(None, description="PEM file of a certificate authority to trust besides the usual ones")
    page_size: int | None = Field(None, ge=1, le=5000, description="Most records of a page; empty: as the profile says")
    requests: int | None = Field(None, ge=1, description="Calls in a window; empty: as the profile says")
    concurrency: int | None = Field(None, ge=1, le=100, description="Calls at once; empty: as the profile says")
    call_timeout: float | None = Field(
        None, gt=0, le=3600, description="Seconds one call may take; empty: as the profile says"
    )
    patience: float = Field(60.0, ge=0, le=3600, description="Longest wait in seconds for a pause the system asked for")
