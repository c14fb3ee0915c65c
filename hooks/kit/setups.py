"""What is wrong with a set-up: a service that is not reached, a clock that is wrong, keys and FHIR servers that do not answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from hooks.kit.complaints import Complaint
from hooks.kit.services import LOOPBACK, Session, place_of, shown
from hooks.kit.showing import cards_of
from hooks.mistakes import Mistake
from hooks.profiles import Profile
from hooks.services import SERVICES
from hooks.trust.keysets import FetchedKeys, KeySetError, key_set


_SKEW_S = 30
_REFUSALS = {
    401: ("does not believe the caller", "Sign the call, and see `cobalamin auth explain` for what is wrong with a token."),
    403: ("is not allowed to the caller", "A gateway in front refuses it; see its rules."),
    404: ("is not there", "Register the address exactly as discovery has it, with the id of the service."),
    405: ("does not take a POST", "Register the address of the service, not that of the discovery."),
    411: ("wants another form of body", "Let the gateway buffer requests."),
    412: ("lacks data", "See what it says, and the complaints about prefetch."),
    413: ("takes no body that large", "Raise the limit of the gateway, and that of the service."),
    429: ("is called too often", "Mend the trigger before you raise the limit."),
    503: ("cannot answer now", "See its /readyz, and whether its workers wait for a FHIR server."),
    415: ("takes no such media type", "Send application/json without compression."),
}


def of_service(url: str, request: dict[str, Any] | None) -> Iterator[Complaint]:
    """All complaints about a running service. `request`: what to call it with."""
    place, session, where = place_of(url), Session(url), shown(url)
    if urlsplit(url).scheme == "http" and urlsplit(url).hostname not in LOOPBACK:
        yield Complaint("error", where, "is not encrypted, and what is sent names patients", "Use https.")
    try:
        found = session.ask("GET", place.discovery)
    except Mistake as mistake:
        what = _what(mistake, place.discovery)
        yield Complaint("error", where, what, "Start it, open the way to it, or correct the address.")
        return
    yield from _clock(found.headers.get("Date"), where)
    content = found.content()
    listed = content.get("services") if isinstance(content, dict) else None
    if found.status != 200 or not isinstance(listed, list):
        mend = (
            "Give the final address."
            if 300 <= found.status < 400
            else "Give the address above /cds-services, as a client has it."
        )
        yield Complaint("error", place.discovery, f"answers {found.status} and no list of services", mend)
        return
    hooks = {service.get("hook"): service.get("id") for service in listed if isinstance(service, dict)}
    missing = [service.hook for service in SERVICES if service.hook not in hooks]
    if missing:
        yield Complaint("note", place.discovery, f"offers nothing for {', '.join(missing)}", "Nothing, if it is not to.")
    if request is None:
        return
    if request["hook"] not in hooks:
        yield Complaint(
            "error", "hook", f"{request['hook']!r} is offered by no service at {where}", "Register a hook of its discovery."
        )
        return
    yield from _call(session, place.service(str(hooks[request["hook"]])), request)


def _call(session: Session, url: str, request: dict[str, Any]) -> Iterator[Complaint]:
    """What comes of calling a service with a request."""
    try:
        answer = session.ask("POST", url, json.dumps(request).encode(), {"Content-Type": "application/json"})
    except Mistake as mistake:
        yield Complaint("error", shown(url), _what(mistake, url), "See its log, and that of the gateway.")
        return
    if 300 <= answer.status < 400:
        yield Complaint("error", shown(url), f"redirects ({answer.status})", "Give the final address; no client follows.")
    elif answer.status != 200:
        what, mend = _REFUSALS.get(answer.status, ("fails", "See its log."))
        yield Complaint("error", shown(url), f"{what} ({answer.status})", mend)
    elif cards_of(answer.content()) is None:
        what = "answers 200 and no cards: something else is there, such as a page to log in"
        yield Complaint("error", shown(url), what, "Register the address of the service; `cobalamin lint` says more.")


def _what(mistake: Mistake, url: str) -> str:
    """What is said of an address, without the address and without the question behind it."""
    return mistake.message.partition(";")[0].removeprefix(f"{shown(url)} ")


def _clock(date: str | None, url: str) -> Iterator[Complaint]:
    try:
        skew = parsedate_to_datetime(date or "").timestamp() - time.time()
    except (TypeError, ValueError):
        return
    if abs(skew) > _SKEW_S:
        what = f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
        yield Complaint("error", url, what, "Set both by NTP: tokens, ages of results and the day all hang on it.")


def of_client(profile: Profile) -> Iterator[Complaint]:
    """All complaints about what a client's profile names: its keys and its FHIR servers."""
    trust, where = profile.trust, profile.name
    if not trust.iss:
        yield Complaint(
            "note", where, "has no issuers of tokens (trust.iss)", "Name them, unless a gateway authenticates callers."
        )
    for url in filter(None, (*((str(trust.jwks_url),) if trust.jwks_url else ()), *trust.key_urls)):
        authority = str(trust.authority) if trust.authority else None
        keys = FetchedKeys(url, trust.algs, networks=profile.networks, authority=authority)
        keys.find("", trust.algs[0])
        if keys.age_s is None:
            yield Complaint(
                "error", f"{where}: {url}", "brings no key set", "Open the way to it, or keep the keys in a file (jwks_file)."
            )
    if trust.jwks_file is not None:
        try:
            key_set(trust.jwks_file, trust.algs)
        except (KeySetError, OSError) as error:
            yield Complaint(
                "error", f"{where}: {trust.jwks_file.name}", str(error), f"Give a JWK Set with keys for {', '.join(trust.algs)}."
            )
    for base in profile.fhir.bases:
        try:
            answer = Session(base).ask("GET", f"{base}/metadata", headers={"Accept": "application/fhir+json"})
        except Mistake as mistake:
            what = _what(mistake, f"{base}/metadata")
            yield Complaint("error", f"{where}: {base}", what, "Open the way to it, or correct fhir.bases.")
            continue
        content = answer.content()
        if not isinstance(content, dict) or content.get("resourceType") != "CapabilityStatement":
            what = f"answers {answer.status} and no CapabilityStatement"
            yield Complaint("warning", f"{where}: {base}", what, "Give the base to which /Patient is added.")
