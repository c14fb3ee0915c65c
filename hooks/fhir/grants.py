"""Whether the FHIR server of a request may be read, and by whose leave (FHIR-01..06, FHIR-08, FHIR-13)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hooks.fhir.addresses import Address, base, lies_under
from hooks.fhir.elements import number, text
from hooks.fhir.faults import Fault


_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Grant:
    """Leave to read one server, for one call. `token` is nowhere but here: it is shown by no repr and in no message.

    `until`: when the token expires, by the monotonic clock.
    """

    server: str = field(repr=False)
    base: Address = field(repr=False)
    token: str | None = field(repr=False)
    scope: Any = field(repr=False)
    until: float


def granted(
    bases: Sequence[Address], is_open: bool, server: str, given: Mapping[str, Any] | None, patient_id: str, arrived: float
) -> Grant | Fault:
    """The leave that a request gives, or why it gives none. `given`: its fhirAuthorization; `arrived`: by the monotonic clock."""
    server, given = server.rstrip("/"), given or {}
    address = base(server)
    if address is None or not any(lies_under(address, above) for above in bases):
        return "unlisted"
    token = text(given.get("access_token")) or None
    if text(given.get("token_type")).lower() not in ("", "bearer"):
        return "no_bearer"
    if token is None and not is_open:
        return "no_token"
    if token is not None and not _TOKEN.fullmatch(token):
        return "bad_token"
    bound = given.get("patient")
    if bound not in (None, "") and text(bound).split("/_history/")[0].rpartition("/")[2] != patient_id:
        return "other_token"  # or in whatever other words
    if not patient_id.strip("."):
        return "bad_id"
    lifetime = _lifetime_s(given.get("expires_in"))
    return Grant(server, address, token, given.get("scope"), arrived + lifetime) if lifetime > 0 else "expired"


def _lifetime_s(expires_in: Any) -> float:
    """Seconds a token may be used: without end where nothing is said of it, none where what is said is no number."""
    if expires_in is None:
        return math.inf
    return number(float(expires_in) if hasattr(expires_in, "as_tuple") else expires_in) or 0
