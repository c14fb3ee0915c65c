"""The tables, as SQLAlchemy sees them; the migrations make them. Times are UTC, without a zone, in both databases."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import BigInteger, Column, DateTime, Dialect, Index, Integer, MetaData, Table, Text, TypeDecorator


NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself for INTEGER only."""

METADATA = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_name)s"},
)


class Utc(TypeDecorator[datetime]):
    """A moment; what goes in has a zone, and what comes out is in UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as SQLAlchemy calls it
        """As it is stored."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as SQLAlchemy calls it
        """As it is meant."""
        return None if value is None else value.replace(tzinfo=UTC)


CARD = Table(
    "card",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("card_key", Text, nullable=False),
    Column("patient_key", Text, nullable=False),
    Column("user_key", Text),
    Column("client", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("advice", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("indicator", Text, nullable=False),
    Column("knowledge", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("shown_at", Utc, nullable=False),
    Column("question", Text),
    Index(None, "card_key", unique=True),
    Index(None, "patient_key"),
    Index(None, "shown_at"),
)

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("card_key", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("accepted", Text),
    Column("reason_code", Text),
    Column("reason_system", Text),
    Column("reason_display", Text),
    Column("comment", Text),
    Column("extension", Text),
    Column("outcome_at", Utc, nullable=False),
    Column("received_at", Utc, nullable=False),
    Index(None, "digest", unique=True),
    Index(None, "card_key"),
    Index(None, "received_at"),
)
