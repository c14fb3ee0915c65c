"""For whom this service speaks, and how far (C1). Exclusions come first; what cannot be excluded gets no dose."""

from __future__ import annotations

from typing import Literal

from cds.chart import Condition, Medicine, Patient
from cds.facts.b12_samples import B12Class
from cds.logic import Evidence


Scope = Literal["in_scope_osteoporosis", "in_scope_at_risk", "safety_only", "refer_only", "excluded", "out_of_scope"]


def low_b12_with_red_flag(
    b12_class: B12Class | None, blood_red_flag: bool | None, neuro_major: tuple[Condition, ...] | None
) -> bool | None:
    """A low B12 together with signs of blood or nerves. Unknown while one half is there and the other was not answered."""
    flag = True if blood_red_flag or neuro_major else None if None in (blood_red_flag, neuro_major) else False
    low = None if b12_class is None else b12_class == "low"
    return False if False in (flag, low) else None if None in (flag, low) else True


def safety_hit(
    high_b12_dose: bool | None,
    low_b12_with_red_flag: bool | None,
    nitrous_oxide_neurology: Evidence | None,
    cyanocobalamin_in_leber: tuple[Medicine, ...] | None,
    b12_despite_allergy: tuple[Medicine, ...] | None,
    order_safety_hit: bool,
) -> bool | None:
    """Something on record or ordered that must be said to anybody (C1.7), whatever their bones. None where nobody could tell."""
    hits = (high_b12_dose, low_b12_with_red_flag, nitrous_oxide_neurology, cyanocobalamin_in_leber, b12_despite_allergy)
    if order_safety_hit:
        return True
    return True if any(hits) else None if None in hits else False


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
    """First matching row of C1. While the scope itself is unanswered, only the safety rules speak.

    Nobody is out of scope before it is known that there is nothing that must be said to anybody.
    """
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
    return "out_of_scope" if safety_hit is False else "safety_only"
