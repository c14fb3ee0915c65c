"""The elements of FHIR resources that are read at all. Everything else is skipped while parsing and never held in memory.

Every element is typed Any or Raw: what it must look like is decided where it is read, so that one odd field costs one resource
and not the request. What is nested is kept Raw, as the bytes that came, until somebody asks: of most resources in a record the
code is all that is ever looked at, and what its bytes mean is remembered. `elements.opened` parses them.
"""

from __future__ import annotations

from typing import Any

import msgspec


NOT_SENT = msgspec.Raw(b"null")


class Part(msgspec.Struct, frozen=True, gc=False):
    """What an Observation and each of its components have in common: a question and its answer."""

    code: msgspec.Raw = NOT_SENT
    valueQuantity: msgspec.Raw = NOT_SENT
    valueCodeableConcept: msgspec.Raw = NOT_SENT
    valueString: Any = None
    valueInteger: Any = None
    valueBoolean: Any = None
    dataAbsentReason: msgspec.Raw = NOT_SENT
    interpretation: msgspec.Raw = NOT_SENT
    referenceRange: msgspec.Raw = NOT_SENT


class Observation(Part, frozen=True, gc=False, tag_field="resourceType", tag=True):
    """A result or an answer."""

    id: Any = None
    subject: msgspec.Raw = NOT_SENT
    patient: msgspec.Raw = NOT_SENT
    status: Any = None
    effectiveDateTime: Any = None
    effectivePeriod: msgspec.Raw = NOT_SENT
    effectiveInstant: Any = None
    effectiveTiming: msgspec.Raw = NOT_SENT
    issued: Any = None
    identifier: msgspec.Raw = NOT_SENT
    specimen: msgspec.Raw = NOT_SENT
    component: msgspec.Raw = NOT_SENT
    hasMember: msgspec.Raw = NOT_SENT
    related: msgspec.Raw = NOT_SENT


class _Resource(msgspec.Struct, frozen=True, gc=False, tag_field="resourceType", tag=True):
    id: Any = None
    subject: msgspec.Raw = NOT_SENT
    patient: msgspec.Raw = NOT_SENT


class Condition(_Resource, frozen=True, gc=False):
    """A problem or diagnosis."""

    code: msgspec.Raw = NOT_SENT
    clinicalStatus: msgspec.Raw = NOT_SENT
    verificationStatus: msgspec.Raw = NOT_SENT
    onsetDateTime: Any = None
    onsetPeriod: msgspec.Raw = NOT_SENT
    onsetAge: msgspec.Raw = NOT_SENT
    onsetQuantity: msgspec.Raw = NOT_SENT
    onsetRange: msgspec.Raw = NOT_SENT
    onsetString: Any = None
    abatementDateTime: Any = None
    abatementPeriod: msgspec.Raw = NOT_SENT
    abatementAge: msgspec.Raw = NOT_SENT
    abatementQuantity: msgspec.Raw = NOT_SENT
    abatementRange: msgspec.Raw = NOT_SENT
    abatementString: Any = None
    abatementBoolean: Any = None
    recordedDate: Any = None
    assertedDate: Any = None
    dateRecorded: Any = None


class Procedure(_Resource, frozen=True, gc=False):
    """An operation."""

    code: msgspec.Raw = NOT_SENT
    status: Any = None
    notDone: Any = None
    notPerformed: Any = None
    performedDateTime: Any = None
    performedPeriod: msgspec.Raw = NOT_SENT
    performedAge: msgspec.Raw = NOT_SENT
    performedRange: msgspec.Raw = NOT_SENT
    performedString: Any = None
    occurrenceDateTime: Any = None
    occurrencePeriod: msgspec.Raw = NOT_SENT
    occurrenceAge: msgspec.Raw = NOT_SENT
    occurrenceRange: msgspec.Raw = NOT_SENT
    occurrenceString: Any = None


class AllergyIntolerance(_Resource, frozen=True, gc=False):
    """An allergy or intolerance."""

    code: msgspec.Raw = NOT_SENT
    substance: msgspec.Raw = NOT_SENT
    reaction: msgspec.Raw = NOT_SENT
    status: Any = None
    clinicalStatus: msgspec.Raw = NOT_SENT
    verificationStatus: msgspec.Raw = NOT_SENT
    recordedDate: Any = None
    assertedDate: Any = None


class _MedicineRecord(_Resource, frozen=True, gc=False):
    medicationCodeableConcept: msgspec.Raw = NOT_SENT
    medicationReference: msgspec.Raw = NOT_SENT
    medication: msgspec.Raw = NOT_SENT
    contained: msgspec.Raw = NOT_SENT
    status: Any = None
    statusReason: msgspec.Raw = NOT_SENT
    informationSource: msgspec.Raw = NOT_SENT
    renderedDosageInstruction: Any = None


class MedicationRequest(_MedicineRecord, frozen=True, gc=False):
    """An order. `reported`, `effectiveDosePeriod`: R5; `dateWritten`, `dateEnded`: DSTU2."""

    intent: Any = None
    doNotPerform: Any = None
    reportedBoolean: Any = None
    reported: Any = None
    reportedReference: msgspec.Raw = NOT_SENT
    authoredOn: Any = None
    dateWritten: Any = None
    dateEnded: Any = None
    effectiveDosePeriod: msgspec.Raw = NOT_SENT
    dosageInstruction: msgspec.Raw = NOT_SENT
    dispenseRequest: msgspec.Raw = NOT_SENT


class MedicationOrder(MedicationRequest, frozen=True, gc=False):
    """An order, as DSTU2 calls it."""


class MedicationStatement(_MedicineRecord, frozen=True, gc=False):
    """A statement of what is taken."""

    wasNotTaken: Any = None
    reasonNotTaken: msgspec.Raw = NOT_SENT
    taken: Any = None
    adherence: msgspec.Raw = NOT_SENT
    effectiveDateTime: Any = None
    effectivePeriod: msgspec.Raw = NOT_SENT
    effectiveTiming: msgspec.Raw = NOT_SENT
    dosage: msgspec.Raw = NOT_SENT


class Medication(_Resource, frozen=True, gc=False):
    """A drug that other resources refer to. Of its ingredients only the names are read, in `product` where it is DSTU2."""

    code: msgspec.Raw = NOT_SENT
    ingredient: msgspec.Raw = NOT_SENT
    product: msgspec.Raw = NOT_SENT


class Patient(_Resource, frozen=True, gc=False):
    """The person."""

    birthDate: Any = None
    gender: Any = None
    deceasedBoolean: Any = None
    deceasedDateTime: Any = None


class OperationOutcome(_Resource, frozen=True, gc=False):
    """What a server says of a query beside, or instead of, its results."""

    issue: msgspec.Raw = NOT_SENT


Resource = (
    Observation
    | Condition
    | Procedure
    | AllergyIntolerance
    | MedicationRequest
    | MedicationOrder
    | MedicationStatement
    | Medication
    | Patient
    | OperationOutcome
)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry of a Bundle."""

    resource: Resource | None = None


READ_RESOURCE: msgspec.json.Decoder[Resource] = msgspec.json.Decoder(Resource)
READ_PART = msgspec.json.Decoder(Part)
READ_PARTS = msgspec.json.Decoder(list[Part])
READ_TYPES = frozenset(kind.__name__ for kind in Resource.__args__)


def reference_of(resource: Resource) -> str:
    """The relative reference of a resource; `Type/?` where it has no id."""
    return f"{type(resource).__name__}/{resource.id if isinstance(resource.id, str) and resource.id else '?'}"
