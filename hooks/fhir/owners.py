"""Whose a resource is: this patient's, another's, or nobody can tell (VAL-26, VAL-27). Only the first is ever used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hooks.fhir.elements import opened, text
from hooks.fhir.resources import NOT_SENT, Medication, OperationOutcome, Patient, Resource


_OWNERLESS = frozenset((Medication, OperationOutcome, Patient))
"""A drug belongs to nobody, an outcome to the query; which Patient is meant is for the reader to say."""


class Owner:
    """The patient a request is about. Most resources name them in the same words, which are read once."""

    def __init__(self, patient_id: str) -> None:
        """`patient_id`: of the context."""
        self._id = patient_id
        self._known: dict[bytes, bool | None] = {}

    def is_named(self, element: msgspec.Raw) -> bool | None:
        """Does an element with a reference lead to this patient? None where it leads nowhere."""
        written = bytes(element)
        if written not in self._known:
            self._known[written] = _is_patient(opened(element), self._id)
        return self._known[written]


def sorted_out(found: Sequence[Resource], owner: Owner) -> tuple[list[Resource], list[Resource], bool]:
    """The resources of this patient, those refused, and whether any of these may have been the patient's after all.

    One that names nobody came with this patient's answer and is kept. Naming is not only done well: whoever is named in a way
    that does not lead to this patient is refused.
    """
    if _all_of_one(found, owner):
        return list(found), [], False
    own, refused, unclear = list[Resource](), list[Resource](), False
    for resource in found:
        elements = () if type(resource) in _OWNERLESS else (resource.subject, resource.patient)
        named = [owner.is_named(element) for element in elements if element != NOT_SENT]
        if all(named):
            own.append(resource)
        else:
            refused.append(resource)
            unclear = unclear or True in named or None in named
    return own, refused, unclear


def names_nobody(resource: Resource) -> bool:
    """Does a resource leave open whose it is?"""
    return resource.subject == resource.patient == NOT_SENT


def _all_of_one(found: Sequence[Resource], owner: Owner) -> bool:
    """Do all name this patient in the same words, as the answer to one search does?"""
    subjects, count = [resource.subject for resource in found], len(found)
    return (
        count > 0
        and subjects.count(subjects[0]) == count == [resource.patient for resource in found].count(NOT_SENT)
        and owner.is_named(subjects[0]) is True
    )


def _is_patient(named: Any, patient_id: str) -> bool | None:
    """Does a reference lead to a patient? None where it leads nowhere: no reference, a contained or an untyped resource.

    An identifier or a name alone cannot be resolved: the Patient's own are not read.
    """
    target = text(named.get("reference") if isinstance(named, dict) else named)
    before, _, bare = target.split("/_history/")[0].split("#")[0].rpartition("/")
    kind = before.rpartition("/")[2]
    if bare.removeprefix("urn:uuid:") == patient_id and kind in ("Patient", ""):
        return True
    return False if kind and bare else None
