"""Does anybody watch a high dose: a baseline before it, a review since (C6), and symptoms that began with it."""

from __future__ import annotations

from datetime import date, timedelta

from cds.chart import Condition, Measurement, Medicine, Procedure
from cds.exposure import Run
from cds.facts.absorption import Absorption
from cds.leaves import had, has
from cds.logic import Evidence, newest, since
from cds.sums import Intake


excess_symptom_conditions = has("excess_symptoms")
b12_reviews = had("b12_review")


def baseline_before_treatment(
    b12_results: tuple[Measurement, ...],
    b12_course: tuple[Run, ...],
    baseline_pre_start_window_days: float,
    baseline_post_start_grace_days: float,
) -> bool:
    """Was B12 measured before the course began? Where nobody knows when it began, no sample can be shown to be one."""
    start = b12_course[0].start if b12_course else None
    if start is None:
        return False
    first, last = start - timedelta(days=baseline_pre_start_window_days), start + timedelta(days=baseline_post_start_grace_days)
    return any(result.day is not None and first <= result.day.last <= last for result in b12_results)


def reviewed_recently(
    b12_results: tuple[Measurement, ...],
    homocysteine_results: tuple[Measurement, ...],
    b12_reviews: tuple[Procedure, ...] | None,
    today: date,
    monitor_overdue_days: float,
) -> bool:
    """B12, homocysteine or a monitoring visit within the monitoring interval."""
    earliest = today - timedelta(days=monitor_overdue_days)
    return any(newest(since(records, earliest)) is not None for records in (b12_results, homocysteine_results, b12_reviews or ()))


def long_enough_to_monitor(
    days_on_b12: int | None, current_b12_products: tuple[Medicine, ...], unmonitored_min_duration_days: float
) -> bool | None:
    """Has the course lasted as long as a review takes to fall due? Of unknown length, a self-reported one counts as long."""
    if days_on_b12 is not None:
        return days_on_b12 >= unmonitored_min_duration_days
    return True if any(medicine.self_reported for medicine in current_b12_products) else None


def unmonitored_high_dose(
    high_b12_dose: bool,
    long_enough_to_monitor: bool | None,
    baseline_before_treatment: bool | None,
    reviewed_recently: bool | None,
) -> bool | None:
    """A high dose, for long, without a baseline or without a recent review (C6). Unknown while one of the three is."""
    if not high_b12_dose or long_enough_to_monitor is False:
        return False
    if long_enough_to_monitor is None or baseline_before_treatment is None or reviewed_recently is None:
        return None
    return not (baseline_before_treatment and reviewed_recently)


def injections_without_reason(
    parenteral_excess: bool, irreversible_causes: Evidence, partial_causes: Evidence, neurology: Evidence
) -> bool:
    """More by injection than maintenance needs, with absorption and nerves looked into and neither to explain it."""
    return parenteral_excess and not (irreversible_causes or partial_causes or neurology)


def high_dose_may_be_needed(
    absorption: Absorption,
    enteral_b12: Intake,
    enteral_high_gt_ug_day: float,
    enteral_very_high_gt_ug_day: float,
    injections_without_reason: bool | None,
) -> bool:
    """Is it a dose that impaired absorption or nerves may call for? Then it wants a measurement and not a cut."""
    if not enteral_b12.above(enteral_high_gt_ug_day):
        return not injections_without_reason
    impaired = absorption in ("impaired_irreversible", "impaired_partial")
    return impaired and enteral_b12.above(enteral_very_high_gt_ug_day) is False


def excess_symptoms(
    excess_symptom_conditions: tuple[Condition, ...], b12_course: tuple[Run, ...], excess_symptom_window_days: float
) -> Evidence:
    """Insomnia, anxiety, palpitations or acne that began within the window after B12 was started."""
    start = b12_course[0].start if b12_course else None
    if start is None:
        return ()
    last = start + timedelta(days=excess_symptom_window_days)
    return tuple(c for c in excess_symptom_conditions if c.day is not None and start <= c.day.last <= last)
