"""The routes beside the service calls: discovery, health, and what the advice is made of. No route redirects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from http import HTTPStatus

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from hooks.engine import Engine
from hooks.fhir.keys import templates
from hooks.languages import accepted
from hooks.pages import Pages
from hooks.replies import Reply, answered, failed, no_route
from hooks.wire import Discovery, ServiceEntry


SPECIFICATION = "2.0.1"
"""The version of CDS Hooks that every service follows to the letter; what goes beyond it, 3.0 adds without contradiction."""

_WITHOUT_FHIR = "Works from prefetch alone. A request without patient, or without what a conclusion needs, is answered with 412."


def add_routes(
    app: Flask, engines: Iterable[Engine], pages: Pages, today: Callable[[], date], document: Callable[[], Reply]
) -> None:
    """Register every route and the one way errors leave. `document`: the description of the interface."""
    discovery, healthy = answered(discovery_document(engines)), answered({"status": "ok"})
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    @app.get("/cds-services")
    def discover() -> Response:
        return _sent(discovery)

    @app.get("/healthz")
    def health() -> Response:
        return _sent(healthy)

    @app.get("/rulebook")
    def rulebook() -> Response:
        asked = accepted(request.args.get("language")) or accepted(request.headers.get("Accept-Language"))
        return _sent(pages.rulebook(asked, today(), compressed=request.accept_encodings["gzip"] > 0))

    @app.get("/source-attributes")
    def source_attributes() -> Response:
        return _sent(pages.attributes)

    @app.get("/openapi.json")
    def openapi() -> Response:
        return _sent(document())

    @app.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        allow = [(name, value) for name, value in error.get_headers() if name == "Allow"]
        return _sent(no_route(error.code or HTTPStatus.INTERNAL_SERVER_ERROR, allow))

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        return _sent(failed(error))


def discovery_document(engines: Iterable[Engine]) -> Discovery:
    """Discovery: built once, with the prefetch keys in their authored order."""
    return Discovery(
        services=[
            ServiceEntry(
                hook=engine.service.hook,
                title=engine.service.title,
                description=engine.service.description,
                id=engine.service.id,
                prefetch=templates(engine.library, engine.service.rules),
                usageRequirements=_WITHOUT_FHIR,
                version=SPECIFICATION,
                hookVersion=engine.service.hook_version,
            )
            for engine in engines
        ]
    )


def _sent(reply: Reply) -> Response:
    return Response(reply.body, reply.status, list(reply.headers))
