"""What Alembic runs: all missing steps in the one transaction that the store has begun, so that a failed one leaves no trace."""

from __future__ import annotations

from alembic import context

from hooks.feedback.tables import METADATA


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,  # SQLite changes a table by making another
)
context.run_migrations()
