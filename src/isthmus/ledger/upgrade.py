"""From one PostgreSQL major to the next: the data folder of an older one cannot be read by a newer server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isthmus.errors import StorageFailed
from isthmus.ledger.binaries import MAJOR

if TYPE_CHECKING:
    from pathlib import Path

    from isthmus.ledger.account import Account


def upgrade_cluster(home: Path, data: Path, account: Account, major: int) -> None:
    """Bring `data` from PostgreSQL `major` to ours."""
    raise StorageFailed(f"{data} was written by PostgreSQL {major}; this version of Isthmus runs {MAJOR}.")
