"""For whom this service speaks, and how far (C1). Exclusions come first; what cannot be excluded gets no dose."""

from __future__ import annotations

from typing import Literal

from cds.chart import Condition, Medicine, Patient
from cds.facts.b12_samples import B12Class
from cds.logic import Evidence


Scope = Literal["in_scope_osteoporosis", "in_scope_at_risk", "safety_only", "refer_only", "excluded", "out_of_scope"]


def safety_hit(
    high_b12_dose: bool | None,
    blood_red_flag: bool | None,
    neuro_major: tuple[Condition, ...] | None,
    b12_class: B12Class | None,
    nitrous_oxide_neurology: Evidence | None,
    cyanocobalamin_in_leber: tuple[Medicine, ...] | None,
    b12_despite_allergy: tuple[Medicine, ...] | None,
) -> bool:
    """Something on record that must be said to anybody, whatever their bones (C1.7)."""
    red_flag_with_low_b12 = b12_class == "low" and bool(blood_red_flag or neuro_major)
    return bool(
        high_b12_dose or red_flag_with_low_b12 or nitrous_oxide_neurology or cyanocobalamin_in_leber or b12_despite_allergy
    )


def scope_unanswered(
    pregnancy_evidence: Evidence | None,
    pregnancy_possible: bool,
    bone_evidence: Evidence | None,
    old_enough_to_be_at_risk: bool,
    scope_risk_factors: Evidence | None,
) -> bool:
    """Does the scope hang on a question nobody could answer?"""
    if pregnancy_evidence is None and pregnancy_possible:
        return True
    if bone_evidence or (old_enough_to_be_at_risk and scope_risk_factors):
        return False
    return bone_evidence is None or (old_enough_to_be_at_risk and scope_risk_factors is None)


def scope(
    patient: Patient,
    age_years: int | None,
    adult_min_age_years: float,
    pregnancy_evidence: Evidence | None,
    inborn_errors: tuple[Condition, ...] | None,
    palliative_conditions: tuple[Condition, ...] | None,
    scope_unanswered: bool | None,
    bone_evidence: Evidence | None,
    old_enough_to_be_at_risk: bool | None,
    scope_risk_factors: Evidence | None,
    safety_hit: bool | None,
) -> Scope:
    """First matching row of C1. While the scope itself is unanswered, only the safety rules speak."""
    if patient.deceased or age_years is None:
        return "out_of_scope"
    if age_years < adult_min_age_years:
        return "excluded"
    if pregnancy_evidence or inborn_errors:
        return "refer_only"
    if palliative_conditions or scope_unanswered:
        return "safety_only"
    if bone_evidence:
        return "in_scope_osteoporosis"
    if old_enough_to_be_at_risk and scope_risk_factors:
        return "in_scope_at_risk"
    return "safety_only" if safety_hit else "out_of_scope"
