"""What a 412 says: which prefetch key is missing what, and how to mend it (ERR-08)."""

from __future__ import annotations

from hooks.errors import Issue
from hooks.fhir.faults import MEND
from hooks.fhir.keys import KEYS, PATIENT_KEY
from hooks.fhir.prefetch import Supplied
from hooks.fhir.values import ANSWERED


def all_missing(supplied: Supplied) -> list[Issue]:
    """The patient, and with it every other query that stands open, so that all can be mended at once (ERR-08)."""
    open_queries = {key.query: supplied.retrieved[key.query] for key in KEYS if key.required}
    others = (unanswered(query, state, supplied) for query, state in open_queries.items() if state != "retrieved")
    return [_patient_missing(supplied), *(issue for issues in others for issue in issues)]


def _patient_missing(supplied: Supplied) -> Issue:
    """Nobody knows whose chart it is."""
    state = supplied.keys.get(PATIENT_KEY, "absent")
    why = "brought no Patient with the id of context.patientId" if state in ("data", "unasked") else f"is {state}"
    return Issue(
        "processing",
        f"Prefetch key {PATIENT_KEY!r} {why}; supply the Patient resource of the patient in context."
        + _mending(supplied, PATIENT_KEY),
        "prefetch.patient",
    )


def is_lost(query: str, state: str, supplied: Supplied) -> bool:
    """Is the answer missing that nothing can be concluded without? An optional key only makes an answer more complete."""
    required = [key.name for key in KEYS if key.query == query and key.required]
    answered = all(supplied.keys.get(name, "absent") in ANSWERED for name in required)
    nameless = supplied.retrieved[query] == "retrieved"  # the search was answered, and yet the chart is not complete
    return bool(required) and (nameless or not (answered and state == "incomplete"))


def unanswered(query: str, state: str, supplied: Supplied) -> list[Issue]:
    """One issue for each key that should have answered the query, or tried to and did not."""
    issues = []
    for key in KEYS:
        kind, sent = key.brings.__name__, supplied.keys.get(key.name, "absent")
        if key.query != query or not (key.required or sent != "absent" or key.name in supplied.faults):
            continue
        if supplied.retrieved[query] == "retrieved":
            text = (
                f"Prefetch key {key.name!r} is {sent}: some {kind} names nothing by a code or in words and may be anything, so "
                "nothing can be concluded; give it a code or a text, or include the Medication it refers to."
            )
        else:
            text = (
                f"Prefetch key {key.name!r} is {sent}: {kind} {state}. Without it nothing can be concluded; "
                "supply the search result, or null if the search found nothing."
            )
        issues.append(Issue("processing", text + _mending(supplied, key.name), f"prefetch.{key.name}"))
    return issues


def _mending(supplied: Supplied, key: str) -> str:
    """What kept a key from being fetched, if anything did, and what to do about it."""
    fault = supplied.faults.get(key)
    return f" {MEND[fault]}" if fault is not None else ""
