"""What must hold of suggestions and of the actions in them, down to the FHIR they carry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from hooks.fhir.elements import local_id, objects
from hooks.kit.lintdocuments import said, strangers
from hooks.kit.requirements import Finding


_SHOWN_FAULTS = 3


def lint_suggestion(suggestion: dict[str, Any], where: str, patient: Any) -> Iterator[Finding]:
    """All findings on a suggestion. `patient`: the id of the patient in context, None where nobody knows."""
    yield from strangers(suggestion, ("label", "uuid", "actions", "isRecommended", "actionSelectionBehavior"), where)
    if not said(suggestion.get("label")):
        yield Finding("SUG-01", f"{where}.label", "is missing; say what accepting it does.")
    if suggestion.get("isRecommended", True) is not True:
        yield Finding("SUG-03", f"{where}.isRecommended", "is not true; leave it out otherwise.")
    if suggestion.get("actionSelectionBehavior", "all") not in ("all", "any", "at-most-one"):
        yield Finding("SUG-08", f"{where}.actionSelectionBehavior", "is none of all, any and at-most-one.")
    if "actions" in suggestion and not any(objects(suggestion["actions"])):
        yield Finding("SUG-04", f"{where}.actions", "holds no action; leave it out where accepting does nothing.")
    for place, action in enumerate(objects(suggestion.get("actions"))):
        yield from lint_action(action, f"{where}.actions[{place}]", patient)


def lint_action(action: dict[str, Any], where: str, patient: Any) -> Iterator[Finding]:
    """All findings on an action."""
    yield from strangers(action, ("type", "description", "resource", "resourceId"), where)
    if not said(action.get("description")):
        yield Finding("ACT-02", f"{where}.description", "is missing; say what it does.")
    kind, resource = action.get("type"), action.get("resource")
    if kind == "delete":
        if not isinstance(action.get("resourceId"), str) or not re.fullmatch(r"[A-Za-z]+/.+", action["resourceId"]):
            yield Finding("ACT-06", f"{where}.resourceId", "is missing or no Type/id; name what is deleted.")
        elif resource is not None:
            yield Finding("ACT-06", f"{where}.resource", "stands beside resourceId; a deletion needs that alone.")
        return
    if kind not in ("create", "update"):
        yield Finding("ACT-01", f"{where}.type", "is none of create, update and delete.")
        return
    if isinstance(resource, str):
        yield Finding("JSON-07", f"{where}.resource", "is a text; send the resource as an object.")
    elif not isinstance(resource, dict) or not said(resource.get("resourceType")):
        yield Finding("ACT-03" if kind == "create" else "ACT-04", f"{where}.resource", "is missing or has no resourceType.")
    else:
        yield from _resource(resource, f"{where}.resource", kind, patient)


def _resource(resource: dict[str, Any], where: str, kind: str, patient: Any) -> Iterator[Finding]:
    if kind == "update" and not said(resource.get("id")):
        yield Finding("ACT-04", f"{where}.id", "is missing, so nobody knows what is updated.")
    if kind == "create":
        for name in ("id", "meta"):
            if name in resource:
                yield Finding("ACT-10", f"{where}.{name}", "is the server's to give; leave it out.")
        yield from _faults(resource, where)
    named = [local_id(resource[name]) for name in ("subject", "patient") if name in resource]
    if patient is not None and any(one != local_id(patient) for one in named):
        yield Finding("RESP-21", where, "is about somebody else than the patient in context.")


def _faults(resource: dict[str, Any], where: str) -> Iterator[Finding]:
    """What makes it invalid FHIR R4."""
    from fhir.resources.R4B import get_fhir_model_class  # takes about a second

    try:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(json.dumps({**resource, "id": "any"}))
    except ValidationError as error:
        for fault in error.errors()[:_SHOWN_FAULTS]:
            place = ".".join(map(str, (where, *fault["loc"])))
            yield Finding("ACT-03", place, f"is not valid FHIR R4: {fault['msg']}.")
    except (LookupError, ValueError):
        yield Finding("ACT-03", where, f"{resource['resourceType'][:40]} is no resource of FHIR R4.")
