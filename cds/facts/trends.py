"""What else changed on treatment: bone turnover and strength. It may be described, and is never ascribed to B12 (C9)."""

from __future__ import annotations

from datetime import date, timedelta

from cds.chart import Condition, Measurement, Medicine
from cds.facts.response import Response
from cds.leaves import taking
from cds.logic import Evidence, either, newest_result, since
from cds.series import baseline_of, change_of, percent_change


glucocorticoids = taking("glucocorticoid")

Trend = tuple[Measurement, ...]
"""The result before the course and the one on it, where they differ by more than chance explains; else nothing."""


def balp_trend(
    balp_results: tuple[Measurement, ...],
    course_start: date,
    responses_since: date,
    baseline_pre_start_window_days: float,
    baseline_post_start_grace_days: float,
    balp_lsc_pct: float,
) -> tuple[Measurement, ...]:
    """BALP of one assay: mass and activity are two series."""
    window = (baseline_pre_start_window_days, baseline_post_start_grace_days)
    return _turnover_trend(balp_results, course_start, responses_since, window, balp_lsc_pct)


def ctx_trend(
    ctx_results: tuple[Measurement, ...],
    course_start: date,
    responses_since: date,
    baseline_pre_start_window_days: float,
    baseline_post_start_grace_days: float,
    ctx_lsc_pct: float,
) -> tuple[Measurement, ...]:
    """Beta-CTX of one assay."""
    window = (baseline_pre_start_window_days, baseline_post_start_grace_days)
    return _turnover_trend(ctx_results, course_start, responses_since, window, ctx_lsc_pct)


def _turnover_trend(
    results: tuple[Measurement, ...], start: date, earliest: date, window: tuple[float, float], least_pct: float
) -> Trend:
    if not results:
        return ()
    after = newest_result(since(results, earliest))
    before = baseline_of(results, after, start, *window, same_name=True)
    change = percent_change(before, after)
    if not isinstance(before, Measurement) or not isinstance(after, Measurement) or change is None:
        return ()
    return (before, after) if abs(change) > least_pct else ()


def chair_stand_trend(
    chair_stands: tuple[Measurement, ...],
    course_start: date,
    responses_since: date,
    baseline_pre_start_window_days: float,
    baseline_post_start_grace_days: float,
    chair_stand_mcid: float,
) -> tuple[Measurement, ...]:
    """The chair stand without the arms, where the change is one that a patient may notice."""
    if not chair_stands:
        return ()
    after = newest_result(since(chair_stands, responses_since))
    window = (baseline_pre_start_window_days, baseline_post_start_grace_days)
    before = baseline_of(chair_stands, after, course_start, *window)
    change = change_of(before, after)
    if not isinstance(before, Measurement) or not isinstance(after, Measurement) or change is None:
        return ()
    return (before, after) if abs(change) >= chair_stand_mcid else ()


def bone_turnover_trends(balp_trend: tuple[Measurement, ...] | None, ctx_trend: tuple[Measurement, ...] | None) -> Trend:
    """Both markers, each before and after."""
    return (*(balp_trend or ()), *(ctx_trend or ()))


def recent_fractures(
    fragility_fractures: tuple[Condition, ...] | None,
    major_fractures: tuple[Condition, ...] | None,
    today: date,
    fracture_turnover_days: float,
) -> tuple[Condition, ...] | None:
    """Fractures that may still be raising bone turnover."""
    fractures = either(fragility_fractures, major_fractures)
    return fractures if not fractures else tuple(since(fractures, today - timedelta(days=fracture_turnover_days)))


def bone_turnover_causes(
    bone_drugs: tuple[Medicine, ...] | None,
    glucocorticoids: tuple[Medicine, ...] | None,
    recent_fractures: tuple[Condition, ...] | None,
) -> Evidence:
    """What changes bone turnover and is on record: osteoporosis medicines, steroids, a recent fracture."""
    taken = (medicine for medicine in (*(bone_drugs or ()), *(glucocorticoids or ())) if medicine.current)
    return (*taken, *(recent_fractures or ()))


def follow_up_notes(
    follow_up_speaks: bool,
    response: Response | None,
    bone_turnover_trends: tuple[Measurement, ...],
    bone_turnover_causes: Evidence,
    chair_stand_trend: tuple[Measurement, ...] | None,
) -> tuple[str, ...]:
    """What the follow-up card adds to its list."""
    if not follow_up_speaks:
        return ()
    notes = ["responding"] if response == "responding" else []
    if bone_turnover_trends:
        notes.append("turnover_explained" if bone_turnover_causes else "turnover_changed")
    return (*notes, *(("chair_stand_changed",) if chair_stand_trend else ()))
