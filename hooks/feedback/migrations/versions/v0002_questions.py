"""What a card asks, so that it is known again on another card."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the key; nobody knows it of older cards."""
    op.add_column("card", sa.Column("question", sa.Text()))
