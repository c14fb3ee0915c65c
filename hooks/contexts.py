"""What each hook must bring in its context: one model per hook."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from hooks.wire import Filled, Optional, Received


def _bare_id(kind: str) -> Any:
    """Accepts the bare id, `Kind/id` and an absolute URL ending in it; refuses a reference to anything else (VAL-15)."""

    def normalise(value: Any) -> Any:
        if not isinstance(value, str) or "/" not in value:
            return value
        *_, type_, bare = value.split("/_history/")[0].split("/")
        if type_ != kind:
            raise ValueError(f"must be the id of a {kind}")
        return bare

    return BeforeValidator(normalise)


class PatientView(Received):
    """patient-view 1.0: the chart was opened."""

    userId: Filled
    patientId: Annotated[Filled, _bare_id("Patient")]
    encounterId: Annotated[Optional, _bare_id("Encounter")] = None


CONTEXTS: dict[str, type[PatientView]] = {"patient-view": PatientView}
