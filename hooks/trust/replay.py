"""Tokens that were used: a table that all workers share, so that none is taken a second time (SEC-30, SEC-31)."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path


_CLEARED_EVERY_S = 60


class Replays:
    """The identities of used tokens until they expire. Each process opens the file for itself."""

    def __init__(self, file: Path) -> None:
        """Create the table where there is none. Raises sqlite3.Error where the file cannot be written."""
        self._file = file
        self._connection: sqlite3.Connection | None = None
        self._clear_at = 0.0
        self._open().close()

    def first(self, iss: str, jti: str, until: float, now: float) -> bool:
        """Is this the first time? Remembered until `until`; times in seconds since 1970. Of an identity only its hash is kept."""
        if self._connection is None:
            self._connection = self._open()
        if now >= self._clear_at:
            self._connection.execute("DELETE FROM used WHERE until < ?", (now,))
            self._clear_at = now + _CLEARED_EVERY_S
        identity = sha256(f"{len(iss)}|{iss}|{jti}".encode("utf-8", "surrogatepass")).digest()
        return self._connection.execute("INSERT OR IGNORE INTO used VALUES (?, ?)", (identity, until)).rowcount == 1

    def __len__(self) -> int:
        """How many are remembered."""
        with sqlite3.connect(self._file) as connection:
            return int(connection.execute("SELECT count(*) FROM used").fetchone()[0])

    def _open(self) -> sqlite3.Connection:
        """Each statement is a transaction of its own. What is lost with the power is lost to a restarted service, too."""
        connection = sqlite3.connect(self._file, isolation_level=None, timeout=2, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TABLE IF NOT EXISTS used (identity BLOB PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID")
        return connection
