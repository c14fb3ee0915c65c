"""Medication statements and orders to medicines: which drug, since when, whether it is taken now, how much of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from cds.chart import Medicine, Note
from cds.content import Library
from cds.days import Day
from hooks.fhir.dosage import dosages, route_words
from hooks.fhir.drugs import MedicineRecord, concepts_of, ingredients_of, references_of
from hooks.fhir.elements import (
    code,
    codings,
    first_day,
    first_object,
    number,
    objects,
    opened,
    referenced_type,
    text,
    truth,
    wording,
)
from hooks.fhir.local import STANDARD, Local
from hooks.fhir.owncodes import OwnCodes
from hooks.fhir.products import COMBINED, VITAMINS, Drug, Product, ProductReader
from hooks.fhir.readings import NOTHING, Reading, unnamed
from hooks.fhir.resources import NOT_SENT, Medication, MedicationRequest, reference_of
from hooks.fhir.taking import ENDED, NOT_TAKEN, ON_HOLD, UNKNOWN, said_not_to_be, status_of
from hooks.fhir.timing import bounds, duration_days, later


_ROUTES = ("sublingual", "buccal", "nasal", "intravenous", "subcutaneous", "intramuscular", "oral")
"""From the most telling word to the least: a sublingual tablet is sublingual, a mere injection goes into the muscle."""

_TREATMENTS = ("b12", COMBINED)
"""What stays on record, as not current, where nobody can tell whether it is taken: a result may have been drawn under it. Of
anything else it is then unknown whether there is any."""

_LAY = ("Patient", "RelatedPerson")
_NOT_TAKEN = ("entered-in-error", NOT_TAKEN, "cancelled", "draft")
_WITHDRAWN = ("entered-in-error", "cancelled", "stopped")
_PLAIN = ("active", "intended", "recorded")


class MedicineReader:
    """Reads MedicationStatement and MedicationRequest against the value sets of one library."""

    def __init__(self, library: Library, local: Local = STANDARD) -> None:
        """Keep the tables that every medicine is held against."""
        self._product = ProductReader(library, local).product
        self._routes = library.terms["route"]
        self._own_routes = OwnCodes(local, library, "route")

    def read(self, resource: MedicineRecord, medications: Mapping[str, Medication], today: date, draft: bool = False) -> Reading:
        """One statement or order. `medications`: the Medication resources of the request by id, for references.

        draft: an order that is about to be signed, which is taken as if it were; on record it would not count.
        """
        product = self._product(b"[%b]" % b",".join(map(bytes, concepts_of(resource, medications))))
        if not product.drugs and not product.doubted:
            if product.named:
                return NOTHING
            product = self._product(b"[%b]" % b",".join(map(msgspec.json.encode, ingredients_of(resource, medications))))
            if not product.drugs and not product.doubted:
                return NOTHING if product.named else _nameless(resource, draft)
        reference, status = reference_of(resource), code(resource.status) if draft else status_of(resource)
        concepts = (*(drug.concept for drug in product.drugs), *product.doubted)
        if status in (_WITHDRAWN if draft else _NOT_TAKEN):
            denied = status == NOT_TAKEN and not isinstance(resource, MedicationRequest)
            key = "denied" if denied else "not_taken"  # somebody says so of what may be ordered beside it
            return Reading(notes=tuple(Note(key, reference, concept, status) for concept in concepts))
        lines = _lines(resource)
        start, end = _course(resource, lines)
        if end is None and status in ENDED and isinstance(resource, MedicationRequest):
            supplied = _supplied_until(resource, start)
            end = supplied if _over(supplied, today) else None  # it has ended, and nobody knows when
        over = status in ENDED or _over(end, today)
        left_open = not (draft or over) and _left_open(resource, status, lines, product)
        unclear = tuple(drug.concept for drug in product.drugs) if left_open else ()
        ahead = not draft and _ahead(start, today)
        current = draft or not (over or left_open or ahead)
        set_aside = (left_open or status == ON_HOLD) and not (draft or ahead or _over(end, today))
        self_reported = _self_reported(resource)
        records, notes = [], [Note("doubted", reference, concept, "") for concept in product.doubted]
        notes += [Note("taking_unknown", reference, concept, "") for concept in unclear]
        for drug in product.drugs:
            if left_open and drug.concept not in _TREATMENTS:
                continue
            medicine = Medicine(reference, drug.concept, product.name, start, end, current, self_reported)
            if drug.concept in VITAMINS:  # of other drugs it is enough to know that they are taken
                medicine = msgspec.structs.replace(
                    medicine,
                    form=drug.form,
                    route=self._route(lines, drug),
                    strengths=drug.strengths,
                    container_ml=drug.container_ml,
                    dosages=dosages(lines, start, today),
                    set_aside=set_aside,
                )
            records.append(medicine)
            notes += () if draft else _doubts(medicine, status)
        return Reading(tuple(records), tuple(notes), unclear=unclear)

    def _route(self, lines: Any, drug: Drug) -> str | None:
        """By the coded route of the dosage, else by all the words of dosage and product together."""
        elements = route_words(lines)
        coded = {name for element in elements for s, v in codings(element) for name, _ in self._routes.of_code(s, v)}
        coded.update(self._own_routes.named(*elements))
        if coded:
            return _most_telling(coded)
        words = [*map(wording, elements), *(text(line.get("text")) for line in objects(lines)), *drug.words]
        named = {route for part in words for route in self._routes.of_text(part)}
        return _most_telling(named) if named else None


def _most_telling(routes: Iterable[str]) -> str:
    return min(routes, key=_ROUTES.index)


def _nameless(resource: MedicineRecord, draft: bool) -> Reading:
    """Nothing says which drug it is; what was withdrawn need not say so, as Oracle Health masks what was entered in error."""
    status = status_of(resource)
    if status in _NOT_TAKEN and not draft:
        return Reading(notes=(Note("not_taken", reference_of(resource), "", status),))
    if any(text(item.get("reference")) for item in references_of(resource)):
        return Reading(notes=(Note("medication_absent", reference_of(resource), "", ""),), unread=True)
    return unnamed(resource)


def _lines(resource: MedicineRecord) -> Any:
    """The dosage lines; what R5 renders of them in one sentence is read where there are none."""
    lines = opened(resource.dosageInstruction if isinstance(resource, MedicationRequest) else resource.dosage)
    rendered = text(resource.renderedDosageInstruction)
    return [{"text": rendered}] if rendered and not any(objects(lines)) else lines


def _left_open(resource: MedicineRecord, status: str, lines: Any, product: Product) -> bool:
    """Does a record say neither that it is taken nor that it is not, or both? It may be so of a statement that is unknown."""
    if status == UNKNOWN and not isinstance(resource, MedicationRequest):
        return True
    return product.denied or said_not_to_be(resource, lines)


def _course(resource: MedicineRecord, lines: Any) -> tuple[Day | None, Day | None]:
    """First and last day. A statement's effective time says it; an order's bounds do, else the day it was written."""
    if isinstance(resource, MedicationRequest):
        start, end = bounds(lines, resource.dateWritten if resource.authoredOn is None else resource.authoredOn)
        if resource.effectiveDosePeriod is not NOT_SENT:
            for period in objects(opened(resource.effectiveDosePeriod)):
                start, end = first_day(period.get("start")) or start, first_day(period.get("end")) or end
        return start, (resource.dateEnded and first_day(resource.dateEnded)) or end
    for period in objects(opened(resource.effectivePeriod)):
        return first_day(period.get("start")), first_day(period.get("end"))
    if resource.effectiveDateTime is not None:
        return first_day(resource.effectiveDateTime), None
    return bounds([{"timing": opened(resource.effectiveTiming)}] if resource.effectiveTiming is not NOT_SENT else lines, None)


def _supplied_until(order: MedicationRequest, start: Day | None) -> Day | None:
    """When an order that has ended must have run out: as long as it was valid, else after all its supplies."""
    for dispense in objects(opened(order.dispenseRequest)):
        for period in objects(dispense.get("validityPeriod")):
            if end := first_day(period.get("end")):
                return end
        days = duration_days(first_object(dispense.get("expectedSupplyDuration")))
        if start is not None and days is not None:
            return later(start, days * (1 + max(number(dispense.get("numberOfRepeatsAllowed")) or 0, 0)))
    return None


def _over(end: Day | None, today: date) -> bool:
    return end is not None and end.last < today


def _ahead(start: Day | None, today: date) -> bool:
    return start is not None and start.first > today


def _self_reported(resource: MedicineRecord) -> bool:
    """Told by the patient or family: said so, or a statement for which nobody else is named."""
    source = resource.informationSource
    if isinstance(resource, MedicationRequest):
        if truth(resource.reportedBoolean) or truth(resource.reported):
            return True
        source = resource.reportedReference if source is NOT_SENT else source
        if source is NOT_SENT:
            return False
    sources = list(objects(opened(source)))
    if isinstance(resource, MedicationRequest):
        return bool(sources) and all(referenced_type(source) in _LAY for source in sources)
    return all(referenced_type(source) in _LAY for source in sources)


def _doubts(medicine: Medicine, status: str) -> Iterator[Note]:
    if status == ON_HOLD and medicine.concept in _TREATMENTS:
        yield Note("on_hold", medicine.reference, medicine.concept, "")
    if medicine.current and status not in _PLAIN:
        yield Note("status_unknown", medicine.reference, medicine.concept, "")
    if medicine.current and medicine.day is None:
        yield Note("start_unknown", medicine.reference, medicine.concept, "")
