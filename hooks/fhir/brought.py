"""What the context of a hook itself brings: draft orders, refills, new problems (VAL-17 to VAL-26)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from cds.chart import Medicine, Note
from hooks import exact
from hooks.fhir.drugs import medications_by_id
from hooks.fhir.elements import local_id, objects, referenced_type, text, truth
from hooks.fhir.medicines import MedicineReader
from hooks.fhir.owners import Owner, sorted_out
from hooks.fhir.resources import NOT_SENT, READ_RESOURCE, Condition, Medication, MedicationRequest, Resource, reference_of


UNRESOLVED = "unresolved"
"""The note on what names its patient or its drug in a way that leads nowhere: it may have been ours (VAL-21, VAL-26)."""

_READ_AS = {"MedicationOrder": "MedicationRequest"}
"""Older names of what is read (VAL-25)."""


@dataclass(frozen=True)
class Brought:
    """The resources of a context Bundle that are this patient's, those as they were sent, and what could not be used."""

    resources: tuple[Resource, ...] = ()
    sent: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    def of(self, kind: type) -> tuple[Any, ...]:
        """Those of one type."""
        return tuple(resource for resource in self.resources if type(resource) is kind)


NOTHING_BROUGHT = Brought()


def brought_in(bundle: Mapping[str, Any], patient_id: str) -> Brought:
    """Read a context Bundle entry by entry: a half-entered or odd resource costs nobody but itself (VAL-20, VAL-24)."""
    found, sent, notes, seen = list[Resource](), dict[str, dict[str, Any]](), list[Note](), set[str]()
    owner = Owner(patient_id)
    for entry in objects(bundle.get("entry")):
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            continue
        kind = text(resource.get("resourceType"))
        if kind == "Medication":  # a draft refers to what has no id yet by where it stands in the Bundle
            resource = {**resource, "id": resource.get("id") or local_id(entry.get("fullUrl"))}
        try:
            read = READ_RESOURCE.decode(exact.encode({**resource, "resourceType": _READ_AS.get(kind, kind)}))
        except msgspec.ValidationError:
            continue  # a kind of order that is not read, or no resource at all
        (own, refused, unclear) = sorted_out([read], owner)
        notes += [Note(UNRESOLVED if unclear else "other_patient", reference_of(other), "", "") for other in refused]
        for mine in own:
            found.append(mine)
            reference = reference_of(mine)
            if isinstance(mine.id, str) and mine.id.strip() and kind not in _READ_AS and reference not in seen:
                sent[reference] = resource
            elif reference in seen:
                sent.pop(reference, None)  # nobody can tell which of them is meant
            seen.add(reference)
    return Brought(tuple(found), sent, tuple(notes))


@dataclass(frozen=True)
class Drafts:
    """The medicines among the drafts that somebody here reads, those that were chosen, and what was odd about them."""

    all: tuple[Medicine, ...] = ()
    chosen: tuple[Medicine, ...] = ()
    notes: tuple[Note, ...] = ()


def drafts(
    brought: Brought, known: Iterable[Medication], selections: Iterable[str] | None, reader: MedicineReader, today: date
) -> Drafts:
    """Draft orders as medicines. `known`: Medications of the prefetch; `selections`: None chooses every draft (HOOK-01, 02)."""
    medications = medications_by_id((*known, *brought.of(Medication)))
    wanted = None if selections is None else frozenset(map(_selected, selections))
    medicines, notes = list[Medicine](), list[Note]()
    for order in brought.of(MedicationRequest):
        if truth(order.doNotPerform):
            continue
        reading = reader.read(order, medications, today, draft=True)
        medicines += (record for record in reading.records if isinstance(record, Medicine))
        notes += reading.notes
        refers = order.medicationReference is not NOT_SENT or order.medication is not NOT_SENT
        if reading.unread and refers and (wanted is None or reference_of(order) in wanted):
            notes.append(Note(UNRESOLVED, reference_of(order), "", ""))
    chosen = tuple(m for m in medicines if wanted is None or m.reference in wanted)
    return Drafts(tuple(medicines), chosen, tuple(notes))


def _selected(selection: str) -> str:
    """The reference that a selection means: `Type/id`, a bare id, or an older type by its older name."""
    kind = referenced_type(selection) or "MedicationRequest"
    return f"{_READ_AS.get(kind, kind)}/{local_id(selection)}"


def new_problems(brought: Brought, known: Iterable[Condition]) -> Iterator[Condition]:
    """The problems just recorded that the prefetch did not bring as well."""
    ids = {condition.id for condition in known if isinstance(condition.id, str)}
    return (c for c in brought.of(Condition) if not isinstance(c.id, str) or c.id not in ids)
