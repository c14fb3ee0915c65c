"""What each hook must bring in its context: one model per hook."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from hooks.wire import VISIBLE, Filled, Optional, Received, blank_is_absent, blank_or


_ID = f"{VISIBLE[:-1]}/][^/]*"


def _named(kind: str) -> str:
    """The pattern of the bare id, of `Kind/id`, and of an absolute URL ending in it, each with or without a version (VAL-15)."""
    return rf"(?:(?:[^/]*/)*?{kind}/)?({_ID})(?:/_history/[\s\S]*)?"


def _bare_id(kind: str) -> BeforeValidator:
    """Takes a reference for the id in it; refuses one to anything else."""
    read = re.compile(_named(kind)).fullmatch

    def normalise(value: Any) -> Any:
        if not isinstance(value, str) or "/" not in value:
            return value
        found = read(value)
        if found is None:
            raise ValueError(f"must be the id of: {kind}")
        return found[1]

    return BeforeValidator(normalise)


_BARE = StringConstraints(strict=True, pattern=f"^{_ID}$")

PatientId = Annotated[str, _BARE, _bare_id("Patient"), WithJsonSchema({"type": "string", "pattern": f"^{_named('Patient')}$"})]
EncounterId = Annotated[
    str, _BARE, _bare_id("Encounter"), WithJsonSchema({"type": "string", "pattern": f"^{_named('Encounter')}$"})
]
OptionalEncounterId = Annotated[
    Annotated[str, _BARE] | None, BeforeValidator(blank_is_absent), _bare_id("Encounter"), blank_or(_named("Encounter"))
]


def _is_bundle(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("resourceType") != "Bundle":
        raise ValueError("must be a FHIR Bundle")
    if isinstance(value.get("entry"), list) and len(value["entry"]) > MOST_ENTRIES:
        raise ValueError(f"must hold at most {MOST_ENTRIES} entries")
    return value


MOST_ENTRIES = 500
"""Nobody signs more orders at a time, and what is compared with each other must stay few."""

Bundle = Annotated[
    dict[str, Any],
    AfterValidator(_is_bundle),
    Field(
        json_schema_extra={
            "required": ["resourceType"],
            "properties": {"resourceType": {"const": "Bundle"}, "entry": {"maxItems": MOST_ENTRIES}},
        }
    ),
]
"""A Bundle, with or without type and entries (VAL-18)."""


class Context(Received):
    """What all our hooks share: the patient, and who asks, where the hook says so."""

    userId: Filled
    patientId: PatientId
    encounterId: OptionalEncounterId = None


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

    encounterId: EncounterId


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
