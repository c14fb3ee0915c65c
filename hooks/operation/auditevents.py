"""Audit records as FHIR AuditEvents (R4), for archives that speak FHIR."""

from __future__ import annotations

from typing import Any

from hooks.operation.audit import Record


_OUTCOMES = ((500, "8"), (400, "4"))
"""AuditEvent.outcome (http://terminology.hl7.org/CodeSystem/audit-event-outcome): 0 success, 4 minor, 8 serious failure."""


def audit_event(record: Record) -> dict[str, Any]:
    """The record as a FHIR R4 AuditEvent: the client and the user as agents; call, patient and advice as entities."""
    outcome = next((code for least, code in _OUTCOMES if record.status >= least), "0")
    agents = [_agent(record.client or record.iss, False), *([_agent(record.user, True)] if record.user else [])]
    said = [
        *record.advice,
        *(f"{name} (silent)" for name in record.silent),
        *(f"{name} (held back)" for name in record.held_back),
        *(f"{name} ({why})" for name, why in record.resting.items()),
    ]
    details = {
        "status": str(record.status),
        "hook": record.hook,
        "hookInstance": record.hookInstance,
        "iss": record.iss,
        "tenant": record.tenant,
        "token": record.token,
        "knowledge": record.knowledge,
        **{f"prefetch.{key}": state for key, state in record.prefetch.items()},
        **{f"fetched.{key}": state for key, state in record.fetched.items()},
        **{f"ms.{phase}": str(spent) for phase, spent in record.ms.items()},
    }
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
    entities += [{"what": {"identifier": {"value": card}}, "name": "card"} for card in record.cards]
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
