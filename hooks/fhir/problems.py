"""Conditions, procedures and allergies to records: what is active, what was done, and what is only suspected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cds.chart import Allergy, Condition, Note, Procedure
from cds.content import Library
from cds.terms import Terms
from hooks.fhir import resources
from hooks.fhir.elements import code, codings, first_day, objects, opened, plain_text, wording
from hooks.fhir.observations import NOTHING, Reading
from hooks.fhir.resources import reference_of


_ACTIVE = ("active", "recurrence", "relapse", "unknown", "")
_WRONG = ("refuted", "entered-in-error", "differential")
_UNSURE = ("unconfirmed", "provisional")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(?:cm|厘米)")
_COMPLETE = re.compile(r"\b(?:complete|entire|whole)\b|全部|完全", re.IGNORECASE)


class ProblemReader:
    """Reads Condition, Procedure and AllergyIntolerance against the value sets of one library."""

    def __init__(self, library: Library) -> None:
        """Keep the tables that every problem is held against."""
        self._sets = library.value_sets
        self._terms = {kind: library.terms[kind] for kind in ("condition", "procedure", "allergy")}

    def condition(self, resource: resources.Condition) -> Reading:
        """A problem that is active, or of a kind whose history counts, and not refuted."""
        concepts, doubted = _concepts(self._terms["condition"], resource.code)
        if not concepts and not doubted:
            return NOTHING
        reference = reference_of(resource)
        verification, clinical = code(opened(resource.verificationStatus)), code(opened(resource.clinicalStatus))
        if not clinical and (resource.abatementDateTime or opened(resource.abatementPeriod)):
            clinical = "resolved"
        if verification in _WRONG:
            return Reading(
                notes=tuple(Note("verification", reference, concept, verification) for concept in (*concepts, *doubted))
            )
        onset = first_day(resource.onsetDateTime, opened(resource.onsetPeriod), resource.recordedDate)
        records, notes = [], [Note("doubted", reference, concept, "") for concept in doubted]
        for concept in concepts:
            if clinical not in _ACTIVE and not self._sets[concept].history_counts:
                notes.append(Note("inactive", reference, concept, clinical))
                continue
            certain = verification not in _UNSURE
            records.append(Condition(reference, concept, wording(resource.code), onset, certain))
            if not certain:
                notes.append(Note("unconfirmed", reference, concept, verification))
        return Reading(tuple(records), tuple(notes))

    def procedure(self, resource: resources.Procedure) -> Reading:
        """A procedure that was done."""
        concepts, doubted = _concepts(self._terms["procedure"], resource.code)
        if not concepts and not doubted:
            return NOTHING
        reference, status = reference_of(resource), code(resource.status)
        if status not in ("completed", "unknown", "") or resource.notDone is True:
            return Reading(notes=tuple(Note("not_done", reference, concept, status) for concept in (*concepts, *doubted)))
        done = first_day(
            resource.performedDateTime,
            opened(resource.performedPeriod),
            resource.occurrenceDateTime,
            opened(resource.occurrencePeriod),
        )
        words = plain_text(wording(resource.code))
        length = _LENGTH.search(words)
        records = [
            Procedure(
                reference, c, wording(resource.code), done, float(length[1]) if length else None, bool(_COMPLETE.search(words))
            )
            for c in concepts
        ]
        return Reading(tuple(records), tuple(Note("doubted", reference, concept, "") for concept in doubted))

    def allergy(self, resource: resources.AllergyIntolerance) -> Reading:
        """An allergy or intolerance that is active and not refuted, by its code or by the substance of a reaction."""
        substances = [resource.code, resource.substance]
        terms = self._terms["allergy"]
        found = {concept: None for substance in substances for concept in _concepts(terms, substance)[0]}
        if not found:
            return NOTHING
        reference = reference_of(resource)
        clinical, verification = (
            code(opened(resource.clinicalStatus)) or code(resource.status),
            code(opened(resource.verificationStatus)),
        )
        if clinical not in (*_ACTIVE, "unconfirmed", "confirmed") or verification in _WRONG:
            return Reading(notes=tuple(Note("inactive", reference, concept, verification or clinical) for concept in found))
        return Reading(tuple(Allergy(reference, c, wording(resource.code), first_day(resource.recordedDate)) for c in found))


def _concepts(terms: Terms, concept: Any) -> tuple[list[str], list[str]]:
    """The concepts a CodeableConcept names by code, else by its words; and those its words name but doubt."""
    found = {name: None for system, value in codings(concept) for name, _ in terms.of_code(system, value)}
    if found:
        return list(found), []
    named: dict[str, bool] = {}
    for words in _texts(concept):
        for name, doubt in terms.of_text(words).items():
            named[name] = named.get(name, False) or doubt
    return [name for name, doubt in named.items() if not doubt], [name for name, doubt in named.items() if doubt]


def _texts(concept: Any) -> Iterator[str]:
    for item in objects(concept):
        if isinstance(item.get("text"), str):
            yield item["text"]
        for coding in objects(item.get("coding")):
            if isinstance(coding.get("display"), str):
                yield coding["display"]
