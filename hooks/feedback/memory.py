"""What users were shown and sent away, in a file on this machine that all workers share and that is up to date at once.

It is a memory and no record: what is missing from it costs a card that is shown once more.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct


_PATIENCE_S = 0.05
"""No answer waits longer for another worker."""

_TABLES = (
    """CREATE TABLE IF NOT EXISTS shown (question TEXT, instance TEXT, encounter TEXT NOT NULL, card TEXT NOT NULL,
       at REAL NOT NULL, PRIMARY KEY (question, instance)) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS shown_card ON shown (card)",
    "CREATE INDEX IF NOT EXISTS shown_encounter ON shown (question, encounter, at)",
    """CREATE TABLE IF NOT EXISTS overridden (question TEXT PRIMARY KEY, reason TEXT, at REAL NOT NULL) WITHOUT ROWID""",
)
_OVERRIDE = """INSERT INTO overridden VALUES (?, ?, ?) ON CONFLICT (question) DO UPDATE
    SET reason = excluded.reason, at = excluded.at WHERE excluded.at >= overridden.at"""

_RECALL = """SELECT 'answered', question, NULL, at FROM shown WHERE {asked} AND instance = ?
    UNION ALL SELECT 'seen', question, NULL, max(at) FROM shown WHERE {asked} AND encounter = ? GROUP BY question
    UNION ALL SELECT 'reported', question, reason, at FROM overridden WHERE {asked}"""


class ForgottenError(OSError):
    """The memory cannot be used; the text names the kind of failure and quotes nothing."""


class Shown(Struct, frozen=True):
    """A question that one user was shown, in which hook instance and encounter, on which card, and when."""

    question: str
    instance: str
    encounter: str
    card: str
    at: datetime


class Override(Struct, frozen=True):
    """The last report of one user on a question: the reason of an override; None where it was none of ours, or none at all."""

    question: str
    reason: str | None
    at: datetime


class Recalled(NamedTuple):
    """What is known of some questions: those shown in a hook instance, when they were last shown in an encounter, the reports."""

    answered: set[str]
    seen: dict[str, datetime]
    reports: dict[str, Override]


class Memory:
    """One file. Threads may share it, and processes: each opens it for itself."""

    def __init__(self, file: Path) -> None:
        """Make the tables where there are none. Raises ForgottenError where the file cannot be used."""
        self._file, self._owner = file, 0
        self._connection: sqlite3.Connection | None = None
        with self._open() as connection:
            for table in _TABLES:
                connection.execute(table)
        self.close()

    def close(self) -> None:
        """Let go of the file; whatever is asked next opens it again."""
        if self._connection is not None and self._owner == os.getpid():
            self._connection.close()
        self._connection = None

    def recall(self, questions: Sequence[str], instance: str, encounter: str) -> Recalled:
        """What is known of some questions: where they were shown, and the last report on each."""
        found = Recalled(set(), {}, {})
        with self._open() as connection:
            for what, question, reason, at in connection.execute(
                _RECALL.format(asked=f"question IN ({','.join('?' * len(questions))})"),
                (*questions, instance, *questions, encounter, *questions),
            ):
                if what == "answered":
                    found.answered.add(question)
                elif what == "seen":
                    found.seen[question] = _moment(at)
                else:
                    found.reports[question] = Override(question, reason, _moment(at))
        return found

    def show(self, entries: Iterable[Shown]) -> None:
        """Remember what was shown; of one hook instance, the first time."""
        rows = [(entry.question, entry.instance, entry.encounter, entry.card, entry.at.timestamp()) for entry in entries]
        with self._open() as connection:
            connection.executemany("INSERT OR IGNORE INTO shown VALUES (?, ?, ?, ?, ?)", rows)

    def question(self, card: str) -> str | None:
        """The question on a card; None for a card that is not known here."""
        with self._open() as connection:
            row = connection.execute("SELECT question FROM shown WHERE card = ?", (card,)).fetchone()
        return None if row is None else str(row[0])

    def override(self, entries: Iterable[Override]) -> None:
        """Remember reports; of each question the last one counts, in whichever order they come."""
        rows = [(entry.question, entry.reason, entry.at.timestamp()) for entry in entries]
        with self._open() as connection:
            connection.executemany(_OVERRIDE, rows)

    def forget(self, before: datetime) -> None:
        """Delete what is older."""
        with self._open() as connection:
            for table in ("shown", "overridden"):
                connection.execute(f"DELETE FROM {table} WHERE at < ?", (before.timestamp(),))  # noqa: S608 - our own names
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The connection of this process. Each statement is a transaction of its own; nothing is flushed to the disk."""
        try:
            if self._connection is None or self._owner != os.getpid():
                self._connection, self._owner = _connected(self._file), os.getpid()
            yield self._connection
        except sqlite3.Error as error:
            raise ForgottenError(type(error).__name__) from None


def _connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None, timeout=_PATIENCE_S, check_same_thread=False)
    for setting in ("journal_mode = WAL", "synchronous = OFF", "secure_delete = ON"):
        connection.execute(f"PRAGMA {setting}")
    return connection


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
