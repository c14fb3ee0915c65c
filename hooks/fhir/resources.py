"""The elements of FHIR resources that are read at all. Everything else is skipped while parsing and never held in memory.

Every element is typed Any: what it must look like is decided where it is read, resource by resource, so that one odd field costs
one resource and not the request.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Resource(msgspec.Struct, frozen=True):
    """One resource of any type, with the elements this service reads (minimum necessary)."""

    resourceType: Any = None
    id: Any = None
    contained: Any = None
    issue: Any = None
    # whose
    subject: Any = None
    patient: Any = None
    # what
    code: Any = None
    substance: Any = None
    medicationCodeableConcept: Any = None
    medicationReference: Any = None
    medication: Any = None
    specimen: Any = None
    # does it count
    status: Any = None
    intent: Any = None
    doNotPerform: Any = None
    clinicalStatus: Any = None
    verificationStatus: Any = None
    reportedBoolean: Any = None
    reportedReference: Any = None
    informationSource: Any = None
    wasNotTaken: Any = None
    taken: Any = None
    notDone: Any = None
    # when
    effectiveDateTime: Any = None
    effectivePeriod: Any = None
    effectiveInstant: Any = None
    issued: Any = None
    onsetDateTime: Any = None
    onsetPeriod: Any = None
    abatementDateTime: Any = None
    abatementPeriod: Any = None
    recordedDate: Any = None
    performedDateTime: Any = None
    performedPeriod: Any = None
    occurrenceDateTime: Any = None
    occurrencePeriod: Any = None
    authoredOn: Any = None
    # how much
    valueQuantity: Any = None
    valueCodeableConcept: Any = None
    valueString: Any = None
    valueInteger: Any = None
    valueBoolean: Any = None
    interpretation: Any = None
    referenceRange: Any = None
    component: Any = None
    dosage: Any = None
    dosageInstruction: Any = None
    # the patient
    birthDate: Any = None
    gender: Any = None
    deceasedBoolean: Any = None
    deceasedDateTime: Any = None


class Entry(msgspec.Struct, frozen=True):
    """One entry of a Bundle."""

    fullUrl: Any = None
    resource: Resource | None = None


class Bundle(msgspec.Struct, frozen=True):
    """A Bundle; its `type` is not relied on (PREF-40)."""

    resourceType: Any = None
    entry: list[Entry] | None = None
    link: Any = None


READ_BUNDLE = msgspec.json.Decoder(Bundle)
READ_RESOURCE = msgspec.json.Decoder(Resource)
READ_ANYTHING = msgspec.json.Decoder()


def reference_of(resource: Resource) -> str:
    """The relative reference of a resource; `Type/?` where it has no id."""
    return f"{resource.resourceType}/{resource.id if isinstance(resource.id, str) and resource.id else '?'}"
