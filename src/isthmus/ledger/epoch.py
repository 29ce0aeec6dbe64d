"""Who this ledger is, and how often it has been restored (semantics.md §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from isthmus.errors import ConfigurationError
from isthmus.ledger.database import SCHEMA, storage_errors

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """`number` counts from 1, one more with every restore; `restored_at` (aware UTC) is None until the first one.

    A message whose own epoch is smaller was decided before the restore: look it up before it is sent.
    """

    ledger_id: str
    number: int
    restored_at: datetime | None


def read_epoch(connection: psycopg.Connection[Any]) -> Epoch:
    """The epoch of a migrated ledger.

    Raises:
        ConfigurationError: It has none, so it is no ledger of ours.
        StorageFailed: The database does not answer.
    """
    with storage_errors():
        meta = dict(connection.execute(f"select name, value from {SCHEMA}.meta").fetchall())
    try:
        number = int(meta["epoch"])
        ledger_id = str(meta["ledger_id"])
    except (KeyError, ValueError):
        raise ConfigurationError(
            "This ledger does not say who it is (meta: epoch, ledger_id).", hint="Restore a backup."
        ) from None
    restored_at = datetime.fromisoformat(meta["restored_at"]) if "restored_at" in meta else None
    return Epoch(ledger_id=ledger_id, number=number, restored_at=restored_at)
