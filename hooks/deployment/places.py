"""Where a deployment keeps what it writes: that nothing is kept in the same place, and each can be written as what it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hooks.deployment.faults import Fault
from hooks.deployment.reading import Settled
from hooks.feedback.config import file_of, spool_folder, store_url


_SPOOL = "feedback.spool"
_DATABASES = ("trust.used_tokens", "feedback.store")
_SQLITE = b"SQLite format 3\0"


def shared_faults(settled: Settled) -> Iterator[Fault]:
    """Places that two would write to, each in its own way. The store is known to be one."""
    taken: dict[Path, str] = {}
    for key, path in _places(settled):
        first = taken.setdefault(path.resolve(), key)
        if first != key:
            yield Fault(settled.name, key, f"{path} is {first} already; name another place")


def place_faults(settled: Settled) -> Iterator[Fault]:
    """What could not be written where it is to be kept. The store is known to be one."""
    for key, path in _places(settled):
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            yield Fault(settled.name, key, f"{path} cannot be written; name another place, or give leave to write there")
        elif path.exists() and path.is_dir() != (key == _SPOOL):
            yield Fault(settled.name, key, f"{path} is {'no' if key == _SPOOL else 'a'} directory; name another place")
        elif key in _DATABASES and path.is_file() and not _holds_tables(path):
            yield Fault(settled.name, key, f"{path} is no SQLite file, and would not be overwritten; name another place")


def _places(settled: Settled) -> Iterator[tuple[str, Path]]:
    """What is kept in files and directories, by key."""
    deployment = settled.deployment
    named = [("trust.used_tokens", deployment.trust.used_tokens), ("audit.file", deployment.audit.file)]
    if deployment.feedback.store is not None:
        url = store_url(deployment.feedback.store)
        named += [("feedback.store", file_of(url)), (_SPOOL, spool_folder(url, deployment.feedback.spool))]
    yield from ((key, path) for key, path in named if path is not None)


def _holds_tables(file: Path) -> bool:
    """Is it a database of SQLite, or empty as one is at first?"""
    with file.open("rb") as opened:
        return opened.read(len(_SQLITE)) in (_SQLITE, b"")
