"""The regimen card: which route, dose and form, or which test first (C5). Its red-flag rows speak in red_flags.py."""

from __future__ import annotations

from cds.advice import Advice, OrderTests, StartB12
from cds.chart import Condition
from cds.facts.metabolites import MmaReading
from cds.facts.regimen import Regimen


def b12_regimen(
    regimen: Regimen,
    regimen_speaks: bool,
    still_low_on_treatment: bool | None,
    follow_up_speaks: bool | None,
    response_speaks: bool | None,
    mma_reading: MmaReading | None,
    neuro_minor: tuple[Condition, ...] | None,
    regimen_notes: tuple[str, ...],
    course_orders: tuple[StartB12, ...],
    test_orders: tuple[OrderTests, ...],
) -> Advice | None:
    """One card per row of the table.

    "Continue and review" is left to the card of the review itself once that speaks (C8, C9).
    """
    if not regimen_speaks:
        return None
    if regimen.row == "allergy":
        return Advice("allergy", test_orders, regimen_notes)
    if regimen.action == "continue":
        if still_low_on_treatment:
            return Advice("still_low", test_orders, regimen_notes)
        reviewed = follow_up_speaks or response_speaks
        return None if reviewed else Advice("under_treatment", test_orders, regimen_notes)
    return Advice(_key(regimen, mma_reading, neuro_minor), (*course_orders, *test_orders), regimen_notes)


def _key(regimen: Regimen, mma_reading: MmaReading | None, neuro_minor: tuple[Condition, ...] | None) -> str:
    """The row, told apart further by what MMA has said already."""
    if regimen.row == "normal_probable":
        if neuro_minor:
            return "normal_probable_with_signs"
        return "normal_probable" if mma_reading in ("none", None) else "normal_probable_measured"
    return "indeterminate_mma" if regimen.row == "indeterminate" and mma_reading == "unusable" else regimen.row
