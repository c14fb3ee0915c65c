"""The FHIR searches of prefetch templates, answered from a handful of resources as a server would, or refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl

from hooks.fhir.elements import codings, local_id, objects, text


class CannotAnswer(Exception):  # noqa: N818 - it is no error of ours
    """A query that is not understood here; the message says why."""


_TOKENS = {
    "code": "code",
    "category": "category",
    "intent": "intent",
    "status": "status",
    "clinical-status": "clinicalStatus",
    "verification-status": "verificationStatus",
}
_REFERENCES = {"patient": ("subject", "patient"), "subject": ("subject", "patient"), "encounter": ("encounter",)}
_PAGING = ("_count", "_sort", "_format")
"""What changes the order or the size of pages and not what is found: everything comes on one page here."""
UNDERSTOOD = (*_REFERENCES, *_TOKENS, "_id", *_PAGING)


def answer(query: str, resources: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """What a FHIR server that held these resources would answer; None for a read of what is not there. Raises CannotAnswer."""
    kind, _, searched = query.partition("?")
    if not searched:
        kind, _, identity = query.partition("/")
        return next((found for found in _of_kind(resources, kind) if found.get("id") == identity), None)
    found = list(_of_kind(resources, kind))
    for name, value in parse_qsl(searched.replace("+", "%2B"), keep_blank_values=True):
        if name not in UNDERSTOOD:
            raise CannotAnswer(f"the search parameter {name!r} is not understood here, only {', '.join(UNDERSTOOD)}")
        found = [resource for resource in found if _matches(resource, name, value.split(","))]
    return searchset(found, _medications(found, resources))


def searchset(matches: Sequence[dict[str, Any]], included: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """The Bundle of one page that holds them."""
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in matches]
    entries += [{"resource": resource, "search": {"mode": "include"}} for resource in included]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(matches), **({"entry": entries} if entries else {})}


def _of_kind(resources: Iterable[dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    return (resource for resource in resources if resource.get("resourceType") == kind)


def _matches(resource: dict[str, Any], name: str, wanted: list[str]) -> bool:
    if name in _PAGING:
        return True
    if name == "_id":
        return resource.get("id") in wanted
    if name in _REFERENCES:
        ids = {local_id(resource.get(element)) for element in _REFERENCES[name] if element in resource}
        return any(local_id(reference) in ids for reference in wanted)
    element = _TOKENS[name]
    if name == "code" and "medicationCodeableConcept" in resource:
        element = "medicationCodeableConcept"
    has = list(_tokens(resource.get(element)))
    return any(_is_token(token, has) for token in wanted)


def _tokens(value: Any) -> Iterator[tuple[str, str]]:
    """System and code of an element that is a code, a CodeableConcept, or several of them."""
    if isinstance(value, str):
        yield "", value
    for concept in objects(value):
        yield from codings(concept)


def _is_token(wanted: str, has: list[tuple[str, str]]) -> bool:
    system, bar, code = wanted.rpartition("|")
    return any(code == value and (not bar or system == known) for known, value in has)


def _medications(found: Iterable[dict[str, Any]], resources: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Medications that orders and statements refer to: without them nobody knows which drug is meant."""
    wanted = {local_id(item) for resource in found for item in objects(resource.get("medicationReference"))}
    return [drug for drug in _of_kind(resources, "Medication") if text(drug.get("id")) in wanted - {""}]
