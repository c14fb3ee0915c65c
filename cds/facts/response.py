"""Does treatment work: B12 and homocysteine on treatment against those before it, each in its own unit (C9)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from cds.advice import Route
from cds.chart import Finding, Measurement, NoResult
from cds.exposure import Run
from cds.facts.regimen import INJECTED
from cds.logic import days_apart, newest_result, since
from cds.series import baseline_of, percent_change


Response = Literal["responding", "homocysteine_stays_up", "no_response", "injections_without_effect", "unknown"]


def course_start(b12_course: tuple[Run, ...]) -> date | None:
    """The first day of the course under way; unknown without one, and where nobody recorded it."""
    return b12_course[0].start if b12_course else None


def responses_since(course_start: date, fresh_since: date, response_min_days: float) -> date:
    """The first day on which a result may show what the course does."""
    return max(course_start + timedelta(days=response_min_days), fresh_since)


def b12_on_course(b12_results: tuple[Measurement, ...], responses_since: date) -> Measurement | NoResult:
    """The newest B12 that treatment had time to change."""
    return newest_result(since(b12_results, responses_since))


def homocysteine_on_course(homocysteine_results: tuple[Measurement, ...], responses_since: date) -> Measurement | NoResult:
    """The newest homocysteine that treatment had time to change."""
    return newest_result(since(homocysteine_results, responses_since))


def b12_before_course(
    b12_results: tuple[Measurement, ...],
    b12_on_course: Measurement | NoResult,
    course_start: date,
    baseline_pre_start_window_days: float,
    baseline_post_start_grace_days: float,
) -> Measurement | NoResult:
    """The B12 before the course of the same assay and scale: pg/mL is not held against pmol/L, nor total against active."""
    window = (baseline_pre_start_window_days, baseline_post_start_grace_days)
    return baseline_of(b12_results, b12_on_course, course_start, *window)


def homocysteine_before_course(
    homocysteine_results: tuple[Measurement, ...],
    homocysteine_on_course: Measurement | NoResult,
    course_start: date,
    baseline_pre_start_window_days: float,
    baseline_post_start_grace_days: float,
) -> Measurement | NoResult:
    """The homocysteine before the course."""
    window = (baseline_pre_start_window_days, baseline_post_start_grace_days)
    return baseline_of(homocysteine_results, homocysteine_on_course, course_start, *window)


def b12_rose(
    b12_on_course: Measurement | NoResult,
    b12_before_course: Measurement | NoResult,
    b12_total_indeterminate_max_pgml: float,
    b12_total_indeterminate_max_pmoll: float,
    b12_active_indeterminate_max: float,
    b12_rise_min_pct: float,
) -> bool | None:
    """Is B12 above the grey zone, or has it risen by half? Unknown without a comparable result before the course."""
    if isinstance(b12_on_course, NoResult):
        return None
    enough = {
        ("b12_total", "pg/mL"): b12_total_indeterminate_max_pgml,
        ("b12_total", "pmol/L"): b12_total_indeterminate_max_pmoll,
        ("b12_active", "pmol/L"): b12_active_indeterminate_max,
    }
    if b12_on_course.value.above(enough[b12_on_course.concept, b12_on_course.scale]):
        return True
    rise = percent_change(b12_before_course, b12_on_course)
    return None if rise is None else rise >= b12_rise_min_pct


def homocysteine_fell(
    homocysteine_on_course: Measurement | NoResult,
    homocysteine_before_course: Measurement | NoResult,
    hcy_high_gt: float,
    hcy_fall_min_pct: float,
) -> bool | None:
    """Is homocysteine normal, or has it fallen enough? Unknown without a comparable result before the course."""
    if isinstance(homocysteine_on_course, NoResult):
        return None
    if homocysteine_on_course.value.above(hcy_high_gt) is False:
        return True
    change = percent_change(homocysteine_before_course, homocysteine_on_course)
    return None if change is None else change <= -hcy_fall_min_pct


def response(
    current_routes: tuple[Route, ...],
    b12_rose: bool | None,
    homocysteine_fell: bool | None,
    b12_on_course: Measurement | NoResult | None,
    homocysteine_on_course: Measurement | NoResult | None,
    marker_pair_window_days: float,
) -> Response:
    """First matching row of C9. On injections homocysteine alone decides; a normal one is a response whatever B12 does.

    B12 and homocysteine are read together only if they were drawn near each other.
    """
    if not current_routes or homocysteine_fell is None:
        return "unknown"
    if not INJECTED.isdisjoint(current_routes):
        return "responding" if homocysteine_fell else "injections_without_effect"
    if not isinstance(b12_on_course, Measurement) or not isinstance(homocysteine_on_course, Measurement) or b12_rose is None:
        return "unknown"
    if days_apart(b12_on_course, homocysteine_on_course) > marker_pair_window_days:
        return "unknown"
    if homocysteine_fell:
        return "responding"
    return "homocysteine_stays_up" if b12_rose else "no_response"


def response_speaks(
    under_follow_up: bool,
    response: Response | None,
    still_low_on_treatment: bool | None,
    neurology_during_treatment: bool | None,
) -> bool:
    """Is there a failure to tell of that no other card tells: no red flag of nerves, and B12 itself not still low (C5.T)?"""
    failed = response in ("homocysteine_stays_up", "no_response", "injections_without_effect")
    return under_follow_up and failed and not still_low_on_treatment and not neurology_during_treatment


def response_tests(
    response_speaks: bool,
    response: Response | None,
    due_markers: tuple[str, ...],
    responses_since: date | None,
    mma_results: tuple[Measurement, ...] | None,
    folate_results: tuple[Measurement, ...] | None,
    egfr_results: tuple[Measurement, ...] | None,
    intrinsic_factor_antibodies: tuple[Finding, ...] | None,
) -> tuple[str, ...]:
    """The tests that tell the causes of a failure apart, without those done on this course; and what is due in any case."""
    if not response_speaks or responses_since is None:
        return ()
    seen = {"mma": mma_results, "folate": folate_results, "egfr": egfr_results}
    wanted = [name for name, results in seen.items() if not newest_result(since(results or (), responses_since))]
    if response == "no_response" and not intrinsic_factor_antibodies:
        wanted.insert(0, "intrinsic_factor_antibody")
    return tuple(dict.fromkeys((*wanted, *due_markers)))
