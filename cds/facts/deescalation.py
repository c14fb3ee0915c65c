"""May treatment with B12 be reviewed for less, or for an end (C11)? Whatever speaks for a lasting need rules it out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from cds.advice import Route
from cds.chart import Condition, Finding, Measurement, Medicine
from cds.facts.absorption import Absorption
from cds.facts.b12_status import B12Status
from cds.facts.response import Response
from cds.leaves import has
from cds.logic import Evidence, either, newest
from cds.sums import Intake


Stopping = Literal["ruled_out", "no_need", "cause_gone"]
Excess = Literal["none", "injections", "by_mouth"]

b12_deficiency_diagnoses = has("b12_deficiency")


def low_or_grey_b12(
    b12_results: tuple[Measurement, ...],
    b12_total_indeterminate_max_pgml: float,
    b12_total_indeterminate_max_pmoll: float,
    b12_active_indeterminate_max: float,
) -> tuple[Measurement, ...]:
    """B12 results of any age that were not clearly normal."""
    enough = {
        ("b12_total", "pg/mL"): b12_total_indeterminate_max_pgml,
        ("b12_total", "pmol/L"): b12_total_indeterminate_max_pmoll,
        ("b12_active", "pmol/L"): b12_active_indeterminate_max,
    }
    return tuple(result for result in b12_results if not result.value.above(enough[result.concept, result.scale]))


def raised_metabolites(
    homocysteine_results: tuple[Measurement, ...], mma_results: tuple[Measurement, ...], hcy_high_gt: float, mma_uln_umoll: float
) -> tuple[Measurement, ...]:
    """Homocysteine and MMA of any age that were not clearly normal, whatever else may have raised them."""
    high = tuple(result for result in homocysteine_results if result.value.above(hcy_high_gt) is not False)
    return high + tuple(result for result in mma_results if result.value.above(mma_uln_umoll) is not False)


def signs_of_deficiency(
    b12_deficiency_diagnoses: tuple[Condition, ...] | None,
    low_or_grey_b12: tuple[Measurement, ...] | None,
    raised_metabolites: tuple[Measurement, ...] | None,
) -> Evidence | None:
    """Anything on record that may have been a deficiency, ever."""
    return either(b12_deficiency_diagnoses, low_or_grey_b12, raised_metabolites)


def causes_gone(
    proton_pump_inhibitors: tuple[Medicine, ...],
    potassium_competitive_blockers: tuple[Medicine, ...],
    h2_blockers: tuple[Medicine, ...],
    metformin: tuple[Medicine, ...],
    helicobacter_tests: tuple[Finding, ...],
    course_start: date | None,
    today: date,
    ppi_long_term_days: float,
    metformin_long_term_days: float,
    exposure_current_grace_days: float,
) -> Evidence:
    """Reversible causes that were there before the course and are over: long acid suppression, metformin, Helicobacter."""
    if course_start is None:
        return ()
    acid = (*proton_pump_inhibitors, *potassium_competitive_blockers, *h2_blockers)
    lasting = [(medicine, ppi_long_term_days) for medicine in acid]
    lasting += [(medicine, metformin_long_term_days) for medicine in metformin]
    ended = today - timedelta(days=exposure_current_grace_days)
    over = [
        m for m, days in lasting if _lasted(m, days) and _before(m, course_start) and m.end is not None and m.end.last < ended
    ]
    latest = newest(helicobacter_tests)
    if latest is None or latest.positive is not False:
        return tuple(over)
    return (*over, *[test for test in helicobacter_tests if test.positive and _before(test, course_start)])


def _lasted(medicine: Medicine, days: float) -> bool:
    if medicine.current or medicine.day is None or medicine.end is None:
        return False
    return (medicine.end.first - medicine.day.last).days >= days


def _before(record: Medicine | Finding, start: date) -> bool:
    return record.day is not None and record.day.last < start


def stopping(
    current_routes: tuple[Route, ...],
    days_on_b12: int | None,
    followup_min_treatment_days: float,
    b12_status: B12Status,
    likely_to_lack_b12: bool | None,
    neurology: Evidence | None,
    on_pemetrexed: bool | None,
    anaemia: bool | None,
    signs_of_deficiency: Evidence | None,
    baseline_before_treatment: bool | None,
    causes_gone: Evidence | None,
    response: Response | None,
) -> Stopping | None:
    """May an end of treatment be reviewed? Only where nothing speaks for a lasting need, and all of it was looked into.

    Any risk factor rules it out, so lost or impaired absorption, gastric and bariatric surgery, a meatless diet (another source
    of B12 is not to be seen in a record) and old age do. That there never was a deficiency takes a normal B12 from before the
    course: records often begin after it. After a deficiency its cause must be known and gone, the nerves well and homocysteine
    down.
    """
    settled = b12_status in ("on_treatment", "high_on_treatment", "adequate")
    long_enough = days_on_b12 is not None and days_on_b12 >= followup_min_treatment_days
    if not current_routes or not settled or not long_enough or likely_to_lack_b12 or neurology:
        return "ruled_out"
    if on_pemetrexed is not False or anaemia:
        return "ruled_out"
    if signs_of_deficiency is None:
        return None
    over = causes_gone and response == "responding" if signs_of_deficiency else baseline_before_treatment
    if over is None or (over and None in (likely_to_lack_b12, neurology)):
        return None
    return "ruled_out" if not over else "cause_gone" if signs_of_deficiency else "no_need"


def excess(
    b12_status: B12Status,
    absorption: Absorption,
    parenteral_excess: bool | None,
    enteral_b12: Intake,
    enteral_high_gt_ug_day: float,
    neurology: Evidence | None,
) -> Excess:
    """What goes beyond the schedule while B12 is high on treatment. Nerves, and absorption by mouth, may call for more."""
    if b12_status != "high_on_treatment":
        return "none"
    if parenteral_excess and neurology == ():
        return "injections"
    impaired = absorption in ("impaired_irreversible", "impaired_partial", "unknown")
    return "by_mouth" if enteral_b12.above(enteral_high_gt_ug_day) and not impaired else "none"


def dose_card_speaks(
    injections_without_reason: bool | None,
    enteral_b12: Intake,
    enteral_very_high_gt_ug_day: float,
    b12_contraindicated: bool | None,
) -> bool:
    """Does a card on a monitored dose (C6) or on what must not be taken (C10) already say what is to change?"""
    if injections_without_reason or b12_contraindicated:
        return True
    return bool(enteral_b12.above(enteral_very_high_gt_ug_day))
