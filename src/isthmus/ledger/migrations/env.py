"""What Alembic executes: the pending versions, all in the one transaction of the connection it is given."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=None, version_table_schema=context.config.attributes["schema"])
with context.begin_transaction():
    context.run_migrations()
