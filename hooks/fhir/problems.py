"""Conditions, procedures and allergies to records: what is active, what was done, and what is only suspected."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec

from cds.chart import Allergy, Condition, Note, Procedure
from cds.content import Library
from cds.days import Day
from cds.terms import Said, Terms
from hooks.fhir import resources
from hooks.fhir.elements import (
    code,
    codings,
    first_day,
    first_object,
    is_named,
    names,
    objects,
    opened,
    remembered,
    status,
    text,
    truth,
    wording,
)
from hooks.fhir.local import STANDARD, Local
from hooks.fhir.onsets import told_day
from hooks.fhir.owncodes import OwnCodes
from hooks.fhir.readings import NOTHING, Reading, unnamed
from hooks.fhir.resected import resected
from hooks.fhir.resources import NOT_SENT, reference_of


_ACTIVE = ("active", "recurrence", "relapse", "")
_PAST = ("inactive", "remission", "resolved")
_WRONG = ("refuted", "entered-in-error")
_UNSURE = ("unconfirmed", "provisional", "presumed")
_DIFFERENTIAL = "differential"
_DONE = ("completed", "unknown", "")
_NEVER_DONE = ("not-done", "entered-in-error", "aborted")
_LONGEST_NAME = 300
_ONLY_SUSPECTED = "only suspected"
_SURENESS = "/icd-10-gm-diagnosesicherheit"
_SURENESS_SAYS = {"A": Said.DENIED, "V": Said.DOUBTED}
"""German claims code what is excluded ("ausgeschlossen") or suspected ("Verdacht"), and say so in an extension only."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What a code and its words name, and what the record calls it.

    `suspected`: what is doubted and counts all the same. `unused`: what is named, and denied or doubted. `contradicted`: what is
    coded, and denied or doubted in the words beside the code. `worded`: whether there is any code or word at all.
    """

    stated: tuple[str, ...]
    suspected: tuple[str, ...]
    unused: tuple[str, ...]
    contradicted: tuple[str, ...]
    name: str
    worded: bool

    @property
    def named(self) -> tuple[str, ...]:
        """Every concept that is named at all."""
        return (*self.stated, *self.suspected, *self.unused)


class ProblemReader:
    """Reads Condition, Procedure and AllergyIntolerance against the value sets of one library."""

    def __init__(self, library: Library, local: Local = STANDARD) -> None:
        """Keep the tables that every problem is held against."""
        self._sets = library.value_sets
        self._condition, self._procedure, self._allergy = (
            self._reading(library, local, kind) for kind in ("condition", "procedure", "allergy")
        )

    def _reading(self, library: Library, local: Local, kind: str) -> Callable[[bytes], Problem]:
        terms, own = library.terms[kind], OwnCodes(local, library, kind)
        return remembered(lambda element: self._problem(terms, own, element))

    def condition(self, resource: resources.Condition, birth: Day | None = None) -> Reading:
        """A problem that is active, or of a kind whose history counts, and not refuted. `birth`: to date what has an age."""
        problem = self._condition(bytes(resource.code))
        if problem.worded and not problem.named:
            return NOTHING
        verification = status(bytes(resource.verificationStatus))
        if not problem.named:
            return _nameless(resource, "verification", verification, _WRONG)
        reference = reference_of(resource)
        clinical = status(bytes(resource.clinicalStatus))
        if not clinical and _abated(resource):
            clinical = "resolved"
        if verification in _WRONG:
            return Reading(notes=tuple(Note("verification", reference, concept, verification) for concept in problem.named))
        onset = (
            first_day(resource.onsetDateTime, opened(resource.onsetPeriod))
            or told_day(birth, resource.onsetString, resource.onsetAge, resource.onsetQuantity, resource.onsetRange)
            or first_day(resource.recordedDate, resource.assertedDate, resource.dateRecorded)
        )
        records, notes = [], _unused(problem, reference)
        if clinical not in (*_ACTIVE, *_PAST):
            notes += [Note("status_unknown", reference, concept, "") for concept in problem.named]
        for concept in (*problem.stated, *problem.suspected):
            value_set = self._sets[concept]
            if verification == _DIFFERENTIAL and not value_set.doubt_counts:
                notes.append(Note("verification", reference, concept, verification))
            elif clinical in _PAST and not value_set.history_counts:
                notes.append(Note("inactive", reference, concept, clinical))
            else:
                doubt = _doubt(problem, concept, verification)
                records.append(Condition(reference, concept, problem.name, onset, not doubt))
                notes += [Note("unconfirmed", reference, concept, doubt)] if doubt else []
        return Reading(tuple(records), tuple(notes))

    def procedure(self, resource: resources.Procedure, today: date, birth: Day | None = None) -> Reading:
        """A procedure that was done."""
        problem, status = self._procedure(bytes(resource.code)), code(resource.status)
        if not problem.named:
            return NOTHING if problem.worded else _nameless(resource, "not_done", status, _NEVER_DONE)
        reference = reference_of(resource)
        if status not in _DONE or truth(resource.notDone) or truth(resource.notPerformed):
            return Reading(notes=tuple(Note("not_done", reference, concept, status) for concept in problem.named))
        done = first_day(
            resource.performedDateTime,
            opened(resource.performedPeriod),
            resource.occurrenceDateTime,
            opened(resource.occurrencePeriod),
        ) or (
            told_day(birth, resource.performedString, resource.performedAge, resource.performedRange)
            or told_day(birth, resource.occurrenceString, resource.occurrenceAge, resource.occurrenceRange)
        )
        if done is not None and done.first > today + timedelta(days=1):
            return Reading(notes=tuple(Note("future", reference, concept, str(done)) for concept in problem.named))
        length, complete = resected(problem.name)
        records = tuple(Procedure(reference, concept, problem.name, done, length, complete) for concept in problem.stated)
        notes = [Note("status_unknown", reference, record.concept, "") for record in records if status == "unknown"]
        return Reading(records, (*_unused(problem, reference), *notes))

    def allergy(self, resource: resources.AllergyIntolerance) -> Reading:
        """An allergy or intolerance that is active and not refuted, by its code, its substance or the substance of a reaction."""
        elements = [bytes(element) for element in (resource.code, resource.substance) if element is not NOT_SENT]
        if resource.reaction is not NOT_SENT:
            elements += [msgspec.json.encode(reaction.get("substance")) for reaction in objects(opened(resource.reaction))]
        problems = list(map(self._allergy, elements))
        named = {concept: None for problem in problems for concept in problem.named}
        if not named and any(problem.worded for problem in problems):
            return NOTHING
        verification, only_status = status(bytes(resource.verificationStatus)), code(resource.status)
        clinical = status(bytes(resource.clinicalStatus)) or only_status
        verification = verification or (only_status if only_status in (*_WRONG, *_UNSURE) else "")  # DSTU2 has one for both
        if not named:
            return _nameless(resource, "inactive", verification, _WRONG)
        reference = reference_of(resource)
        if clinical in _PAST or verification in _WRONG:
            why = verification if verification in _WRONG else clinical
            return Reading(notes=tuple(Note("inactive", reference, concept, why) for concept in named))
        recorded = first_day(resource.recordedDate, resource.assertedDate)
        records: dict[str, Allergy] = {}
        notes: list[Note] = []
        for problem in problems:
            notes += _unused(problem, reference)
            for concept in (*problem.stated, *problem.suspected):
                if concept in records:
                    continue
                records[concept] = Allergy(reference, concept, problem.name, recorded)
                if doubt := _doubt(problem, concept, verification):
                    notes.append(Note("unconfirmed", reference, concept, doubt))
        return Reading(tuple(records.values()), tuple(notes))

    def _problem(self, terms: Terms, own: OwnCodes, element: bytes) -> Problem:
        """By code and by all the words: beside a code that says little, or that we do not list, may stand words that say more.

        Of words beside a code that we list, only what they add counts: they deny nothing that is coded.
        """
        concept = opened(element)
        named: dict[str, Said] = {}
        for words in names(concept):
            for match, said in terms.of_text(words).items():
                named[match] = min(named.get(match, said), said)
        coded = [match for system, value in codings(concept) for match, _ in terms.of_code(system, value)]
        coded += own.named(concept)
        sureness = min((said for item in objects(concept) for said in _sureness(item)), default=Said.STATED)
        if sureness is not Said.STATED:
            named.update(dict.fromkeys(coded, sureness))
            coded = []
        contradicted = tuple(match for match in dict.fromkeys(coded) if named.get(match, Said.STATED) is not Said.STATED)
        stated = tuple(dict.fromkeys((*coded, *(match for match, said in named.items() if said is Said.STATED))))
        doubted = [match for match, said in named.items() if said is Said.DOUBTED and match not in coded]
        suspected = tuple(match for match in doubted if self._sets[match].doubt_counts)
        unused = () if coded else tuple(match for match in named if match not in stated and match not in suspected)
        return Problem(stated, suspected, unused, contradicted, wording(concept)[:_LONGEST_NAME], is_named(concept))


def _sureness(concept: dict[str, Any]) -> Iterator[Said]:
    for coding in objects(concept.get("coding")):
        for extension in objects(coding.get("extension")):
            if text(extension.get("url")).endswith(_SURENESS):
                said = first_object(extension.get("valueCoding")).get("code") or extension.get("valueCode")
                yield _SURENESS_SAYS.get(text(said).upper(), Said.STATED)


def _nameless(resource: resources.Resource, key: str, status: str, void: Container[str]) -> Reading:
    """What says not even what it is about: nothing is lost where it does not hold either."""
    return Reading(notes=(Note(key, reference_of(resource), "", status),)) if status in void else unnamed(resource)


def _abated(resource: resources.Condition) -> bool:
    """Is it said to be over, by a date, an age, words, or by the mere fact?"""
    spans = (resource.abatementPeriod, resource.abatementAge, resource.abatementQuantity, resource.abatementRange)
    return (
        bool(resource.abatementDateTime or text(resource.abatementString) or truth(resource.abatementBoolean))
        or any(span is not NOT_SENT and opened(span) for span in spans)
    )  # fmt: skip


def _unused(problem: Problem, reference: str) -> list[Note]:
    """What is named and does not count, and what counts although words beside the code say otherwise."""
    return [
        *(Note("doubted", reference, concept, "") for concept in problem.unused),
        *(Note("contradicted", reference, concept, "") for concept in problem.contradicted),
    ]


def _doubt(problem: Problem, concept: str, verification: str) -> str:
    """Why something counts although nobody is sure of it; empty where somebody is."""
    if verification in (*_UNSURE, _DIFFERENTIAL):
        return verification
    return _ONLY_SUSPECTED if concept in problem.suspected else ""
