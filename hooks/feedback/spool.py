"""Cards on their way to the store: lines in files on a local disk, which outlive the process that wrote them.

A line is handed to the operating system before the answer leaves, so that a killed process loses none. A file belongs to the
process that holds its lock; the files of a process that ended are taken by whoever finds them.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path
from threading import Lock

from hooks.sharedfile import require_room


MEBIBYTE = 1024 * 1024
ROOM = 64 * MEBIBYTE
"""So much waits at most: some 150,000 cards. What comes after it while the store is away is lost, and logged."""

_READY = "*.jsonl"


class Spool:
    """A directory of waiting lines. Several processes share it, and the threads of each."""

    def __init__(self, folder: Path, room: int = ROOM, file_size: int = MEBIBYTE) -> None:
        """Make the directory where there is none. `room` and `file_size` in bytes. Raises OSError where it cannot be written."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._room, self._file_size = folder, room, file_size
        self.check()
        self._lock, self._file, self._written, self._owner, self._full = Lock(), -1, 0, os.getpid(), False

    def check(self) -> None:
        """Raises OSError where nothing can be written."""
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{self._folder} cannot be written")
        require_room(self._folder)

    def append(self, lines: bytes) -> None:
        """Keep whole lines, all of them or none. Raises OSError where there is no room, on the disk or of ours."""
        with self._lock:
            if self._owner != os.getpid():
                self._let_go()  # it is the parent's
                self._owner = os.getpid()
            if self._full:
                raise OSError(ENOSPC, "the store has been away for too long")
            if self._file < 0:
                self._file, self._written = self._new(), 0
            if os.write(self._file, lines) != len(lines):
                self._let_go()  # the next line must not stand behind half of this one
                raise OSError(ENOSPC, "the disk is full")
            self._written += len(lines)
            if self._written >= self._file_size:
                self._let_go()

    def drain(self, take: Callable[[list[bytes]], None]) -> None:
        """Hand over what waits, file by file; what `take` returns from is gone from here, what it raises on stays.

        Our own file is closed for it only when all others are gone, so that a store that is away does not leave many small files.
        """
        waiting = self._files()
        self._full = sum(map(_size, waiting)) > self._room
        for path in waiting:
            _hand_over(path, take)
        with self._lock:
            mine = self._file >= 0 and self._owner == os.getpid()
            if mine:
                self._let_go()
        for path in self._files() if mine else ():
            _hand_over(path, take)
        self._full = False

    def _files(self) -> list[Path]:
        """The oldest first."""
        return sorted(self._folder.glob(_READY))

    def _new(self) -> int:
        """A file of our own, which has its lock before anybody sees it."""
        name = f"{time.time_ns():020}-{os.getpid()}"
        file = os.open(self._folder / f"{name}.new", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        os.rename(self._folder / f"{name}.new", self._folder / f"{name}{_READY[1:]}")
        return file

    def _let_go(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def _hand_over(path: Path, take: Callable[[list[bytes]], None]) -> None:
    """Hand over what a file holds, unless it is somebody's, or somebody has just done it."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if os.fstat(file.fileno()).st_nlink:
            take(file.read().splitlines())
            path.unlink()


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return 0
