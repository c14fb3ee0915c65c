"""What each hook must bring in its context: one model per hook."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from hooks.wire import Filled, Optional, Received


def _bare_id(kind: str) -> Any:
    """Accepts the bare id, `Kind/id` and an absolute URL ending in it; refuses a reference to anything else (VAL-15)."""

    def normalise(value: Any) -> Any:
        if not isinstance(value, str) or "/" not in value:
            return value
        before, _, bare = value.split("/_history/")[0].rpartition("/")
        if not bare or before.rpartition("/")[2] not in (kind, ""):
            raise ValueError(f"must be the id of: {kind}")
        return bare

    return BeforeValidator(normalise)


def _is_bundle(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("resourceType") != "Bundle":
        raise ValueError("must be a FHIR Bundle")
    if isinstance(value.get("entry"), list) and len(value["entry"]) > MOST_ENTRIES:
        raise ValueError(f"must hold at most {MOST_ENTRIES} entries")
    return value


MOST_ENTRIES = 500
"""Nobody signs more orders at a time, and what is compared with each other must stay few."""

Bundle = Annotated[dict[str, Any], AfterValidator(_is_bundle)]
"""A Bundle, with or without type and entries (VAL-18)."""

_EncounterId = _bare_id("Encounter")


class Context(Received):
    """What all our hooks share: the patient, and who asks, where the hook says so."""

    userId: Filled
    patientId: Annotated[Filled, _bare_id("Patient")]
    encounterId: Annotated[Optional, _EncounterId] = None


class PatientView(Context):
    """patient-view 1.0: the chart was opened."""


class OrderSelect(Context):
    """order-select 1.0: some of the drafts were just chosen."""

    selections: list[str]
    draftOrders: Bundle


class OrderSign(Context):
    """order-sign 1.0: all drafts are about to be signed. Selections have no meaning here (HOOK-02)."""

    draftOrders: Bundle


class EncounterDischarge(Context):
    """encounter-discharge 1.0: the patient is about to leave."""

    encounterId: Annotated[Filled, _EncounterId]


class ProblemListItemCreate(Context):
    """problem-list-item-create 1.0: problems were just recorded."""

    conditions: Bundle


class MedicationRefill(Context):
    """medication-refill 1.0: refills were asked for, maybe by nobody in front of a screen (HOOK-04)."""

    userId: Optional = None  # type: ignore[assignment]  # wider than elsewhere, as the hook says
    medications: Bundle


CONTEXTS: dict[str, type[Context]] = {
    "patient-view": PatientView,
    "order-select": OrderSelect,
    "order-sign": OrderSign,
    "encounter-discharge": EncounterDischarge,
    "problem-list-item-create": ProblemListItemCreate,
    "medication-refill": MedicationRefill,
}
