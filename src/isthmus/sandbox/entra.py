"""The token endpoint of Entra ID for client credentials: secret, certificate or federated assertion, with its real
error codes.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from isthmus.sandbox.clock import stamp
from isthmus.sandbox.principals import Principal
from isthmus.sandbox.tokens import issue
from isthmus.sandbox.wire import Response
from isthmus.sandbox.world import World

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS = ["RS256", "PS256"]


class SignInError(Exception):
    """A refusal with its AADSTS code, OAuth error and HTTP status."""

    def __init__(self, number: int, error: str, status: int, text: str) -> None:
        super().__init__(text)
        self.number, self.error, self.status, self.text = number, error, status, text


def token(world: World, tenant: str, origin: str, form: Mapping[str, str]) -> Response:
    """Answer `POST /{tenant}/oauth2/v2.0/token`."""
    try:
        _check_tenant(world, tenant)
        _check_grant(form)
        principal = _principal(world, form)
        audience = _audience(form.get("scope", ""))
        _check_credential(world, principal, form, f"{origin}/{tenant}")
    except SignInError as refused:
        return _refusal(world, refused)
    access_token, lifetime = issue(world, principal.client_id, audience)
    world.touched = True
    body = {
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": access_token,
    }
    return Response(200, body, {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"})


def _check_grant(form: Mapping[str, str]) -> None:
    if form.get("grant_type") != "client_credentials":
        raise SignInError(70003, "unsupported_grant_type", 400, "The app requested an unsupported grant type.")


def _check_tenant(world: World, tenant: str) -> None:
    if tenant not in {world.tenant, *world.tenant_names}:
        text = (
            f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
            "correct cloud."
        )
        raise SignInError(90002, "invalid_request", 400, text)


def _principal(world: World, form: Mapping[str, str]) -> Principal:
    client_id = form.get("client_id", "")
    if not client_id:
        text = "The request body must contain the following parameter: 'client_id'."
        raise SignInError(900144, "invalid_request", 400, text)
    principal = world.principals.get(client_id.lower())
    if principal is None:
        text = (
            f"Application with identifier '{client_id}' was not found in the directory '{world.tenant}'. This can "
            "happen if the application has not been installed by the administrator of the tenant."
        )
        raise SignInError(700016, "unauthorized_client", 400, text)
    return principal


def _audience(scope: str) -> str:
    """The resource a scope asks for: one resource with the suffix /.default."""
    if not scope:
        text = "The request body must contain the following parameter: 'scope'."
        raise SignInError(900144, "invalid_request", 400, text)
    scopes = [one for one in scope.split() if one not in {"openid", "profile", "offline_access"}]
    if len(scopes) != 1 or "://" not in scopes[0]:
        text = f"The provided request must include a 'scope' input parameter. The scope {scope} is not valid."
        raise SignInError(70011, "invalid_scope", 400, text)
    if not scopes[0].endswith("/.default"):
        text = (
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI)."
        )
        raise SignInError(1002012, "invalid_scope", 400, text)
    return scopes[0].removesuffix("/.default").rstrip("/")


def _check_credential(world: World, principal: Principal, form: Mapping[str, str], authority: str) -> None:
    if form.get("client_assertion_type") == _ASSERTION_TYPE:
        _check_assertion(principal, form.get("client_assertion", ""), authority)
        return
    secret = form.get("client_secret", "")
    if not secret:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise SignInError(7000218, "invalid_client", 401, text)
    if secret != principal.secret:
        text = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
            f"not the client secret ID, for a secret added to app '{principal.client_id}'."
        )
        raise SignInError(7000215, "invalid_client", 401, text)
    if principal.secret_expires and world.clock.now() >= datetime.fromisoformat(principal.secret_expires):
        text = f"The provided client secret keys for app '{principal.client_id}' are expired."
        raise SignInError(7000222, "invalid_client", 401, text)


def _check_assertion(principal: Principal, assertion: str, authority: str) -> None:
    """A JWT signed by the registered certificate, or by a federated issuer for its subject."""
    try:
        if principal.certificate:
            public = _rsa(load_pem_x509_certificate(principal.certificate.encode()).public_key())
            accepted = [f"{authority}/oauth2/v2.0/token", authority, f"{authority}/v2.0"]
            claims = jwt.decode(assertion, public, algorithms=_ALGORITHMS, audience=accepted)
            if claims.get("iss") == claims.get("sub") == principal.client_id:
                return
        if principal.federated_key:
            key = _rsa(load_pem_public_key(principal.federated_key.encode()))
            claims = jwt.decode(assertion, key, algorithms=_ALGORITHMS, audience="api://AzureADTokenExchange")
            if claims.get("sub") == principal.federated_subject:
                return
    except jwt.InvalidTokenError as error:
        reason = str(error)
    else:
        reason = "The key was not found."
    text = f"Client assertion failed signature validation or its claims are wrong. [Reason - {reason}]"
    raise SignInError(700027, "invalid_client", 401, text)


def _rsa(key: object) -> RSAPublicKey:
    if not isinstance(key, RSAPublicKey):
        raise jwt.InvalidKeyError("only RSA keys are registered here")
    return key


def _refusal(world: World, refused: SignInError) -> Response:
    moment = stamp(world.clock.now())
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    seconds = f"{moment[:10]} {moment[11:19]}Z"
    body: dict[str, Any] = {
        "error": refused.error,
        "error_description": (
            f"AADSTS{refused.number}: {refused.text} Trace ID: {trace} Correlation ID: {correlation} "
            f"Timestamp: {seconds}"
        ),
        "error_codes": [refused.number],
        "timestamp": seconds,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={refused.number}",
    }
    return Response(refused.status, body, {"content-type": "application/json; charset=utf-8"})


def discovery(world: World, tenant: str, origin: str) -> Response:
    """The OpenID configuration of the tenant."""
    try:
        _check_tenant(world, tenant)
    except SignInError as refused:
        return _refusal(world, refused)
    authority = f"{origin}/{tenant}"
    body = {
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{authority}/discovery/v2.0/keys",
        "issuer": f"{authority}/v2.0",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_types_supported": ["code", "id_token", "token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "tenant_region_scope": None,
    }
    return Response(200, body, {"content-type": "application/json; charset=utf-8"})


def instances(world: World, origin: str) -> Response:
    """Instance discovery: this host is an authority of its own."""
    host = origin.partition("://")[2]
    body = {
        "tenant_discovery_endpoint": f"{origin}/{world.tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
    return Response(200, body, {"content-type": "application/json; charset=utf-8"})
