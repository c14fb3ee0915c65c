"""One service call from bytes to cards. The server and the command line both call this, and so give the same answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from pydantic import ValidationError

from cds.chart import Chart, Patient
from cds.content import Library
from cds.decide import Decider, Decision
from cds.signed import LANGUAGES, Language
from hooks import exact
from hooks.cards import CardWriter
from hooks.contexts import CONTEXTS, Context, OrderSelect
from hooks.errors import Issue, RequestError
from hooks.fhir.brought import NOTHING_BROUGHT, UNRESOLVED, Brought, brought_in
from hooks.fhir.prefetch import KEYS, PATIENT_KEY, Supplied, unpack
from hooks.fhir.reader import Reader
from hooks.fhir.resources import Condition, reference_of
from hooks.fhir.values import ANSWERED
from hooks.services import Service
from hooks.wire import Card, HookRequest


_MEMBERS = msgspec.json.Decoder(dict[str, dict[str, msgspec.Raw] | list[Any] | str | int | float | bool | None])
"""The request in one pass: what objects hold stays raw, so that each prefetch value is parsed once, by its reader."""

_LOG = logging.getLogger("cobalamin")

_UNRESOLVED = (
    "Something in it names its patient or its medicine in a way that leads nowhere, so it was not looked at; refer to the "
    "patient in context, and include the Medication it refers to or its code."
)

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Evaluation:
    """A decision with its cards, on which context, and why it must not be sent as an answer, if there is a reason."""

    decision: Decision
    cards: list[Card]
    refusal: RequestError | None
    context: Context


class Engine:
    """One service, ready to answer."""

    def __init__(self, library: Library, service: Service, base_url: str | None = None) -> None:
        """Plan the rules and prepare the readers once. `base_url`: where the service shows its rulebook, if it is known."""
        self.library = library
        self.service = service
        self._decide = Decider(library, service.rules)
        self._reader = Reader(library)
        self._cards = {language: CardWriter(library, language, base_url) for language in LANGUAGES}
        self._critical = {
            rule: frozenset((rule, *library.graph.ancestors(rule)))
            for rule in service.rules
            if library.rules[rule].safety_critical
        }

    def answer(self, body: bytes, today: date, language: Language | None = None) -> Evaluation:
        """The answer to a request body. Raises RequestError: 400 not a request, 412 data missing, 500 a safety rule broke."""
        evaluation = self.evaluate(body, today, language)
        if evaluation.refusal is not None:
            raise evaluation.refusal
        return evaluation

    def evaluate(self, body: bytes, today: date, language: Language | None = None) -> Evaluation:
        """The decision even where it must not be sent. Raises RequestError where there is nothing to decide on.

        `language`: that of the cards; None leaves it to the site.
        """
        try:
            request, context = self._request(body)
            supplied = unpack(request.prefetch, context.patientId)
            brought = self._brought(context)
            patient = self._reader.patient(supplied, context.patientId) or self._nobody(supplied)
            chosen = context.selections if isinstance(context, OrderSelect) else None
            chart = (
                self._reader.chart(supplied, patient, context.patientId, today, brought, chosen) if patient is not None else None
            )
        except RecursionError:
            raise RequestError(400, [Issue("structure", "The JSON is nested too deeply; send plain FHIR resources.")]) from None
        except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError):
            raise RequestError(400, [Issue("structure", "The body is not a JSON object (RFC 8259).")]) from None
        if chart is None:
            raise RequestError(412, [_patient_missing(supplied)])
        ours = self._concerns_us(chart, brought)
        if ours and not chart.patient.reference:
            raise RequestError(412, [_patient_missing(supplied)])
        decision = self._decide(chart, asked=ours)
        for name, failure in decision.failures.items():
            _LOG.error("%s broke: %s", name, failure.error)
        cards = self._cards[language or self.library.language].cards(
            decision, context, request.hookInstance, brought.sent if self.service.may_change else {}
        )
        refusal = self._refusal(decision, supplied) if ours else None
        if not cards and refusal is None and any(note.key == UNRESOLVED for note in chart.notes):
            refusal = RequestError(412, [Issue("processing", _UNRESOLVED, f"context.{self.service.about}")])
        return Evaluation(decision, cards, refusal, context)

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

    def _request(self, body: bytes) -> tuple[HookRequest, Context]:
        """Envelope and context, with all their problems together. What nobody reads of the prefetch is checked as text only."""
        if not body.isascii():
            body.decode()
        members = _MEMBERS.decode(body.removeprefix(_BYTE_ORDER_MARK))
        content = {name: _parsed(member) if name != "prefetch" else member for name, member in members.items()}
        issues = []
        if isinstance(content.get("hook"), str) and content["hook"] and content["hook"] != self.service.hook:
            issues.append(
                Issue("invariant", f"This service answers {self.service.hook} only; call the service of your hook.", "hook")
            )
        try:
            request = HookRequest.model_validate(content)
        except ValidationError as error:
            issues += _issues(error, ())
        context = content.get("context")
        if isinstance(context, dict):
            try:
                given = CONTEXTS[self.service.hook].model_validate(context)
            except ValidationError as error:
                issues += _issues(error, ("context",))
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
        lost = [query for query in decision.unanswered if _is_lost(query, state[query], supplied)]
        if lost:
            return RequestError(412, [issue for query in lost for issue in _unanswered(query, state[query], supplied)])
        return None


def _parsed(member: Any) -> Any:
    return {name: exact.decode(raw) for name, raw in member.items()} if isinstance(member, dict) else member


def _issues(error: ValidationError, prefix: tuple[str, ...]) -> list[Issue]:
    """One issue per fault, with its place; pydantic's own words are kept only where they quote nothing of the input."""
    found = []
    for fault in error.errors(include_input=False, include_url=False):
        where = ".".join(map(str, (*prefix, *fault["loc"]))) or "$"
        if fault["type"] == "missing":
            found.append(Issue("required", f"{where} is required by the CDS Hooks specification; add it.", where))
        elif fault["type"] == "value_error":
            found.append(Issue("value", f"{where}: {fault['msg'].removeprefix('Value error, ')}.", where))
        else:
            found.append(Issue("value", f"{where} has the wrong JSON type or is blank; see the CDS Hooks specification.", where))
    return found


def _patient_missing(supplied: Supplied) -> Issue:
    state = supplied.keys.get(PATIENT_KEY, "absent")
    why = "brought no Patient with the id of context.patientId" if state in ("data", "unasked") else f"is {state}"
    return Issue(
        "processing",
        f"Prefetch key {PATIENT_KEY!r} {why}; supply the Patient resource of the patient in context.",
        "prefetch.patient",
    )


def _is_lost(query: str, state: str, supplied: Supplied) -> bool:
    """Is the answer missing that nothing can be concluded without? An optional key only makes an answer more complete."""
    required = [key.name for key in KEYS if key.query == query and key.required]
    answered = all(supplied.keys.get(name, "absent") in ANSWERED for name in required)
    nameless = supplied.retrieved[query] == "retrieved"  # the search was answered, and yet the chart is not complete
    return bool(required) and (nameless or not (answered and state == "incomplete"))


def _unanswered(query: str, state: str, supplied: Supplied) -> list[Issue]:
    """One issue for each key that could have answered the query."""
    issues = []
    for key in KEYS:
        if key.query != query:
            continue
        kind, sent = key.brings.__name__, supplied.keys.get(key.name, "absent")
        if supplied.retrieved[query] == "retrieved":
            text = (
                f"Prefetch key {key.name!r} is {sent}: some {kind} names nothing by a code or in words and may be anything, so "
                "nothing can be concluded; give it a code or a text, or include the Medication it refers to."
            )
        else:
            text = (
                f"Prefetch key {key.name!r} is {sent}: {kind} {state}. Without it nothing can be concluded; "
                "supply the search result, or null if the search found nothing."
            )
        issues.append(Issue("processing", text, f"prefetch.{key.name}"))
    return issues
