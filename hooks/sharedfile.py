"""A file of SQLite in which the workers of one machine keep what all of them must know, and that may be lost with the power."""

from __future__ import annotations

import os
import sqlite3
from errno import ENOSPC
from pathlib import Path


_CLEARED_EVERY_S = 60


def require_room(place: Path) -> None:
    """Raises OSError where there is none left on the disk of a file or directory."""
    if os.statvfs(place).f_bavail == 0:
        raise OSError(ENOSPC, "the disk is full")


class SharedFile:
    """One table in a file. Each process opens it for itself; each statement is a transaction of its own."""

    def __init__(self, file: Path, table: str, columns: str) -> None:
        """Create the table where there is none; one of its columns is `until`. Raises sqlite3.Error where that cannot be done."""
        self._file, self._table, self._columns = file, table, columns
        self._connection: sqlite3.Connection | None = None
        self._clear_at = 0.0
        self.open().close()

    def connection(self, now: float) -> sqlite3.Connection:
        """The connection of this process. What ended before `now`, in seconds since 1970, is forgotten once in a while."""
        if self._connection is None:
            self._connection = self.open()
        if now >= self._clear_at:
            self._connection.execute(f"DELETE FROM {self._table} WHERE until < ?", (now,))  # noqa: S608 - the name is our own
            self._clear_at = now + _CLEARED_EVERY_S
        return self._connection

    def open(self) -> sqlite3.Connection:
        """A connection of one's own."""
        connection = sqlite3.connect(self._file, isolation_level=None, timeout=2, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"CREATE TABLE IF NOT EXISTS {self._table} ({self._columns}) WITHOUT ROWID")
        return connection
