"""The outgoing call of a webhook: one POST, signed when there is a secret."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.hooks import Delivery
    from isthmus.sandbox.cafm.kinds import Record


class Sender:
    """Posts to addresses of this machine. Made when first needed, because it belongs to a running loop."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def post(self, hook: Record, delivery: Delivery, seconds: float) -> int | None:
        """The status of the answer; None when there was none in time. Redirects are not followed."""
        if self._session is None:
            # Webhooks go to this machine alone, whose certificates nobody signs.
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=False))
        body = delivery.body()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Cafm-Webhook/1",
            "X-Cafm-Event": f"{delivery.entity}.{delivery.event}",
            "X-Cafm-Delivery": delivery.delivery_id,
        }
        if hook["secret"] is not None:
            headers["X-Cafm-Signature"] = signature(hook["secret"], body)
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.post(
                hook["url"], data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def signature(secret: str, body: bytes) -> str:
    """The header's value: hexadecimal HMAC-SHA256 of the body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
