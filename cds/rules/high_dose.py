"""B12 doses on record: too high, unwatched, mistyped, doubled, or with high vitamin B6 (C6)."""

from __future__ import annotations

from cds.advice import Advice, OrderTests
from cds.chart import Medicine
from cds.facts.scope import Scope
from cds.logic import Evidence
from cds.sums import Intake


def b12_dose(
    unmonitored_high_dose: bool,
    high_dose_may_be_needed: bool,
    injections_without_reason: bool | None,
    b12_contraindicated: bool | None,
    days_on_b12: int | None,
    enteral_b12: Intake,
    enteral_high_gt_ug_day: float,
    enteral_very_high_gt_ug_day: float,
    excess_symptoms: Evidence | None,
) -> Advice | None:
    """A high dose needs a baseline and a review; watched, it may still be more than is known to help.

    What is swallowed and what is injected are never cut by the same words. Who must not have B12 at all hears that instead.
    """
    if b12_contraindicated:
        return None
    notes: tuple[str, ...] = ("excess_symptoms",) if excess_symptoms else ()
    by_mouth = enteral_b12.above(enteral_high_gt_ug_day)
    tests = (OrderTests(("b12_total", "homocysteine", "folate")),) if unmonitored_high_dose else ()
    if unmonitored_high_dose and (by_mouth or high_dose_may_be_needed):
        notes += ("duration_unknown",) if days_on_b12 is None else ()
        needed = "measure_high_dose" if by_mouth else "measure_injections"
        return Advice(needed if high_dose_may_be_needed else "measure_and_step_down", tests, notes)
    if injections_without_reason:
        return Advice("injections_too_often", tests, notes)
    if enteral_b12.above(enteral_very_high_gt_ug_day):
        return Advice("no_added_benefit", notes=notes)
    return None


def b12_unit_error(b12_unit_errors: tuple[Medicine, ...]) -> Advice | None:
    """A dose a thousand times too large is a typing error until somebody has looked."""
    return Advice("mg_for_ug") if b12_unit_errors else None


def b12_duplicates(distinct_b12_treatments: int) -> Advice | None:
    """Two B12 medicines at once are rarely meant."""
    return Advice("several_products") if distinct_b12_treatments > 1 else None


def b6_with_b12(
    scope: Scope, pyridoxine_mg_per_day: float, b6_high_ge_mg_day: float, enteral_b12: Intake, b6_relevant_b12_gt_ug_day: float
) -> Advice | None:
    """High B6 together with B12 went along with more hip fractures in a large cohort."""
    if scope != "in_scope_osteoporosis" or pyridoxine_mg_per_day < b6_high_ge_mg_day:
        return None
    return Advice("review_b6") if enteral_b12.above(b6_relevant_b12_gt_ug_day) else None
