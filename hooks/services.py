"""What is switched on, on one page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """One CDS service: the hook it answers, its id in the URL, and the rules that speak, in the order of equal loudness."""

    hook: str
    id: str
    title: str
    description: str
    rules: tuple[str, ...]


PATIENT_VIEW = Service(
    hook="patient-view",
    id="b12-bone-health",
    title="Vitamin B12 in osteoporosis",
    description=(
        "Vitamin B12 in patients with, or at risk of, osteoporosis: what to measure before any supplement, which route and dose "
        "suit the patient's absorption, high doses nobody watches, and red flags. Every card shows its inputs, rule and sources."
    ),
    rules=(
        "referral",
        "contraindicated_b12",
        "neurological_red_flag",
        "blood_count_red_flag",
        "potassium_red_flag",
        "b12_unit_error",
        "b12_regimen",
        "b12_dose",
        "b12_baseline",
        "companions",
        "high_b12",
        "b12_duplicates",
        "b6_with_b12",
    ),
)

SERVICES = (PATIENT_VIEW,)
