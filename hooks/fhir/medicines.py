"""Medication statements and orders to medicines: which drug, since when, whether it is taken now, how much of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from cds.chart import Medicine, Note, Strength
from cds.content import Library
from cds.days import Day
from cds.dosetext import plain, strengths
from cds.knowledge import Code
from hooks.fhir.dosage import bounds, dosages, route_words
from hooks.fhir.elements import code, codings, first_day, local_id, objects, opened, referenced_type, text, wording
from hooks.fhir.observations import NOTHING, Reading
from hooks.fhir.resources import Medication, MedicationRequest, MedicationStatement, reference_of


NUTRIENTS = ("b12", "folic_acid", "pyridoxine", "biotin")
_COMBINED = "b12_combination"
_VITAMINS = (*NUTRIENTS, _COMBINED)
_ROUTES = ("sublingual", "buccal", "nasal", "intravenous", "subcutaneous", "intramuscular", "oral")
"""From the most telling word to the least: a sublingual tablet is sublingual, a mere injection goes into the muscle."""

_LAY = ("Patient", "RelatedPerson")
_NOT_ORDERED = ("proposal", "option")
_NOT_TAKEN = ("entered-in-error", "not-taken", "cancelled", "draft")
_TAKEN_NOW = ("active", "intended", "unknown", "recorded", "")


MedicineRecord = MedicationRequest | MedicationStatement


class MedicineReader:
    """Reads MedicationStatement and MedicationRequest against the value sets of one library."""

    def __init__(self, library: Library) -> None:
        """Keep the tables that every medicine is held against."""
        self._sets = library.value_sets
        self._terms = library.terms["medicine"]
        self._routes = library.terms["route"]
        self._forms = {
            concept: {form: tuple(map(plain, names)) for form, names in library.value_sets[concept].forms.items()}
            for concept in _VITAMINS
        }

    def read(self, resource: MedicineRecord, medications: Mapping[str, Medication], today: date) -> Reading:
        """One statement or order. `medications`: the Medication resources of the request by id, for references."""
        drugs = list(_drugs(resource, medications))
        matched, doubted = self._concepts(drugs)
        if not matched and not doubted:
            return NOTHING
        reference, status = reference_of(resource), code(resource.status)
        if status in _NOT_TAKEN or _negated(resource):
            return Reading(notes=tuple(Note("not_taken", reference, concept, status) for concept in (*matched, *doubted)))
        lines = opened(resource.dosageInstruction if isinstance(resource, MedicationRequest) else resource.dosage)
        start, end = _course(resource, lines)
        current = status in _TAKEN_NOW and not _over(end, today) and not _ahead(start, today)
        name = next((words for words in map(wording, drugs) if words), "") or next((c.label for c in matched.values() if c), "")
        records, notes = [], [Note("doubted", reference, concept, "") for concept in doubted]
        self_reported = _self_reported(resource)
        for concept, entry in matched.items():
            medicine = Medicine(reference, concept, name, start, end, current, self_reported)
            if concept in _VITAMINS:
                medicine = self._content(medicine, entry, drugs, lines)
            records.append(medicine)
            notes += _doubts(medicine, status)
        return Reading(tuple(records), tuple(notes))

    def _content(self, medicine: Medicine, entry: Code | None, drugs: list[Any], lines: Any) -> Medicine:
        """How much of which form by which route: asked of vitamins only, of other drugs it is enough that they are taken."""
        return replace(
            medicine,
            form=self._form(medicine.concept, entry, drugs),
            route=self._route(lines, entry, drugs),
            strengths=self._strengths(entry, drugs),
            dosages=dosages(lines),
        )

    def _concepts(self, drugs: list[Any]) -> tuple[dict[str, Code | None], list[str]]:
        """The drug classes named by code, else by words; a product of several vitamins is one combination, not each of them."""
        found: dict[str, Code | None] = {}
        for drug in drugs:
            for system, value in codings(drug):
                for name, entry in self._terms.of_code(system, value):
                    found.setdefault(name, entry)
        doubted: list[str] = []
        if not found:
            for words in _names(drugs):
                for name, doubt in self._terms.of_text(words).items():
                    if doubt:
                        doubted.append(name)
                    else:
                        found.setdefault(name, None)
        for name in list(found):
            for other in self._sets[name].instead_of:
                found.pop(other, None)
        vitamins = [name for name in found if name in _VITAMINS]
        if len(vitamins) > 1 and {"b12", _COMBINED} & set(vitamins):
            combined = found.get(_COMBINED) or found.get("b12")
            found = {name: entry for name, entry in found.items() if name not in vitamins}
            found[_COMBINED] = combined
        return found, [name for name in dict.fromkeys(doubted) if name not in found]

    def _strengths(self, entry: Code | None, drugs: list[Any]) -> dict[str, Strength]:
        """From the name of the coded product, else from the words of the record."""
        for words in ([entry.label] if entry is not None else []) + list(_names(drugs)):
            found = strengths(words, lambda part: [name for name in self._terms.of_text(part) if name in NUTRIENTS])
            if found:
                return found
        return {}

    def _form(self, concept: str, entry: Code | None, drugs: list[Any]) -> str | None:
        """Which cobalamin: by code, by the name of the product, by the words of the record. "Vitamin B12" alone does not say."""
        if entry is not None and entry.form is not None:
            return entry.form
        for words in map(plain, ([entry.label] if entry is not None else []) + list(_names(drugs))):
            for form, names in self._forms[concept].items():
                if any(name in words for name in names):
                    return form
        return None

    def _route(self, lines: Any, entry: Code | None, drugs: list[Any]) -> str | None:
        """By the coded route of the dosage, else by all the words of dosage and product together."""
        coded = {name for element in route_words(lines) for s, v in codings(element) for name, _ in self._routes.of_code(s, v)}
        if coded:
            return _most_telling(coded)
        texts = [wording(element) for element in route_words(lines)] + [text(line.get("text")) for line in objects(lines)]
        words = [*texts, *([entry.label] if entry is not None else []), *_names(drugs)]
        named = {route for part in words for route in self._routes.of_text(part)}
        return _most_telling(named) if named else None


def _most_telling(routes: Iterable[str]) -> str:
    return min(routes, key=_ROUTES.index)


def _drugs(resource: MedicineRecord, medications: Mapping[str, Medication]) -> Iterator[Any]:
    """Every CodeableConcept that says what the drug is: inline, contained, a sibling resource, or a reference's display."""
    inline = resource.medicationCodeableConcept
    if inline is not None:
        yield inline
    for wrapped in objects(resource.medication):
        if "concept" in wrapped:
            yield wrapped["concept"]
    reference = resource.medicationReference or next((w.get("reference") for w in objects(resource.medication)), None)
    for item in objects(reference):
        target = text(item.get("reference"))
        if target.startswith("#"):
            yield from (c.get("code") for c in objects(opened(resource.contained)) if text(c.get("id")) == target[1:])
        elif local_id(item) in medications:
            yield medications[local_id(item)].code
        if text(item.get("display")):
            yield {"text": item["display"]}


def _names(drugs: Iterable[Any]) -> Iterator[str]:
    for drug in drugs:
        for item in objects(drug):
            if text(item.get("text")):
                yield text(item["text"])
            for coding in objects(item.get("coding")):
                if text(coding.get("display")):
                    yield text(coding["display"])


def _negated(resource: MedicineRecord) -> bool:
    """Said not to be taken, in the words of any FHIR version; or not ordered, only thought of."""
    if isinstance(resource, MedicationRequest):
        return resource.doNotPerform is True or code(resource.intent) in _NOT_ORDERED
    return resource.wasNotTaken is True or code(resource.taken) == "n"


def _course(resource: MedicineRecord, lines: Any) -> tuple[Day | None, Day | None]:
    """First and last day. A statement's effective time says it; an order's bounds do, else the day it was written."""
    if isinstance(resource, MedicationRequest):
        return bounds(lines, resource.authoredOn)
    for period in objects(opened(resource.effectivePeriod)):
        return first_day(period.get("start")), first_day(period.get("end"))
    if resource.effectiveDateTime is not None:
        return first_day(resource.effectiveDateTime), None
    return bounds(lines, None)


def _over(end: Day | None, today: date) -> bool:
    return end is not None and end.last < today


def _ahead(start: Day | None, today: date) -> bool:
    return start is not None and start.first > today


def _self_reported(resource: MedicineRecord) -> bool:
    """Told by the patient or family: said so, or a statement for which nobody else is named."""
    source = opened(resource.informationSource)
    if isinstance(resource, MedicationRequest):
        if resource.reportedBoolean is True:
            return True
        source = source or opened(resource.reportedReference)
        return source is not None and referenced_type(source) in _LAY
    return source is None or referenced_type(source) in _LAY


def _doubts(medicine: Medicine, status: str) -> Iterator[Note]:
    if medicine.current and status in ("unknown", ""):
        yield Note("status_unknown", medicine.reference, medicine.concept, "")
    if medicine.current and medicine.day is None:
        yield Note("start_unknown", medicine.reference, medicine.concept, "")


def medications_by_id(resources: Iterable[Medication]) -> dict[str, Medication]:
    """The Medication resources a request carries, by bare id."""
    return {resource.id: resource for resource in resources if isinstance(resource.id, str)}
