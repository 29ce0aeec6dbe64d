"""The door systems knock at: its public address, and what proves that it is they who knock."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import quote

from isthmus.contract.webhooks import Wanted
from isthmus.sync.world import Actor


class Door:
    """Where systems reach this installation. Never shows its token, which is the secret part of every address.

    url    public address without a path of ours, no slash at the end; "" when there is none
    """

    __slots__ = ("_token", "url")

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._token = token

    def __repr__(self) -> str:
        return f"Door({self.url!r})"

    def address(self, connection: str) -> str:
        """The address a connection's system is given."""
        return f"{self.url}/hooks/{quote(connection)}/{self._token}"

    def at(self, url: str) -> Door:
        """The same door at another address."""
        return Door(url, self._token)

    def opens_with(self, token: str) -> bool:
        """Whether the caller knows the secret part of the address."""
        return hmac.compare_digest(self._token.encode(), token.encode())

    def wanted(self, actor: Actor) -> tuple[Wanted, ...]:
        """The sets a connection polls, each with the text its notifications have to carry."""
        sets = dict.fromkeys((spec.native, key.company) for key, spec in actor.streams.items())
        return tuple(
            Wanted(native=native, company=company, state=self._state(actor.id, native, company))
            for native, company in sets
        )

    def masked(self, text: str) -> str:
        """A text for people, without the token."""
        return text.replace(self._token, "…")

    def _state(self, connection: str, native: str, company: str) -> str:
        said = "\0".join((connection, native, company)).encode()
        digest = hmac.digest(self._token.encode(), said, "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
