"""Examples of messages: shipped fixtures with their golden responses, and refusals as the service itself says them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from hooks.engine import Engine
from hooks.errors import RequestError, operation_outcome
from hooks.examples import Fixture, fixtures
from hooks.replies import http_issue


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
    """What a client may report of the cards of that answer."""
    shown = {}
    for known in _of(hook):
        card = known.response["cards"][0]
        item = {"card": card["uuid"], "outcomeTimestamp": REPORTED_AT}
        if reasons := card.get("overrideReasons"):
            shown["overridden"] = {**item, "outcome": "overridden", "overrideReason": {"reason": reasons[0]}}
        if suggestions := card.get("suggestions"):
            accepted = [{"id": suggestions[0]["uuid"]}]
            shown["accepted"] = {**item, "outcome": "accepted", "acceptedSuggestions": accepted}
    return {name: {"value": {"feedback": [item]}} for name, item in shown.items()}


def refusal_shown(status: int, engine: Engine) -> dict[str, Any]:
    """What a refusal says: of a request without anything, of one without data, or what HTTP says."""
    asked = ("hook", "hookInstance", "context")
    bodies: dict[int, Any] = {400: {}, 412: {name: known.request[name] for known in _of(engine.service.hook) for name in asked}}
    try:
        if status in bodies:
            engine.evaluate(json.dumps(bodies[status]).encode())
    except RequestError as error:
        return operation_outcome(error.issues)
    return operation_outcome([http_issue(HTTPStatus(status))])


def _of(hook: str) -> tuple[Fixture, ...]:
    known = _smallest().get(hook)
    return (known,) if known is not None else ()
