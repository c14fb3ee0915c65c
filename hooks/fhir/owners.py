"""Whose a resource is: this patient's, another's, or nobody can tell (VAL-26, VAL-27). Only the first is ever used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hooks.fhir.elements import text
from hooks.fhir.resources import Medication, OperationOutcome, Patient, Resource


_OWNERLESS = frozenset((Medication, OperationOutcome, Patient))
"""A drug belongs to nobody, an outcome to the query; which Patient is meant is for the reader to say."""


def sorted_out(found: Iterable[Resource], patient_id: str) -> tuple[list[Resource], list[Resource], bool]:
    """The resources of this patient, those refused, and whether any of these may have been the patient's after all.

    One that names nobody came with this patient's answer and is kept. Naming is not only done well: whoever is named in a way
    that does not lead to this patient is refused.
    """
    found = list(found)
    if _all_of_one(found, patient_id):
        return found, [], False
    usual, own, refused, unclear = f"Patient/{patient_id}", list[Resource](), list[Resource](), False
    for resource in found:
        subject = resource.subject
        if (type(subject) is dict and subject.get("reference") == usual and resource.patient is None) or (
            type(resource) in _OWNERLESS
        ):
            own.append(resource)
            continue
        named = [_is_patient(owner, patient_id) for owner in (subject, resource.patient) if owner is not None]
        if all(named):
            own.append(resource)
        else:
            refused.append(resource)
            unclear = unclear or True in named or None in named
    return own, refused, unclear


def _all_of_one(found: list[Resource], patient_id: str) -> bool:
    """Do all name this patient in the same words, as the answer to one search does?"""
    subjects = [resource.subject for resource in found]
    return (
        bool(subjects and subjects[0])
        and subjects.count(subjects[0]) == len(subjects)
        and [resource.patient for resource in found].count(None) == len(subjects)
        and _is_patient(subjects[0], patient_id) is True
    )


def _is_patient(owner: Any, patient_id: str) -> bool | None:
    """Does a reference lead to this patient? None where it leads nowhere: no reference, a contained or an untyped resource.

    An identifier or a name alone cannot be resolved: the Patient's own are not read.
    """
    target = text(owner.get("reference") if isinstance(owner, dict) else owner)
    before, _, bare = target.split("/_history/")[0].split("#")[0].rpartition("/")
    kind = before.rpartition("/")[2]
    if bare.removeprefix("urn:uuid:") == patient_id and kind in ("Patient", ""):
        return True
    return False if kind and bare else None
