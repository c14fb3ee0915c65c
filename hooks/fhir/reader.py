"""Supplied resources to a Chart: each resource read on its own, whatever was left out listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from cds.chart import Chart, Note, Patient, Record
from cds.content import Library
from cds.days import parse_day
from hooks.fhir import resources
from hooks.fhir.brought import NOTHING_BROUGHT, Brought, drafts, new_problems
from hooks.fhir.elements import text
from hooks.fhir.local import STANDARD, Local
from hooks.fhir.medicines import MedicineReader, medications_by_id
from hooks.fhir.observations import NOTHING, ObservationReader, Reading
from hooks.fhir.prefetch import QUERY_OF_TYPE, Supplied
from hooks.fhir.problems import ProblemReader
from hooks.fhir.resources import reference_of


class Reader:
    """Builds charts with the value sets of one library, and what a client has agreed beside them."""

    def __init__(self, library: Library, local: Local = STANDARD) -> None:
        """Prepare one reader per kind of resource."""
        self.local = local
        self._observations = ObservationReader(library)
        self._problems = ProblemReader(library)
        self._medicines = MedicineReader(library)

    def patient(self, supplied: Supplied, patient_id: str) -> Patient | None:
        """The patient in context; None where the request brought nobody, or only somebody else."""
        for resource in supplied.resources.get(resources.Patient, ()):
            if resource.id == patient_id:
                deceased = (resource.deceasedBoolean, resource.deceasedDateTime)
                died = any(said is not None and said is not False for said in deceased)  # in whatever words
                return Patient(reference_of(resource), parse_day(resource.birthDate), text(resource.gender) or None, died)
        return None

    def chart(
        self,
        supplied: Supplied,
        patient: Patient,
        patient_id: str,
        today: date,
        brought: Brought = NOTHING_BROUGHT,
        selections: Iterable[str] | None = None,
    ) -> Chart:
        """Everything supplied that is this patient's and that some rule can use, newest first.

        brought: what the context of the hook holds beside it, of which the user has chosen `selections`, or everything.
        """
        records: dict[str, list[Record]] = {}
        retrieved = dict(supplied.retrieved)
        notes = [*supplied.notes, *brought.notes, *_about(patient)]
        for type_, read in self._readers(supplied, today).items():
            for resource in _beside(supplied, brought, type_):
                reading = read(resource)
                if reading is NOTHING:
                    continue
                notes += reading.notes
                if reading.unread and retrieved[QUERY_OF_TYPE[type_]] == "retrieved":
                    retrieved[QUERY_OF_TYPE[type_]] = "incomplete"
                for record in reading.records:
                    records.setdefault(record.concept, []).append(record)
                if reading.records and resource.subject is None and resource.patient is None:
                    notes.append(Note("no_subject", reading.records[0].reference, reading.records[0].concept, ""))
        for person in supplied.resources.get(resources.Patient, ()):
            if person.id != patient_id:
                notes.append(Note("other_patient", reference_of(person), "", ""))
            elif not isinstance(person.deceasedBoolean, bool | None) or not isinstance(person.deceasedDateTime, str | None):
                notes.append(Note("deceased_unclear", reference_of(person), "", ""))
        ordered = {concept: _newest_first(found) for concept, found in records.items()}
        if brought is NOTHING_BROUGHT:
            return Chart(today, patient, retrieved, ordered, tuple(notes))
        ordering = drafts(brought, supplied.resources.get(resources.Medication, ()), selections, self._medicines, today)
        return Chart(today, patient, retrieved, ordered, (*notes, *ordering.notes), ordering.all, ordering.chosen)

    def _readers(self, supplied: Supplied, today: date) -> dict[type, Callable[[Any], Reading]]:
        medications = medications_by_id(supplied.resources.get(resources.Medication, ()))
        return {
            resources.Observation: lambda resource: self._observations.read(resource, today),
            resources.Condition: self._problems.condition,
            resources.Procedure: lambda resource: self._problems.procedure(resource, today),
            resources.AllergyIntolerance: self._problems.allergy,
            resources.MedicationStatement: lambda resource: self._medicines.read(resource, medications, today),
            resources.MedicationRequest: lambda resource: self._medicines.read(resource, medications, today),
        }


def _beside(supplied: Supplied, brought: Brought, kind: type) -> Iterable[Any]:
    """The resources of a type on record; new problems are on record as soon as they are written down."""
    known: tuple[Any, ...] = supplied.resources.get(kind, ())
    return (*known, *new_problems(brought, known)) if kind is resources.Condition and brought is not NOTHING_BROUGHT else known


def _newest_first(records: list[Record]) -> tuple[Record, ...]:
    """By the last day each may mean, the undated at the end; by reference where days are equal: the order sent means nothing."""
    if len(records) == 1:
        return tuple(records)
    return tuple(
        sorted(records, key=lambda record: (record.day.last if record.day else date.min, record.reference), reverse=True)
    )


def _about(patient: Patient) -> Iterator[Note]:
    if patient.birth is None:
        yield Note("no_birth_date", patient.reference, "", "")
    elif patient.birth.first != patient.birth.last:
        yield Note("partial_birth_date", patient.reference, "", str(patient.birth))
