"""The OpenAPI document of one deployment: the services that run, how callers prove who they are, whether feedback is taken."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from http import HTTPStatus
from typing import Any

import cds
from hooks.engine import Engine
from hooks.openapi.operations import (
    CALL,
    FEEDBACK,
    HEADERS,
    READ,
    REQUEST_ID,
    Security,
    call,
    feedback,
    metrics,
    read,
    ready,
    refusal,
    refusal_name,
    rulebook,
)
from hooks.openapi.schemas import VERSION, schemas
from hooks.openapi.shown import refusal_shown
from hooks.replies import Reply, answered
from hooks.trust.gate import Gate


_SCHEMES: dict[str, Any] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Signed by the client with a key of its key set, for this call alone, as CDS Hooks 2.0.1 has it.",
    },
    "certificate": {"type": "mutualTLS", "description": "Checked by the proxy in front."},
}
_ABOUT = """CDS Hooks 2.0.1 for vitamin B12 in patients with, or at risk of, osteoporosis. It supports clinicians and replaces
none of them, and it is no medical device.

A GET may be a HEAD. Any other method is answered with 405 and `Allow`, any other path with 404, both as OperationOutcome. A slash
at the end changes nothing, and nothing redirects. Beyond the schema, JSON is refused in which a member stands twice. Where an
answer takes too long, or while the service ends, anything may be answered with 503 and `Retry-After`."""


class Document:
    """Written when it is first asked for."""

    def __init__(
        self,
        engines: Iterable[Engine],
        gate: Gate | None = None,
        base_url: str | None = None,
        takes_feedback: bool = False,
        shows_metrics: bool = False,
        door: Iterable[int] = (),
    ) -> None:
        """`gate`: who may call. `base_url`: where clients reach the service; None leaves it to where the document was read.

        `door`: with which statuses callers may be refused beside 401, whatever they ask.
        """
        self._engines, self._base_url = tuple(engines), base_url
        self._takes_feedback, self._shows_metrics = takes_feedback, shows_metrics
        self._schemes = {name: _SCHEMES[name] for name in (gate.proofs if gate is not None else ())}
        self._door = (*door, *((401,) if self._schemes else ()))

    @cached_property
    def reply(self) -> Reply:
        """The document as it is served."""
        return answered(self.content())

    def content(self) -> dict[str, Any]:
        """The document."""
        security: Security = [{name: []} for name in self._schemes]
        codes = {*CALL, *READ, *(FEEDBACK if self._takes_feedback else ()), *self._door}
        statuses = [HTTPStatus(code) for code in sorted(codes)]
        answers = {refusal_name(status): refusal(status, refusal_shown(status, self._engines[0])) for status in statuses}
        return {
            "openapi": VERSION,
            "info": {
                "title": "Cobalamin CDS",
                "version": cds.__version__,
                "description": _ABOUT,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": self._base_url or "/"}],
            "paths": self._paths(security),
            "components": {
                "schemas": schemas(self._engines, self._takes_feedback),
                "responses": answers,
                "headers": HEADERS,
                "parameters": {REQUEST_ID["name"]: REQUEST_ID},
                **({"securitySchemes": self._schemes} if security else {}),
            },
        }

    def _paths(self, security: Security) -> dict[str, Any]:
        paths = {"/cds-services": {"get": read("discover", "CDS Hooks", "The services", "Discovery")}}
        for name, engines in _by_id(self._engines).items():
            paths[f"/cds-services/{name}"] = {"post": call(engines, security, self._door)}
            if self._takes_feedback:
                paths[f"/cds-services/{name}/feedback"] = {"post": feedback(engines, security, self._door)}
        return {
            **paths,
            "/rulebook": {"get": rulebook()},
            "/source-attributes": {
                "get": read("sourceAttributes", "Knowledge", "What the advice is made of", "SourceAttributes")
            },
            "/healthz": {"get": read("health", "Operation", "Whether the process answers", "Health")},
            "/readyz": {"get": ready()},
            **({"/metrics": {"get": metrics()}} if self._shows_metrics else {}),
            "/openapi.json": {"get": read("openapi", "Operation", "This document", "OpenAPI")},
        }


def _by_id(engines: Iterable[Engine]) -> dict[str, list[Engine]]:
    grouped: dict[str, list[Engine]] = {}
    for engine in engines:
        grouped.setdefault(engine.service.id, []).append(engine)
    return grouped
