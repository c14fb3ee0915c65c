"""How long a card rests that a clinician has dealt with: after an override by its reason, and within one encounter."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class RestPeriods(Struct, frozen=True):
    """In days, 0 for not at all. `override`: by the reason that was given; `encounter`: after it was shown in one."""

    override: Mapping[str, float]
    encounter: float


def rest_periods(
    rest_already_done_days: float,
    rest_record_incomplete_days: float,
    rest_specialist_days: float,
    rest_patient_declines_days: float,
    rest_not_appropriate_days: float,
    rest_later_days: float,
    rest_in_encounter_days: float,
) -> RestPeriods:
    """For how long a card that is not critical is held back from whoever has dealt with it."""
    return RestPeriods(
        {
            "already_done": rest_already_done_days,
            "record_incomplete": rest_record_incomplete_days,
            "specialist": rest_specialist_days,
            "patient_declines": rest_patient_declines_days,
            "not_appropriate": rest_not_appropriate_days,
            "later": rest_later_days,
        },
        rest_in_encounter_days,
    )
