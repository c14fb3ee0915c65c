"""What a decision comes to, without the words and the ids: the same for two requests that say the same of a patient."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from cds.library import KnowledgeError, load
from cds.signed import Language
from hooks.clientfiles import client
from hooks.desks import Desks
from hooks.engine import Engine
from hooks.errors import RequestError
from hooks.examples import written_for
from hooks.mistakes import Mistake
from hooks.report import report
from hooks.services import SERVICES, service_of


_PLAIN = ("scope", "b12_status", "absorption", "regimen", "indicator", "held_back")
_SUMS = ("enteral_b12_ug_per_day", "parenteral_b12_ug_per_30_days")


class Policy:
    """The service under one policy, without a server."""

    def __init__(self, site: Path | None = None, clients: Iterable[str] = ()) -> None:
        """`site`: its policy; None: the defaults. Raises Mistake for one that does not fit."""
        try:
            self.library = load(site)
            profiles = [client(name, self.library) for name in clients]
            desks = Desks(self.library, profiles)
        except KnowledgeError as error:
            raise Mistake(f"{site or 'The client'} cannot be used: {error}") from None
        self.units = [written for profile in profiles for agreed in profile.units.values() for written in agreed]
        self._engines = {service.hook: Engine(self.library, service, desks) for service in SERVICES}

    def cards(self, request: dict[str, Any], today: date | None = None, language: Language | None = None) -> dict[str, Any]:
        """The answer to a request, as a client would get it: its status, and cards or issues."""
        try:
            answer = self._of(request).answer(_body(request), _day(request, today), language)
        except RequestError as error:
            return {"status": error.status, "issues": [issue.text for issue in error.issues]}
        return {"status": 200, "cards": to_builtins(answer.cards)}

    def essence(self, request: dict[str, Any], today: date | None = None) -> dict[str, Any]:
        """What is decided: for whom, what status, which advice, which sums, what could not be assessed."""
        try:
            evaluation = self._of(request).evaluate(_body(request), _day(request, today))
        except RequestError as error:
            return {"status": error.status, "where": [issue.where for issue in error.issues]}
        decided = report(evaluation)["decision"]
        return {
            "status": 200 if evaluation.refusal is None else evaluation.refusal.status,
            **{name: decided[name] for name in (*_PLAIN, *_SUMS)},
            "advice": [(advice["rule"], advice["key"], advice["indicator"]) for advice in decided["advice"]],
            "gaps": [gap["what"] for gap in decided["could_not_assess"]],
        }

    def _of(self, request: dict[str, Any]) -> Engine:
        return self._engines[service_of(request["hook"]).hook]


def _body(request: dict[str, Any]) -> bytes:
    return json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _day(request: dict[str, Any], today: date | None) -> date | None:
    return today or written_for(request)
