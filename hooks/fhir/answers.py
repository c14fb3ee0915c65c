"""Answers that are no numbers: positive or negative, by code, in words, as interpreted, or by the laboratory's own limit."""

from __future__ import annotations

from typing import Any

from cds.content import Library
from cds.terms import Said
from hooks.fhir.elements import codings, first_object, number, objects, opened, text, wording
from hooks.fhir.quantities import reported
from hooks.fhir.resources import Part


class Answers:
    """Reads answers against the value sets of one library."""

    def __init__(self, library: Library) -> None:
        """Keep the tables."""
        self._sets = library.value_sets
        self._terms = library.terms["answer"]

    def positive(self, concept: str, part: Part) -> bool | None:
        """The answer by itself, else as the laboratory interprets it, else by its own limit; None where none says anything."""
        answer, interpretation = opened(part.valueCodeableConcept), opened(part.interpretation)
        found = self._verdict(concept, answer, wording(answer), text(part.valueString))
        if found is None and isinstance(part.valueBoolean, bool):
            return part.valueBoolean
        if found is None:
            found = self._verdict(concept, interpretation, wording(interpretation))
        return _above_limit(part) if found is None else found

    def _verdict(self, concept: str, element: Any, *words: str) -> bool | None:
        """Positive or negative by the answers of the value set; None where a code and its words tell neither."""
        value_set = self._sets[concept]
        answers = {name for system, value in codings(element) for name, _ in self._terms.of_code(system, value)}
        for said in words:
            answers.update(name for name, how in self._terms.of_text(said).items() if how is Said.STATED)
        return False if answers & set(value_set.negative) else True if answers & set(value_set.positive) else None


def _above_limit(part: Part) -> bool | None:
    """Is a number above the laboratory's own limit, where it sent exactly one, in the same unit?"""
    limit = own_limit(part)
    found = reported(part)
    if limit is None or found.value is None or found.comparator is not None or limit[1] != found.unit:
        return None
    return found.value > limit[0]


def own_limit(part: Part) -> tuple[float, str] | None:
    """The laboratory's own upper limit of normal with its unit as written, if it sent exactly one."""
    ranges = list(objects(opened(part.referenceRange)))
    high = first_object(ranges[0].get("high")) if len(ranges) == 1 else {}
    value = number(high.get("value"))
    return None if value is None else (value, text(high.get("unit")) or text(high.get("code")))
