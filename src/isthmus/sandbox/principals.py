"""Who may sign in, with what, and what Business Central lets them do."""

from __future__ import annotations

import msgspec

from isthmus.sandbox.business_central.environment import Rights

#: Permission sets by name. SUPER is not among them: it is not allowed for applications (bc.md section 3).
PERMISSION_SETS = {
    "D365 BUS FULL ACCESS": ("*:read", "*:write", "*:post"),
    "D365 READ": ("*:read",),
}
_RIGHTS = ("read", "write", "post")


class Principal(msgspec.Struct, forbid_unknown_fields=True):
    """An application: its registration in Entra ID and its card in Business Central."""

    client_id: str
    secret: str = ""
    #: ISO time after which the secret is refused; empty is never.
    secret_expires: str = ""
    #: PEM certificate that signs its client assertions.
    certificate: str = ""
    #: PEM public key of a federated issuer whose assertions stand for this application, with the subject they must
    #: have.
    federated_key: str = ""
    federated_subject: str = ""
    #: Names of PERMISSION_SETS, or `set:right` with right read, write, post or `*`; `*:read` for all sets.
    permissions: list[str] = msgspec.field(default_factory=lambda: ["D365 BUS FULL ACCESS"])
    #: False: unknown on page Microsoft Entra Applications, so that every call is 401.
    registered: bool = True


def rights(principal: Principal) -> Rights:
    """Raises ValueError for a permission that is none."""
    found: dict[str, set[str]] = {right: set() for right in _RIGHTS}
    for permission in principal.permissions:
        for rule in PERMISSION_SETS.get(permission, (permission,)):
            name, _, right = rule.partition(":")
            if right not in {*_RIGHTS, "*"} or permission == "SUPER":
                known = ", ".join(PERMISSION_SETS)
                raise ValueError(
                    f"permission {permission!r} of {principal.client_id}: use {known} or SET:read|write|post"
                )
            for one in _RIGHTS if right == "*" else (right,):
                found[one].add(name)
    return Rights(frozenset(found["read"]), frozenset(found["write"]), frozenset(found["post"]))
