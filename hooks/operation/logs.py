"""Logs as JSON lines: our own sentences with the id of the request, and of other libraries the fact that they spoke."""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from uuid import uuid4

from hooks.operation.audit import now


request_id: ContextVar[str] = ContextVar("request_id", default="-")
"""The id of the request being answered, in every line of its log and in the answer (ERR-14)."""

OURS = ("cobalamin", "gunicorn")
"""The loggers whose words are known to hold nothing of a request."""

_CLEAN = re.compile(r"[A-Za-z0-9._:-]{8,64}")


def identified(header: str | None) -> str:
    """The id for a request: the gateway's own where it is harmless, else a new one."""
    return header if header is not None and _CLEAN.fullmatch(header) else uuid4().hex


class JsonLines(logging.Formatter):
    """One JSON object per line. A traceback names places in the code; messages of errors, which may quote, are left out."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        ours = record.name.split(".")[0] in OURS
        line = {
            "time": now(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage() if ours else "(words of a library, left out)",
            "request": request_id.get(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["where"] = _places(record)
        return json.dumps(line, ensure_ascii=False)


def _places(record: logging.LogRecord) -> str:
    """The way through the code to an error, as file names and lines."""
    places, trace = [], record.exc_info[2] if record.exc_info else None
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(places)


def log_as_json(level: str = "INFO") -> None:
    """Send everything that is logged in this process to standard error, in lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
