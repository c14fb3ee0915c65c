"""Examples of messages: shipped fixtures with their golden responses, and refusals as the service itself says them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from hooks.edge.config import TOO_MANY, UNSAFE
from hooks.engine import Engine
from hooks.errors import Issue, RequestError, operation_outcome
from hooks.examples import Fixture, fixtures
from hooks.feedback.wire import AWAY
from hooks.replies import FAILED, http_issue
from hooks.requestid import request_id
from hooks.trust.gate import UNAUTHORISED


REQUEST = "7f9c2ba4e88f827d616045507605853e"
"""The id of the request that is shown."""
REPORTED_AT = "2026-11-21T09:30:00Z"


@cache
def _smallest() -> Mapping[str, Fixture]:
    """The smallest fixture of each hook that is answered with cards, in the language of the deployment."""
    found: dict[str, Fixture] = {}
    for known in sorted(fixtures(), key=lambda known: (len(json.dumps(known.request)), known.name)):
        if known.language is None and known.response["cards"]:
            found.setdefault(known.request["hook"], known)
    return found


def requests_shown(hook: str) -> dict[str, Any]:
    """An example of a request; empty where no fixture is of this hook."""
    return {known.name: {"summary": known.title, "value": known.request} for known in _of(hook)}


def responses_shown(hook: str) -> dict[str, Any]:
    """What that request is answered with by the shipped knowledge."""
    return {known.name: {"summary": known.title, "value": known.response} for known in _of(hook)}


def feedback_shown(hook: str) -> dict[str, Any]:
    """What a client may report of the first card of that answer."""
    cards = [card for known in _of(hook) for card in known.response["cards"][:1]]
    items = [
        *(
            {"card": card["uuid"], "outcome": "overridden", "overrideReason": {"reason": reason}}
            for card in cards
            for reason in card.get("overrideReasons", [])[:1]
        ),
        *(
            {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": suggestion["uuid"]}]}
            for card in cards
            for suggestion in card.get("suggestions", [])[:1]
        ),
    ]
    return {item["outcome"]: {"value": {"feedback": [{**item, "outcomeTimestamp": REPORTED_AT}]}} for item in items}


def refusal_shown(status: HTTPStatus, engine: Engine) -> dict[str, Any]:
    """What a refusal says: of a request without anything, of one without data, or of any request."""
    asked = ("hook", "hookInstance", "context")
    match status:
        case HTTPStatus.BAD_REQUEST:
            issues = _refused({}, engine)
        case HTTPStatus.PRECONDITION_FAILED:
            issues = _refused({name: known.request[name] for known in _of(engine.service.hook) for name in asked}, engine)
        case _:
            issues = _SAID.get(status, (http_issue(status),))
    before = request_id.set(REQUEST)
    try:
        return operation_outcome(issues)
    finally:
        request_id.reset(before)


_SAID = {
    HTTPStatus.UNAUTHORIZED: UNAUTHORISED,
    HTTPStatus.FORBIDDEN: (UNSAFE,),
    HTTPStatus.TOO_MANY_REQUESTS: (TOO_MANY,),
    HTTPStatus.INTERNAL_SERVER_ERROR: (FAILED,),
    HTTPStatus.SERVICE_UNAVAILABLE: (AWAY,),
}


def _refused(body: Mapping[str, Any], engine: Engine) -> tuple[Issue, ...]:
    """Why the service refuses this."""
    try:
        refusal = engine.evaluate(json.dumps(body).encode()).refusal
    except RequestError as error:
        refusal = error
    return refusal.issues if refusal is not None else ()


def _of(hook: str) -> tuple[Fixture, ...]:
    known = _smallest().get(hook)
    return (known,) if known is not None else ()
