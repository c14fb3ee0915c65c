"""The store: cards shown and feedback in SQLite or PostgreSQL. What it has taken is on disk."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from msgspec.structs import asdict
from sqlalchemy import Connection, create_engine, delete, event, false, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from hooks.feedback.config import FeedbackError
from hooks.feedback.entries import Event, Firing, Report
from hooks.feedback.tables import CARD, FEEDBACK


_PATIENCE_S = 2
_OUR_LOCK = 0x0B12
"""PostgreSQL gives it to one process at a time."""
_SETTINGS: dict[str, dict[str, Any]] = {
    "sqlite": {"timeout": _PATIENCE_S},
    "postgresql": {
        "connect_timeout": _PATIENCE_S,
        "tcp_user_timeout": _PATIENCE_S * 1000,
        "options": f"-c lock_timeout={_PATIENCE_S}s",
    },
}
_REPORT = [(CARD if name in ("question", "user_key") else FEEDBACK, name) for name in Report.__struct_fields__]
_MIGRATIONS = Path(__file__).parent / "migrations"


class StoreError(FeedbackError):
    """The store cannot be reached, or refuses. `kind` names the failure and is fit for a log; the text is for the operator."""

    def __init__(self, error: Exception) -> None:
        """Keep what the database itself says, without the statement and its values."""
        cause = getattr(error, "orig", None) or error
        self.kind = type(cause).__name__
        super().__init__(str(cause).strip().partition("\n")[0])


class Purged(NamedTuple):
    """How many were deleted."""

    cards: int
    events: int


class Store:
    """One database. Threads may share it; a process calls `close` before it forks."""

    def __init__(self, url: str) -> None:
        """Nothing is opened yet. `url`: as `store_url` gives it. Raises StoreError for a wrong form, or no driver."""
        self._kind = url.partition(":")[0].partition("+")[0]
        try:
            self._engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=_SETTINGS[self._kind])
        except (SQLAlchemyError, ImportError) as error:
            raise StoreError(error) from None
        self._insert = sqlite.insert if self._kind == "sqlite" else postgresql.insert
        self._migrated, self._migrating = False, Lock()
        if self._kind == "sqlite":
            event.listen(self._engine, "connect", _set_up)
            event.listen(self._engine, "begin", _begin)

    def migrate(self) -> None:
        """Bring the tables to what this software needs; of many processes that ask, one does it. Raises StoreError."""
        with self._migrating:
            if self._migrated:
                return
            with _told(), self._engine.begin() as connection:
                if self._kind == "postgresql":
                    connection.execute(select(func.pg_advisory_xact_lock(_OUR_LOCK)))
                scripts = Config(attributes={"connection": connection})
                scripts.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
                command.upgrade(scripts, "head")
            self._migrated = True

    def add(self, entries: Sequence[Firing] | Sequence[Event]) -> None:
        """Store all of them, which are of one kind, or none. What is there already stays as it is. Raises StoreError."""
        if not entries:
            return
        table = CARD if isinstance(entries[0], Firing) else FEEDBACK
        with self._open() as connection, connection.begin():
            connection.execute(self._insert(table).on_conflict_do_nothing(), [asdict(entry) for entry in entries])

    def reports(self, since: datetime) -> list[Report]:
        """What was reported since then on cards that a user was shown. Raises StoreError."""
        wanted = select(*(table.c[name] for table, name in _REPORT)).join(CARD, CARD.c.card_key == FEEDBACK.c.card_key)
        known = wanted.where(FEEDBACK.c.received_at >= since, CARD.c.question.is_not(None), CARD.c.user_key.is_not(None))
        with self.reading() as connection:
            return [Report(*row) for row in connection.execute(known)]

    def purge(self, before: datetime) -> Purged:
        """Delete the cards shown before a moment with all that was said of them, and older feedback. Raises StoreError."""
        old = select(CARD.c.card_key).where(CARD.c.shown_at < before)
        with self._open() as connection:
            with connection.begin():
                aged = or_(FEEDBACK.c.received_at < before, FEEDBACK.c.card_key.in_(old))
                events = connection.execute(delete(FEEDBACK).where(aged)).rowcount
                cards = connection.execute(delete(CARD).where(CARD.c.shown_at < before)).rowcount
            if self._kind == "sqlite":  # what was deleted stands in the write-ahead log until it is folded in
                connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Purged(cards, events)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection on which the store stands still while others go on writing. Raises StoreError."""
        with self._open() as connection:
            reading = (
                connection.execution_options(isolation_level="REPEATABLE READ") if self._kind == "postgresql" else connection
            )
            with reading.execution_options(writes=False).begin():
                yield reading

    def check(self) -> None:
        """Raises StoreError where nothing could be stored now. It deletes nothing: what may only be read refuses that, too."""
        with self._open() as connection, connection.begin():
            connection.execute(delete(FEEDBACK).where(false()))

    def close(self) -> None:
        """Give up all connections; they open again when they are needed."""
        self._engine.dispose()

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        self.migrate()
        with _told(), self._engine.connect() as connection:
            yield connection


@contextmanager
def _told() -> Iterator[None]:
    """Turn whatever the database, its driver or Alembic raises into one kind of error."""
    try:
        yield
    except (SQLAlchemyError, CommandError, OSError) as error:
        raise StoreError(error) from None


def _set_up(connection: Any, _: object) -> None:
    """Readers wait for nobody, a commit is on disk when it returns, and what is deleted is overwritten."""
    connection.isolation_level = None  # transactions begin as `_begin` says
    patient_until = time.monotonic() + _PATIENCE_S
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # somebody makes the same file; for this, SQLite itself does not wait
            if time.monotonic() >= patient_until:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: Connection) -> None:
    """Ask for the right to write at the start: asked for in the middle, it may be refused."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes", True) else "BEGIN")
