"""The operations: what each path takes, and every status it answers with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from cds.signed import LANGUAGES
from hooks.engine import Engine
from hooks.openapi.schemas import JSON, reference, request_name
from hooks.openapi.shown import feedback_shown, requests_shown, responses_shown
from hooks.operation.envelope import SAFE
from hooks.requestid import HARMLESS


REFUSALS = {
    HTTPStatus.BAD_REQUEST: "No such request: each fault has its issue, with its place and its mend.",
    HTTPStatus.UNAUTHORIZED: "The caller did not prove who it is; the operator finds the reason in the log.",
    HTTPStatus.FORBIDDEN: "The call did not come by https through a gateway that is known.",
    HTTPStatus.PRECONDITION_FAILED: "Data is missing without which silence would be a guess; each issue names what to supply.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body, or a text in it, is longer than the service accepts.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not announced as uncompressed `application/json`, or as a type with `+json`.",
    HTTPStatus.TOO_MANY_REQUESTS: "The client calls more often than was agreed; `Retry-After` says when to call again.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The service failed; nothing was concluded.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The service, or the store, is not at hand; nothing was stored. Try again later.",
}
"""What each status of a refusal means here."""

CALL = (400, 412, 413, 415, 500)
FEEDBACK = (400, 413, 415, 500, 503)
READ = (500,)
"""The refusals of each kind of operation; at the door of calls and feedback others may come beside."""

_TEXT = {"type": "string"}
Security = Sequence[Mapping[str, list[str]]]

HEADERS: dict[str, Any] = {
    "X-Request-Id": {
        "description": "The id of the request: that of the gateway, or a new one.",
        "schema": {"type": "string", "pattern": f"^{HARMLESS}$"},
        "required": True,
    },
    **{name: {"schema": {"const": value}, "required": True} for name, value in SAFE},
}
"""What every answer carries."""
REQUEST_ID = {
    "name": "X-Request-Id",
    "in": "header",
    "description": f"The id that the gateway gave the request; kept if it is of {HARMLESS}, else replaced.",
    "schema": {"type": "string"},
}

_EVERY = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
_STORED_NOWHERE = {"Cache-Control": {"description": "Nobody keeps it.", "schema": {"const": "no-store"}, "required": True}}
_SPOKEN = {
    "Content-Language": {"description": "The language of the words.", "schema": {"enum": list(LANGUAGES)}, "required": True},
    "Vary": {"schema": {"type": "string"}, "required": True},
}
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "description": f"The preferred of {' and '.join(LANGUAGES)} is spoken; without either, that of the site.",
    "schema": {"type": "string"},
    "example": "zh-CN, en;q=0.5",
}


def call(engines: Sequence[Engine], security: Security, door: Iterable[int]) -> dict[str, Any]:
    """A service call; `engines`: of one id, each of another hook. `door`: how callers may be refused whatever they ask."""
    services = [engine.service for engine in engines]
    choice = [reference(request_name(service.hook)) for service in services]
    answer = _answer("The cards, the most urgent first; none where there is nothing to say.", "Response", _SPOKEN)
    answer["content"][JSON] |= _examples([responses_shown(service.hook) for service in services])
    return {
        **_operation(services[0].id, "CDS Hooks", services[0].title, [_LANGUAGE]),
        "description": "\n\n".join(dict.fromkeys(service.description for service in services)),
        "requestBody": _body(choice, [requests_shown(service.hook) for service in services]),
        "responses": _responses(answer, {*CALL, *door}),
        **_secured(security),
    }


def feedback(engines: Sequence[Engine], security: Security, door: Iterable[int]) -> dict[str, Any]:
    """What became of the cards of a service; `door` as for calls."""
    hooks = [engine.service.hook for engine in engines]
    return {
        **_operation(f"feedback-{engines[0].service.id}", "Feedback", "What clinicians did with the cards"),
        "description": "A batch is stored as a whole or not at all; what was stored before is not stored twice.",
        "requestBody": _body([reference("Report")], [feedback_shown(hook) for hook in hooks]),
        "responses": _responses(_answer("All of the batch is stored.", "Received"), {*FEEDBACK, *door}),
        **_secured(security),
    }


def read(name: str, tag: str, summary: str, schema: str) -> dict[str, Any]:
    """A JSON document that anybody may read."""
    return {**_operation(name, tag, summary), "responses": _responses(_answer(f"{summary}.", schema), READ)}


def ready() -> dict[str, Any]:
    """Whether calls should be sent here."""
    unfit = _answer("Calls should go elsewhere.", "Readiness")
    responses = _responses(_answer("Calls may come.", "Readiness"), READ)
    return {**_operation("readiness", "Operation", "Whether calls should be sent here"), "responses": {**responses, "503": unfit}}


def rulebook() -> dict[str, Any]:
    """The page of everything there is to sign."""
    headers = {name: {"schema": _TEXT, "required": True} for name in ("Content-Security-Policy", "Cache-Control")}
    page = _text("The page.", "text/html", {**_SPOKEN, **headers})
    asked = {"name": "language", "in": "query", "description": "Before Accept-Language.", "schema": _TEXT, "example": "zh-CN"}
    operation = _operation("rulebook", "Knowledge", "Every rule, number and word, for people who sign them", [asked, _LANGUAGE])
    return {**operation, "responses": _responses(page, READ)}


def metrics() -> dict[str, Any]:
    """Counts and durations for Prometheus."""
    counts = _text("In the text format of Prometheus.", "text/plain", _STORED_NOWHERE)
    return {**_operation("metrics", "Operation", "Counts and durations"), "responses": _responses(counts, READ)}


def refusal(status: HTTPStatus, shown: Mapping[str, Any]) -> dict[str, Any]:
    """A refusal, as it is the same at all operations; `shown`: an example."""
    headers: dict[str, Any] = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = {"schema": {"const": "Bearer"}, "required": True}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["Retry-After"] = {"description": "Seconds.", "schema": {"type": "string"}, "required": True}
    answer = _answer(REFUSALS[status], "OperationOutcome", headers)
    answer["content"][JSON]["example"] = shown
    return answer


def refusal_name(status: int) -> str:
    """The name of the component: the reason phrase in one word."""
    return "".join(word.capitalize() for word in HTTPStatus(status).phrase.split())


def _operation(name: str, tag: str, summary: str, parameters: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    asked = [*parameters, {"$ref": f"#/components/parameters/{REQUEST_ID['name']}"}]
    return {"operationId": name, "tags": [tag], "summary": summary, "parameters": asked}


def _answer(description: str, schema: str, headers: Mapping[str, Any] | None = None) -> dict[str, Any]:
    content = {JSON: {"schema": reference(schema)}}
    return {"description": description, "headers": {**_EVERY, **_STORED_NOWHERE, **(headers or {})}, "content": content}


def _text(description: str, kind: str, headers: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "headers": {**_EVERY, **headers}, "content": {kind: {"schema": _TEXT}}}


def _responses(answer: Mapping[str, Any], refusals: Iterable[int]) -> dict[str, Any]:
    return {"200": answer, **{str(code): {"$ref": f"#/components/responses/{refusal_name(code)}"} for code in sorted(refusals)}}


def _body(choice: Sequence[Mapping[str, Any]], examples: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    schema = choice[0] if len(choice) == 1 else {"oneOf": choice}
    return {"required": True, "content": {JSON: {"schema": schema, **_examples(examples)}}}


def _examples(examples: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    every = {name: example for known in examples for name, example in known.items()}
    return {"examples": every} if every else {}


def _secured(security: Security) -> dict[str, Any]:
    return {"security": security} if security else {}
