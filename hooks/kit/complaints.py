"""What is wrong, where, and the mend: a complaint of `cobalamin doctor`."""

from __future__ import annotations

from typing import Literal, NamedTuple


Weight = Literal["error", "warning", "note"]


class Complaint(NamedTuple):
    """One thing that keeps advice from being given, or from being as good as it could be."""

    weight: Weight
    where: str
    what: str
    mend: str


OF_NOTES: dict[str, tuple[Weight, str]] = {
    "unit_missing": ("error", "Send the unit, or say in the client's profile what none means (units: {analyte: {'': unit}})."),
    "unit": ("error", "Send a UCUM unit, or write in the client's profile what it means there (units:)."),
    "unit_conflict": ("error", "Let unit and code of the Quantity say the same."),
    "unit_class": ("warning", "Map the test to the LOINC code of its unit (mass or moles)."),
    "ambiguous": ("error", "Send results as valueQuantity with a number."),
    "comparator": ("error", "Use the comparators of FHIR: <, <=, >=, >."),
    "no_value": ("warning", "Send the number in valueQuantity."),
    "implausible": ("error", "See whether value and unit belong together; nothing is rescaled."),
    "future": ("error", "Compare the clocks and time zones of laboratory, EHR and this service (zone: in the client's profile)."),
    "undated": ("warning", "Send effectiveDateTime with each result."),
    "date_issued": ("note", "Send effectiveDateTime, the time of the sample."),
    "status": ("note", "Only final, amended and corrected results count; map the status where it means one of them."),
    "other_patient": ("error", "Let every resource refer to the patient in context, by Patient/id."),
    "unresolved": ("error", "Refer to the patient by Patient/id, and include the Medication an order refers to, or its code."),
    "no_subject": ("warning", "Let every resource name its patient (subject)."),
    "medication_absent": ("error", "Include the Medication that is referred to, or its code."),
    "unnamed": ("error", "Give each resource a code or a text: a mapping may have been lost on the way."),
    "no_birth_date": ("error", "Send Patient.birthDate; without it no age is known. A filter may have taken it out."),
    "partial_birth_date": ("warning", "Send the whole day of birth."),
    "members": ("warning", "Send the results that the panel lists, or search for them."),
    "same_id": ("warning", "Give each resource an id of its own."),
    "entry_unreadable": ("error", "Send FHIR resources in every entry of the Bundle."),
    "start_unknown": ("warning", "Send authoredOn or effectivePeriod, or long-term use is never recognised."),
    "status_unknown": ("note", "Send the status in the codes of FHIR."),
    "answer": ("warning", "Send the answer as a code, or as positive or negative."),
}  # fmt: skip
"""How heavy a note of the reader weighs, and what ends it; others tell of the record and not of its transport."""

OF_STATES: dict[str, tuple[Weight, str, str]] = {
    "failed": ("error", "the query failed at the client", "See its OperationOutcome: scopes, consents, filters?"),
    "garbage": ("error", "brought nothing of the kind that was asked for", "Send the Bundle that the search answered."),
    "incomplete": ("error", "came in part only", "Send all pages, or name fhir.bases in the client's profile."),
    "unasked": ("error", "came under another name", "Name it as in discovery, or in prefetch.aliases of the client's profile."),
}  # fmt: skip
