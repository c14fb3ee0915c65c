"""Every answer as it leaves: JSON that nobody stores, and every failure an OperationOutcome. Routes and calls share this."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from cds.signed import LANGUAGES, Language
from hooks import exact
from hooks.errors import Issue, RequestError, operation_outcome, places


log = logging.getLogger("cobalamin")

_ISSUES = {
    HTTPStatus.NOT_FOUND: Issue("not-found", "There is no such resource; GET /cds-services lists the services."),
    HTTPStatus.METHOD_NOT_ALLOWED: Issue("not-supported", "This method is not supported here; see the Allow header."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Issue("too-long", "The request body is larger than this service accepts."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Issue("not-supported", "Send the request as uncompressed application/json."),
}
FAILED = Issue("exception", "The service failed to answer; nothing was concluded.")
_HEADERS = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
_SPOKEN = {spoken: (*_HEADERS, ("Content-Language", spoken), ("Vary", "Accept-Language")) for spoken in LANGUAGES}
LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
"""The status line of each status."""


class Reply(NamedTuple):
    """Status, body and headers of an answer; `then`: what is done once the server has taken it, and not where that fails."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = _HEADERS
    then: Callable[[], None] | None = None

    def send(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The answer as a WSGI server takes it."""
        start_response(LINES[self.status], [*self.headers, ("Content-Length", str(len(self.body)))])
        return (self.body,) if self.then is None else _followed(self.body, self.then)


def _followed(body: bytes, then: Callable[[], None]) -> Iterator[bytes]:
    yield body
    then()


def answered(message: Any, language: Language | None = None) -> Reply:
    """A message in JSON; `language`: that of its words, where the request had a choice."""
    return Reply(HTTPStatus.OK, exact.encode(message), _SPOKEN[language] if language else _HEADERS)


def refused(error: RequestError) -> Reply:
    """A request that cannot be answered."""
    log.warning("refused with %d: %s", error.status, ", ".join(issue.code for issue in error.issues))
    asked = (("WWW-Authenticate", "Bearer"),) if error.status == HTTPStatus.UNAUTHORIZED else ()
    later = (("Retry-After", str(error.retry_after_s)),) if error.retry_after_s is not None else ()
    return Reply(error.status, msgspec.json.encode(operation_outcome(error.issues)), (*_HEADERS, *asked, *later))


def failed(error: BaseException) -> Reply:
    """A fault of ours; its message may quote the request, so it neither leaves nor is logged, but where it happened is."""
    log.error("unexpected %s while answering, at %s", type(error).__name__, places(error) or "no place known")
    return Reply(HTTPStatus.INTERNAL_SERVER_ERROR, msgspec.json.encode(operation_outcome([FAILED])))


def no_route(status: int, headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """What HTTP itself refuses."""
    body = msgspec.json.encode(operation_outcome([http_issue(HTTPStatus(status))]))
    return Reply(status, body, (*_HEADERS, *headers))


def http_issue(status: HTTPStatus) -> Issue:
    """A refusal by HTTP in words."""
    return _ISSUES.get(status, Issue("processing", status.phrase))
