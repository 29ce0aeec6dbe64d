"""Records that are kept in step with several systems: what was agreed with each, what hangs on what."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003_keep_in_step"
down_revision = "0002_engine"
deploy = "pre"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_name("keep_in_step.sql").read_text(encoding="utf-8"))
