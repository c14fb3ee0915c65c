"""The service call as plain WSGI: it stands before Flask, whose way through a route would cost more than the decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any, Protocol

from werkzeug.wsgi import get_content_length

from hooks.engine import Engine, Evaluation
from hooks.errors import Issue, RequestError
from hooks.languages import accepted
from hooks.replies import Reply, answered, failed, http_issue, no_route, refused
from hooks.resting import Attend
from hooks.serviceids import Shared
from hooks.services import Service
from hooks.trail import Trail
from hooks.trust.gate import Door
from hooks.trust.tokens import Caller
from hooks.wire import Response


Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Record = Callable[[Service, Caller | None, Evaluation, bool], None]
Watch = Callable[[str, Trail, int], None]

PATIENCE_S = 0.5
"""What was answered later than this does not count as shown: the client may have given up, as CDS Hooks lets it."""


class Attention(Protocol):
    """Who knows what is held back from whom, and remembers what was shown."""

    def of(self, caller: Caller | None) -> Attend:
        """Who looks at the decisions for one caller."""

    def remember(self, service: Service, evaluation: Evaluation) -> None:
        """Remember an answer that is on its way."""


_NOT_IN_FULL = Issue("structure", "The body did not arrive in full, or its chunks are broken.")


class Calls:
    """Answers calls of the services, and leaves everything else to the application behind it."""

    def __init__(
        self,
        behind: Wsgi,
        engines: Iterable[Engine | Shared],
        today: Callable[[], date] | None,
        limit: int,
        gate: Door | None = None,
        record: Record | None = None,
        watch: Watch | None = None,
        attention: Attention | None = None,
    ) -> None:
        """`today`: None asks the clock of each client. `limit`: the largest body in bytes. `gate`: who may call; None: everybody.

        `record`: told of each answer before it leaves. `watch`: told of each call, refused ones too, with the id of the service,
        how far it came and the status, before the answer leaves. `attention`: holds back what its user has dealt with. A service
        answers with a slash too many, too, and never by a redirect (CALL-12).
        """
        self._behind, self._today, self._limit = behind, today, limit
        self._gate, self._record, self._watch, self._attention = gate, record, watch, attention
        self._engines = {
            f"/cds-services{before}{engine.service.id}{after}": engine
            for engine in engines
            for before in ("/", "//")
            for after in ("", "/")
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request, as a WSGI server hands it over."""
        engine = self._engines.get(environ.get("PATH_INFO", ""))
        if engine is None:
            return self._behind(environ, start_response)
        trail = Trail()
        reply = self._reply(engine, environ, trail)
        if self._watch is not None:
            self._watch(engine.service.id, trail, reply.status)
        content = reply.send(start_response)
        return content if environ["REQUEST_METHOD"] != "HEAD" else ()

    def _reply(self, engine: Engine | Shared, environ: dict[str, Any], trail: Trail) -> Reply:
        if environ["REQUEST_METHOD"] != "POST":
            return no_route(HTTPStatus.METHOD_NOT_ALLOWED, [("Allow", "POST")])
        try:
            started = monotonic()
            if self._gate is not None:
                trail.caller = self._gate.admit(environ, [f"/cds-services/{engine.service.id}"])
            caller = trail.caller
            if self._attention is not None:
                trail.attend = self._attention.of(caller)
            trail.enter("receive")
            require_json(environ)
            today = self._today() if self._today is not None else None
            body, language = read_body(environ, self._limit), accepted(environ.get("HTTP_ACCEPT_LANGUAGE"))
            answer = engine.answer(body, today, language, caller.iss if caller is not None else None, trail)
            if self._record is not None and answer.evaluation is not None:
                self._record(engine.service, caller, answer.evaluation, answer.silent)
            reply = answered(Response(cards=answer.cards), answer.language)
            if self._attention is not None and answer.evaluation is not None and monotonic() < started + PATIENCE_S:
                return reply._replace(then=partial(self._attention.remember, engine.service, answer.evaluation))
            return reply
        except RequestError as error:
            return refused(error)
        except Exception as error:  # noqa: BLE001 - a fault must leave as an OperationOutcome
            return failed(error)


def read_body(environ: dict[str, Any], limit: int) -> bytes:
    """The whole body, whether its length was announced or it comes in chunks, of which one byte more than the limit is read.

    What servers raise for a broken chunk has no common base.
    """
    announced = get_content_length(environ)
    if announced is None and not environ.get("wsgi.input_terminated"):
        return b""
    if announced is not None and announced > limit:
        raise _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        body: bytes = environ["wsgi.input"].read(limit + 1 if announced is None else announced)
    except Exception:  # noqa: BLE001
        raise RequestError(HTTPStatus.BAD_REQUEST, [_NOT_IN_FULL]) from None
    if announced is not None and len(body) < announced:
        raise RequestError(HTTPStatus.BAD_REQUEST, [_NOT_IN_FULL])
    if len(body) > limit:
        raise _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return body


def require_json(environ: dict[str, Any]) -> None:
    """Raises RequestError 415 for a body that is announced as anything but plain JSON."""
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if (kind != "application/json" and not kind.endswith("+json")) or encoding != "identity":
        raise _refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _refusal(status: HTTPStatus) -> RequestError:
    return RequestError(status, [http_issue(status)])
