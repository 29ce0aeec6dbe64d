"""Access tokens of the sandbox: JWTs it signs itself, checked against the sandbox clock."""

from __future__ import annotations

from typing import Any

import jwt

from isthmus.sandbox.world import World

RESOURCE = "https://api.businesscentral.dynamics.com"
_ALGORITHM = "HS256"


def issue(world: World, client_id: str, audience: str) -> tuple[str, int]:
    """A token and the seconds it lives."""
    now = int(world.clock.seconds())
    lifetime = world.environment.switches.token_seconds
    world.calls.tokens += 1
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{world.tenant}/",
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
        "appid": client_id,
        "tid": world.tenant,
        "roles": ["API.ReadWrite.All"],
        # Two tokens of one second must differ, or revoking one would revoke both.
        "uti": str(world.environment.versions.next()),
    }
    return jwt.encode(claims, world.signing_key, algorithm=_ALGORITHM), lifetime


class TokenCheck:
    """Reads the bearer of a request. Remembers verified tokens, since every call brings the same one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, dict[str, Any]] = {}

    def client_id(self, token: str) -> str | None:
        """The application a valid token for Business Central stands for; None for any other token."""
        claims = self._known.get(token) or self._verify(token)
        world = self._world
        if claims is None or token in world.revoked or claims["exp"] <= world.clock.seconds():
            return None
        principal = world.principals.get(claims["appid"])
        registered = principal is not None and principal.registered
        return str(claims["appid"]) if registered and claims["aud"] == RESOURCE else None

    def _verify(self, token: str) -> dict[str, Any] | None:
        try:
            claims = jwt.decode(
                token,
                self._world.signing_key,
                algorithms=[_ALGORITHM],
                # Times are judged by the sandbox clock, the audience below.
                options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return None
        if len(self._known) > 1000:
            self._known.clear()
        self._known[token] = claims
        return dict(claims)
