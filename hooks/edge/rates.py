"""How often a client may call, and all of them together, counted over all workers of one machine (ERR-13)."""

from __future__ import annotations

import logging
import math
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from hooks.edge.config import OVERLOADED, TOO_MANY, Rates
from hooks.edge.proxies import PEER
from hooks.errors import Issue, RequestError
from hooks.sharedfile import SharedFile
from hooks.trust.gate import Door
from hooks.trust.tokens import Caller


_LOG = logging.getLogger("cobalamin")


class Counts(Storage):
    """Counters in a file that all workers share, as `limits` wants them."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        """Raises sqlite3.Error where the file cannot be written."""
        super().__init__()
        self._clock = clock
        self._shared = SharedFile(file, "counts", "name TEXT PRIMARY KEY, count INTEGER NOT NULL, until REAL NOT NULL")

    @property
    def base_exceptions(self) -> type[Exception]:
        """What it raises."""
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, beginning anew where the time of the counter is over. Seconds, and what is counted by now."""
        now = self._clock()
        row = self._shared.connection(now).execute(
            "INSERT INTO counts VALUES (?1, ?2, ?3 + ?4) ON CONFLICT DO UPDATE SET "
            "count = iif(until <= ?3, 0, count) + ?2, until = iif(until <= ?3, ?3 + ?4, until) RETURNING count",
            (key, amount, now, expiry),
        )
        return int(row.fetchone()[0])

    def get(self, key: str) -> int:
        """What was counted."""
        return int(self._row(key)[0])

    def get_expiry(self, key: str) -> float:
        """When the counter begins anew, in seconds since 1970."""
        return float(self._row(key)[1])

    def check(self) -> bool:
        """Can it be written? It could at the start."""
        return True

    def reset(self) -> int:
        """Forget everything; how many counters there were."""
        return self._shared.connection(0).execute("DELETE FROM counts").rowcount

    def clear(self, key: str) -> None:
        """Forget one counter."""
        self._shared.connection(0).execute("DELETE FROM counts WHERE name = ?", (key,))

    def _row(self, key: str) -> tuple[int, float]:
        now = self._clock()
        found = self._shared.connection(now).execute("SELECT count, until FROM counts WHERE name = ? AND until > ?", (key, now))
        row: tuple[int, float] | None = found.fetchone()
        return row if row is not None else (0, now)


class Limited:
    """A gate that lets nobody pass too often. Who is refused by itself is not counted: strangers use up nothing."""

    def __init__(self, gate: Door | None, rates: Rates) -> None:
        """`gate`: None lets everybody pass, known by the address. Raises sqlite3.Error, and ValueError for no rate."""
        self._gate = gate
        self._counts = Counts(rates.file)
        self._limiter = FixedWindowRateLimiter(self._counts)
        self._client, self._service = rate(rates.client), rate(rates.service)

    def admit(self, environ: Mapping[str, Any], endpoints: Iterable[str]) -> Caller | None:
        """Who calls. Raises RequestError: 401, 429 for a client that calls too often, 503 where all together do."""
        caller = self._gate.admit(environ, endpoints) if self._gate is not None else None
        if caller is not None:
            name = f"{caller.iss}#{caller.tenant or ''}"
        else:
            name = environ.get(PEER) or environ.get("REMOTE_ADDR", "")
        try:
            if self._client is not None and not self._limiter.hit(self._client, "client", name):
                raise self._later(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY, self._client, "client", name)
            if self._service is not None and not self._limiter.hit(self._service, "service"):
                raise self._later(HTTPStatus.SERVICE_UNAVAILABLE, OVERLOADED, self._service, "service")
        except sqlite3.Error as error:
            _LOG.error("calls cannot be counted, and are answered without: %s", type(error).__name__)
        return caller

    def _later(self, status: HTTPStatus, issue: Issue, item: RateLimitItem, *names: str) -> RequestError:
        left = self._limiter.get_window_stats(item, *names).reset_time - time.time()
        return RequestError(status, [issue], retry_after_s=max(1, math.ceil(left)))


def rate(text: str | None) -> RateLimitItem | None:
    """A rate as `limits` reads it: `600/minute`, `10 per second`. Raises ValueError."""
    return None if text is None else parse(text)
