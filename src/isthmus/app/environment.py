"""The fingerprint of each environment: a ledger made for one set of books must not be turned on another."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from isthmus.errors import IsthmusError
from isthmus.ledger import connections
from isthmus.model.finding import Finding
from isthmus.sync.world import World


async def verify(world: World, *, accept: Sequence[str] = ()) -> list[Finding]:
    """Compare each connection's environment with the one seen first; keep a new one, or one that is accepted.

    A connection that cannot be reached is left for its turns to report. Safe to repeat.
    """
    async with world.transaction() as db:
        known = {row.id: row.fingerprint for row in await connections.standing(db)}
    found = []
    for name, actor in world.actors.items():
        try:
            shown = msgspec.json.encode(dict(await actor.connector.fingerprint()), order="sorted").decode()
        except IsthmusError:
            continue
        before = known.get(name, "")
        if before == shown:
            continue
        if before and name not in accept:
            found.append(_changed(name, before, shown))
            continue
        async with world.transaction() as db:
            await connections.set_fingerprint(db, name, shown)
    return found


def _changed(name: str, before: str, shown: str) -> Finding:
    old, new = msgspec.json.decode(before), msgspec.json.decode(shown)
    parts = sorted(part for part in old.keys() | new.keys() if old.get(part) != new.get(part))
    return Finding(
        code="environment_changed",
        severity="error",
        text=f"connection {name!r} leads to other books than before: {', '.join(parts)} changed.",
        field=name,
        mend=f"If that is meant, run `isthmus check --accept {name}`; else correct the connection in isthmus.yaml.",
    )
