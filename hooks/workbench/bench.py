"""One deployment on the bench: any shipped client, any day, any number in its range, answered by the engine that serves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from weakref import WeakSet

import cds
from cds.content import Library
from cds.knowledge import SiteNumber, SitePolicy
from cds.signed import LANGUAGES, Language
from cds.signoff import check
from hooks.calls import Record
from hooks.desks import Desks
from hooks.engine import Answer, Engine, Evaluation
from hooks.errors import Issue, RequestError
from hooks.examples import fixtures
from hooks.fhir.keys import names_with, templates
from hooks.profiles import Profile
from hooks.replies import answered, http_issue, refused
from hooks.report import note_json, report
from hooks.services import Service
from hooks.wire import Response
from hooks.workbench import shown
from hooks.workbench.asked import MOST, Asked, Patient
from hooks.workbench.changes import changes
from hooks.workbench.course import course
from hooks.workbench.hiding import without
from hooks.workbench.making import request_of


Numbers = tuple[tuple[str, float], ...]


class Bench:
    """What stands behind the page."""

    def __init__(
        self,
        library: Library,
        services: Iterable[Service],
        clients: Iterable[Profile],
        today: Callable[[], date] | None = None,
        base_url: str | None = None,
        record: Record | None = None,
        limit: int | None = None,
    ) -> None:
        """`clients`: those to choose from, the usual one first. `today`: None asks the clock of each client, as the service does.

        `record`: told of what the deployment itself would have said. `limit`: the largest body in bytes that the service takes.
        """
        self._today, self._library, self._base_url, self._record = today, library, base_url, record
        self._limit = limit
        self._services = {service.id: service for service in services}
        self._clients = {profile.name: profile for profile in clients}
        self._engine = lru_cache(maxsize=32)(self._built)
        self._warm = WeakSet[Engine]()

    def day(self) -> date:
        """The day it is on this bench."""
        return self._today() if self._today is not None else date.today()

    def about(self, language: Language) -> dict[str, Any]:
        """What the page offers."""
        day = self.day()
        return {
            "software": cds.__version__,
            "knowledge": self._library.version,
            "site": self._library.site.site if self._library.site is not None else None,
            "today": str(day),
            "language": self._library.language,
            "languages": LANGUAGES,
            "feedback": self._record is not None,
            "most": MOST,
            "services": [{"id": s.id, "hook": s.hook, "title": s.title} for s in self._services.values()],
            "clients": [
                {"name": p.name, "means": p.means[language], "style": p.cards.model_dump(mode="json"), "mode": p.mode}
                for p in self._clients.values()
            ],
            "fixtures": [
                {"name": f.name, "title": title, "shows": shows, "hook": f.request["hook"]}
                for f in fixtures()
                for title, shows in [f.said(language)]
            ],
            "numbers": shown.numbers(self._library, language, day),
        }

    def evaluate(self, asked: Asked) -> dict[str, Any]:
        """Everything about one request: the answer as it leaves, and what it rests on. Raises RequestError for no such choice."""
        service, profile = self._chosen(asked)
        if asked.today is None and self._today is not None:
            asked = asked.model_copy(update={"today": self._today()})
        engine = self._engine(profile.name, service.id, tuple(sorted(asked.numbers.items())))
        sent = asked.body.encode()
        if self._limit is not None and len(sent) > self._limit:
            return self._too_long(service, asked.language or profile.language)
        body = without(sent, asked.hidden) if asked.hidden else sent
        if engine not in self._warm:  # what an engine does once for each day is not what an answer takes
            self._warm.add(engine)
            _evaluation(engine, body, asked)
        started = time.perf_counter()
        answer = _answer(engine, body, asked)
        took = time.perf_counter() - started
        if isinstance(answer, RequestError):
            reply, language, cards, issues = refused(answer), asked.language or profile.language, [], shown.issues(answer)
            evaluation = None
        else:
            reply, language, cards, issues = answered(Response(answer.cards), answer.language), answer.language, answer.cards, []
            evaluation = answer.evaluation
            if evaluation is not None and self._record is not None and not asked.what_if:
                self._record(service, None, evaluation, answer.silent)
        evaluation = evaluation or _evaluation(engine, body, asked)
        answering = language or self._library.language
        spoken = asked.page or answering
        return {
            **shown.wire(service.id, reply, answering),
            "took_ms": took * 1000,
            "issues": issues,
            "cards": shown.cards_shown(cards, profile.cards.detail),
            "sent": shown.laid_out(body) if asked.hidden else None,
            "decided": self._decided(evaluation, service, profile, body, spoken) if evaluation is not None else None,
            "changes": self._changes(asked, evaluation, sent, spoken) if asked.what_if and evaluation is not None else None,
        }

    def _too_long(self, service: Service, language: Language | None) -> dict[str, Any]:
        """What is said of a body that the service does not read."""
        error = RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, [http_issue(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)])
        said = shown.wire(service.id, refused(error), language or self._library.language)
        nothing = dict.fromkeys(("sent", "decided", "changes"))
        return {**said, "took_ms": 0, "issues": shown.issues(error), "cards": [], **nothing}

    def request(self, patient: Patient) -> dict[str, Any]:
        """The request that a client would send of a patient. Raises RequestError 400 where the data do not hold what it needs."""
        service, profile = self._chosen(patient)
        return request_of(patient.data, service, templates(self._library, service.rules, profile.local()))

    def _decided(
        self, evaluation: Evaluation, service: Service, profile: Profile, body: bytes, language: Language
    ) -> dict[str, Any]:
        decision, names = evaluation.decision, names_with(profile.prefetch.aliases)
        told = report(evaluation)
        labels = decision.library.labels
        patient = decision.chart.patient
        return {
            "report": told["decision"],
            "today": str(decision.chart.today),
            "patient": {"gender": patient.gender, "birth": str(patient.birth) if patient.birth is not None else None},
            "summary": {
                "scope": labels["scope"][decision["scope"]][language],
                "b12_status": labels["b12_status"][decision["b12_status"]][language],
                "absorption": labels["absorption"][decision["absorption"]][language],
                "row": labels["regimen_row"][decision["regimen"].row][language],
            },
            "advice": shown.advice(decision, language),
            "silences": shown.silences(decision, service.rules, language),
            "gaps": shown.gaps(decision, language),
            "notes": [note_json(note, decision.library, language) for note in decision.chart.notes],
            "records": shown.records(decision, language),
            "queries": shown.queries(body, evaluation.context.patientId, decision, names, language),
            "course": course(decision, language),
        }

    def _changes(self, asked: Asked, after: Evaluation, sent: bytes, language: Language) -> dict[str, Any] | None:
        service, profile = self._chosen(asked)
        before = _evaluation(self._engine(profile.name, service.id, ()), sent, asked)
        return changes(before, after, language) if before is not None else None

    def _chosen(self, asked: Asked | Patient) -> tuple[Service, Profile]:
        unknown = [
            Issue("not-found", f"There is no {what} {name!r} on this bench.", what)
            for what, name, known in (
                ("service", asked.service, self._services.keys()),
                ("client", asked.client, self._clients.keys()),
            )
            if name not in known
        ]
        if unknown:
            raise RequestError(400, unknown)
        return self._services[asked.service], self._clients[asked.client]

    def _built(self, client: str, service: str, numbers: Numbers) -> Engine:
        library = with_numbers(self._library, numbers) if numbers else self._library
        return Engine(library, self._services[service], Desks(library, [self._clients[client]], self._base_url))


def with_numbers(library: Library, numbers: Numbers) -> Library:
    """The library as if a site had set these numbers. Raises RequestError 400 for a number it may not set so."""
    signed = SiteNumber(value=0, reason="what if", approved_by="nobody", approved_on=date.min)
    policy = library.site or SitePolicy(site="what if")
    what_if = {name: signed.model_copy(update={"value": value}) for name, value in numbers}
    changed = replace(library, site=policy.model_copy(update={"parameters": {**policy.parameters, **what_if}}))
    try:
        check(changed)
    except ValueError as error:
        raise RequestError(400, [Issue("value", fault, "numbers") for fault in str(error).splitlines()]) from None
    return changed


def _answer(engine: Engine, body: bytes, asked: Asked) -> Answer | RequestError:
    try:
        return engine.answer(body, asked.today, asked.language)
    except RequestError as error:
        return error


def _evaluation(engine: Engine, body: bytes, asked: Asked) -> Evaluation | None:
    """The decision even where it is not sent; None where there was nothing to decide on."""
    try:
        return engine.evaluate(body, asked.today, asked.language)
    except RequestError:
        return None
