"""The routes: discovery, service call, health. Every answer is JSON, every error an OperationOutcome, no route redirects."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import date
from http import HTTPStatus

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from hooks.engine import Engine
from hooks.errors import Issue, RequestError, operation_outcome
from hooks.fhir.prefetch import templates
from hooks.wire import Discovery, ServiceEntry
from hooks.wire import Response as Answer


log = logging.getLogger("cobalamin")

_WITHOUT_FHIR = "Works from prefetch alone. A request without patient, or without what a conclusion needs, is answered with 412."
_ISSUE_CODES = {
    HTTPStatus.NOT_FOUND: Issue("not-found", "There is no such resource; GET /cds-services lists the services."),
    HTTPStatus.METHOD_NOT_ALLOWED: Issue("not-supported", "This method is not supported here; see the Allow header."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Issue("too-long", "The request body is larger than this service accepts."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Issue("not-supported", "Send the request as uncompressed application/json."),
}


def add_routes(app: Flask, engines: Iterable[Engine], today: Callable[[], date]) -> None:
    """Register every route and the one way errors leave."""
    by_id = {engine.service.id: engine for engine in engines}
    discovery = discovery_document(by_id.values())
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    @app.get("/cds-services")
    def discover() -> Response:
        return _json(discovery)

    @app.post("/cds-services/<service_id>")
    @app.post("/cds-services//<service_id>", endpoint="call_doubled_slash")
    def call(service_id: str) -> Response:
        engine = by_id.get(service_id)
        if engine is None:
            raise RequestError(HTTPStatus.NOT_FOUND, [_ISSUE_CODES[HTTPStatus.NOT_FOUND]])
        _require_json()
        cards = engine.answer(request.get_data(cache=False), today())
        return _json(Answer.model_construct(cards=cards).model_dump_json(exclude_none=True).encode())

    @app.get("/healthz")
    def health() -> Response:
        return _json(b'{"status":"ok"}')

    @app.errorhandler(RequestError)
    def refuse(error: RequestError) -> Response:
        log.warning("refused with %d: %s", error.status, ", ".join(issue.code for issue in error.issues))
        return _json(msgspec.json.encode(operation_outcome(error.issues)), error.status)

    @app.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
        issue = _ISSUE_CODES.get(status, Issue("processing", status.phrase))
        response = _json(msgspec.json.encode(operation_outcome([issue])), status)
        response.headers.extend({name: value for name, value in error.get_headers() if name == "Allow"})
        return response

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        log.error("unexpected %s while answering", type(error).__name__)  # its message and traceback may quote the request
        issue = Issue("exception", "The service failed to answer; nothing was concluded.")
        return _json(msgspec.json.encode(operation_outcome([issue])), HTTPStatus.INTERNAL_SERVER_ERROR)


def discovery_document(engines: Iterable[Engine]) -> bytes:
    """Discovery as it is sent: built once, with the prefetch keys in their authored order."""
    entries = [
        ServiceEntry(
            hook=engine.service.hook,
            title=engine.service.title,
            description=engine.service.description,
            id=engine.service.id,
            prefetch=templates(engine.library, engine.service.rules),
            usageRequirements=_WITHOUT_FHIR,
        )
        for engine in engines
    ]
    return Discovery(services=entries).model_dump_json().encode()


def _require_json() -> None:
    kind = request.mimetype
    encoding = request.headers.get("Content-Encoding", "identity")
    if (kind != "application/json" and not kind.endswith("+json")) or encoding.strip().lower() != "identity":
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, [_ISSUE_CODES[HTTPStatus.UNSUPPORTED_MEDIA_TYPE]])


def _json(body: bytes, status: int = HTTPStatus.OK) -> Response:
    return Response(body, status, {"Cache-Control": "no-store"}, mimetype="application/json")
