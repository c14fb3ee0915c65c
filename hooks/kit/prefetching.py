"""Prefetch as a CDS client does it: templates filled in from the context, then asked of a FHIR server or of a Bundle."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from hooks.fhir.access import Access
from hooks.fhir.addresses import base
from hooks.fhir.client import Query, fetch
from hooks.fhir.elements import objects, text
from hooks.fhir.faults import MEND
from hooks.fhir.grants import Grant
from hooks.fhir.prefetch import Fetched
from hooks.kit.inputs import Mistake, json_of
from hooks.kit.searches import CannotAnswer, answer
from hooks.kit.services import shown


_TOKEN = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_USERS = {
    "userPractitionerId": "Practitioner",
    "userPractitionerRoleId": "PractitionerRole",
    "userPatientId": "Patient",
    "userRelatedPersonId": "RelatedPerson",
}
_PATIENCE_S = 30.0
_MEBIBYTES = 50


class Filled(NamedTuple):
    """What became of the templates: the values by key, how much each holds, and why a key was left out."""

    values: dict[str, Any]
    counts: dict[str, int]
    left_out: dict[str, str]


Ask = Callable[[Mapping[str, str]], Mapping[str, Any]]
"""Answers queries by key; a value is a CannotAnswer where one could not be answered."""


def filled(templates: Mapping[str, Any], context: Mapping[str, Any], ask: Ask) -> Filled:
    """Every template that can be answered, answered. A key that cannot be is left out, as the standard asks of clients."""
    queries, left_out = dict[str, str](), dict[str, str]()
    for key, template in templates.items():
        try:
            queries[key] = resolved(template, context)
        except CannotAnswer as reason:
            left_out[key] = str(reason)
    values = dict(ask(queries))
    for key, value in list(values.items()):
        if isinstance(value, CannotAnswer):
            left_out[key] = str(values.pop(key))
    return Filled(values, {key: _count(value) for key, value in values.items()}, left_out)


def resolved(template: Any, context: Mapping[str, Any]) -> str:
    """A template with its tokens filled in. Raises CannotAnswer."""
    if not isinstance(template, str):
        raise CannotAnswer("the template is no text")

    def value(token: re.Match[str]) -> str:
        name = token[1]
        held: Any = context.get(name.removeprefix("context.")) if name.startswith("context.") else None
        if name in _USERS:
            kind, _, identity = text(context.get("userId")).rpartition("/")
            held = identity if kind == _USERS[name] else None
        if isinstance(held, int) and not isinstance(held, bool):
            held = str(held)
        if not isinstance(held, str) or not held:
            raise CannotAnswer(f"nothing in the context fills {{{{{name}}}}}; it is a simple member of the context, or nothing")
        return quote(held, safe="")

    return _TOKEN.sub(value, template)


def from_resources(resources: Sequence[dict[str, Any]]) -> Ask:
    """Answers from a Bundle's resources."""

    def ask(queries: Mapping[str, str]) -> Mapping[str, Any]:
        return {key: _kept(query, resources) for key, query in queries.items()}

    return ask


def _kept(query: str, resources: Sequence[dict[str, Any]]) -> Any:
    try:
        return answer(query, resources)
    except CannotAnswer as reason:
        return reason


def from_server(server: str, token: str | None) -> Ask:
    """Answers from a FHIR server, all pages of them. Raises Mistake for an address that is none."""
    address = base(server)
    if address is None:
        raise Mistake(
            f"{shown(server)!r} is no FHIR base; give an absolute http(s) URL without query, such as https://ehr.example/fhir."
        )
    access = Access((server,), pages=100, size=_MEBIBYTES * 1024 * 1024, open=True)

    def ask(queries: Mapping[str, str]) -> Mapping[str, Any]:
        until = time.monotonic() + _PATIENCE_S
        grant = Grant(server.rstrip("/"), address, token, None, until)
        found = fetch(access, grant, [Query(key, query) for key, query in queries.items()], until)
        return {one.key: _read(one, server) for one in found}

    return ask


def _read(found: Fetched, server: str) -> Any:
    if found.fault is not None:
        return CannotAnswer(MEND[found.fault])
    return json_of(found.content or b"", f"what {shown(server)} answered for {found.key}")


def _count(value: Any) -> int:
    """How many resources a value holds."""
    if value is None:
        return 0
    return len(list(objects(value.get("entry")))) if value.get("resourceType") == "Bundle" else 1
