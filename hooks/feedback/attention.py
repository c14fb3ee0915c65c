"""Who has dealt with which card: what is held back from a user, and what is remembered of answers and reports.

Whatever fails here costs a card that is shown once more, and never one that is held back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

from cds.content import Library
from cds.decide import Decision, Statement
from cds.facts.attention import RestPeriods
from hooks.contexts import Context
from hooks.engine import Evaluation
from hooks.feedback.entries import Event, Keys, Report, client_of
from hooks.feedback.memory import ForgottenError, Memory, Override, Shown
from hooks.feedback.questions import Questions
from hooks.feedback.reasons import Reasons
from hooks.feedback.recorder import now
from hooks.resting import NOTHING_RESTS, Attend, Resting, View, Visit
from hooks.services import Service
from hooks.trust.tokens import Caller
from hooks.wire import HookRequest


_LOG = logging.getLogger("cobalamin")

LONGEST = timedelta(days=90)
"""No card rests longer (the widest range of `cds/facts/attention.yaml`), so nothing is remembered for longer."""

_UNKNOWN = "no card is held back, as it is not known who was shown which"
_LOST = "who was shown which card, or overrode it, is not remembered"


class Attention:
    """Holds back and remembers, for one deployment."""

    def __init__(
        self, library: Library, keys: Keys, memory: Memory, reasons: Reasons, clock: Callable[[], datetime] = now
    ) -> None:
        """`clock`: the moment, in UTC."""
        self._keys, self._memory, self._reasons, self._clock = keys, memory, reasons, clock
        self._questions = Questions(library, keys)
        self._complaints: dict[str, str] = {}

    def of(self, caller: Caller | None) -> Attend:
        """Who looks at the decisions for one caller."""
        return partial(self._attend, client_of(caller))

    def _attend(
        self, client: str, decision: Decision, context: Context, request: HookRequest, service: Service, silent: bool
    ) -> View:
        if not decision.statements and not decision.silent:
            return NOTHING_RESTS
        try:
            return self._view(client, decision, context, request, service, silent)
        except Exception as error:  # noqa: BLE001 - the advice goes out all the same
            self._tell(_UNKNOWN, type(error).__name__)
            return NOTHING_RESTS

    def _view(
        self, client: str, decision: Decision, context: Context, request: HookRequest, service: Service, silent: bool
    ) -> View:
        key, spoken = self._keys.key, (*decision.statements, *decision.held_back)
        patient = key("patient of", client, request.fhirServer or "", context.patientId)
        asked = {said.rule: self._questions.key(decision, said, service, patient) for said in (*spoken, *decision.silent)}
        if silent or not context.userId:
            return View(questions=asked)
        visit = Visit(
            client,
            key("user", client, context.userId),
            key("encounter", client, context.encounterId) if context.encounterId else "",
            key("instance", client, service.id, request.hookInstance),
        )
        return View(tuple(self._resting(decision, spoken, asked, visit, service)), asked, visit)

    def _resting(
        self, decision: Decision, spoken: Iterable[Statement], asked: dict[str, str], visit: Visit, service: Service
    ) -> Iterator[Resting]:
        """What is held back from the user of this visit. What is critical never is."""
        quiet = {_by(asked[said.rule], visit.user): said for said in spoken if said.words.urgency != "critical"}
        periods: RestPeriods | None = decision["rest_periods"]
        if not quiet or periods is None:
            return
        try:
            answered, seen, reports = self._memory.recall(tuple(quiet), visit.instance, visit.encounter)
        except ForgottenError as error:
            self._tell(_UNKNOWN, str(error))
            return
        self._tell(_UNKNOWN)
        at = self._clock()
        encountered = visit.encounter and service.about is None  # what is ordered is looked at each time it is
        for question, statement in quiet.items():
            if question in answered:
                continue  # the same call again gets the same answer
            report = reports.get(question)
            days = periods.override.get(report.reason or "", 0) if report is not None else 0
            if report is not None and at < (until := report.at + timedelta(days=days)):
                yield Resting(statement, "snoozed", until, report.reason)
            elif encountered and question in seen and at < (until := seen[question] + timedelta(days=periods.encounter)):
                yield Resting(statement, "repeated", until)

    def remember(self, service: Service, evaluation: Evaluation) -> None:
        """Remember the cards of an answer, once it is on its way. What is critical is never held back and need not be known."""
        visit, at = evaluation.view.visit, self._clock()
        if visit is None:
            return
        cards = zip(evaluation.decision.statements, evaluation.cards, strict=True)
        with self._told():
            self._memory.show(
                Shown(
                    _by(evaluation.view.questions[said.rule], visit.user),
                    visit.instance,
                    visit.encounter,
                    self._keys.card(visit.client, service.id, card.uuid),
                    at,
                )
                for said, card in cards
                if said.words.urgency != "critical"
            )

    def reported(self, events: Iterable[Event]) -> None:
        """Take note of feedback at once, where its card was answered on this machine; `learn` brings the rest."""
        with self._told():
            found = [(self._memory.question(event.card_key), event) for event in events]
            self._memory.override(self._override(question, event) for question, event in found if question is not None)

    def learn(self, reports: Iterable[Report]) -> None:
        """Take note of feedback on cards that were answered anywhere."""
        with self._told():
            self._memory.override(self._override(_by(report.question, report.user_key), report) for report in reports)

    def forget(self, before: datetime) -> None:
        """Delete what is older, and what is too old to matter."""
        with self._told():
            self._memory.forget(max(before, self._clock() - LONGEST))

    def _override(self, question: str, report: Event | Report) -> Override:
        """A report as it is remembered. What its client dates in the future happened when it came."""
        return Override(question, self._reasons.ours(report), min(report.outcome_at, report.received_at))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell of what could not be remembered; nothing depends on it."""
        try:
            yield
        except ForgottenError as error:
            self._tell(_LOST, str(error))
        else:
            self._tell(_LOST)

    def _tell(self, trouble: str, cause: str = "") -> None:
        """Log a trouble when it begins, when its cause changes, and when it has ended (no cause)."""
        if cause != self._complaints.get(trouble, ""):
            self._complaints[trouble] = cause
            _LOG.warning("%s: %s", trouble, cause or "no longer")


def _by(question: str, user: str) -> str:
    """A question as one user was asked it."""
    return f"{question}-{user}"
