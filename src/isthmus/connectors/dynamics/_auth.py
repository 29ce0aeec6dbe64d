"""Sign-in to Microsoft Entra ID by client credentials: one token request per lifetime, shared by all calls.

azure-identity does the protocol; it is imported when the first token is needed, because it is slow to import.
Facts: bc.md §3.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from isthmus.contract.clock import Clock
from isthmus.contract.connector import Traffic
from isthmus.errors import ConfigurationError, IsthmusError, Retry, SignInFailed, Unreachable

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.exceptions import ClientAuthenticationError

DEFAULT_AUTHORITY = "https://login.microsoftonline.com"
#: A token is renewed this long before its end, so that no call leaves with one that ends on the way.
_AHEAD = timedelta(minutes=5)
_AADSTS = re.compile(r"AADSTS(\d+)")


class Masked:
    """A secret that does not show in repr, str, logs or tracebacks."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "Masked(****)"

    __str__ = __repr__


class _Credential(Protocol):
    async def get_token(self, *scopes: str) -> AccessToken: ...

    async def close(self) -> None: ...


class EntraSignIn:
    """Tokens of one application in one tenant for one scope.

    Exactly one of `secret`, `certificate` (path of PEM or PFX) and `assertion` (path of a file with a federated token,
    read anew each time) is given. Raises SignInFailed when Entra refuses, Unreachable or Retry when it cannot answer.
    """

    def __init__(
        self,
        *,
        tenant: str,
        client_id: str,
        scope: str,
        clock: Clock,
        traffic: Traffic,
        secret: Masked | None = None,
        certificate: str | None = None,
        certificate_password: Masked | None = None,
        assertion: str | None = None,
        authority: str = DEFAULT_AUTHORITY,
        ca: str | None = None,
    ) -> None:
        self._tenant = tenant
        self._client_id = client_id
        self._scope = scope
        self._clock = clock
        self._traffic = traffic
        self._secret = secret
        self._certificate = certificate
        self._certificate_password = certificate_password
        self._assertion = assertion
        self._authority = authority.rstrip("/")
        self._ca = ca
        self._flight = asyncio.Lock()
        self._header = ""
        self._ends: datetime | None = None

    async def header(self, rejected: str | None = None) -> str:
        """The authorization header. A new token is fetched when `rejected` is the present one or it ends soon."""
        async with self._flight:
            fresh = self._ends is not None and self._clock.now() < self._ends
            if fresh and self._header != rejected:
                return self._header
            token, lifetime = await self._fetch()
            self._header = f"Bearer {token}"
            # A token shorter than twice the margin is used for half its life instead of being fetched for each call.
            self._ends = self._clock.now() + max(lifetime - _AHEAD, lifetime / 2)
            return self._header

    async def _fetch(self) -> tuple[str, timedelta]:
        from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError  # noqa: PLC0415

        self._traffic.token_requests += 1
        credential = self._credential()
        try:
            token = await credential.get_token(self._scope)
        except ClientAuthenticationError as error:
            raise self._refusal(error) from None
        except ServiceRequestError:
            text = f"cannot reach the sign-in server {self._authority}."
            raise Unreachable(text, code="sign_in_unreachable") from None
        except AzureError as error:
            raise Retry(
                f"the sign-in server {self._authority} gave no usable answer ({type(error).__name__}).",
                code="sign_in_unavailable",
            ) from None
        finally:
            await credential.close()
        # expires_on follows the machine's clock; only the length matters, counted on by our own clock.
        return token.token, timedelta(seconds=max(1.0, token.expires_on - time.time()))

    def _credential(self) -> _Credential:
        """A new credential for each request: azure-identity would else answer a forced refresh from its cache."""
        from azure.identity import aio  # noqa: PLC0415

        # Its own retries would sleep outside our clock and hide throttling.
        options = {"authority": self._authority, "retry_total": 0, "disable_instance_discovery": self._own_authority}
        if self._ca and self._own_authority:
            options["connection_verify"] = self._ca
        try:
            if self._certificate:
                password = self._certificate_password.reveal() if self._certificate_password else None
                return aio.CertificateCredential(
                    self._tenant, self._client_id, self._certificate, password=password, **options
                )
            if self._assertion:
                return aio.ClientAssertionCredential(self._tenant, self._client_id, self._read_assertion, **options)
            if self._secret is not None:
                return aio.ClientSecretCredential(self._tenant, self._client_id, self._secret.reveal(), **options)
        except (ValueError, OSError) as error:
            raise ConfigurationError(
                f"the sign-in settings of application {self._client_id} cannot work ({type(error).__name__}).",
                hint="Check `tenant`, `client_id`, `authority` and the certificate (PEM or PFX, RSA key).",
            ) from None
        raise ConfigurationError("no way to sign in is given.", hint="Give secret, certificate or assertion_file.")

    @property
    def _own_authority(self) -> bool:
        return self._authority != DEFAULT_AUTHORITY

    def _read_assertion(self) -> str:
        try:
            return Path(self._assertion or "").read_text(encoding="utf-8").strip()
        except OSError:
            raise ConfigurationError(
                f"the federated token file {self._assertion!r} cannot be read.",
                hint="Mend `assertion_file` of the connection.",
            ) from None

    def _refusal(self, error: ClientAuthenticationError) -> IsthmusError:
        found = _AADSTS.search(str(error.message))
        code = found.group(1) if found else ""
        status = (error.response.status_code if error.response is not None else None) or 400
        if code in _TRANSIENT or (not code and (status == 429 or status >= 500)):
            return Retry("the sign-in server is busy.", code=f"AADSTS{code}" if code else "sign_in_unavailable")
        says, hint = _REFUSALS.get(code, _UNKNOWN)
        values = {"client": self._client_id, "tenant": self._tenant}
        return SignInFailed(
            says.format_map(values), code=f"AADSTS{code}" if code else "sign_in", hint=hint.format_map(values)
        )


_TRANSIENT = frozenset({"90033", "90006", "50196"})
_UNKNOWN = (
    "Microsoft Entra ID refuses to sign in application {client} of tenant {tenant}.",
    "Look the code up in the sign-in logs of the tenant.",
)
#: Entra's code -> what is wrong, where to mend it. Codes, never texts: texts change with language.
_REFUSALS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "7000215": (
            "the client secret of application {client} is wrong.",
            "Put the secret's VALUE (not its ID) into the setting `secret` of the connection; a new one is made under "
            "App registrations > Certificates & secrets.",
        ),
        "7000222": (
            "the client secret of application {client} has expired.",
            "Make a new one under App registrations > Certificates & secrets and put it into the setting `secret`.",
        ),
        "700016": (
            "application {client} is not known in tenant {tenant}.",
            "Check the settings `client_id` and `tenant`; the application must be registered or consented there.",
        ),
        "90002": ("tenant {tenant} does not exist.", "Check the setting `tenant`."),
        "900023": ("{tenant} is not a tenant name or id.", "Check the setting `tenant`."),
        "7000112": ("application {client} is disabled.", "Enable it under Enterprise applications."),
        "65001": (
            "nobody has consented to the permissions of application {client}.",
            "An administrator grants consent under App registrations > API permissions.",
        ),
        "501051": (
            "application {client} is not assigned to the role it asks for.",
            "Assign the application permission API.ReadWrite.All and grant admin consent.",
        ),
        "500011": (
            "the service asked for is not known in tenant {tenant}.",
            "The tenant needs a licence of the product; check `tenant` as well.",
        ),
        "700027": (
            "the certificate of application {client} is not registered with it.",
            "Upload it under App registrations > Certificates & secrets, or mend the setting `certificate`.",
        ),
        "70021": (
            "no federated credential of application {client} matches the token.",
            "Compare issuer, subject and audience under App registrations > Federated credentials.",
        ),
        "700213": (
            "no federated credential of application {client} matches the token's subject.",
            "Compare the subject under App registrations > Federated credentials.",
        ),
        "53003": (
            "a conditional access policy blocks application {client}.",
            "Exclude the workload identity from the policy, or let it come from an allowed address.",
        ),
    }
)
