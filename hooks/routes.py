"""The routes: discovery, service call, health. Every answer is JSON, every error an OperationOutcome, no route redirects."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

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
_NOT_IN_FULL = Issue("structure", "The body did not arrive in full, or its chunks are broken.")


def add_routes(app: Flask, engines: Iterable[Engine], today: Callable[[], date]) -> None:
    """Register every route and the one way errors leave."""
    engines, limit = tuple(engines), app.config["MAX_CONTENT_LENGTH"]
    discovery = discovery_document(engines)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    @app.get("/cds-services")
    def discover() -> Response:
        return _json(discovery)

    def call(engine: Engine) -> Response:
        environ = request.environ
        _require_json(environ)
        cards = engine.answer(_body(environ, limit), today())
        return _json(Answer.model_construct(cards=cards).model_dump_json(exclude_none=True).encode())

    for engine in engines:  # a path of its own for each: any other is not found, whatever the method
        for path in (f"/cds-services/{engine.service.id}", f"/cds-services//{engine.service.id}"):
            app.add_url_rule(path, path, partial(call, engine), methods=["POST"])

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


def _require_json(environ: Mapping[str, Any]) -> None:
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if (kind != "application/json" and not kind.endswith("+json")) or encoding != "identity":
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, [_ISSUE_CODES[HTTPStatus.UNSUPPORTED_MEDIA_TYPE]])


def _body(environ: Mapping[str, Any], limit: int) -> bytes:
    """The whole body, whether its length was announced or it comes in chunks, of which one byte more than `limit` is read.

    Werkzeug would cut off what comes in chunks at the limit. What servers raise for a broken chunk has no common base.
    """
    announced = request.content_length
    if announced is None and not environ.get("wsgi.input_terminated"):
        return b""
    if announced is not None and announced > limit:
        raise RequestEntityTooLarge
    try:
        body: bytes = environ["wsgi.input"].read(limit + 1 if announced is None else announced)
    except Exception:  # noqa: BLE001
        raise RequestError(HTTPStatus.BAD_REQUEST, [_NOT_IN_FULL]) from None
    if announced is not None and len(body) < announced:
        raise RequestError(HTTPStatus.BAD_REQUEST, [_NOT_IN_FULL])
    if len(body) > limit:
        raise RequestEntityTooLarge
    return body


def _json(body: bytes, status: int = HTTPStatus.OK) -> Response:
    return Response(body, status, {"Cache-Control": "no-store"}, content_type="application/json")
