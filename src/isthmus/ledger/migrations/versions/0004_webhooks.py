"""Webhook subscriptions and what hints name."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004_webhooks"
down_revision = "0003_keep_in_step"
deploy = "pre"


def upgrade() -> None:
    script = Path(__file__).with_name("webhooks.sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(script.replace("%", "%%"))
