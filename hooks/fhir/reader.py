"""Supplied resources to a Chart: each resource read on its own, whatever was left out listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import pairwise
from typing import Any

from cds.chart import Chart, Finding, Measurement, Note, Patient, Record
from cds.content import Library
from cds.days import parse_day
from hooks.fhir import resources
from hooks.fhir.brought import NOTHING_BROUGHT, Brought, drafts, new_problems
from hooks.fhir.corrections import once_each
from hooks.fhir.drugs import medications_by_id
from hooks.fhir.elements import text, truth
from hooks.fhir.local import STANDARD, Local
from hooks.fhir.medicines import MedicineReader
from hooks.fhir.observations import ObservationReader
from hooks.fhir.owners import names_nobody
from hooks.fhir.prefetch import QUERY_OF_TYPE, Supplied
from hooks.fhir.problems import ProblemReader
from hooks.fhir.readings import NOTHING, Reading
from hooks.fhir.resources import reference_of


class Reader:
    """Builds charts with the value sets of one library and the agreements with one client."""

    def __init__(self, library: Library, local: Local = STANDARD) -> None:
        """Prepare one reader per kind of resource. `local`: what the data of this client means beyond the standards."""
        self.local = local
        self._observations = ObservationReader(library, local)
        self._problems = ProblemReader(library, local)
        self._medicines = MedicineReader(library, local)

    def patient(self, supplied: Supplied, patient_id: str) -> Patient | None:
        """The patient in context; None where the request brought nobody, or only somebody else."""
        own = [person for person in supplied.resources.get(resources.Patient, ()) if person.id == patient_id]
        if not own:
            return None
        born, gender = parse_day(own[0].birthDate), text(own[0].gender) or None
        return Patient(reference_of(own[0]), born, gender, any(map(_died, own)))

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
        unclear: set[str] = set()
        results = self._observations.read(supplied.resources.get(resources.Observation, ()), today)
        notes += results.notes
        if results.unread and retrieved["labs"] == "retrieved":
            retrieved["labs"] = "incomplete"
        for record in results.records:
            records.setdefault(record.concept, []).append(record)
        for type_, read in self._readers(supplied, patient, today).items():
            for resource in _beside(supplied, brought, type_):
                reading = read(resource)
                if reading is NOTHING:
                    continue
                notes += reading.notes
                if reading.unread and retrieved[QUERY_OF_TYPE[type_]] == "retrieved":
                    retrieved[QUERY_OF_TYPE[type_]] = "incomplete"
                if reading.unclear:
                    unclear.update(reading.unclear)
                for record in reading.records:
                    records.setdefault(record.concept, []).append(record)
                if reading.records and names_nobody(resource):
                    notes.append(Note("no_subject", reading.records[0].reference, reading.records[0].concept, ""))
        for person in supplied.resources.get(resources.Patient, ()):
            if person.id != patient_id:
                notes.append(Note("other_patient", reference_of(person), "", ""))
            elif _is_unclear(person):
                notes.append(Note("deceased_unclear", reference_of(person), "", ""))
        ordered = {concept: _newest_first(found, notes) for concept, found in records.items()}
        left_open = tuple(sorted(unclear)) if unclear else ()
        if brought is NOTHING_BROUGHT:
            return Chart(today, patient, retrieved, ordered, tuple(notes), unclear=left_open)
        ordering = drafts(brought, supplied.resources.get(resources.Medication, ()), selections, self._medicines, today)
        return Chart(today, patient, retrieved, ordered, (*notes, *ordering.notes), ordering.all, ordering.chosen, left_open)

    def _readers(self, supplied: Supplied, patient: Patient, today: date) -> dict[type, Callable[[Any], Reading]]:
        medications = medications_by_id(supplied.resources.get(resources.Medication, ()))
        return {
            resources.Condition: lambda resource: self._problems.condition(resource, patient.birth),
            resources.Procedure: lambda resource: self._problems.procedure(resource, today, patient.birth),
            resources.AllergyIntolerance: self._problems.allergy,
            resources.MedicationStatement: lambda resource: self._medicines.read(resource, medications, today),
            resources.MedicationRequest: lambda resource: self._medicines.read(resource, medications, today),
        }


def _beside(supplied: Supplied, brought: Brought, kind: type) -> Iterable[Any]:
    """The resources of a type on record; new problems are on record as soon as they are written down."""
    known: tuple[Any, ...] = supplied.resources.get(kind, ())
    return (*known, *new_problems(brought, known)) if kind is resources.Condition and brought is not NOTHING_BROUGHT else known


def _died(person: resources.Patient) -> bool:
    """Said to have died, in whatever words: only "false" and nothing at all say otherwise."""
    return any(said not in (None, "") and truth(said) is not False for said in (person.deceasedBoolean, person.deceasedDateTime))


def _is_unclear(person: resources.Patient) -> bool:
    """Is death recorded in a form that FHIR does not know?"""
    said = person.deceasedBoolean
    return (said not in (None, "") and truth(said) is None) or not isinstance(person.deceasedDateTime, str | None)


def _newest_first(records: list[Record], notes: list[Note]) -> tuple[Record, ...]:
    """By the last day each may mean, the undated at the end; by reference where days are equal: the order sent means nothing.

    A result that came twice is counted once.
    """
    if len(records) == 1:
        return tuple(records)
    records.sort(key=_age, reverse=True)
    if isinstance(records[0], Measurement | Finding) and any(one.day == other.day for one, other in pairwise(records)):
        return once_each(records, notes)
    return tuple(records)


def _age(record: Record) -> tuple[date, str]:
    return record.day.last if record.day else date.min, record.reference


def _about(patient: Patient) -> Iterator[Note]:
    if patient.birth is None:
        yield Note("no_birth_date", patient.reference, "", "")
    elif patient.birth.first != patient.birth.last:
        yield Note("partial_birth_date", patient.reference, "", str(patient.birth))
