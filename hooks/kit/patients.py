"""What is wrong with one request: its envelope, its prefetch, its data, as the service would meet them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from cds.content import Library
from hooks.desks import Desk, Desks
from hooks.engine import Engine
from hooks.errors import RequestError
from hooks.examples import written_for
from hooks.fhir.elements import codings, local_id, objects
from hooks.fhir.keys import KEYS, PATIENT_KEY, key_named, templates
from hooks.fhir.prefetch import Supplied, unpack
from hooks.fhir.scopes import may_ask
from hooks.kit.complaints import OF_NOTES, OF_STATES, Complaint
from hooks.report import note_json
from hooks.services import SERVICES


_MOST_CODES = 5


def of_request(request: dict[str, Any], desks: Desks, library: Library, today: date | None) -> Iterator[Complaint]:
    """All complaints about a request. `desks`: of the one client it is read as."""
    desk = desks.known[0]
    service = next((service for service in SERVICES if service.hook == request["hook"]), None)
    if service is None:
        known = ", ".join(service.hook for service in SERVICES)
        yield Complaint(
            "error", "hook", f"no service of ours answers {request['hook']!r}", f"Call the service of your hook: {known}."
        )
        return
    if service.hook not in desk.profile.hooks:
        yield Complaint(
            "warning", "hook", f"{desk.profile.name} is not known to fire {service.hook}", "See `hooks` of its profile."
        )
    prefetch = request.get("prefetch")
    encoded = {name: json.dumps(value).encode() for name, value in prefetch.items()} if isinstance(prefetch, dict) else {}
    supplied = unpack(encoded, local_id(request["context"].get("patientId")), names=desk.names)
    wanted = templates(library, service.rules, desk.reader.local)
    found = [
        *_servers(request, desk),
        *_keys(supplied, wanted, encoded, desk),
        *_scopes(request, wanted),
        *_codes(request, desk, library),
    ]
    yield from found
    told = {complaint.where for complaint in found if complaint.weight == "error"}
    yield from (one for one in _decided(request, Engine(library, service, desks), today) if one.where not in told)


def _servers(request: dict[str, Any], desk: Desk) -> Iterator[Complaint]:
    server, profile = request.get("fhirServer"), desk.profile
    if not isinstance(server, str):
        return
    if profile.fhir.bases and not profile.serves(server):
        yield Complaint(
            "warning", "fhirServer", f"is not among fhir.bases of {profile.name}, so nothing is fetched", "List it there."
        )
    if profile.fhir.bases and not profile.fhir.open and not isinstance(request.get("fhirAuthorization"), dict):
        yield Complaint("warning", "fhirAuthorization", "is missing, so nothing is fetched", "Let the EHR send an access token.")


def _keys(supplied: Supplied, wanted: dict[str, str], sent: dict[str, bytes], desk: Desk) -> Iterator[Complaint]:
    """Keys that are missing, renamed, failed; and data that are missing altogether."""
    named = {key for name in sent if (key := key_named(name, desk.names))}
    strangers = [name for name in sent if key_named(name, desk.names) is None]
    for key in wanted:
        state = supplied.keys.get(key)
        if state in OF_STATES:
            heavy, what, mend = OF_STATES[state]
            under = f" ({', '.join(strangers)})" if state == "unasked" else ""
            yield Complaint(heavy, f"prefetch.{key}", f"{what}{under}", mend)
        elif state is None:
            beside = f" ({', '.join(strangers)} came instead)" if strangers and key not in named else ""
            mend = "Register the template of discovery under this key"
            mend += "." if key == PATIENT_KEY else "; null says that nothing was found."
            yield Complaint("error" if _is_required(key) else "note", f"prefetch.{key}", f"is missing{beside}", mend)
    lists = [key for key in wanted if key != PATIENT_KEY]
    if lists and all(supplied.keys.get(key) in ("null", "empty") for key in lists):
        what = "came empty, all of them: a record without results, medicines and problems is rare"
        yield Complaint("warning", "prefetch", what, "Ask whether filters, scopes or consents at the EHR strip the data.")


def _is_required(key: str) -> bool:
    return key == PATIENT_KEY or any(known.name == key and known.required for known in KEYS)


def _scopes(request: dict[str, Any], wanted: dict[str, str]) -> Iterator[Complaint]:
    given = request.get("fhirAuthorization")
    scope = given.get("scope") if isinstance(given, dict) else None
    kinds = {template.partition("?")[0].partition("/")[0]: "?" in template for template in wanted.values()}
    lacking = [kind for kind, search in kinds.items() if not may_ask(scope, kind, search=search)]
    if lacking:
        yield Complaint("warning", "fhirAuthorization.scope", f"does not cover {', '.join(lacking)}", "Ask for these scopes.")


def _codes(request: dict[str, Any], desk: Desk, library: Library) -> Iterator[Complaint]:
    """Results that carry no code of a system that is read: those of the laboratory's own."""
    terms, agreed = library.terms["observation"], desk.reader.local.codes
    own = Counter[str]()
    prefetch = request.get("prefetch")
    for value in prefetch.values() if isinstance(prefetch, dict) else ():
        for entry in objects(value.get("entry")) if isinstance(value, dict) else ():
            resource = entry.get("resource")
            if isinstance(resource, dict) and resource.get("resourceType") == "Observation":
                pairs = codings(resource.get("code"))
                if pairs and not any(terms.knows_system(system) or (system, code) in agreed for system, code in pairs):
                    own[f"{pairs[0][0]}|{pairs[0][1]}"] += 1
    if own:
        listed = ", ".join(code for code, _ in own.most_common(_MOST_CODES))
        what = f"{own.total()} results carry codes of systems that are not read: {listed}"
        yield Complaint("warning", "prefetch.labs", what, "Map them to LOINC, or list them in the client's profile (codes:).")


def _decided(request: dict[str, Any], engine: Engine, today: date | None) -> Iterator[Complaint]:
    """What the service says: its refusal, and its notes on the data."""
    try:
        evaluation = engine.evaluate(json.dumps(request).encode(), today or written_for(request))
    except RequestError as error:
        yield from _refusal(error)
        return
    if evaluation.refusal is not None:
        yield from _refusal(evaluation.refusal)
    seen = Counter(note.key for note in evaluation.decision.chart.notes)
    first = {note.key: note for note in reversed(evaluation.decision.chart.notes)}
    for key, times in seen.items():
        if key in OF_NOTES:
            weight, mend = OF_NOTES[key]
            said = note_json(first[key], engine.library)
            more = f" ({times} times)" if times > 1 else ""
            yield Complaint(weight, said["resource"], f"{said.get('title', '')}: {said['text']}{more}".removeprefix(": "), mend)


def _refusal(error: RequestError) -> Iterator[Complaint]:
    for issue in error.issues:
        what, _, mend = issue.text.partition("; ")
        said = f"the service answers {error.status}: {what.removesuffix('.')}"
        yield Complaint("error", issue.where or "request", said, f"{mend[:1].upper()}{mend[1:]}" or "See docs/clients.md.")
