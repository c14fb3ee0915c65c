"""One service call from bytes to cards. The server and the command line both call this, and so give the same answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from pydantic import ValidationError

from cds.chart import Chart, Patient
from cds.content import Library
from cds.decide import Decider, Decision
from cds.signed import Language
from hooks import exact
from hooks.contexts import CONTEXTS, Context, OrderSelect
from hooks.desks import Desk, Desks
from hooks.errors import Issue, RequestError, issues_of, only_json
from hooks.fhir.brought import NOTHING_BROUGHT, UNRESOLVED, Brought, brought_in
from hooks.fhir.fetching import Fetcher
from hooks.fhir.keys import PATIENT_KEY, templates
from hooks.fhir.prefetch import Supplied, unpack
from hooks.fhir.resources import Condition, reference_of
from hooks.members import members_of
from hooks.refusals import all_missing, is_lost, unanswered
from hooks.resting import NOTHING_RESTS, View
from hooks.services import Service
from hooks.trail import Trail
from hooks.unchecked import unchecked
from hooks.wire import Card, HookRequest


_LOG = logging.getLogger("cobalamin")

_UNRESOLVED = (
    "Something in it names its patient or its medicine in a way that leads nowhere, so it was not looked at; refer to the "
    "patient in context, and include the Medication it refers to or its code."
)

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Evaluation:
    """A decision with its cards, on which context, and why it must not be sent as an answer, if there is a reason.

    language: of the cards. instance: the hook instance. view: what is held back from this user; the decision is without it.
    """

    decision: Decision
    cards: list[Card]
    language: Language
    refusal: RequestError | None
    context: Context
    instance: str = ""
    view: View = NOTHING_RESTS


class Answer(NamedTuple):
    """What a client gets: its cards, and the language they are in. What was evaluated for it, and whether nobody is shown it."""

    cards: list[Card]
    language: Language
    evaluation: Evaluation | None = None
    silent: bool = False


class Engine:
    """One service, ready to answer."""

    def __init__(self, library: Library, service: Service, desks: Desks | None = None) -> None:
        """Plan the rules once. `desks`: the clients of the deployment, shared by its services; without them all are generic."""
        self.library = library
        self.service = service
        self._desks = desks or Desks(library)
        self._decide = Decider(library, service.rules)
        self._asked = tuple(templates(library, service.rules))
        self._fetchers = {
            desk.profile.name: Fetcher(desk.access, templates(library, service.rules, desk.reader.local))
            for desk in self._desks.known
            if desk.access is not None
        }
        self._critical = {
            rule: frozenset((rule, *library.graph.ancestors(rule)))
            for rule in service.rules
            if library.rules[rule].safety_critical
        }

    def prepare(self) -> None:
        """Work out what holds for everybody today, wherever clients are, before the first of them calls."""
        for today in {desk.today() for desk in self._desks.known}:
            self._decide.prepare(today)

    def answer(
        self,
        body: bytes,
        today: date | None = None,
        language: Language | None = None,
        iss: str | None = None,
        trail: Trail | None = None,
    ) -> Answer:
        """The cards for a request body. Raises RequestError: 400 not a request, 412 data missing, 500 a safety rule broke.

        `today`: None asks the clock of the client. `language`: None leaves it to the client, then to the site. `iss`: whose
        token came with it, where tokens are checked. `trail`: learns how far it came.
        """
        trail = trail or Trail()
        trail.enter("read")
        request, context = trail.request, trail.context = self._request(body)
        desk = self._desks.of(request, iss)
        trail.client, trail.asked = desk.profile.name, self._asked
        spoken = language or desk.language
        if reason := desk.declines(request):
            _LOG.warning("client %s %s: nothing was evaluated, no card was sent", desk.profile.name, reason)
            return Answer([], spoken)
        evaluation: Evaluation | None
        try:
            evaluation = self._evaluated(request, context, desk, today or desk.today(), spoken, trail)
            if evaluation.refusal is not None:
                raise evaluation.refusal
            cards = evaluation.cards
        except RequestError as error:
            if error.status != 412 or desk.profile.on_missing == 412:
                raise
            cards = desk.rendered([unchecked(self.library, spoken, context, request.hookInstance, error)], spoken)
            evaluation = None
        trail.cards, trail.silent = cards, desk.profile.mode == "silent"
        if trail.silent:
            topics = ", ".join(card.source.topic.code for card in cards) or "none"
            _LOG.warning("client %s is silent: evaluated, no card was sent; left out: %s", desk.profile.name, topics)
            return Answer([], spoken, evaluation, silent=True)
        return Answer(cards, spoken, evaluation)

    def evaluate(self, body: bytes, today: date | None = None, language: Language | None = None) -> Evaluation:
        """The decision even where it must not be sent. Raises RequestError where there is nothing to decide on."""
        request, context = self._request(body)
        desk = self._desks.of(request)
        return self._evaluated(request, context, desk, today or desk.today(), language or desk.language, Trail())

    def _evaluated(
        self, request: HookRequest, context: Context, desk: Desk, today: date, language: Language, trail: Trail
    ) -> Evaluation:
        chart, supplied, brought = self._read(request, context, desk, today, trail)
        if chart is None:
            raise RequestError(412, all_missing(supplied))
        ours = self._concerns_us(chart, brought)
        if ours and not chart.patient.reference:
            raise RequestError(412, all_missing(supplied))
        trail.enter("decide")
        decision = self._decide(chart, asked=ours)
        trail.enter("write")
        for name, failure in decision.failures.items():
            _LOG.error("%s broke: %s", name, failure.error)
        instance, attend = request.hookInstance, trail.attend
        view = attend(decision, context, request, self.service, desk.profile.mode == "silent") if attend else NOTHING_RESTS
        decision = view.of(decision)
        trail.decision, trail.view = decision, view
        drafts = brought.sent if self.service.may_change else {}
        cards = desk.rendered(desk.writers[language].cards(decision, context, instance, drafts, view.resting), language)
        refusal = self._refusal(decision, supplied) if ours else None
        if not cards and refusal is None and any(note.key == UNRESOLVED for note in chart.notes):
            refusal = RequestError(412, [Issue("processing", _UNRESOLVED, f"context.{self.service.about}")])
        return Evaluation(decision, cards, language, refusal, context, instance, view)

    @only_json
    def _read(
        self, request: HookRequest, context: Context, desk: Desk, today: date, trail: Trail
    ) -> tuple[Chart | None, Supplied, Brought]:
        """The chart, unless nobody knows whose; and what was supplied and brought for it. What is missing is fetched."""
        supplied = trail.supplied = unpack(request.prefetch, context.patientId, names=desk.names)
        brought = self._brought(context)
        chart = self._chart(supplied, context, desk, today, brought)
        fetcher = self._fetchers.get(desk.profile.name)
        if fetcher is not None and (chart is None or self._concerns_us(chart, brought)):
            sent = request.prefetch, supplied, context.patientId, request.fhirServer, request.fhirAuthorization, desk.names
            trail.enter("fetch")
            supplied, before = fetcher.complete(*sent), supplied
            trail.enter("read")
            trail.completed = supplied
            chart = self._chart(supplied, context, desk, today, brought) if supplied is not before else chart
        return chart, supplied, brought

    def _chart(self, supplied: Supplied, context: Context, desk: Desk, today: date, brought: Brought) -> Chart | None:
        """Everything that is known of the patient; None where nobody knows who that is."""
        patient = desk.reader.patient(supplied, context.patientId) or self._nobody(supplied)
        chosen = context.selections if isinstance(context, OrderSelect) else None
        return desk.reader.chart(supplied, patient, context.patientId, today, brought, chosen) if patient is not None else None

    def _nobody(self, supplied: Supplied) -> Patient | None:
        """Nobody in particular: an order that does not concern us needs no patient. Not where somebody else was sent."""
        asked = self.service.about in ("draftOrders", "medications") and supplied.keys.get(PATIENT_KEY, "absent") != "data"
        return Patient("", None, None, False) if asked else None

    def _brought(self, context: Context) -> Brought:
        """What the context holds of orders or problems."""
        return brought_in(getattr(context, self.service.about), context.patientId) if self.service.about else NOTHING_BROUGHT

    def _concerns_us(self, chart: Chart, brought: Brought) -> bool:
        """Is anything of what the question is about ours to speak of?"""
        if self.service.about == "conditions":
            new = {reference_of(condition) for condition in brought.of(Condition)}
            return any(record.reference in new for records in chart.records.values() for record in records)
        return self.service.about is None or bool(chart.chosen)

    @only_json
    def _request(self, body: bytes) -> tuple[HookRequest, Context]:
        """Envelope and context, with all their problems together. What nobody reads of the prefetch is checked as text only."""
        if not body.isascii():
            body.decode()
        members = members_of(body.removeprefix(BYTE_ORDER_MARK))
        content = {name: _parsed(member) if name != "prefetch" else member for name, member in members.items()}
        issues = []
        if isinstance(content.get("hook"), str) and content["hook"] and content["hook"] != self.service.hook:
            issues.append(
                Issue("invariant", f"This service answers {self.service.hook} only; call the service of your hook.", "hook")
            )
        try:
            request = HookRequest.model_validate(content)
        except ValidationError as error:
            issues += issues_of(error, ())
        context = content.get("context")
        if isinstance(context, dict):
            try:
                given = CONTEXTS[self.service.hook].model_validate(context)
            except ValidationError as error:
                issues += issues_of(error, ("context",))
        if issues:
            raise RequestError(400, issues)
        return request, given

    def _refusal(self, decision: Decision, supplied: Supplied) -> RequestError | None:
        """Silence must mean that we looked: not when a query went unanswered, and not when a rule broke."""
        broken = decision.failures.keys()
        if broken and (not decision.statements or any(broken & needs for needs in self._critical.values())):
            return RequestError(
                500, [Issue("exception", "A rule could not be evaluated; nothing was concluded. Please report this.")]
            )
        state = decision.chart.retrieved
        if decision.statements or all(ending == "retrieved" for ending in state.values()):
            return None
        lost = [query for query in decision.unanswered if is_lost(query, state[query], supplied)]
        if lost:
            return RequestError(412, [issue for query in lost for issue in unanswered(query, state[query], supplied)])
        return None


def _parsed(member: Any) -> Any:
    return {name: exact.decode(raw) for name, raw in member.items()} if isinstance(member, dict) else member
