"""Prefetch asked of a FHIR server, all pages of it; `hooks.ehr.prefetch` has the rest."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from hooks.ehr.prefetch import Ask
from hooks.ehr.searches import CannotAnswer
from hooks.fhir.access import Access
from hooks.fhir.addresses import base
from hooks.fhir.client import Query, fetch
from hooks.fhir.faults import MEND
from hooks.fhir.grants import Grant
from hooks.fhir.prefetch import Fetched
from hooks.kit.inputs import json_of
from hooks.kit.services import shown
from hooks.mistakes import Mistake


_PATIENCE_S = 30.0
_MEBIBYTES = 50


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
