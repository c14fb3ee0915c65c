"""What is switched on, on one page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Service:
    """One CDS service: the hook it answers, its id in the URL, and the rules that speak, in the order of equal loudness.

    about: the member of the context that the question is about. Where nothing in it concerns us there is nothing to say. A
    hook without one asks about the patient. hook_version: as the published definition of the hook has it (DISC-11).
    """

    hook: str
    id: str
    title: str
    description: str
    rules: tuple[str, ...]
    about: Literal["draftOrders", "medications", "conditions"] | None = None
    hook_version: str = "1.0"

    @property
    def may_change(self) -> bool:
        """May its suggestions change what the context brought? Drafts, but no refills and no problems (HOOK-03)."""
        return self.about == "draftOrders"


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
        "b12_response",
        "b12_baseline",
        "companions",
        "high_b12",
        "b12_follow_up",
        "b12_deescalation",
        "b12_duplicates",
        "b6_with_b12",
    ),
)

_ORDER_RULES = (
    "order_b12_contraindicated",
    "potassium_red_flag",
    "order_b12_dose",
    "order_b12_route",
    "order_folic_acid",
    "order_nitrous_oxide",
    "order_b12_sum",
    "order_b12_baseline",
    "order_b_complex",
    "order_metformin",
    "order_acid_suppressant",
)

_ON_ORDERS = (
    "Draft orders of vitamin B12, folic acid, B-complex, acid suppressants, metformin and nitrous oxide, read together with what "
    "is on record: allergy, dose, route, duplicates, what should be measured first. Suggestions change the draft."
)

ORDER_SELECT = Service(
    hook="order-select",
    id="b12-order-select",
    title="Vitamin B12: while ordering",
    description=_ON_ORDERS,
    rules=_ORDER_RULES,
    about="draftOrders",
)

ORDER_SIGN = replace(ORDER_SELECT, hook="order-sign", id="b12-order-sign", title="Vitamin B12: before signing")

ENCOUNTER_DISCHARGE = Service(
    hook="encounter-discharge",
    id="b12-encounter-discharge",
    title="Vitamin B12 before going home",
    description=(
        "Before a patient goes home: high doses of vitamin B12 nobody watches, red flags, missing treatment or baseline, and "
        "follow-up that is due."
    ),
    rules=(
        "contraindicated_b12",
        "neurological_red_flag",
        "blood_count_red_flag",
        "potassium_red_flag",
        "b12_unit_error",
        "b12_dose",
        "b12_regimen",
        "b12_response",
        "b12_baseline",
        "b12_follow_up",
    ),
)

PROBLEM_LIST = Service(
    hook="problem-list-item-create",
    id="b12-problem-list",
    title="Vitamin B12 after a new diagnosis",
    description="What a new osteoporosis, gastrectomy, pernicious anaemia or nerve sign asks for: baseline tests or treatment.",
    rules=(
        "referral",
        "contraindicated_b12",
        "neurological_red_flag",
        "b12_regimen",
        "b12_baseline",
    ),
    about="conditions",
    hook_version="0.1.0",
)

MEDICATION_REFILL = Service(
    hook="medication-refill",
    id="b12-medication-refill",
    title="Vitamin B12 at a refill",
    description="Refills of high-dose vitamin B12, acid suppressants and metformin that nobody has monitored.",
    rules=(
        "order_b12_contraindicated",
        "order_b12_dose",
        "order_b12_route",
        "order_folic_acid",
        "refill_b12",
        "order_metformin",
        "order_acid_suppressant",
    ),
    about="medications",
    hook_version="0.1.0",
)

SERVICES = (PATIENT_VIEW, ORDER_SELECT, ORDER_SIGN, ENCOUNTER_DISCHARGE, PROBLEM_LIST, MEDICATION_REFILL)


def service_of(hook: object) -> Service:
    """The service of a hook; that of patient-view for any other, which will say that it is not its hook."""
    return next((service for service in SERVICES if service.hook == hook), PATIENT_VIEW)
