"""How well B12 is absorbed, from diagnoses, operations and long-term acid suppression (C4). The highest tier wins."""

from __future__ import annotations

from datetime import date
from typing import Literal

from cds.chart import Condition, Finding, Medicine, Procedure
from cds.exposure import latest_run, runs
from cds.facts.scope import Scope
from cds.leaves import had, has, observed, taking
from cds.logic import Evidence, either, newest


Absorption = Literal["normal", "reduced_food_bound", "impaired_partial", "impaired_irreversible", "unknown", "not_assessed"]

pernicious_anaemia = has("pernicious_anaemia")
intrinsic_factor_antibodies = observed("intrinsic_factor_antibody")
total_gastrectomies = had("total_gastrectomy")
total_gastrectomy_status = has("total_gastrectomy_status")
ileal_resections = had("ileal_resection")

atrophic_gastritis = has("atrophic_gastritis")
partial_gastrectomies = had("partial_gastrectomy")
bariatric_operations = had("bariatric_surgery")
gastric_surgery_status = has("gastric_surgery_status")
ileal_disease = has("ileal_disease")
malabsorption = has("malabsorption")

chronic_gastritis = has("chronic_gastritis")
helicobacter_infection = has("helicobacter_infection")
helicobacter_tests = observed("helicobacter_test")
small_bowel_operations = had("small_bowel_surgery")
proton_pump_inhibitors = taking("ppi")
potassium_competitive_blockers = taking("pcab")
h2_blockers = taking("h2ra")


def intrinsic_factor_antibody(intrinsic_factor_antibodies: tuple[Finding, ...]) -> Evidence:
    """A positive intrinsic factor antibody, ever: autoimmune gastritis does not go away, and it can hide a low B12."""
    return tuple(test for test in intrinsic_factor_antibodies if test.positive)


def severe_ileal_resection(ileal_resections: tuple[Procedure, ...], ileal_resection_severe_cm: float) -> Evidence:
    """Resections of ileum that were complete, or long enough to rule out recovery; an unrecorded length proves nothing."""
    return tuple(r for r in ileal_resections if r.complete or (r.length_cm or 0) >= ileal_resection_severe_cm)


def irreversible_causes(
    pernicious_anaemia: tuple[Condition, ...] | None,
    intrinsic_factor_antibody: Evidence | None,
    total_gastrectomies: tuple[Procedure, ...] | None,
    total_gastrectomy_status: tuple[Condition, ...] | None,
    severe_ileal_resection: Evidence | None,
) -> Evidence | None:
    """Tier A, as far as it is certain: what is only suspected is not called lost for good."""
    return either(
        _certain(pernicious_anaemia),
        intrinsic_factor_antibody,
        total_gastrectomies,
        _certain(total_gastrectomy_status),
        severe_ileal_resection,
    )


def _certain(conditions: tuple[Condition, ...] | None) -> tuple[Condition, ...] | None:
    return None if conditions is None else tuple(condition for condition in conditions if condition.certain)


def stomach_surgery(
    partial_gastrectomies: tuple[Procedure, ...] | None,
    bariatric_operations: tuple[Procedure, ...] | None,
    gastric_surgery_status: tuple[Condition, ...] | None,
) -> Evidence | None:
    """Partial gastrectomy or bariatric surgery: the group that needs maintenance even while B12 is adequate (C5.7)."""
    return either(partial_gastrectomies, bariatric_operations, gastric_surgery_status)


def partial_causes(
    stomach_surgery: Evidence | None,
    pernicious_anaemia: tuple[Condition, ...] | None,
    total_gastrectomy_status: tuple[Condition, ...] | None,
    atrophic_gastritis: tuple[Condition, ...] | None,
    ileal_disease: tuple[Condition, ...] | None,
    malabsorption: tuple[Condition, ...] | None,
    ileal_resections: tuple[Procedure, ...] | None,
) -> Evidence | None:
    """Tier B, and what would be tier A but is only suspected."""
    return either(
        stomach_surgery,
        pernicious_anaemia,
        total_gastrectomy_status,
        atrophic_gastritis,
        ileal_disease,
        malabsorption,
        ileal_resections,
    )


def long_term_potent_acid_suppression(
    proton_pump_inhibitors: tuple[Medicine, ...] | None,
    potassium_competitive_blockers: tuple[Medicine, ...] | None,
    today: date,
    ppi_long_term_days: float,
    exposure_gap_merge_days: float,
    exposure_current_grace_days: float,
) -> Evidence | None:
    """PPIs and P-CABs of one unbroken, recent run of at least a year. A switch from one to the other does not end the run."""
    medicines = either(proton_pump_inhibitors, potassium_competitive_blockers)
    return _long_run(medicines, today, ppi_long_term_days, exposure_gap_merge_days, exposure_current_grace_days)


def long_term_h2_blockade(
    h2_blockers: tuple[Medicine, ...],
    today: date,
    h2ra_long_term_days: float,
    exposure_gap_merge_days: float,
    exposure_current_grace_days: float,
) -> Evidence | None:
    """H2 blockers of one unbroken, recent run of at least a year."""
    return _long_run(h2_blockers, today, h2ra_long_term_days, exposure_gap_merge_days, exposure_current_grace_days)


def _long_run(medicines: tuple[Medicine, ...] | None, today: date, long_days: float, gap: float, grace: float) -> Evidence | None:
    if not medicines:
        return medicines
    run = latest_run(runs(medicines, today, gap), today, grace)
    return run.medicines if run is not None and run.days is not None and run.days >= long_days else ()


def helicobacter_on_last_test(helicobacter_tests: tuple[Finding, ...]) -> Evidence:
    """The newest Helicobacter test, if it was positive: eradication may have followed an older one."""
    latest = newest(helicobacter_tests)
    return (latest,) if latest is not None and latest.positive else ()


def food_bound_causes(
    long_term_potent_acid_suppression: Evidence | None,
    long_term_h2_blockade: Evidence | None,
    chronic_gastritis: tuple[Condition, ...] | None,
    helicobacter_infection: tuple[Condition, ...] | None,
    helicobacter_on_last_test: Evidence | None,
    small_bowel_operations: tuple[Procedure, ...] | None,
) -> Evidence | None:
    """Tier C: B12 is freed from food less well, while the B12 of a tablet is absorbed much as ever."""
    return either(
        long_term_potent_acid_suppression,
        long_term_h2_blockade,
        chronic_gastritis,
        helicobacter_infection,
        helicobacter_on_last_test,
        small_bowel_operations,
    )


def absorption(
    scope: Scope,
    irreversible_causes: Evidence | None,
    partial_causes: Evidence | None,
    food_bound_causes: Evidence | None,
) -> Absorption:
    """The class of the highest tier with evidence. "normal" only when every tier was looked into and is empty."""
    if scope in ("excluded", "refer_only", "out_of_scope"):
        return "not_assessed"
    if irreversible_causes:
        return "impaired_irreversible"
    if partial_causes:
        return "impaired_partial"
    if food_bound_causes:
        return "reduced_food_bound"
    if irreversible_causes is None or partial_causes is None or food_bound_causes is None:
        return "unknown"
    return "normal"


def absorption_may_be_worse(
    absorption: Absorption, irreversible_causes: Evidence | None, partial_causes: Evidence | None
) -> bool:
    """Was a worse class than the one found not ruled out, because a query went unanswered?"""
    if absorption == "reduced_food_bound":
        return irreversible_causes is None or partial_causes is None
    return absorption == "impaired_partial" and irreversible_causes is None
