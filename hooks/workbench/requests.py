"""Requests made on the bench: one from the Bundle of a patient, and one without some of its resources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container
from typing import Any
from uuid import uuid4

from hooks import exact
from hooks.errors import Issue, RequestError
from hooks.fhir.keys import KEYS, PATIENT_KEY


def request_of(bundle: dict[str, Any], hook: str) -> dict[str, Any]:
    """The hook request an EHR would send of a patient. Raises RequestError 400 where the Bundle is not that of one patient."""
    by_type = defaultdict[str, list[dict[str, Any]]](list)
    for entry in bundle.get("entry") or ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            by_type[str(resource.get("resourceType"))].append(resource)
    patients = by_type["Patient"]
    if bundle.get("resourceType") != "Bundle" or len(patients) != 1 or not isinstance(patients[0].get("id"), str):
        said = "A FHIR Bundle with exactly one Patient, which has an id, is needed."
        raise RequestError(400, [Issue("invariant", said, "bundle")])
    by_type["MedicationRequest"] += by_type["Medication"]
    context = {"userId": "Practitioner/workbench", "patientId": patients[0]["id"]}
    if hook == "encounter-discharge":
        context["encounterId"] = next((str(visit.get("id")) for visit in by_type["Encounter"]), "workbench")
    return {
        "hook": hook,
        "hookInstance": str(uuid4()),
        "context": context,
        "prefetch": {PATIENT_KEY: patients[0], **{key.name: _searchset(by_type[key.brings.__name__]) for key in KEYS}},
    }


def _searchset(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource} for resource in resources]}


def without(body: bytes, hidden: Container[str]) -> bytes:
    """A request without the resources of these references. One that is no JSON stays as it is, to be refused as it is."""
    try:
        return exact.encode(_without(exact.decode(body), hidden))
    except (ValueError, ArithmeticError, RecursionError):
        return body


def _without(value: Any, hidden: Container[str]) -> Any:
    if isinstance(value, dict):
        kept = {name: _without(member, hidden) for name, member in value.items() if not _is_hidden(member, hidden)}
        if isinstance(value.get("entry"), list) and isinstance(value.get("total"), int):
            kept["total"] = value["total"] - (
                len(value["entry"]) - len(kept["entry"])
            )  # or the Bundle would count as a part only
        return kept
    if isinstance(value, list):
        return [_without(item, hidden) for item in value if not _is_hidden(item, hidden)]
    return value


def _is_hidden(value: Any, hidden: Container[str]) -> bool:
    """Is it one of the resources, or the entry of a Bundle that holds one?"""
    if not isinstance(value, dict):
        return False
    resource = value.get("resource", value)
    return isinstance(resource, dict) and f"{resource.get('resourceType')}/{resource.get('id')}" in hidden
