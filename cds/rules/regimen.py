"""The regimen card: which route, dose and form, or which test first (C5). Its red-flag rows speak in red_flags.py."""

from __future__ import annotations

from cds.advice import Advice, OrderTests, StartB12
from cds.chart import Condition
from cds.facts.metabolites import MmaReading
from cds.facts.regimen import CRITICAL_ROWS, Regimen


def b12_regimen(
    regimen: Regimen,
    b12_lacking: bool,
    b12_needed: bool,
    b12_contraindicated: bool | None,
    still_low_on_treatment: bool | None,
    follow_up_speaks: bool | None,
    response_speaks: bool | None,
    mma_reading: MmaReading | None,
    neuro_minor: tuple[Condition, ...] | None,
    regimen_notes: tuple[str, ...],
    course_orders: tuple[StartB12, ...],
    test_orders: tuple[OrderTests, ...],
) -> Advice | None:
    """One card per row of the table. An allergy is only worth a card where B12 would otherwise be due.

    "Continue and review" is left to the card of the review itself once that speaks (C8, C9).
    """
    if regimen.row == "allergy":
        return Advice("allergy", test_orders, regimen_notes) if b12_needed else None
    if regimen.row != "indeterminate" and (not regimen.form or regimen.row in CRITICAL_ROWS):
        return None
    if regimen.action == "continue":
        if not b12_lacking or b12_contraindicated:
            return None
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
