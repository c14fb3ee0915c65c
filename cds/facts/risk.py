"""Risk factors for B12 deficiency (C4 tiers and risk flags), and who is at risk enough to be looked at (C1.6)."""

from __future__ import annotations

from cds.chart import Condition, Finding, Medicine, Patient
from cds.leaves import has, observed, taking
from cds.logic import Evidence, either


meatless_diet = has("meatless_diet")
diet_findings = observed("diet")
metformin = taking("metformin")
colchicine = taking("colchicine")
anticonvulsants = taking("anticonvulsant")


def meatless_diet_evidence(
    meatless_diet: tuple[Condition, ...] | None, diet_findings: tuple[Finding, ...] | None
) -> Evidence | None:
    """A vegan or vegetarian diet as a problem or a social-history observation; the latter is rarely there to be missed."""
    return either(meatless_diet, tuple(diet for diet in diet_findings or () if diet.positive))


def current_metformin(metformin: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    """Metformin taken now. It may lower B12; it is never a reason to stop it."""
    return tuple(medicine for medicine in metformin if medicine.current)


def malabsorption_causes(
    irreversible_causes: Evidence | None, partial_causes: Evidence | None, food_bound_causes: Evidence | None
) -> Evidence | None:
    """Evidence of any absorption tier."""
    return either(irreversible_causes, partial_causes, food_bound_causes)


def scope_risk_factors(
    malabsorption_causes: Evidence | None,
    meatless_diet_evidence: Evidence | None,
    current_metformin: tuple[Medicine, ...] | None,
    neurology: Evidence | None,
) -> Evidence | None:
    """The risk factors that bring an older patient into scope without known bone disease."""
    return either(malabsorption_causes, meatless_diet_evidence, current_metformin, neurology)


def current_acid_suppression(
    proton_pump_inhibitors: tuple[Medicine, ...] | None,
    potassium_competitive_blockers: tuple[Medicine, ...] | None,
    h2_blockers: tuple[Medicine, ...] | None,
) -> tuple[Medicine, ...] | None:
    """Acid suppressants taken now, for however long: too short or undated to change the absorption class, still a risk."""
    medicines = either(proton_pump_inhibitors, potassium_competitive_blockers, h2_blockers)
    return None if medicines is None else tuple(medicine for medicine in medicines if medicine.current)


def b12_risk_factors(
    malabsorption_causes: Evidence | None,
    current_acid_suppression: tuple[Medicine, ...] | None,
    meatless_diet_evidence: Evidence | None,
    current_metformin: tuple[Medicine, ...] | None,
    colchicine: tuple[Medicine, ...] | None,
    anticonvulsants: tuple[Medicine, ...] | None,
    nitrous_oxide_evidence: Evidence | None,
) -> Evidence | None:
    """Everything on record that makes a lack of B12 likelier, apart from age."""
    return either(
        malabsorption_causes,
        current_acid_suppression,
        meatless_diet_evidence,
        current_metformin,
        colchicine,
        anticonvulsants,
        nitrous_oxide_evidence,
    )


def likely_to_lack_b12(
    b12_risk_factors: Evidence | None, age_years: int | None, absorption_elderly_age_years: float
) -> bool | None:
    """Is there any risk factor, old age among them?"""
    if b12_risk_factors or (age_years is not None and age_years >= absorption_elderly_age_years):
        return True
    return None if b12_risk_factors is None else False


def old_enough_to_be_at_risk(patient: Patient, age_years: int, at_risk_age_years: float, at_risk_women_age_years: float) -> bool:
    """Old enough for a risk factor to count without known bone disease; women earlier than men."""
    return age_years >= at_risk_age_years or (patient.gender == "female" and age_years >= at_risk_women_age_years)
