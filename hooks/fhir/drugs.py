"""What a record says its drug is: inline, contained, in another resource of the request, by ingredients, or by a display."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from hooks.fhir.elements import local_id, objects, opened, text
from hooks.fhir.resources import NOT_SENT, Medication, MedicationRequest, MedicationStatement


MedicineRecord = MedicationRequest | MedicationStatement


def concepts_of(resource: MedicineRecord, medications: Mapping[str, Medication]) -> Iterator[bytes | msgspec.Raw]:
    """Every CodeableConcept that says what the drug is: inline, contained, a sibling resource, or a reference's display."""
    if resource.medicationCodeableConcept is not NOT_SENT:
        yield resource.medicationCodeableConcept
    if resource.medication is NOT_SENT and resource.medicationReference is NOT_SENT:
        return
    yield from (msgspec.json.encode(item["concept"]) for item in objects(opened(resource.medication)) if "concept" in item)
    for item in references_of(resource):
        target = text(item.get("reference"))
        if target.startswith("#"):
            yield from (msgspec.json.encode(drug.get("code")) for drug in _contained(resource, target))
        elif local_id(item) in medications:
            yield medications[local_id(item)].code
        if text(item.get("display")):
            yield msgspec.json.encode({"text": item["display"]})


def references_of(resource: MedicineRecord) -> Iterator[dict[str, Any]]:
    """The references to a Medication, also where only its string was sent."""
    wrapped = next((item.get("reference") for item in objects(opened(resource.medication))), None)
    for reference in (opened(resource.medicationReference), wrapped):
        yield from objects({"reference": reference} if isinstance(reference, str) else reference)


def _contained(resource: MedicineRecord, target: str) -> Iterator[dict[str, Any]]:
    """What a resource holds under the id that `#id` refers to; some servers write the sign into the id as well."""
    return (item for item in objects(opened(resource.contained)) if text(item.get("id")).removeprefix("#") == target[1:])


def ingredients_of(resource: MedicineRecord, medications: Mapping[str, Medication]) -> Iterator[Any]:
    """What a drug without a code or a name of its own is made of. Strengths of ingredients are never read: Epic's are wrong."""
    for item in references_of(resource):
        target = text(item.get("reference"))
        for drug in _contained(resource, target) if target.startswith("#") else ():
            yield from _parts(drug.get("ingredient"), drug.get("product"))
        if local_id(item) in medications:
            sibling = medications[local_id(item)]
            yield from _parts(opened(sibling.ingredient), opened(sibling.product))


def _parts(ingredients: Any, product: Any) -> Iterator[Any]:
    """The ingredients in the shapes of R4, R5 and DSTU2; of one that is a reference there is only its display."""
    for part in (*objects(ingredients), *(p for drug in objects(product) for p in objects(drug.get("ingredient")))):
        yield part.get("itemCodeableConcept")
        for item in (*objects(part.get("item")), *objects(part.get("itemReference"))):
            yield item.get("concept")
            yield {"text": item.get("display")}


def medications_by_id(resources: Iterable[Medication]) -> dict[str, Medication]:
    """The Medication resources a request carries, by bare id."""
    return {resource.id: resource for resource in resources if isinstance(resource.id, str)}
