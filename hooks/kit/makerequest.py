"""The command `cobalamin make-request`: from the FHIR data of a patient to a hook request, as an EHR would build it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import IO, Any
from uuid import uuid4

import click

from cds.library import load
from hooks.console import print_json
from hooks.fhir.elements import day, local_id, objects, text
from hooks.fhir.keys import templates
from hooks.kit.inputs import Mistake, named, resources_of
from hooks.kit.prefetching import filled, from_resources
from hooks.options import only_json_option
from hooks.services import SERVICES, Service


_HOOKS = {service.hook: service for service in SERVICES}
_ORDERS = ("MedicationRequest", "ServiceRequest", "DeviceRequest", "NutritionOrder", "VisionPrescription")


@click.command("make-request")
@click.argument("bundle", metavar="PATIENT_BUNDLE", type=click.File("rb"))
@click.option("--hook", type=click.Choice(list(_HOOKS)), default="patient-view", show_default=True, help="The hook that fires.")
@click.option("--patient", help="Id of the Patient, where the data hold several.")
@click.option("--user", default="Practitioner/example", show_default=True, help="userId of the context.")
@click.option("--encounter", help="Id of the encounter. Default: the latest of the data.")
@click.option(
    "--draft", "drafts", type=click.File("rb"), multiple=True, help="File of what is ordered, refilled or recorded now."
)
@click.option("--about", multiple=True, metavar="ID", help="Id of what the data hold of that. Default: see below.")
@click.option("--select", multiple=True, metavar="ID", help="Ids of the drafts just chosen (order-select). Default: all.")
@click.option("--fhir-server", metavar="URL", help="fhirServer of the request.")
@click.option("--no-prefetch", is_flag=True, help="Leave the prefetch out.")
@only_json_option
def command(
    bundle: IO[bytes],
    hook: str,
    patient: str | None,
    user: str,
    encounter: str | None,
    drafts: Sequence[IO[bytes]],
    about: Sequence[str],
    select: Sequence[str],
    fhir_server: str | None,
    no_prefetch: bool,
) -> None:
    """Build a complete hook request from the FHIR data of one patient.

    PATIENT_BUNDLE is a Bundle, an array of resources, NDJSON or another request; - is standard input. The data are FHIR R4; of
    other versions, what R4 searches find in them. The prefetch holds what a server would answer to this service's templates:
    results without a code that is asked for stay out, as they would at the EHR.

    What the hook is about, unless --draft or --about say: of orders those with the status draft, of refills those that are
    active, of problems the one recorded last.

    Example: cobalamin make-request patient.json --hook order-sign --draft order.json > request.json

    Exit status: 0 built; 2 something is missing. What the prefetch holds goes to standard error.
    """
    service, resources = _HOOKS[hook], resources_of(bundle.read(), named(bundle))
    person = _person(resources, patient, named(bundle))
    given = [resource for draft in drafts for resource in resources_of(draft.read(), named(draft))]
    concerned = _concerned(service, resources, given, about, named(bundle))
    context: dict[str, Any] = {"userId": user, "patientId": person}
    visit = encounter or _latest(resources)
    if visit is not None:
        context["encounterId"] = local_id(visit)
    elif hook == "encounter-discharge":
        raise Mistake(f"{hook} is about an encounter, and {named(bundle)} holds no Encounter; add --encounter.")
    if hook == "order-select":
        context["selections"] = [_selected(one, concerned) for one in select] or [_reference(one) for one in concerned]
    if service.about is not None:
        context[service.about] = _collection(concerned, resources)
    request: dict[str, Any] = {"hook": hook, "hookInstance": str(uuid4()), "context": context}
    if fhir_server is not None:
        request["fhirServer"] = fhir_server
    if not no_prefetch:
        ids = {id(resource) for resource in concerned} if hook.startswith("order") else set[int]()
        request["prefetch"] = _prefetch(service, context, [one for one in resources if id(one) not in ids])
    print_json(request)


def _person(resources: Iterable[dict[str, Any]], wanted: str | None, name: str) -> str:
    """The id of the patient."""
    people = [text(one.get("id")) for one in resources if one["resourceType"] == "Patient" and text(one.get("id"))]
    if wanted is not None and local_id(wanted) in people:
        return local_id(wanted)
    if wanted is not None or not people:
        raise Mistake(f"{name} holds no Patient {wanted or 'with an id'}; it holds {', '.join(people) or 'none at all'}.")
    if len(people) > 1:
        raise Mistake(f"{name} holds {len(people)} patients ({', '.join(people[:5])}); choose one by --patient.")
    return people[0]


def _latest(resources: Iterable[dict[str, Any]]) -> str | None:
    """The id of the encounter that began last."""
    visits = [one for one in resources if one["resourceType"] == "Encounter" and text(one.get("id"))]
    return max(visits, key=lambda one: _began(one.get("period")), default={}).get("id")


def _began(period: Any) -> str:
    return text(period.get("start")) if isinstance(period, dict) else ""


def _concerned(
    service: Service, resources: Sequence[dict[str, Any]], given: list[dict[str, Any]], about: Sequence[str], name: str
) -> list[dict[str, Any]]:
    """What the hook is about. Raises Mistake where it is about something and that is nowhere."""
    if service.about is None:
        if given or about:
            raise Mistake(f"{service.hook} is about nothing but the patient; leave --draft and --about out.")
        return []
    kinds = {"draftOrders": _ORDERS, "medications": ("MedicationRequest",), "conditions": ("Condition",)}[service.about]
    known = [one for one in resources if one["resourceType"] in kinds]
    if about:
        ids = {local_id(one) for one in about}
        found = [one for one in known if one.get("id") in ids]
        if missing := ids - {one.get("id") for one in found}:
            raise Mistake(f"{name} holds no {' or '.join(kinds)} with the id {', '.join(sorted(missing))}; see --about.")
        return [*given, *found]
    if given:
        return given
    if service.about == "draftOrders":
        known = [one for one in known if one.get("status") == "draft"]
    elif service.about == "medications":
        known = [one for one in known if one.get("status") == "active"]
    else:
        known = sorted(known, key=_recorded)[-1:]
    if not known:
        raise Mistake(
            f"{service.hook} is about {service.about}, and {name} holds none that would be taken for that; "
            "give a file by --draft, or an id by --about."
        )
    return known


def _recorded(condition: dict[str, Any]) -> str:
    dates = (condition.get(name) for name in ("recordedDate", "assertedDate", "onsetDateTime"))
    return next((text(date) for date in dates if day(date) is not None), "")


def _reference(resource: dict[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource.get('id') or ''}"


def _selected(selection: str, drafts: Iterable[dict[str, Any]]) -> str:
    """A selection as the standard writes it. Raises Mistake for one that is no draft."""
    for draft in drafts:
        if draft.get("id") == local_id(selection):
            return _reference(draft)
    known = ", ".join(map(_reference, drafts))
    raise Mistake(f"--select {selection} is none of the drafts; they are {known}.")


def _collection(resources: Iterable[dict[str, Any]], others: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A Bundle for the context, with the Medications that are referred to."""
    listed = list(resources)
    wanted = {local_id(item) for one in listed for item in objects(one.get("medicationReference"))}
    drugs = [one for one in others if one["resourceType"] == "Medication" and one.get("id") in wanted and one not in listed]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in (*listed, *drugs)]}


def _prefetch(service: Service, context: dict[str, Any], resources: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The templates of our service, answered from the data. Says on standard error what they hold."""
    brought = filled(templates(load(), service.rules), context, from_resources(resources))
    for key, count in brought.counts.items():
        click.echo(f"prefetch {key}: {count} resources", err=True)
    held = Counter(one["resourceType"] for one in resources)
    asked = Counter(_reference(entry["resource"]).split("/")[0] for value in brought.values.values() for entry in _entries(value))
    beside = {kind: held[kind] - asked[kind] for kind in held if held[kind] > asked[kind]}
    if beside:
        click.echo(f"not asked for: {', '.join(f'{number} {kind}' for kind, number in sorted(beside.items()))}", err=True)
    return brought.values


def _entries(value: Any) -> list[dict[str, Any]]:
    return list(objects(value.get("entry"))) if value["resourceType"] == "Bundle" else [{"resource": value}]
