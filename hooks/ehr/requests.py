"""A hook request made of a patient's data, as an EHR would make it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from hooks.ehr.prefetch import filled, from_resources
from hooks.fhir.elements import day, local_id, objects, text
from hooks.services import Service


_ORDERS = ("MedicationRequest", "ServiceRequest", "DeviceRequest", "NutritionOrder", "VisionPrescription")
_KINDS: Mapping[str, tuple[str, ...]] = {
    "draftOrders": _ORDERS,
    "medications": ("MedicationRequest",),
    "conditions": ("Condition",),
}
"""What may stand in a member of the context that the hook is about."""

Lack = Literal["patient", "choice", "encounter", "subject", "about", "selection", "superfluous"]


class CannotMake(Exception):  # noqa: N818 - it is no error of ours
    """The data do not hold what the request needs. The message says what is wrong; `lack` what whoever asked may mend."""

    def __init__(self, lack: Lack, said: str) -> None:
        """`said`: without a full stop, so that the mend can follow."""
        super().__init__(said)
        self.lack = lack


@dataclass(frozen=True)
class Choices:
    """What the data leave open, by id. None and empty: see `made`.

    drafts: what is ordered, refilled or recorded now, beside the data. about: what of the data the hook is about. select: the
    drafts that were just chosen.
    """

    patient: str | None = None
    user: str = "Practitioner/example"
    encounter: str | None = None
    drafts: Sequence[dict[str, Any]] = ()
    about: Sequence[str] = ()
    select: Sequence[str] = ()


class Made(NamedTuple):
    """The request; how many resources each prefetch key holds; and of which types some were not asked for, and how many."""

    request: dict[str, Any]
    counts: dict[str, int]
    not_asked_for: dict[str, int]


def made(
    service: Service,
    resources: Sequence[dict[str, Any]],
    templates: Mapping[str, str],
    choices: Choices | None = None,
    name: str = "What was given",
) -> Made:
    """The request of the service's hook. Raises CannotMake, which calls the data by `name`.

    The prefetch holds what a FHIR server with these resources would answer to the templates. Unless chosen, the encounter is the
    latest; of orders the hook is about those with the status draft, of refills those that are active, of problems the one
    recorded last; all drafts are selected.
    """
    choices = choices or Choices()
    context: dict[str, Any] = {"userId": choices.user, "patientId": _person(resources, choices.patient, name)}
    concerned = _concerned(service, resources, choices, name)
    visit = choices.encounter or _latest(resources)
    if visit is not None:
        context["encounterId"] = local_id(visit)
    elif service.hook == "encounter-discharge":
        raise CannotMake("encounter", f"{service.hook} is about an encounter, and {name} holds no Encounter")
    if service.hook == "order-select":
        context["selections"] = [_selected(one, concerned) for one in choices.select] or [_reference(one) for one in concerned]
    if service.about is not None:
        context[service.about] = _collection(concerned, resources)
    on_record = resources
    if service.about == "draftOrders":
        ids = {id(one) for one in concerned}
        on_record = [one for one in resources if id(one) not in ids]
    brought = filled(templates, context, from_resources(on_record))
    request = {"hook": service.hook, "hookInstance": str(uuid4()), "context": context, "prefetch": brought.values}
    held = Counter(one["resourceType"] for one in on_record)
    held.subtract(entry["resourceType"] for value in brought.values.values() for entry in _entries(value))
    return Made(request, brought.counts, {kind: left for kind, left in sorted(held.items()) if left > 0})


def _person(resources: Iterable[dict[str, Any]], wanted: str | None, name: str) -> str:
    """The id of the patient."""
    ids = (text(one.get("id")) for one in resources if one["resourceType"] == "Patient")
    people = [identity for identity in dict.fromkeys(ids) if identity]
    if wanted is not None and local_id(wanted) in people:
        return local_id(wanted)
    if wanted is not None or not people:
        held = ", ".join(people) or "none at all"
        raise CannotMake("patient", f"{name} holds no Patient {wanted or 'with an id'}; it holds {held}")
    if len(people) > 1:
        raise CannotMake("choice", f"{name} holds {len(people)} patients ({', '.join(people[:5])})")
    return people[0]


def _latest(resources: Iterable[dict[str, Any]]) -> str | None:
    """The id of the encounter that began last."""
    visits = [one for one in resources if one["resourceType"] == "Encounter" and text(one.get("id"))]
    return max(visits, key=lambda one: _began(one.get("period")), default={}).get("id")


def _began(period: Any) -> str:
    return text(period.get("start")) if isinstance(period, dict) else ""


def _concerned(service: Service, resources: Sequence[dict[str, Any]], choices: Choices, name: str) -> list[dict[str, Any]]:
    """What the hook is about."""
    if service.about is None:
        if choices.drafts or choices.about:
            raise CannotMake("superfluous", f"{service.hook} is about nothing but the patient")
        return []
    kinds = _KINDS[service.about]
    known = [one for one in resources if one["resourceType"] in kinds]
    if choices.about:
        ids = {local_id(one) for one in choices.about}
        found = [one for one in known if text(one.get("id")) in ids]
        if missing := ids - {one["id"] for one in found}:
            raise CannotMake("about", f"{name} holds no {' or '.join(kinds)} with the id {', '.join(sorted(missing))}")
        return [*choices.drafts, *found]
    if choices.drafts:
        return list(choices.drafts)
    if service.about == "draftOrders":
        known = [one for one in known if one.get("status") == "draft"]
    elif service.about == "medications":
        known = [one for one in known if one.get("status") == "active"]
    else:
        known = sorted(known, key=_recorded)[-1:]
    if not known:
        raise CannotMake(
            "subject", f"{service.hook} is about {service.about}, and {name} holds none that would be taken for that"
        )
    return known


def _recorded(condition: dict[str, Any]) -> str:
    dates = (condition.get(name) for name in ("recordedDate", "assertedDate", "onsetDateTime"))
    return next((text(date) for date in dates if day(date) is not None), "")


def _reference(resource: dict[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource.get('id') or ''}"


def _selected(selection: str, drafts: Iterable[dict[str, Any]]) -> str:
    """A selection as the standard writes it."""
    for draft in drafts:
        if draft.get("id") == local_id(selection):
            return _reference(draft)
    known = ", ".join(map(_reference, drafts))
    raise CannotMake("selection", f"{selection} is none of the drafts; they are {known}")


def _collection(resources: Iterable[dict[str, Any]], others: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A Bundle for the context, with the Medications that are referred to."""
    listed = list(resources)
    wanted = {local_id(item) for one in listed for item in objects(one.get("medicationReference"))}
    drugs = [one for one in others if one["resourceType"] == "Medication" and text(one.get("id")) in wanted and one not in listed]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in (*listed, *drugs)]}


def _entries(value: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The resources of a prefetch value."""
    if value is None:
        return []
    return [entry["resource"] for entry in objects(value.get("entry"))] if value["resourceType"] == "Bundle" else [value]
