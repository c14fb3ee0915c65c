"""What can go wrong while we fetch, and what is said of it to those who run the interface: no patient and no URL is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal


Obstacle = Literal["unlisted", "no_token", "no_bearer", "bad_token", "other_token", "bad_id", "out_of_scope", "unusable"]
"""Why nothing was asked, or that what was answered shows by itself that it is no answer: it has no note of its own."""

Failure = Literal[
    "unauthorized", "forbidden", "not_found", "gone", "throttled", "refused", "broken", "redirected", "unreachable", "private",
    "untrusted", "late", "cut", "no_fhir", "too_much", "astray", "expired",
]  # fmt: skip
"""What became of a query that was asked, or that was stopped on its way. Each has its words in `notes`, as `fetch_...`."""

Fault = Obstacle | Failure

OF_STATUS: Mapping[int, Failure] = {401: "unauthorized", 403: "forbidden", 404: "not_found", 410: "gone", 429: "throttled"}

MEND: Mapping[Fault, str] = {
    "unlisted": "fhirServer is not among the addresses agreed with this client, so nothing was fetched; have it listed.",
    "no_token": "No access token came for fhirServer, so nothing was fetched; send fhirAuthorization.",
    "no_bearer": "The access token is not of the type Bearer, so nothing was fetched; send one that is.",
    "bad_token": "The access token holds characters that no token has, so nothing was fetched; send it as it was issued.",
    "other_token": "The access token is bound to another patient, so nothing was fetched; issue one for the patient in context.",
    "bad_id": "context.patientId cannot stand in a URL, so nothing was fetched; send the id of the Patient resource.",
    "out_of_scope": "The scope of the access token does not cover this query, so it was not asked; widen the scope.",
    "unusable": "The FHIR server was asked, too, and did not answer in full; see what its OperationOutcome or its Bundle says.",
    "unauthorized": "The FHIR server did not accept the access token (401); issue one that is valid for the whole call.",
    "forbidden": "The FHIR server denied this query (403); give the scopes and the rights that it needs.",
    "not_found": "The FHIR server does not know this query (404); check fhirServer and the dialect set for this client.",
    "gone": "The FHIR server says that this is gone (410); check the id, and prefetch the data.",
    "throttled": "The FHIR server has had too many queries (429); prefetch the data, or raise its limit.",
    "refused": "The FHIR server refused this query (4xx); check the dialect set for this client, or prefetch the data.",
    "broken": "The FHIR server failed (5xx); see its log, or prefetch the data.",
    "redirected": "The FHIR server sent us elsewhere (3xx), where we do not go; list and send its final address.",
    "unreachable": "The FHIR server could not be reached; check its address and the way to it.",
    "private": "fhirServer leads to a private address, where we do not go; list its network in the client's profile (networks).",
    "untrusted": "The certificate of the FHIR server could not be verified; name the authority that signed it.",
    "late": "The FHIR server did not answer within the deadline; prefetch the data, or allow more time.",
    "cut": "The answer of the FHIR server ended too early or is damaged; see its log and those of what stands between.",
    "no_fhir": "The FHIR server answered with something that is no FHIR JSON; check fhirServer and what stands before it.",
    "too_much": "The answer of the FHIR server has more pages or bytes than are read; prefetch the data, or raise the limit.",
    "astray": "The next page lies outside fhirServer, where we do not go; mend the base address in its links.",
    "expired": "The access token expired before this query was asked; issue one that is valid for the whole call.",
}
