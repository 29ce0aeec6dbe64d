"""API keys: who calls, what it may do, and until when (docs/cafm-api.md, sections Addresses and Errors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

#: The key of a seed that names none.
DEFAULT_KEY = "cafm-sandbox-key"
_RIGHTS = ("read", "write")


class Key(msgspec.Struct, forbid_unknown_fields=True):
    """One API key. `expires_at` is an ISO time with offset, empty for never; `expired` refuses it at once."""

    name: str = "isthmus"
    key: str = DEFAULT_KEY
    permissions: list[str] = msgspec.field(default_factory=lambda: ["*:read", "*:write", "webhooks:write"])
    expires_at: str = ""
    expired: bool = False

    def may(self, entity: str, right: str) -> bool:
        """Whether it may read or write an entity. Webhooks are not among `*`: they need their own permission."""
        if entity == "webhooks":
            return "webhooks:write" in self.permissions
        return bool({f"{entity}:{right}", f"*:{right}"} & set(self.permissions))

    def check(self) -> None:
        """Raises ValueError for a permission that is none."""
        for permission in self.permissions:
            entity, _, right = permission.partition(":")
            if not entity or right not in _RIGHTS:
                raise ValueError(f"key {self.name!r}: permission {permission!r} is not ENTITY:read or ENTITY:write")


def first_key(seed: Mapping[str, Any]) -> str:
    """The key a client of a seeded CAFM signs in with: the first of the seed."""
    keys = seed.get("keys") or [{}]
    return str(keys[0].get("key", DEFAULT_KEY))
