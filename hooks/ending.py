"""How what is under way ends in time: a request by its deadline, and the service after it has said that it will."""

from __future__ import annotations

import mmap
import signal
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from gunicorn.arbiter import Arbiter

from hooks.errors import Issue, RequestError
from hooks.replies import refused


_LATE = Issue("timeout", "The service could not answer in time; nothing was concluded. Try again.")
_ENDING = Issue("transient", "The service is about to end; ask another one.")
LATE = RequestError(HTTPStatus.SERVICE_UNAVAILABLE, [_LATE], retry_after_s=1)
ENDING = RequestError(HTTPStatus.SERVICE_UNAVAILABLE, [_ENDING], retry_after_s=1)

_READY = "/readyz"


class TooLateError(SystemExit):
    """A request is past its deadline; no handler of errors on its way takes it for one of its own."""


class Alarm:
    """Ends what the main thread of this process does with TooLateError, wherever it is, if it is not done in time."""

    def __init__(self) -> None:
        """From now on the process understands the alarm. `rang`: it did, once at least."""
        self.rang = False
        signal.signal(signal.SIGALRM, self._ring)

    def set(self, seconds: float) -> None:
        """In so many seconds; 0: not at all."""
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def _ring(self, *_: object) -> None:
        self.rang = True
        raise TooLateError


class Notice:
    """That the service will end, in memory that its workers share."""

    def __init__(self) -> None:
        """Made before the workers are."""
        self._page = mmap.mmap(-1, 1)

    def give(self) -> None:
        """From now on it is known."""
        self._page[0] = 1

    @property
    def given(self) -> bool:
        """Is it known?"""
        return self._page[0] == 1


class Announced:
    """Says that the service is not ready once it is about to end, and goes on answering calls until that was noticed."""

    def __init__(self, inside: Callable[..., Iterable[bytes]], notice: Notice) -> None:
        """`inside`: the application, which knows by itself whether it is ready otherwise."""
        self._inside, self._notice = inside, notice

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request, as a WSGI server hands it over."""
        if environ.get("PATH_INFO") == _READY and self._notice.given:
            return refused(ENDING).send(start_response)
        return self._inside(environ, start_response)


class Announcing(Arbiter):
    """A master process that waits after SIGTERM until callers have noticed; then its workers finish what they are answering."""

    def __init__(self, app: Any, notice: Notice, notice_s: float) -> None:
        """`notice_s`: how long calls are still taken."""
        self._notice, self._notice_s = notice, notice_s
        super().__init__(app)

    def handle_term(self) -> None:
        """Give notice, wait, and end."""
        self._notice.give()
        time.sleep(self._notice_s)
        super().handle_term()
