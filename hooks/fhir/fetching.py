"""What prefetch did not bring is fetched from the client's own FHIR server, and read as if prefetch had brought it (PREF-38)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from hooks.fhir.access import Access
from hooks.fhir.addresses import allowed_base, joined_address, lies_under, parsed
from hooks.fhir.client import Query, fetch, next_link, page_of
from hooks.fhir.faults import Fault
from hooks.fhir.grants import Grant, granted
from hooks.fhir.keys import PATIENT_KEY, key_named
from hooks.fhir.prefetch import Supplied, unpack
from hooks.fhir.references import read_of, unnamed_medications, with_medications
from hooks.fhir.resources import Patient
from hooks.fhir.scopes import may_ask
from hooks.fhir.searches import for_patient, searches
from hooks.fhir.transport import FetchError
from hooks.fhir.values import ANSWERED


_SETTLED = (*ANSWERED, "failed")
"""What is not asked again. Where the client's own query failed, ours to the same server would too (PREF-26)."""

Prefetch = Mapping[str, bytes | msgspec.Raw]


class Fetcher:
    """Completes the requests to one service from the FHIR server of one client."""

    def __init__(self, access: Access, templates: Mapping[str, str]) -> None:
        """`templates`: what the service asks clients to prefetch. Raises ValueError for a base that may not be listed."""
        self._access = access
        self._bases = [allowed_base(url) for url in access.bases]
        self._searches = searches(templates, access.dialect)

    def complete(
        self,
        prefetch: Prefetch,
        supplied: Supplied,
        patient_id: str,
        server: str | None,
        authorization: Mapping[str, Any] | None,
        names: Mapping[str, str],
    ) -> Supplied:
        """What was `supplied` by `prefetch`, with what was missing of it; the very same where nothing is or may be asked.

        server, authorization: fhirServer and fhirAuthorization of the request. names: how the client calls our keys.
        """
        wanted = [key for key in self._searches if not _is_settled(key, supplied, patient_id)]
        if server is None or not (wanted or unnamed_medications(supplied)):
            return supplied
        arrived = time.monotonic()
        grant = granted(self._bases, self._access.open, server, authorization, patient_id, arrived)
        if not isinstance(grant, Grant):
            return replace(supplied, faults=dict.fromkeys(wanted, grant))
        until = arrived + self._access.deadline_s
        whole = self._whole(prefetch, wanted, patient_id, grant, until, names) if wanted else supplied
        drugs = unnamed_medications(whole) if may_ask(grant.scope, "Medication", search=False) else []
        reads = [Query(reference, read_of(reference)) for reference in drugs]
        return with_medications(whole, fetch(self._access, grant, reads, until)) if reads else whole

    def _whole(
        self,
        prefetch: Prefetch,
        wanted: Iterable[str],
        patient_id: str,
        grant: Grant,
        until: float,
        names: Mapping[str, str],
    ) -> Supplied:
        """Prefetch and what was wanted beside it. A key that is answered in full needs no part of it that came by prefetch."""
        barred: dict[str, Fault] = {key: "out_of_scope" for key in wanted if not self._in_scope(key, grant)}
        queries = [
            query
            for key in wanted
            if key not in barred
            for query in self._queries(key, _named(prefetch, key, names), patient_id, grant)
        ]
        fetched = fetch(self._access, grant, queries, until)
        answered = {key for key, state in unpack({}, patient_id, fetched).keys.items() if state in ANSWERED}
        barred |= {query.key: "unusable" for query in queries if query.key not in answered}
        kept = {name: raw for name, raw in prefetch.items() if key_named(name, names) not in answered}
        whole = unpack(kept, patient_id, fetched, names)
        return replace(whole, faults={**barred, **whole.faults})

    def _in_scope(self, key: str, grant: Grant) -> bool:
        kind, search, _ = self._searches[key][0].partition("?")
        return may_ask(grant.scope, kind.partition("/")[0], search=bool(search))

    def _queries(self, key: str, pages: list[bytes], patient_id: str, grant: Grant) -> list[Query]:
        """The searches of a key, or the pages that follow the only one that was supplied (PREF-31)."""
        if len(pages) == 1 and _goes_on(pages[0], grant):
            return [Query(key, "", pages[0])]
        return [Query(key, for_patient(search, patient_id)) for search in self._searches[key]]


def _named(prefetch: Prefetch, key: str, names: Mapping[str, str]) -> list[bytes]:
    """What came under the names of a key."""
    return [bytes(raw) for name, raw in prefetch.items() if key_named(name, names) == key]


def _is_settled(key: str, supplied: Supplied, patient_id: str) -> bool:
    """Is there nothing to be gained by asking? The patient is found under any key.

    Where the client sent somebody else as the patient, nothing is asked: whose the rest is that it sent, nobody knows either.
    """
    state = supplied.keys.get(key, "absent")
    if key != PATIENT_KEY:
        return state in _SETTLED
    found = any(patient.id == patient_id for patient in supplied.resources.get(Patient, ()))
    return found or state in _SETTLED


def _goes_on(content: bytes, grant: Grant) -> bool:
    """Does an answer name a next page that we may read?"""
    try:
        page = page_of(content)
    except FetchError:
        return False
    link = next_link(page) if page is not None else None
    return bool(link) and lies_under(parsed(joined_address(f"{grant.server}/", link or "")), grant.base)
