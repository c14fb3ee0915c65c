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
from hooks.fhir.elements import code, codings, first_day, local_id, number, objects, opened, referenced_type, text, wording
from hooks.fhir.observations import NOTHING, Reading, unnamed
from hooks.fhir.products import VITAMINS, Drug, ProductReader
from hooks.fhir.resources import NOT_SENT, Medication, MedicationRequest, MedicationStatement, reference_of
from hooks.fhir.timing import bounds, duration_days, later


_ROUTES = ("sublingual", "buccal", "nasal", "intravenous", "subcutaneous", "intramuscular", "oral")
"""From the most telling word to the least: a sublingual tablet is sublingual, a mere injection goes into the muscle."""

_LAY = ("Patient", "RelatedPerson")
_NOT_ORDERED = ("proposal", "option")
_NOT_TAKEN = ("entered-in-error", "not-taken", "cancelled", "draft")
_WITHDRAWN = ("entered-in-error", "cancelled", "stopped")
_ENDED = ("completed", "stopped", "on-hold", "ended")
_PLAIN = ("active", "intended", "recorded")


MedicineRecord = MedicationRequest | MedicationStatement


class MedicineReader:
    """Reads MedicationStatement and MedicationRequest against the value sets of one library."""

    def __init__(self, library: Library) -> None:
        """Keep the tables that every medicine is held against."""
        self._product = ProductReader(library).product
        self._routes = library.terms["route"]

    def read(self, resource: MedicineRecord, medications: Mapping[str, Medication], today: date, draft: bool = False) -> Reading:
        """One statement or order. `medications`: the Medication resources of the request by id, for references.

        draft: an order that is about to be signed, which is taken as if it were; on record it would not count.
        """
        product = self._product(b"[%b]" % b",".join(map(bytes, _concepts(resource, medications))))
        if not product.drugs and not product.doubted:
            return NOTHING if product.named else unnamed(resource)
        reference, status = reference_of(resource), code(resource.status)
        if (status in _WITHDRAWN) if draft else (status in _NOT_TAKEN or _negated(resource)):
            named = (*(drug.concept for drug in product.drugs), *product.doubted)
            return Reading(notes=tuple(Note("not_taken", reference, concept, status) for concept in named))
        lines = opened(resource.dosageInstruction if isinstance(resource, MedicationRequest) else resource.dosage)
        start, end = _course(resource, lines)
        if end is None and status in _ENDED and isinstance(resource, MedicationRequest):
            supplied = _supplied_until(resource, start)
            end = supplied if _over(supplied, today) else None  # it has ended, and nobody knows when
        current = draft or (status not in _ENDED and not _over(end, today) and not _ahead(start, today))
        self_reported = _self_reported(resource)
        records, notes = [], [Note("doubted", reference, concept, "") for concept in product.doubted]
        for drug in product.drugs:
            medicine = Medicine(reference, drug.concept, product.name, start, end, current, self_reported)
            if drug.concept in VITAMINS:  # of other drugs it is enough to know that they are taken
                medicine = msgspec.structs.replace(
                    medicine,
                    form=drug.form,
                    route=self._route(lines, drug),
                    strengths=drug.strengths,
                    container_ml=drug.container_ml,
                    dosages=dosages(lines, start, today),
                )
            records.append(medicine)
            notes += () if draft else _doubts(medicine, status)
        return Reading(tuple(records), tuple(notes))

    def _route(self, lines: Any, drug: Drug) -> str | None:
        """By the coded route of the dosage, else by all the words of dosage and product together."""
        elements = route_words(lines)
        coded = {name for element in elements for s, v in codings(element) for name, _ in self._routes.of_code(s, v)}
        if coded:
            return _most_telling(coded)
        words = [*map(wording, elements), *(text(line.get("text")) for line in objects(lines)), *drug.words]
        named = {route for part in words for route in self._routes.of_text(part)}
        return _most_telling(named) if named else None


def _most_telling(routes: Iterable[str]) -> str:
    return min(routes, key=_ROUTES.index)


def _concepts(resource: MedicineRecord, medications: Mapping[str, Medication]) -> Iterator[bytes | msgspec.Raw]:
    """Every CodeableConcept that says what the drug is: inline, contained, a sibling resource, or a reference's display."""
    if resource.medicationCodeableConcept is not NOT_SENT:
        yield resource.medicationCodeableConcept
    if resource.medication is NOT_SENT and resource.medicationReference is NOT_SENT:
        return
    wrapped = list(objects(opened(resource.medication)))
    yield from (msgspec.json.encode(item["concept"]) for item in wrapped if "concept" in item)
    for item in objects(opened(resource.medicationReference) or next((w.get("reference") for w in wrapped), None)):
        target = text(item.get("reference"))
        if target.startswith("#"):
            contained = objects(opened(resource.contained))
            yield from (msgspec.json.encode(c.get("code")) for c in contained if text(c.get("id")) == target[1:])
        elif local_id(item) in medications:
            yield medications[local_id(item)].code
        if text(item.get("display")):
            yield msgspec.json.encode({"text": item["display"]})


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


def _supplied_until(order: MedicationRequest, start: Day | None) -> Day | None:
    """When an order that has ended must have run out: as long as it was valid, else after all its supplies."""
    for dispense in objects(opened(order.dispenseRequest)):
        for period in objects(dispense.get("validityPeriod")):
            if end := first_day(period.get("end")):
                return end
        days = duration_days(next(objects(dispense.get("expectedSupplyDuration")), {}))
        if start is not None and days is not None:
            return later(start, days * (1 + max(number(dispense.get("numberOfRepeatsAllowed")) or 0, 0)))
    return None


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
    if medicine.current and status not in _PLAIN:
        yield Note("status_unknown", medicine.reference, medicine.concept, "")
    if medicine.current and medicine.day is None:
        yield Note("start_unknown", medicine.reference, medicine.concept, "")


def medications_by_id(resources: Iterable[Medication]) -> dict[str, Medication]:
    """The Medication resources a request carries, by bare id."""
    return {resource.id: resource for resource in resources if isinstance(resource.id, str)}
