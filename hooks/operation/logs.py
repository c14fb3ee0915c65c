"""What is logged: our own sentences with the id of the request, and of other libraries only where they spoke."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from hooks.errors import places
from hooks.requestid import request_id


LEVELS = ("debug", "info", "warning", "error")


def now() -> str:
    """The time as logs and records carry it, to the millisecond, in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Lines(logging.Formatter):
    """What may be told of a log record.

    Words are kept where they are known to hold nothing of a request: our own, and those of gunicorn in the process that starts
    the workers, which answers none. Other libraries name addresses, statements and values; of them the place is told. Of an error
    its kind is told and its way through the code; its message may quote.
    """

    def __init__(self) -> None:
        """Made in the process that starts the workers."""
        super().__init__()
        self._starter = os.getpid()

    def content(self, record: logging.LogRecord) -> dict[str, str]:
        """The members of a line."""
        known = record.name == "cobalamin" or (record.name == "gunicorn.error" and record.process == self._starter)
        place = f"{record.filename}:{record.lineno}"
        said = {
            "time": now(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage() if known else f"(a library's words, left out, at {place})",
        }
        if request := request_id.get():
            said["request"] = request
        if record.exc_info and record.exc_info[1] is not None:
            said["error"] = type(record.exc_info[1]).__name__
            said["where"] = places(record.exc_info[1])
        return said


class TextLines(Lines):
    """One line of text."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said = self.content(record)
        time, level, logger, message = (said.pop(name) for name in ("time", "level", "logger", "message"))
        return " ".join([time, level.upper(), f"{logger}: {message}", *(f"[{name} {value}]" for name, value in said.items())])


class JsonLines(Lines):
    """The same as one JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return json.dumps(self.content(record), ensure_ascii=False)


@contextmanager
def logging_to_stderr(level: str, as_json: bool) -> Iterator[None]:
    """Send everything that is logged in this process to standard error, in our lines."""
    root, handler = logging.getLogger(), logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else TextLines())
    handlers, before = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
