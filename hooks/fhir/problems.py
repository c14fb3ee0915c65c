"""Conditions, procedures and allergies to records: what is active, what was done, and what is only suspected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cds.chart import Allergy, Condition, Note, Procedure
from cds.content import Library
from cds.terms import Terms
from hooks.fhir import resources
from hooks.fhir.elements import code, codings, first_day, objects, opened, plain_text, remembered, wording
from hooks.fhir.observations import NOTHING, Reading
from hooks.fhir.resources import reference_of


_ACTIVE = ("active", "recurrence", "relapse", "unknown", "")
_WRONG = ("refuted", "entered-in-error", "differential")
_UNSURE = ("unconfirmed", "provisional")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(?:cm|厘米)")
_COMPLETE = re.compile(r"\b(?:complete|entire|whole)\b|全部|完全", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a code or its words name: the concepts, those that are named and doubted, and what the record calls it."""

    concepts: tuple[str, ...]
    doubted: tuple[str, ...]
    name: str


class ProblemReader:
    """Reads Condition, Procedure and AllergyIntolerance against the value sets of one library."""

    def __init__(self, library: Library) -> None:
        """Keep the tables that every problem is held against."""
        self._sets = library.value_sets
        terms = library.terms
        self._condition = remembered(lambda element: _problem(terms["condition"], element))
        self._procedure = remembered(lambda element: _problem(terms["procedure"], element))
        self._allergy = remembered(lambda element: _problem(terms["allergy"], element))

    def condition(self, resource: resources.Condition) -> Reading:
        """A problem that is active, or of a kind whose history counts, and not refuted."""
        problem = self._condition(bytes(resource.code))
        named = (*problem.concepts, *problem.doubted)
        if not named:
            return NOTHING
        reference = reference_of(resource)
        verification, clinical = code(opened(resource.verificationStatus)), code(opened(resource.clinicalStatus))
        if not clinical and (resource.abatementDateTime or opened(resource.abatementPeriod)):
            clinical = "resolved"
        if verification in _WRONG:
            return Reading(notes=tuple(Note("verification", reference, concept, verification) for concept in named))
        onset = first_day(resource.onsetDateTime, opened(resource.onsetPeriod), resource.recordedDate)
        records, notes = [], [Note("doubted", reference, concept, "") for concept in problem.doubted]
        for concept in problem.concepts:
            if clinical not in _ACTIVE and not self._sets[concept].history_counts:
                notes.append(Note("inactive", reference, concept, clinical))
                continue
            certain = verification not in _UNSURE
            records.append(Condition(reference, concept, problem.name, onset, certain))
            if not certain:
                notes.append(Note("unconfirmed", reference, concept, verification))
        return Reading(tuple(records), tuple(notes))

    def procedure(self, resource: resources.Procedure) -> Reading:
        """A procedure that was done."""
        problem = self._procedure(bytes(resource.code))
        named = (*problem.concepts, *problem.doubted)
        if not named:
            return NOTHING
        reference, status = reference_of(resource), code(resource.status)
        if status not in ("completed", "unknown", "") or resource.notDone is True:
            return Reading(notes=tuple(Note("not_done", reference, concept, status) for concept in named))
        done = first_day(
            resource.performedDateTime,
            opened(resource.performedPeriod),
            resource.occurrenceDateTime,
            opened(resource.occurrencePeriod),
        )
        words = plain_text(problem.name)
        found, complete = _LENGTH.search(words), bool(_COMPLETE.search(words))
        length = float(found[1]) if found else None
        records = tuple(Procedure(reference, concept, problem.name, done, length, complete) for concept in problem.concepts)
        return Reading(records, tuple(Note("doubted", reference, concept, "") for concept in problem.doubted))

    def allergy(self, resource: resources.AllergyIntolerance) -> Reading:
        """An allergy or intolerance that is active and not refuted, by its code or by the substance of a reaction."""
        problem, substance = self._allergy(bytes(resource.code)), self._allergy(bytes(resource.substance))
        concepts = tuple(dict.fromkeys((*problem.concepts, *substance.concepts)))
        if not concepts:
            return NOTHING
        reference, verification = reference_of(resource), code(opened(resource.verificationStatus))
        clinical = code(opened(resource.clinicalStatus)) or code(resource.status)
        if clinical not in (*_ACTIVE, "unconfirmed", "confirmed") or verification in _WRONG:
            return Reading(notes=tuple(Note("inactive", reference, concept, verification or clinical) for concept in concepts))
        recorded = first_day(resource.recordedDate)
        return Reading(tuple(Allergy(reference, concept, problem.name, recorded) for concept in concepts))


def _problem(terms: Terms, element: bytes) -> Problem:
    """By code, else by all the words: a code we do not list may stand beside words we know."""
    concept = opened(element)
    name = wording(concept)
    found = {match: None for system, value in codings(concept) for match, _ in terms.of_code(system, value)}
    if found:
        return Problem(tuple(found), (), name)
    named: dict[str, bool] = {}
    for words in _texts(concept):
        for match, doubt in terms.of_text(words).items():
            named[match] = named.get(match, False) or doubt
    return Problem(tuple(n for n, doubt in named.items() if not doubt), tuple(n for n, doubt in named.items() if doubt), name)


def _texts(concept: Any) -> Iterator[str]:
    for item in objects(concept):
        if isinstance(item.get("text"), str):
            yield item["text"]
        for coding in objects(item.get("coding")):
            if isinstance(coding.get("display"), str):
                yield coding["display"]
