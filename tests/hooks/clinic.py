"""A service with a store, as users who open charts and dismiss cards meet it, and a clock that is set by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds.library import load
from hooks.app import Config, create_app
from hooks.calls import Record
from hooks.engine import Evaluation
from hooks.feedback.config import FeedbackConfig
from hooks.feedback.mounting import Kept
from hooks.feedback.store import Store
from hooks.services import Service, service_of
from hooks.trust.tokens import Caller
from tests.patients import PATIENT, TODAY, library, request


SALT = "the-salt-of-the-tests"
START = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC)
BASELINE = {"age": 72, "problems": ["osteoporosis"]}


class Clinic:
    """A service with a store, a clock that is set by hand, and users who open charts and dismiss cards."""

    def __init__(self, config: FeedbackConfig, **more: Any) -> None:
        """`more`: of the configuration of the application."""
        self.now, self.config = START, config
        self.kept: Kept
        self.seen: list[Evaluation] = []
        self.last: dict[str | None, tuple[str, dict[str, str]]] = {}
        self._calls = 0
        clinic = self

        class Clocked(Kept):
            def __init__(self, *arguments: Any) -> None:
                settings: dict[str, Any] = {"clock": lambda: clinic.now}
                super().__init__(*arguments, **settings)
                clinic.kept = self

            @property
            def record(self) -> Record:
                def watched(service: Service, caller: Caller | None, evaluation: Evaluation, silent: bool) -> None:
                    clinic.seen.append(evaluation)
                    Kept.record.fget(self)(service, caller, evaluation, silent)  # type: ignore[attr-defined]  # a property

                return watched

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("hooks.feedback.mounting.Kept", Clocked)
            patch.setattr("hooks.app.load", lambda site: library() if site is None else load(site))
            app = create_app(Config(today=lambda: self.now.date(), feedback=config, **more))
        self.ehr: FlaskClient = app.test_client()
        self.topics = {rule.topic: name for name, rule in library().rules.items()}

    def opens(
        self,
        patient: dict[str, Any] = BASELINE,
        user: str | None = "dr-a",
        encounter: str | None = None,
        call: str | None = None,
        language: str = "en",
        server: str | None = None,
    ) -> tuple[int, list[dict[str, Any]]]:
        """Status and cards when somebody opens the chart, or orders."""
        self._calls += 1
        sent = request(patient)
        context = {"patientId": PATIENT, "userId": f"Practitioner/{user}" if user else None, "encounterId": encounter}
        given = {name: value for name, value in (sent["context"] | context).items() if value is not None}
        sent |= {"hookInstance": call or f"call {self._calls}", "context": given, "fhirServer": server}
        service = f"/cds-services/{service_of(sent['hook']).id}"
        answer = self.ehr.post(service, json=sent, headers={"Accept-Language": language})
        body = answer.get_json()
        cards: list[dict[str, Any]] = body.get("cards", [])
        if cards:
            self.last[user] = service, {self.topics[card["source"]["topic"]["code"]]: card["uuid"] for card in cards}
        return answer.status_code, cards

    def store(self) -> Store:
        """The store, as its operator opens it."""
        return Store(self.config.url)

    def last_seen(self) -> tuple[list[str], dict[str, str]]:
        """What the last answer showed, and what it held back and why."""
        evaluation = self.seen[-1]
        shown = [said.named for said in evaluation.decision.statements]
        return shown, {rest.statement.named: rest.because for rest in evaluation.view.resting}

    def reports(self, rule: str, outcome: dict[str, Any], user: str | None = "dr-a", at: datetime | None = None) -> int:
        """The status when somebody reports on a card that was shown last."""
        service, cards = self.last[user]
        item = {"card": cards[rule], "outcomeTimestamp": (at or self.now).isoformat(), **outcome}
        return self.ehr.post(f"{service}/feedback", json={"feedback": [item]}).status_code

    def overrides(self, rule: str, reason: str | None, user: str | None = "dr-a", at: datetime | None = None) -> int:
        """The status when somebody overrides."""
        coded = {"overrideReason": {"reason": {"code": reason, "system": "urn:cobalamin-cds:override-reason"}}} if reason else {}
        return self.reports(rule, {"outcome": "overridden", **coded}, user, at)
