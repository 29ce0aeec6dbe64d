"""The tables of the ledger, and who it is: a random id, and epoch 1 (semantics.md §3)."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001_core"
down_revision = None
deploy = "pre"


def upgrade() -> None:
    script = Path(__file__).with_name("core.sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(script.replace("%", "%%"))
    op.execute("insert into meta (name, value) values ('ledger_id', gen_random_uuid()::text), ('epoch', '1')")
