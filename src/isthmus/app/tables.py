"""Lookup tables as lenses see them: the project's rows, overlaid by what people changed in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from isthmus.ledger import lookups
from isthmus.ledger.types import Db
from isthmus.mapping.context import LensContext
from isthmus.mapping.tables import LookupTable
from isthmus.sync.world import Tables


class TableCache:
    """Lens contexts, made anew only when a lookup row changed."""

    def __init__(self, project_tables: Mapping[str, Mapping[str, str]]) -> None:
        self._project = project_tables
        self._digest = hashlib.sha256(msgspec.json.encode(project_tables, order="deterministic")).hexdigest()[:16]
        self._stamp: str | None = None
        self._tables = Tables(LensContext(), "")

    async def get(self, db: Db, scope: str) -> Tables:
        """Tables of a scope. Today all scopes share them."""
        del scope
        stamp = await lookups.stamp(db)
        if stamp != self._stamp:
            merged: dict[str, dict[str, str]] = {name: dict(rows) for name, rows in self._project.items()}
            for name, key, value in await lookups.rows(db):
                merged.setdefault(name, {})[key] = value
            tables = {name: LookupTable(name, rows) for name, rows in merged.items()}
            self._tables = Tables(LensContext(tables=tables), f"{self._digest}/{stamp}")
            self._stamp = stamp
        return self._tables
