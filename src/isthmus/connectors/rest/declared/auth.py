"""How the system knows who calls. Secrets are settings of the connection, never part of a profile."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from isthmus.connectors.rest.declared.base import Duration, Place, Proven, Template
from isthmus.connectors.rest.declared.calls import Call, Rooted

_FIVE_MINUTES = timedelta(minutes=5)


class NoAuth(Proven):
    """Nobody is asked."""

    kind: Literal["none"] = Field(description="Nobody is asked")


class BasicAuth(Proven):
    """HTTP Basic."""

    kind: Literal["basic"] = Field(description="HTTP Basic: settings `user` and `password`")


class HeaderKey(Proven):
    """A key in a header of its own."""

    kind: Literal["header"] = Field(description="A key in a header: setting `api_key`")
    header: str = Field(description="Name of the header")
    prefix: str = Field(default="", description="What stands before the key, with its blank")


class QueryKey(Proven):
    """A key in the address. It is never shown: addresses are told without their query."""

    kind: Literal["query"] = Field(description="A key in the address: setting `api_key`")
    parameter: str = Field(description="Name of the query parameter")


class BearerKey(Proven):
    """A fixed key as bearer token."""

    kind: Literal["bearer"] = Field(description="`Authorization: Bearer` with the setting `api_key`")


class _Token(Proven):
    token: Place = Field(default="access_token", description="Where the token stands in the answer")
    expires_in: Place | None = Field(default=None, description="Where its life in seconds stands")
    expires_at: Place | None = Field(default=None, description="Where the moment of its end stands (ISO, or seconds)")
    jwt: bool = Field(default=False, description="The token is a JWT; its `exp` says when it ends")
    lifetime: Duration | None = Field(
        default=None, description="Its life where the answer tells nothing; empty: until it is refused"
    )
    ahead: Duration = Field(default=_FIVE_MINUTES, description="How long before its end a new one is fetched")
    header: str = Field(default="Authorization", description="Header the token is sent in")
    prefix: str = Field(default="Bearer ", description="What stands before it, with its blank")


class OAuth2(_Token):
    """OAuth 2: client credentials, a refresh token, or user and password."""

    kind: Literal["oauth2"] = Field(description="OAuth 2: settings `client_id`, `client_secret`, `refresh_token` …")
    grant: Literal["client_credentials", "refresh_token", "password"] = Field(
        default="client_credentials", description="What the token is given for"
    )
    url: Rooted = Field(description="Address of the token endpoint: a path below `url`, or a whole address")
    form: Literal["form", "json"] = Field(default="form", description="How the request is written")
    basic: bool = Field(default=False, description="The client signs in by HTTP Basic instead of by fields")
    scope: str = Field(default="", description="Scope asked for")
    fields: dict[str, str] = Field(default={}, description="Further fields of the request, such as an audience")
    expires_in: Place | None = Field(default="expires_in", description="Where its life in seconds stands")
    refresh_token: Place = Field(
        default="refresh_token",
        description="Where a new refresh token stands; it is kept in memory and used from then on",
    )


class Login(_Token):
    """A sign-in call whose answer gives a session: a cookie, or a token for a header."""

    kind: Literal["login"] = Field(description="A sign-in call gives a session: settings `user` and `password`")
    path: Rooted = Field(description="Path of the sign-in call")
    method: Literal["POST", "GET", "PUT"] = Field(default="POST", description="Its method")
    form: Literal["form", "json"] = Field(default="json", description="How its body is written")
    body: dict[str, Template] = Field(default={"username": "{user}", "password": "{password}"}, description="Its body")
    cookie: str = Field(default="", description="Name of the cookie the session is sent in; empty: sent in `header`")
    token: Place = Field(
        default="", description="Where the session's token stands in the answer; empty: in the cookie it sets"
    )
    logout: Call | None = Field(default=None, description="Call that ends the session, made when the work is done")

    @model_validator(mode="after")
    def _somewhere(self) -> Login:
        if not self.token and not self.cookie:
            raise ValueError("says neither where the token stands (token) nor which cookie holds the session (cookie)")
        return self


Auth = Annotated[NoAuth | BasicAuth | HeaderKey | QueryKey | BearerKey | OAuth2 | Login, Field(discriminator="kind")]


def needed_settings(auth: Auth) -> tuple[str, ...]:
    """Settings a connection cannot sign in without."""
    if isinstance(auth, BasicAuth):
        return ("user", "password")
    if isinstance(auth, HeaderKey | QueryKey | BearerKey):
        return ("api_key",)
    if isinstance(auth, OAuth2):
        by_grant = {"client_credentials": ("client_id", "client_secret"), "refresh_token": ("refresh_token",)}
        return by_grant.get(auth.grant, ("user", "password"))
    if isinstance(auth, Login):
        return tuple(name for name in ("user", "password", "api_key") if f"{{{name}}}" in str(auth.body))
    return ()
