"""Signing calls: keys that stay the same, tokens that are fetched, sessions that are opened and closed."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from isthmus.connectors._http.decode import NotJson, decode
from isthmus.connectors._http.session import HttpSession, Reply, Signer
from isthmus.connectors.rest.client import ready, written
from isthmus.connectors.rest.declared.auth import BasicAuth, BearerKey, HeaderKey, Login, NoAuth, OAuth2, QueryKey
from isthmus.connectors.rest.declared.base import Place
from isthmus.connectors.rest.declared.calls import Call
from isthmus.connectors.rest.moments import NotTime, time_form
from isthmus.connectors.rest.places import getter
from isthmus.connectors.rest.templates import encoded_query
from isthmus.contract.clock import Clock
from isthmus.contract.connector import Traffic
from isthmus.errors import ConfigurationError, Retry, SignInFailed

#: field of a token request -> setting it cannot do without, by grant
_NEEDED: Mapping[str, Mapping[str, str]] = {
    "client_credentials": {"client_id": "client_id", "client_secret": "client_secret"},
    "refresh_token": {"refresh_token": "refresh_token"},
    "password": {"username": "user", "password": "password"},
}


class Credentials(Protocol):
    """What a connection's settings hold; a secret that is missing is a ConfigurationError."""

    def secret(self, name: str) -> str: ...

    def names(self) -> Mapping[str, Any]:
        """Everything that is given, for templates of the sign-in."""
        ...


class FixedHeader:
    """The same header in every call."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    async def sign(self, url: str, headers: dict[str, str], rejected: str | None = None) -> tuple[str, str]:
        del rejected
        headers[self._name] = self._value
        return url, ""


class FixedParameter:
    """The same query parameter in every call."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    async def sign(self, url: str, headers: dict[str, str], rejected: str | None = None) -> tuple[str, str]:
        del headers, rejected
        return f"{url}{'&' if '?' in url else '?'}{encoded_query([(self._name, self._value)])}", ""


def fixed_signer(
    auth: NoAuth | BasicAuth | HeaderKey | QueryKey | BearerKey, credentials: Credentials
) -> Signer | None:
    """The signer of a key that stays the same; None where nobody is asked."""
    if isinstance(auth, NoAuth):
        return None
    if isinstance(auth, BasicAuth):
        return FixedHeader("Authorization", _basic(credentials.secret("user"), credentials.secret("password")))
    key = credentials.secret("api_key")
    if isinstance(auth, HeaderKey):
        return FixedHeader(auth.header, auth.prefix + key)
    if isinstance(auth, QueryKey):
        return FixedParameter(auth.parameter, key)
    return FixedHeader("Authorization", f"Bearer {key}")


class TokenSigner:
    """A token or session that is fetched when it is first needed, renewed before it ends and after a refusal.

    One request for all calls that wait for it. `session` must not sign. Raises SignInFailed when the system refuses,
    Retry or Unreachable when it cannot answer.
    """

    def __init__(
        self, auth: OAuth2 | Login, credentials: Credentials, *, base: str, session: HttpSession, clock: Clock,
        traffic: Traffic, title: str,
    ) -> None:  # fmt: skip
        self._auth = auth
        self._credentials = credentials
        self._base = base
        self._session = session
        self._clock = clock
        self._traffic = traffic
        self._title = title
        self._flight = asyncio.Lock()
        self._token = ""
        self._ends: datetime | None = None
        self._refresh = str(credentials.names().get("refresh_token", ""))

    async def sign(self, url: str, headers: dict[str, str], rejected: str | None = None) -> tuple[str, str]:
        """The token goes into its header or cookie."""
        async with self._flight:
            over = self._ends is not None and self._clock.now() >= self._ends
            if not self._token or over or self._token == rejected:
                await self._fetch()
            self._put(headers)
            return url, self._token

    async def close(self) -> None:
        """End the session where the profile says how. A failure is nothing: it ends by itself in time."""
        if not isinstance(self._auth, Login) or self._auth.logout is None or not self._token:
            return
        call = ready(self._auth.logout)
        headers: dict[str, str] = {}
        self._put(headers)
        names = self._credentials.names()
        body = written(call.content(names), call.form, headers)
        self._token = ""
        try:
            await self._session.call(call.method, self._whole(call.address(names)), headers=headers, body=body)
        except Retry:
            return

    def _put(self, headers: dict[str, str]) -> None:
        auth = self._auth
        if isinstance(auth, Login) and auth.cookie:
            headers["Cookie"] = f"{auth.cookie}={self._token}"
        else:
            headers[auth.header] = auth.prefix + self._token

    async def _fetch(self) -> None:
        self._traffic.token_requests += 1
        headers = {"Accept": "application/json"}
        url, method, content, form = self._request(headers)
        body = written(content, form, headers) if method != "GET" else None
        reply = await self._session.call(method, url, headers=headers, body=body)
        answer = self._answer(reply)
        token = self._token_of(reply, answer)
        if not token or any(character.isspace() for character in token):
            raise Retry(f"the sign-in of {self._title} gave no token.", code="sign_in_unavailable")
        self._token = token
        life = self._life(answer, token)
        # A token shorter than twice the margin is used for half its life instead of being fetched for each call.
        self._ends = None if life is None else self._clock.now() + max(life - self._auth.ahead, life / 2)

    def _request(self, headers: dict[str, str]) -> tuple[str, str, dict[str, Any], str]:
        names, auth = {**self._credentials.names(), "refresh_token": self._refresh}, self._auth
        if isinstance(auth, Login):
            call = ready(Call(method=auth.method, path=auth.path, body=auth.body, form=auth.form))
            for name in ("user", "password"):
                if f"{{{name}}}" in str(auth.body):
                    self._credentials.secret(name)
            return self._whole(call.address(names)), auth.method, call.content(names), auth.form
        fields: dict[str, Any] = {"grant_type": auth.grant}
        if auth.basic:
            secret = self._credentials.secret
            headers["Authorization"] = _basic(secret("client_id"), secret("client_secret"))
        else:  # by name, never by value: a secret may look like a template
            fields |= {"client_id": "{client_id}", "client_secret": "{client_secret}"}
        for field, name in _NEEDED[auth.grant].items():
            if not (name == "refresh_token" and self._refresh):
                self._credentials.secret(name)
            if not (auth.basic and field in {"client_id", "client_secret"}):
                fields.setdefault(field, f"{{{name}}}")
        if auth.scope:
            fields["scope"] = auth.scope
        call = ready(Call(method="POST", path=auth.url, body={**fields, **auth.fields}, form=auth.form))
        return self._whole(call.address(names)), "POST", call.content(names), auth.form

    def _whole(self, address: str) -> str:
        return address if address.startswith(("http://", "https://")) else self._base.rstrip("/") + address

    def _answer(self, reply: Reply) -> Any:
        if reply.status == 429 or reply.status >= 500:
            wait = reply.retry_after(self._clock.now())
            raise Retry(f"the sign-in of {self._title} is busy.", code="sign_in_unavailable", after=wait)
        if reply.status >= 300:
            raise SignInFailed(
                f"{self._title} refuses the sign-in ({reply.status}).",
                code="sign_in_refused",
                hint="Check user and password, or client and secret, of the connection.",
            )
        try:
            return decode(reply.body) if reply.body.strip() else None
        except NotJson:
            return None

    def _token_of(self, reply: Reply, answer: Any) -> str:
        auth = self._auth
        if isinstance(auth, OAuth2):
            renewed = getter(auth.refresh_token)(answer)
            if isinstance(renewed, str) and renewed:
                self._refresh = renewed
        if auth.token:
            found = getter(auth.token)(answer)
            return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
        return reply.cookies.get(auth.cookie, "") if isinstance(auth, Login) else ""

    def _life(self, answer: Any, token: str) -> timedelta | None:
        auth, now = self._auth, self._clock.now()
        seconds = _number(answer, auth.expires_in)
        if seconds is not None:
            return timedelta(seconds=max(1, seconds))
        if auth.expires_at is not None and (ends := _moment(getter(auth.expires_at)(answer))) is not None:
            return max(ends - now, timedelta(seconds=1))
        if auth.jwt and (ends := _jwt_end(token)) is not None:
            return max(ends - now, timedelta(seconds=1))
        return auth.lifetime


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _number(answer: Any, place: Place | None) -> int | None:
    found = getter(place)(answer) if place is not None else None
    if isinstance(found, str) and found.isdigit():
        return int(found)
    return int(found) if isinstance(found, int | Decimal) and not isinstance(found, bool) else None


def _moment(value: Any) -> datetime | None:
    for form in ("unix_seconds", "iso"):
        try:
            return time_form(form, "UTC").read(value)
        except NotTime:
            continue
    return None


def _jwt_end(token: str) -> datetime | None:
    """The `exp` of a JWT. Its signature is the system's business: it only says when to fetch another."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, NotJson):
        return None
    ends = claims.get("exp") if isinstance(claims, dict) else None
    if isinstance(ends, bool) or not isinstance(ends, int | Decimal):
        return None
    return datetime.fromtimestamp(int(ends), UTC)


class SettingsCredentials:
    """Credentials out of resolved settings. The only place that reveals them."""

    def __init__(self, values: Mapping[str, str | None], parameters: Mapping[str, str], profile: str) -> None:
        self._values = {name: value for name, value in values.items() if value}
        self._parameters = parameters
        self._profile = profile

    def secret(self, name: str) -> str:
        """One of them. Raises ConfigurationError when the connection does not have it."""
        if not (value := self._values.get(name)):
            raise ConfigurationError(
                f"the profile {self._profile} signs in with {name}, and the connection has none.",
                code="sign_in_setting",
                hint=f"Write {name}: env:NAME or file:PATH into the connection.",
            )
        return value

    def names(self) -> Mapping[str, Any]:
        return {**self._values, "parameters": self._parameters}

    def __repr__(self) -> str:
        return f"SettingsCredentials({', '.join(self._values)})"
