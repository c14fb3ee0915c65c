"""The routes of the workbench: the page with its assets, and what it asks for as JSON. For this machine only."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from cds.library import read_yaml
from cds.signed import InBoth, Name, Text
from hooks.calls import read_body
from hooks.errors import Issue, RequestError
from hooks.examples import fixtures
from hooks.languages import accepted
from hooks.replies import Reply, answered, refused
from hooks.workbench.asked import MOST, Asked, Patient, asked
from hooks.workbench.bench import Bench


FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"

_NO_FIXTURE = Issue("not-found", "There is no such fixture.")
_NO_ASSET = Issue("not-found", "There is no such file.")

_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""Not asked of the machine: some say other things, and a browser then runs no module."""

_STYLE_OF_THE_CHART = "sha256-hsX+8lejWmGZpvdm1hHuBBbZ2zBMCailMJhVGlInLgg="
"""Of the one style element that the charting library writes into its pictures; a browser test fails where it is another."""

_POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' '{_STYLE_OF_THE_CHART}'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-cache"),
)


def workbench(bench: Bench) -> Blueprint:
    """Everything under /workbench."""
    routes = Blueprint("workbench", __name__, url_prefix="/workbench")
    assets = {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.is_file()}
    words: dict[str, InBoth[str]] = read_yaml(FOLDER / "words.yaml", dict[Name, InBoth[Text]])
    said = answered({name: {"en": both.en, "zh-CN": both.zh} for name, both in words.items()})

    @routes.get("")
    def page() -> Response:
        return _file(assets["page.html"])

    @routes.get("/static/<path:name>")
    @_told
    def asset(name: str) -> Response:
        if name not in assets:
            raise RequestError(HTTPStatus.NOT_FOUND, [_NO_ASSET])
        return _file(assets[name])

    @routes.get("/api/words")
    def all_words() -> Response:
        return _sent(said)

    @routes.get("/api/about")
    def about() -> Response:
        return _sent(answered(bench.about(accepted(request.args.get("language")) or "en")))

    @routes.get("/api/fixtures/<name>")
    @_told
    def fixture_named(name: str) -> Response:
        known = next((fixture for fixture in fixtures() if fixture.name == name), None)
        if known is None:
            raise RequestError(HTTPStatus.NOT_FOUND, [_NO_FIXTURE])
        return _sent(answered(known.on(bench.day())))

    @routes.post("/api/evaluate")
    @_told
    def evaluate() -> Response:
        return _sent(answered(bench.evaluate(asked(Asked, _content()))))

    @routes.post("/api/requests")
    @_told
    def requests() -> Response:
        return _sent(answered(bench.request(asked(Patient, _content()))))

    return routes


def _content() -> Any:
    """The JSON that was posted; no form of another site can send it under this type."""
    if request.mimetype != "application/json":
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, [Issue("not-supported", "Send application/json.")])
    try:
        return msgspec.json.decode(read_body(request.environ, 2 * MOST))
    except (ValueError, RecursionError):
        raise RequestError(HTTPStatus.BAD_REQUEST, [Issue("structure", "This is no JSON.")]) from None


def _told(view: Callable[..., Response]) -> Callable[..., Response]:
    @wraps(view)
    def telling(**names: str) -> Response:
        try:
            return view(**names)
        except RequestError as error:
            return _sent(refused(error))

    return telling


def _file(path: Path) -> Response:
    response = Response(path.read_bytes(), headers=list(_HEADERS), mimetype=_KINDS.get(path.suffix, "text/plain"))
    response.add_etag()
    response.make_conditional(request)
    return response


def _sent(reply: Reply) -> Response:
    return Response(reply.body, reply.status, list(reply.headers))
