"""What must hold of a discovery document: its services, and their prefetch templates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hooks.kit.lintdocuments import HTML, blanks, said, strangers
from hooks.kit.requirements import Finding


_MEMBERS = ("hook", "title", "description", "id", "prefetch", "usageRequirements", "version", "hookVersion")
_USUAL = ("userId", "patientId", "encounterId")
_CATALOGUE = {
    **dict.fromkeys(
        (
            "patient-view",
            "order-select",
            "order-sign",
            "encounter-start",
            "encounter-discharge",
            "problem-list-item-create",
            "allergyintolerance-create",
            "medication-refill",
        ),
        _USUAL,
    ),
    "appointment-book": (*_USUAL, "appointments"),
    "order-dispatch": ("patientId", "dispatchedOrders", "performer", "fulfillmentTasks"),
}
"""The hooks of the catalogue, and what of their contexts a template may name."""
_DEPRECATED = ("medication-prescribe", "order-review")
_OWN_HOOK = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+){2,}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}|[A-Z][A-Za-z]+(/[^?\s]+|\?.+)", re.DOTALL)
_TOKEN = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_WITHIN_BRACES = re.compile(r"\{\{(.*?)\}\}")
_USERS = ("userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId")
_OF_3_ALONE = re.compile(r"%|today\(|ofType\(|resolve\(|\|")
_PORTABLE = re.compile(r"[a-z][a-z-]*(:in)?|_count|_sort|_id")
_SEMVER = re.compile(r"\d+\.\d+\.\d+([-+].*)?")


def lint_discovery(document: Any) -> Iterator[Finding]:
    """All findings on a discovery document."""
    if not isinstance(document, dict) or not isinstance(document.get("services"), list):
        yield Finding("DISC-02", "$", 'is no object with a list `services`; answer {"services": [...]}.')
        return
    yield from blanks(document)
    for name in document.keys() - {"services", "extension"}:
        yield Finding("DISC-02", f"$.{name}", "stands beside `services`; leave it out.")
    pairs = Counter[tuple[str, str]]()
    for place, service in enumerate(document["services"]):
        where = f"$.services[{place}]"
        if not isinstance(service, dict):
            yield Finding("DISC-02", where, "is no object; describe the service by one.")
            continue
        pairs[str(service.get("hook")), str(service.get("id"))] += 1
        yield from strangers(service, _MEMBERS, where)
        yield from _service(service, where)
    for (hook, identity), times in pairs.items():
        if times > 1:
            yield Finding("DISC-14", "$.services", f"lists {identity} on {hook} {times} times; list it once.")


def _service(service: dict[str, Any], where: str) -> Iterator[Finding]:
    hook, identity = service.get("hook"), service.get("id")
    if not said(hook):
        yield Finding("DISC-04", f"{where}.hook", "is missing; name the hook.")
    elif hook in _DEPRECATED:
        yield Finding("VER-02", f"{where}.hook", f"{hook} was given up; use order-select or order-sign.")
    elif hook not in _CATALOGUE and not _OWN_HOOK.fullmatch(str(hook)):
        yield Finding("DISC-16", f"{where}.hook", f"{hook!r} is in no catalogue; name a hook of your own like org.example.hook.")
    if not said(identity):
        yield Finding("DISC-05", f"{where}.id", "is missing, so nobody can call the service; give it one.")
    elif not _ID.fullmatch(str(identity)) or identity == "feedback":
        yield Finding("DISC-15", f"{where}.id", f"{identity!r} has to be encoded in a URL, or means something else there.")
    if not said(service.get("description")):
        yield Finding("DISC-06", f"{where}.description", "is missing; say what the service does.")
    elif HTML.search(service["description"]):
        yield Finding("DISC-06", f"{where}.description", "holds HTML; write plain text or Markdown.")
    if not said(service.get("title")):
        yield Finding("DISC-07", f"{where}.title", "is missing; give the service a name for people.")
    if "version" in service and not (said(service["version"]) and _SEMVER.fullmatch(service["version"])):
        yield Finding("DISC-10", f"{where}.version", "is no semantic version; write it like 2.0.1.")
    templates = service.get("prefetch", {})
    if not isinstance(templates, dict):
        yield Finding("DISC-08", f"{where}.prefetch", "is no object of templates by key.")
        return
    for key, template in templates.items():
        if not _KEY.fullmatch(key):
            yield Finding("PREF-13", f"{where}.prefetch.{key}", "is no plain name; use letters, digits, _ and -.")
        if isinstance(template, str):
            yield from _template(template, str(hook), f"{where}.prefetch.{key}")
        else:
            yield Finding("DISC-08", f"{where}.prefetch.{key}", "is no text; write the template as one.")


def _template(template: str, hook: str, where: str) -> Iterator[Finding]:
    if any(token != token.strip() for token in _WITHIN_BRACES.findall(template)):
        yield Finding("PREF-02", where, "has blanks within the braces, and clients look for the token without; leave them out.")
        template = _TOKEN.sub(lambda token: f"{{{{{token[1]}}}}}", template)
    if not _TEMPLATE.fullmatch(template):
        yield Finding(
            "PREF-01", where, "is no relative read or search, such as Patient/{{context.patientId}} or Type?name=value."
        )
    tokens = _TOKEN.findall(template)
    if len(tokens) != template.count("{{") or template.count("{{") != template.count("}}"):
        yield Finding("PREF-02", where, "has braces that do not close around a token.")
    for token in tokens:
        yield from _token(token, hook, where)
    names = Counter(parameter.partition("=")[0] for parameter in template.partition("?")[2].split("&") if parameter)
    for name, times in names.items():
        if times > 1:
            yield Finding("PREF-10", where, f"has {name} {times} times, which some clients join by OR.")
        if name.startswith("sort:"):
            yield Finding("PREF-12", where, f"sorts by {name}; FHIR R4 writes _sort.")
        elif not _PORTABLE.fullmatch(name):
            yield Finding("PREF-09", where, f"uses {name}, which many servers do not answer; keep to plain parameters.")
    if re.search(r"[\s#]|\?.*\?", template):
        yield Finding("PREF-11", where, "has a blank, # or ? in a value, which cuts the query at some clients.")


def _token(token: str, hook: str, where: str) -> Iterator[Finding]:
    if _OF_3_ALONE.search(token):
        yield Finding("PREF-06", where, f"{{{{{token}}}}} is known to CDS Hooks 3.0 only; others send it unfilled.")
    elif not token.startswith("context."):
        if token not in _USERS:
            yield Finding("PREF-05", where, f"{{{{{token}}}}} is neither of the context nor one of {', '.join(_USERS)}.")
    elif token.count(".") > 1:
        yield Finding("PREF-04", where, f"{{{{{token}}}}} reaches below the first level of the context.")
    elif hook in _CATALOGUE and token.removeprefix("context.") not in _CATALOGUE[hook]:
        yield Finding("PREF-03", where, f"{{{{{token}}}}} is nothing that {hook} offers to templates.")
