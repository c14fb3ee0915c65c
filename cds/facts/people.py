"""Who the patient is: age, and the groups for whom B12 is somebody else's decision (C1)."""

from __future__ import annotations

from datetime import date, timedelta

from cds.chart import Condition, Finding, Patient
from cds.days import years_between
from cds.leaves import has, observed
from cds.logic import Evidence, either, newest, since


pregnancy_conditions = has("pregnancy")
pregnancy_statuses = observed("pregnancy_status")
inborn_errors = has("inborn_cobalamin_error")
palliative_conditions = has("palliative_care")


def age_years(patient: Patient, today: date, oldest_plausible_age_years: float) -> int | None:
    """Age in completed years; unknown without a birth date, and for one in the future or too long ago."""
    if patient.birth is None:
        return None
    age = years_between(patient.birth, today)
    return age if 0 <= age <= oldest_plausible_age_years else None


def pregnancy_possible(patient: Patient, age_years: int, pregnancy_possible_max_age_years: float) -> bool:
    """Of an age and sex in which an undated or unanswered pregnancy matters."""
    return patient.gender != "male" and age_years <= pregnancy_possible_max_age_years


def current_pregnancy_conditions(
    pregnancy_conditions: tuple[Condition, ...], pregnancy_possible: bool, today: date, pregnancy_lookback_days: float
) -> tuple[Condition, ...]:
    """Pregnancy or breastfeeding as a problem. One without a date counts where it is possible: better a dose too few."""
    earliest = today - timedelta(days=pregnancy_lookback_days)
    return tuple(c for c in pregnancy_conditions if (pregnancy_possible if c.day is None else c.day.last >= earliest))


def current_pregnancy_status(
    pregnancy_statuses: tuple[Finding, ...], today: date, pregnancy_lookback_days: float
) -> tuple[Finding, ...]:
    """The latest pregnancy status observation in the look-back, where it says pregnant."""
    status = newest(since(pregnancy_statuses, today - timedelta(days=pregnancy_lookback_days)))
    return (status,) if status is not None and status.positive else ()


def pregnancy_evidence(
    current_pregnancy_conditions: tuple[Condition, ...] | None, current_pregnancy_status: tuple[Finding, ...] | None
) -> Evidence | None:
    """Pregnancy or breastfeeding on record, from either kind of entry."""
    return either(current_pregnancy_conditions, current_pregnancy_status)
