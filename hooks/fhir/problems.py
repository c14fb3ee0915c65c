"""Conditions, procedures and allergies to records: what is active, what was done, and what is only suspected."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from cds.chart import Allergy, Condition, Note, Procedure
from cds.content import Library
from cds.terms import Said, Terms
from hooks.fhir import resources
from hooks.fhir.elements import (
    code,
    codings,
    first_day,
    is_named,
    names,
    number,
    objects,
    opened,
    plain_text,
    remembered,
    status,
    wording,
)
from hooks.fhir.observations import NOTHING, Reading, unnamed
from hooks.fhir.resources import reference_of


_ACTIVE = ("active", "recurrence", "relapse", "")
_PAST = ("inactive", "remission", "resolved")
_WRONG = ("refuted", "entered-in-error")
_UNSURE = ("unconfirmed", "provisional")
_DIFFERENTIAL = "differential"
_LONGEST_NAME = 300
_ONLY_SUSPECTED = "only suspected"
_LENGTH = re.compile(r"(\d[\d.]*(?:\s*(?:[-–~x×]|to|至|到)\s*\d[\d.]*)*)\s*(mm|cm|毫米|厘米|公分)", re.IGNORECASE)
_CM_IN = {"mm": 0.1, "毫米": 0.1}
_COMPLETE = re.compile(
    r"\bcomplete (?:ileal|ileectomy|(?:resection|removal|excision) of (?:the )?(?:(?:terminal|distal) )?ileum)\b|"
    r"\b(?:entire|whole) (?:(?:terminal|distal) )?(?:ileum|ileal)\b|"
    r"(?:全部?|完全切除)(?:末端|末段|远端)?回肠|回肠(?:末端|末段)?(?:全部|完全|全)切",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a code and its words name, and what the record calls it.

    `suspected`: what is doubted and counts all the same. `unused`: what is named, and denied or doubted. `worded`: whether there
    is any code or word at all.
    """

    stated: tuple[str, ...]
    suspected: tuple[str, ...]
    unused: tuple[str, ...]
    name: str
    worded: bool

    @property
    def named(self) -> tuple[str, ...]:
        """Every concept that is named at all."""
        return (*self.stated, *self.suspected, *self.unused)


class ProblemReader:
    """Reads Condition, Procedure and AllergyIntolerance against the value sets of one library."""

    def __init__(self, library: Library) -> None:
        """Keep the tables that every problem is held against."""
        self._sets = library.value_sets
        terms = library.terms
        self._condition = remembered(lambda element: self._problem(terms["condition"], element))
        self._procedure = remembered(lambda element: self._problem(terms["procedure"], element))
        self._allergy = remembered(lambda element: self._problem(terms["allergy"], element))

    def condition(self, resource: resources.Condition) -> Reading:
        """A problem that is active, or of a kind whose history counts, and not refuted."""
        problem = self._condition(bytes(resource.code))
        if not problem.named:
            return NOTHING if problem.worded else unnamed(resource)
        reference = reference_of(resource)
        verification, clinical = status(bytes(resource.verificationStatus)), status(bytes(resource.clinicalStatus))
        if not clinical and (resource.abatementDateTime or opened(resource.abatementPeriod)):
            clinical = "resolved"
        if verification in _WRONG:
            return Reading(notes=tuple(Note("verification", reference, concept, verification) for concept in problem.named))
        onset = first_day(resource.onsetDateTime, opened(resource.onsetPeriod), resource.recordedDate)
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

    def procedure(self, resource: resources.Procedure, today: date) -> Reading:
        """A procedure that was done."""
        problem = self._procedure(bytes(resource.code))
        if not problem.named:
            return NOTHING if problem.worded else unnamed(resource)
        reference, status = reference_of(resource), code(resource.status)
        if status not in ("completed", "unknown", "") or resource.notDone is True:
            return Reading(notes=tuple(Note("not_done", reference, concept, status) for concept in problem.named))
        done = first_day(
            resource.performedDateTime,
            opened(resource.performedPeriod),
            resource.occurrenceDateTime,
            opened(resource.occurrencePeriod),
        )
        if done is not None and done.first > today + timedelta(days=1):
            return Reading(notes=tuple(Note("future", reference, concept, str(done)) for concept in problem.named))
        words = plain_text(problem.name)
        length, complete = _length_cm(words), bool(_COMPLETE.search(words))
        records = tuple(Procedure(reference, concept, problem.name, done, length, complete) for concept in problem.stated)
        return Reading(records, tuple(_unused(problem, reference)))

    def allergy(self, resource: resources.AllergyIntolerance) -> Reading:
        """An allergy or intolerance that is active and not refuted, by its code, its substance or the substance of a reaction."""
        reactions = (msgspec.json.encode(reaction.get("substance")) for reaction in objects(opened(resource.reaction)))
        problems = [self._allergy(element) for element in (bytes(resource.code), bytes(resource.substance), *reactions)]
        named = {concept: None for problem in problems for concept in problem.named}
        if not named:
            return NOTHING if any(problem.worded for problem in problems) else unnamed(resource)
        reference, verification = reference_of(resource), status(bytes(resource.verificationStatus))
        clinical = status(bytes(resource.clinicalStatus)) or code(resource.status)
        if clinical in (*_PAST, *_WRONG) or verification in _WRONG:
            return Reading(notes=tuple(Note("inactive", reference, concept, verification or clinical) for concept in named))
        recorded = first_day(resource.recordedDate)
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

    def _problem(self, terms: Terms, element: bytes) -> Problem:
        """By code and by all the words: beside a code that says little, or that we do not list, may stand words that say more.

        Of words beside a code that we list, only what they add counts: they deny nothing that is coded.
        """
        concept = opened(element)
        named: dict[str, Said] = {}
        for words in names(concept):
            for match, said in terms.of_text(words).items():
                named[match] = min(named.get(match, said), said)
        coded = [match for system, value in codings(concept) for match, _ in terms.of_code(system, value)]
        stated = tuple(dict.fromkeys((*coded, *(match for match, said in named.items() if said is Said.STATED))))
        doubted = [match for match, said in named.items() if said is Said.DOUBTED and match not in coded]
        suspected = tuple(match for match in doubted if self._sets[match].doubt_counts)
        unused = () if coded else tuple(match for match in named if match not in stated and match not in suspected)
        return Problem(stated, suspected, unused, wording(concept)[:_LONGEST_NAME], is_named(concept))


def _unused(problem: Problem, reference: str) -> list[Note]:
    return [Note("doubted", reference, concept, "") for concept in problem.unused]


def _doubt(problem: Problem, concept: str, verification: str) -> str:
    """Why something counts although nobody is sure of it; empty where somebody is."""
    if verification in (*_UNSURE, _DIFFERENTIAL):
        return verification
    return _ONLY_SUSPECTED if concept in problem.suspected else ""


def _length_cm(words: str) -> float | None:
    """A length, where exactly one is given: of several, or of a range, nobody can tell which was taken out."""
    found = set(_LENGTH.findall(words))
    value, unit = found.pop() if len(found) == 1 else ("", "cm")
    length = number(value)
    return None if length is None else length * _CM_IN.get(unit.lower(), 1.0)
