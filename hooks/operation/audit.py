"""One record per call, append-only: who asked what, which rules answered from which knowledge. No clinical value is in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct


class Record(Struct, frozen=True, omit_defaults=True):
    """What is kept of one call (OPS-01). What the request did not give is left out.

    `patient`, `user`: pseudonyms, the same for the same person within one deployment. `advice`: rule and key of each card shown,
    `silent` those that a silent client or rule did not show, `held_back` those beyond the card budget or snoozed. `data`: the
    state of each prefetch key and what the FHIR server brought. `ms`: how long each phase took.
    """

    time: str
    request: str
    service: str
    status: int
    hook: str | None = None
    hookInstance: str | None = None
    client: str | None = None
    iss: str | None = None
    tenant: str | None = None
    user: str | None = None
    patient: str | None = None
    advice: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    data: Mapping[str, str] = {}
    knowledge: str | None = None
    ms: Mapping[str, float] = {}


class Pseudonyms:
    """Names for people that nobody without the deployment's secret can lead back to them."""

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError for a secret that could be guessed: patient ids are few, and easily tried."""
        if len(secret) < 16:
            raise ValueError("the secret for pseudonyms needs at least 16 bytes; make one with `openssl rand -hex 32`")
        self._secret = secret

    def of(self, kind: str, identity: str | None) -> str | None:
        """The pseudonym of a patient or user; None for nobody."""
        return (
            None
            if identity is None
            else digest(self._secret, f"{kind}|{identity}".encode("utf-8", "surrogatepass"), sha256).hex()[:32]
        )


class AuditLog:
    """Records as JSON lines in a file that all workers append to.

    A line is handed to the operating system whole and before the answer leaves: a worker that dies loses no answered call. What
    the machine had not yet written when its power failed may be lost.
    """

    def __init__(self, file: Path) -> None:
        """Raises OSError where the file cannot be appended to: a service that cannot keep its record does not start."""
        self._file = file
        os.close(self._open())

    def keep(self, record: Record) -> None:
        """Append one record. Raises OSError. The file is opened each time, so that a rotated one is not written to any more."""
        descriptor = self._open()
        try:
            os.write(descriptor, msgspec.json.encode(record) + b"\n")
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        return os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)


def now() -> str:
    """The time as records carry it, to the millisecond, in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_OUTCOMES = ((500, "8"), (400, "4"))
"""AuditEvent.outcome (http://terminology.hl7.org/CodeSystem/audit-event-outcome): 0 success, 4 minor, 8 serious failure."""


def audit_event(record: Record) -> dict[str, Any]:
    """The record as a FHIR R4 AuditEvent: the client and the user as agents; patient and advice as entities."""
    outcome = next((code for least, code in _OUTCOMES if record.status >= least), "0")
    agents = [_agent(record.client or record.iss, False), *([_agent(record.user, True)] if record.user else [])]
    said = [
        *record.advice,
        *(f"{name} (silent)" for name in record.silent),
        *(f"{name} (held back)" for name in record.held_back),
    ]
    details = {"hook": record.hook, "hookInstance": record.hookInstance, "knowledge": record.knowledge, **record.data}
    entities: list[dict[str, Any]] = [
        {
            "what": {"identifier": {"value": record.request}},
            "name": record.service,
            "detail": [{"type": name, "valueString": value} for name, value in details.items() if value],
        }
    ]
    if record.patient:
        entities.append({"what": {"identifier": {"value": record.patient}}, "role": _coded("object-role", "1", "Patient")})
    entities += [{"name": name, "role": _coded("object-role", "4", "Domain Resource")} for name in said]
    return {
        "resourceType": "AuditEvent",
        "type": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110100", "display": "Application Activity"},
        "action": "E",
        "recorded": record.time,
        "outcome": outcome,
        "agent": agents,
        "source": {"observer": {"display": "Cobalamin CDS"}},
        "entity": entities,
    }


def _agent(name: str | None, requestor: bool) -> dict[str, Any]:
    return {"who": {"identifier": {"value": name or "unknown"}}, "requestor": requestor}


def _coded(system: str, code: str, display: str) -> dict[str, str]:
    return {"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code, "display": display}
