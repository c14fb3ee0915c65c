"""What a deployment settles about its feedback store. Nothing here opens it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path


SHORTEST_SALT = 16
"""In characters; whoever can guess the salt can look patients up by their ids."""
_SQLITE = "sqlite:///"
_POSTGRESQL = "postgresql+psycopg://"
_is_server = re.compile(
    r"(?:[^:/]*(?::.*)?@)?(?:\[[0-9a-fA-F:.]+\]|[^]@:/?#[]*)(?::[0-9]+)?(?:/[^?]*)?(?:\?.*)?", re.DOTALL
).fullmatch
"""What SQLAlchemy can take apart behind the scheme: user and password, host and port, database, parameters."""


class FeedbackError(Exception):
    """Cards and feedback cannot be kept; the text is for the operator."""


@dataclass(frozen=True)
class FeedbackConfig:
    """Where cards shown and feedback are kept, and for how long.

    `store`: an SQLAlchemy URL of SQLite or PostgreSQL, or the path of an SQLite file. `salt`: the secret that pseudonyms are made
    with. `spool`: a directory on a local disk in which cards wait for the store; beside an SQLite file if it is not named.
    `retention_days`: what is older is deleted.
    """

    store: str = field(repr=False)
    salt: str = field(repr=False)
    spool: Path | None = None
    retention_days: int = 365

    def __post_init__(self) -> None:
        """Raises ValueError for a store of another kind, a salt too short, and a store that is no file without a spool."""
        self.url  # noqa: B018 - it raises
        if len(self.salt) < SHORTEST_SALT:
            raise ValueError(f"the salt is a secret of at least {SHORTEST_SALT} characters")
        if self.retention_days < 1:
            raise ValueError("what is stored is kept for a day at least")
        self.folder  # noqa: B018 - it raises

    @property
    def url(self) -> str:
        """The store as SQLAlchemy takes it."""
        return store_url(self.store)

    @property
    def folder(self) -> Path:
        """The directory of the spool."""
        return spool_folder(self.url, self.spool)


def store_url(store: str) -> str:
    """The SQLAlchemy URL of a store named by its URL, or by the path of its SQLite file. Raises ValueError for any other."""
    scheme, found, rest = store.partition("://")
    if not found:
        return _SQLITE + store
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and _is_server(rest):
        return _POSTGRESQL + rest
    if not store.startswith(_SQLITE) or store.removeprefix(_SQLITE) in ("", ":memory:"):
        raise ValueError("a store is the path of an SQLite file, sqlite:///PATH or postgresql://USER@HOST:PORT/DATABASE")
    return store


def file_of(url: str) -> Path | None:
    """The file of an SQLite store; None for a server."""
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def spool_folder(url: str, spool: Path | None) -> Path:
    """The spool of a store. Raises ValueError where it has to be named and is not."""
    if spool is not None:
        return spool
    file = file_of(url)
    if file is None:
        raise ValueError("a database server needs a directory on this machine as well, in which cards wait for it: name a spool")
    return file.with_name(f"{file.name}.spool")
