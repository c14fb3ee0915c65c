"""The Medications that an answer refers to and does not bring: each can be read by its id, and nothing else can (VAL-21)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from hooks.fhir.elements import objects, opened, text
from hooks.fhir.prefetch import Fetched, Supplied
from hooks.fhir.resources import NOT_SENT, READ_RESOURCE, Medication, MedicationRequest, MedicationStatement


_TYPE = "Medication/"
_MOST = 20
"""Reads of one call. Where a list refers to more drugs than that, they stay nameless, and the list incomplete."""


def unnamed_medications(supplied: Supplied) -> list[str]:
    """Relative references of medicines that say in no other way what they are, in the order they came."""
    brought = {medication.id for medication in supplied.resources.get(Medication, ())}
    records = (*supplied.resources.get(MedicationRequest, ()), *supplied.resources.get(MedicationStatement, ()))
    found = dict.fromkeys(reference for record in records for reference in _referred(record))
    return [reference for reference in found if reference.removeprefix(_TYPE) not in brought][:_MOST]


def _referred(record: MedicationRequest | MedicationStatement) -> Iterator[str]:
    if record.medicationCodeableConcept is not NOT_SENT:
        return
    raw = record.medicationReference
    wrapped = [item.get("reference") for item in objects(opened(record.medication))]  # as R5 has it
    for reference in objects(wrapped if raw is NOT_SENT else opened(raw)):
        target = text(reference.get("reference"))
        if target.startswith(_TYPE) and not text(reference.get("display")) and target.removeprefix(_TYPE).strip("."):
            yield target


def read_of(reference: str) -> str:
    """The relative URL of a read; what stands behind the type is an id, whatever is in it."""
    return _TYPE + quote(reference.removeprefix(_TYPE), safe="")


def with_medications(supplied: Supplied, fetched: Iterable[Fetched]) -> Supplied:
    """The same with the drugs that were read; `key` of each is the reference that led to it, and another id will not do."""
    read = []
    for found in fetched:
        try:
            resource = READ_RESOURCE.decode(found.content or b"")
        except msgspec.DecodeError:
            continue
        if isinstance(resource, Medication) and f"{_TYPE}{resource.id}" == found.key:
            read.append(resource)
    known = supplied.resources.get(Medication, ())
    return replace(supplied, resources={**supplied.resources, Medication: (*known, *read)})
