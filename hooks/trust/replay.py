"""Tokens that were used: a table that all workers share, so that none is taken a second time (SEC-30, SEC-31)."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from hooks.sharedfile import SharedFile


class Replays:
    """The identities of used tokens until they expire."""

    def __init__(self, file: Path) -> None:
        """Raises sqlite3.Error where the file cannot be written."""
        self._shared = SharedFile(file, "used", "identity BLOB PRIMARY KEY, until REAL NOT NULL")

    def first(self, iss: str, jti: str, until: float, now: float) -> bool:
        """Is this the first time? Remembered until `until`; times in seconds since 1970. Of an identity only its hash is kept."""
        identity = sha256(f"{len(iss)}|{iss}|{jti}".encode("utf-8", "surrogatepass")).digest()
        used = self._shared.connection(now)
        return used.execute("INSERT OR IGNORE INTO used VALUES (?, ?)", (identity, until)).rowcount == 1

    def check(self) -> None:
        """Raises sqlite3.Error where nothing can be remembered, and so nobody be admitted."""
        self._shared.connection(0).execute("INSERT OR REPLACE INTO used VALUES (x'', 0)")

    def __len__(self) -> int:
        """How many are remembered."""
        return int(self._shared.connection(0).execute("SELECT count(*) FROM used").fetchone()[0])
